//! OAuth 2 and FAPI 2.0 rules without I/O.
