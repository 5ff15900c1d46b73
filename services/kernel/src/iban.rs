//! International bank account numbers (ISO 13616).

use std::fmt;
use std::str::FromStr;

/// An IBAN whose check digits are right, in its electronic form (no spaces, capitals).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Iban(String);

/// A text that is no IBAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedIban {
    /// Wrong length or characters.
    #[error("not an IBAN: expected two letters, two digits and 11 to 30 letters or digits")]
    Shape,
    /// The check digits do not fit.
    #[error("not an IBAN: the check digits are wrong, look for a mistyped digit")]
    CheckDigits,
}

impl Iban {
    /// Makes the IBAN of `bban` (letters and digits, capitals) in `country`.
    ///
    /// # Errors
    /// [`MalformedIban::Shape`] when the parts do not make an IBAN.
    pub fn of(country: &str, bban: &str) -> Result<Self, MalformedIban> {
        let rest = remainder(&format!("{bban}{country}00")).ok_or(MalformedIban::Shape)?;
        let check = 98_u32.checked_sub(rest).ok_or(MalformedIban::Shape)?;
        format!("{country}{check:02}{bban}").parse()
    }

    /// The electronic form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two letters of the country.
    #[must_use]
    pub fn country(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// What follows the check digits: bank code and account number as the country lays them out.
    #[must_use]
    pub fn bban(&self) -> &str {
        self.0.get(4..).unwrap_or_default()
    }
}

impl FromStr for Iban {
    type Err = MalformedIban;

    fn from_str(text: &str) -> Result<Self, MalformedIban> {
        let (country, rest) = text.split_at_checked(2).ok_or(MalformedIban::Shape)?;
        let (check, bban) = rest.split_at_checked(2).ok_or(MalformedIban::Shape)?;
        let shaped = country.bytes().all(|byte| byte.is_ascii_uppercase())
            && check.bytes().all(|byte| byte.is_ascii_digit())
            && (11..=30).contains(&bban.len())
            && bban
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !shaped {
            return Err(MalformedIban::Shape);
        }
        match remainder(&format!("{bban}{country}{check}")) {
            Some(1) => Ok(Self(text.to_owned())),
            Some(_) | None => Err(MalformedIban::CheckDigits),
        }
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number that the characters spell (A = 10 … Z = 35) modulo 97 (ISO 7064 MOD 97-10).
fn remainder(text: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |rest, character| {
        let value = character.to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        rest.checked_mul(shift)?.checked_add(value)?.checked_rem(97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_are_accepted() {
        for text in [
            "DE89370400440532013000",
            "GB82WEST12345698765432",
            "FI2112345600000785",
        ] {
            assert_eq!(text.parse::<Iban>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_mistyped_digit_is_found() {
        assert_eq!(
            "DE89370400440532013001".parse::<Iban>(),
            Err(MalformedIban::CheckDigits)
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "DE",
            "de89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "DÉ89370400440532",
        ] {
            assert_eq!(text.parse::<Iban>(), Err(MalformedIban::Shape), "{text}");
        }
    }

    #[test]
    fn an_iban_made_here_is_one() {
        let made = Iban::of("DE", "370400440532013000").unwrap();
        assert_eq!(made.as_str(), "DE89370400440532013000");
        assert_eq!((made.country(), made.bban()), ("DE", "370400440532013000"));
    }
}
