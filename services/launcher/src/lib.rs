//! A private PostgreSQL, Redis and Keycloak for the demo and the tests.
