//! The one place that takes random bytes.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_kernel::{Kind, Refusal};

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoRandomness;

impl Refusal for NoRandomness {
    fn kind(&self) -> Kind {
        Kind::Unavailable
    }

    fn code(&self) -> &'static str {
        "no-randomness"
    }

    fn public(&self) -> String {
        "No random numbers could be had, so no secret was made. Try again.".to_owned()
    }
}

/// Random bytes fit for keys.
///
/// # Errors
/// [`NoRandomness`] when the operating system refuses.
pub fn random_bytes(length: usize) -> Result<Vec<u8>, NoRandomness> {
    let mut bytes = vec![0; length];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| NoRandomness)?;
    Ok(bytes)
}

/// Random bytes as text that fits a URL; 16 bytes cannot be guessed, 32 make a secret.
///
/// # Errors
/// [`NoRandomness`] when the operating system refuses.
pub fn random_token(bytes: usize) -> Result<String, NoRandomness> {
    Ok(URL_SAFE_NO_PAD.encode(random_bytes(bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tokens_differ_and_fit_a_url() {
        let (one, other) = (random_token(32).unwrap(), random_token(32).unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(
            one.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }
}
