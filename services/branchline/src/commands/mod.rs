//! What operators do on the command line. Each command reads the configuration, says what it did,
//! and exits.

pub(crate) mod clearing;
pub(crate) mod launch;
pub(crate) mod ledger;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod tenant;
pub(crate) mod tpp;
