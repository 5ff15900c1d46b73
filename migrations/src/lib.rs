//! Ordered SQL.
