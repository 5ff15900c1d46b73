//! Requests and answers of the internal API.
