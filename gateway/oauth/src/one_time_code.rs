//! The six digits a member types: derived from what she approves, never stored.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};

/// A code that fits one challenge and one content only (RTS on SCA, article 5: dynamic linking).
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeCode(String);

const CODES: u64 = 1_000_000;

impl OneTimeCode {
    /// Derives the code from the tenant's key, the challenge, and the hash of what is approved.
    ///
    /// 64 bits of HMAC-SHA-256 modulo a million: the bias is below 2⁻⁴⁴ per code, far below what
    /// three attempts could use, so no rejection loop is needed.
    #[must_use]
    pub fn derive(key: &[u8], challenge: &str, bound_to: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut context = hmac::Context::with_key(&key);
        context.update(b"branchline one-time code 1");
        // The lengths keep two pairs of texts from flowing into the same bytes.
        for part in [challenge, bound_to] {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let tag = context.sign();
        let head = tag
            .as_ref()
            .iter()
            .take(8)
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Self(format!(
            "{:06}",
            head.checked_rem(CODES).unwrap_or_default()
        ))
    }

    /// Whether the member typed this code; blanks around and inside it do not count.
    #[must_use]
    pub fn matches(&self, typed: &str) -> bool {
        let digits: String = typed
            .chars()
            .filter(|character| !character.is_whitespace())
            .take(self.0.len().saturating_add(1))
            .collect();
        constant_time::verify_slices_are_equal(digits.as_bytes(), self.0.as_bytes()).is_ok()
    }

    /// The digits, for the message to the member only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(key: u8, challenge: &str, bound_to: &str) -> OneTimeCode {
        OneTimeCode::derive(&[key; 32], challenge, bound_to)
    }

    #[test]
    fn a_code_has_six_digits_and_matches_itself() {
        for number in 0..100 {
            let code = code(1, &number.to_string(), "payment");
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
            assert!(code.matches(code.expose()));
        }
    }

    #[test]
    fn blanks_that_people_type_do_not_count() {
        let code = code(1, "c", "payment");
        let (left, right) = code.expose().split_at(3);
        assert!(code.matches(&format!(" {left} {right}\n")));
    }

    #[test]
    fn another_key_challenge_or_content_gives_another_code() {
        let right = code(1, "c1", "payment");
        assert!(!right.matches(code(2, "c1", "payment").expose()));
        assert!(!right.matches(code(1, "c2", "payment").expose()));
        assert!(!right.matches(code(1, "c1", "payment of more").expose()));
        assert!(!right.matches(code(1, "c1p", "ayment").expose()));
    }

    #[test]
    fn what_is_not_the_code_does_not_match() {
        let code = code(1, "c", "payment");
        let twice = format!("{0}{0}", code.expose());
        let zero = format!("0{}", code.expose());
        let long = "1".repeat(1_000_000);
        for typed in ["", "ä", &twice, &zero, code.expose().split_at(5).0, &long] {
            assert!(!code.matches(typed));
        }
    }
}
