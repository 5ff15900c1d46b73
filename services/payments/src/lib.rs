//! The payment state machine and the rail port.
