//! Test tenants, builders and token mint, for tests only.
