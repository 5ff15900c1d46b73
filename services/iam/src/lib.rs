//! Who somebody is and what they may do: tokens, principals, rights, Keycloak, dev identity.
