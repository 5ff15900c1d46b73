//! Members and their deposit accounts.
