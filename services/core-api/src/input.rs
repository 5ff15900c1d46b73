//! Values that arrive as text, and what to change when they do not fit.

use branchline_core_contract::AmountDto;
use branchline_kernel::{Currency, Iban, Money};
use branchline_web::Problem;
use chrono::{Datelike, NaiveDate};

/// A currency.
pub(crate) fn currency(field: &str, text: &str) -> Result<Currency, Problem> {
    text.parse()
        .map_err(|error| Problem::invalid(&format!("{field}: {error}.")))
}

/// An amount above zero.
pub(crate) fn amount(field: &str, dto: &AmountDto) -> Result<Money, Problem> {
    let currency = currency(&format!("{field}.currency"), &dto.currency)?;
    let money = Money::parse(&dto.amount, currency)
        .map_err(|error| Problem::invalid(&format!("{field}.amount: {error}.")))?;
    if !money.is_positive() {
        let detail = format!("{field}.amount: the amount must be above zero.");
        return Err(Problem::invalid(&detail));
    }
    Ok(money)
}

/// An IBAN.
pub(crate) fn iban(field: &str, text: &str) -> Result<Iban, Problem> {
    text.parse()
        .map_err(|error| Problem::invalid(&format!("{field}: {error}.")))
}

/// One line of text: 1 to `most` characters, not only blanks, nothing that breaks a line.
pub(crate) fn line(field: &str, text: String, most: usize) -> Result<String, Problem> {
    let fits = text.chars().count() <= most
        && !text.trim().is_empty()
        && !text.chars().any(char::is_control);
    if fits {
        return Ok(text);
    }
    let detail = format!(
        "{field}: give 1 to {most} characters on one line, without control characters and not \
         only blanks."
    );
    Err(Problem::invalid(&detail))
}

/// A day that calendars and databases agree on.
pub(crate) fn day(field: &str, day: Option<NaiveDate>) -> Result<(), Problem> {
    if day.is_some_and(|day| !(1900..=9999).contains(&day.year())) {
        let detail = format!("{field}: give a day from 1900-01-01 to 9999-12-31.");
        return Err(Problem::invalid(&detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dto(amount: &str, currency: &str) -> AmountDto {
        AmountDto {
            amount: amount.to_owned(),
            currency: currency.to_owned(),
        }
    }

    #[test]
    fn an_amount_is_above_zero_and_fits_its_currency() {
        assert_eq!(
            amount("amount", &dto("12.5", "EUR")).unwrap().minor(),
            1_250
        );
        for (text, code) in [
            ("0", "EUR"),
            ("0.00", "EUR"),
            ("-1", "EUR"),
            ("1.001", "EUR"),
            ("1.5", "UGX"),
            ("1", "eur"),
            ("", "EUR"),
            ("1e3", "EUR"),
        ] {
            let problem = amount("amount", &dto(text, code)).unwrap_err();
            assert_eq!(problem.status, 400, "{text} {code}");
            assert!(problem.detail.starts_with("amount."), "{}", problem.detail);
        }
    }

    #[test]
    fn a_line_is_counted_in_characters_and_has_no_breaks() {
        assert!(line("name", "Ä".repeat(140), 140).is_ok());
        for text in ["", "  ", "a\nb", "a\0", &"Ä".repeat(141)] {
            assert!(line("name", text.to_owned(), 140).is_err(), "{text:?}");
        }
    }
}
