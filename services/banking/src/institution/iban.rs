//! How IBANs of this institution are laid out: bank code, then the account's number.

use branchline_kernel::Iban;

use super::InstitutionError;

/// Length of the BBAN by country (ISO 13616 registry); the countries of the first institutions.
/// Check digits inside a BBAN, where a country has them, are not computed.
const BBAN_LENGTHS: [(&str, usize); 16] = [
    ("AT", 16),
    ("BE", 12),
    ("DE", 18),
    ("EE", 16),
    ("ES", 20),
    ("FI", 14),
    ("FR", 23),
    ("GB", 18),
    ("IE", 18),
    ("IT", 23),
    ("LT", 16),
    ("LU", 16),
    ("LV", 17),
    ("NL", 14),
    ("PL", 24),
    ("PT", 21),
];

/// For countries that are not in the IBAN registry: long enough for every bank code.
const OTHER_LENGTH: usize = 20;

/// The fewest digits that an account number may have.
const FEWEST_DIGITS: usize = 6;

/// The IBAN of the account with that number.
pub(super) fn of(country: &str, bank_code: &str, number: i64) -> Result<Iban, InstitutionError> {
    let length = BBAN_LENGTHS
        .iter()
        .find(|(code, _)| *code == country)
        .map_or(OTHER_LENGTH, |(_, length)| *length);
    let width = length
        .checked_sub(bank_code.len())
        .filter(|width| *width >= FEWEST_DIGITS)
        .ok_or(InstitutionError::BankCodeTooLong { length })?;
    let digits = format!("{number:0width$}");
    if digits.len() > width {
        return Err(InstitutionError::NumbersUsedUp);
    }
    Ok(Iban::of(country, &format!("{bank_code}{digits}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bban_has_the_length_of_its_country() {
        for (country, bank_code, length) in [
            ("DE", "70010001", 18),
            ("FI", "712345", 14),
            ("KE", "0112", 20),
        ] {
            let iban = of(country, bank_code, 42).unwrap();
            assert_eq!(iban.bban().len(), length, "{country}");
            assert!(iban.bban().starts_with(bank_code) && iban.bban().ends_with("00042"));
        }
    }

    #[test]
    fn a_bank_code_that_leaves_no_room_for_numbers_is_refused() {
        assert!(matches!(
            of("BE", "1234567", 1),
            Err(InstitutionError::BankCodeTooLong { length: 12 })
        ));
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert!(of("BE", "123456", 999_999).is_ok());
        assert!(matches!(
            of("BE", "123456", 1_000_000),
            Err(InstitutionError::NumbersUsedUp)
        ));
    }
}
