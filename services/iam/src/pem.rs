//! Keys as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// RFC 7468: base64 in lines of 64 between two labels.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----");
    for (at, character) in STANDARD.encode(der).chars().enumerate() {
        if at.is_multiple_of(64) {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}
