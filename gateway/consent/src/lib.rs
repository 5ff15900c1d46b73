//! TPP register, consents, authorisations, grants and tokens: state and rows.
