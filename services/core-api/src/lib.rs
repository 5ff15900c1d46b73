//! HTTP of the core.
