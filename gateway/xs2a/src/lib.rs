//! Berlin Group XS2A rules without I/O.
