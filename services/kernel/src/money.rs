//! Amounts: whole minor units and their currency.

use std::fmt;

use crate::Currency;

/// An amount of one currency in minor units (cents, fils, whole yen); may be negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount could not be read or reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with at most one point, or too long.
    #[error("the amount is not a decimal number such as 12.50")]
    Malformed,
    /// More fraction digits than the currency has.
    #[error("the amount has more than {allowed} decimals, which {currency} does not have")]
    TooManyDecimals {
        /// The currency of the amount.
        currency: Currency,
        /// Its number of decimals.
        allowed: u8,
    },
    /// The amount does not fit 63 bits of minor units.
    #[error("the amount is too large")]
    TooLarge,
    /// Two currencies met in one sum.
    #[error("amounts in {0} and {1} cannot be added")]
    CurrenciesDiffer(Currency, Currency),
}

impl Money {
    /// `minor` minor units of `currency`.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Reads a decimal text such as `12.50` exactly.
    ///
    /// # Errors
    /// [`MoneyError`] when the text is no plain decimal, has more decimals than the currency
    /// knows, or is too large. An exponent, a plus sign, spaces and a bare point are refused.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let point_is_bare = digits.contains('.') && fraction.is_empty();
        if whole.is_empty() || point_is_bare || !all_digits(whole) || !all_digits(fraction) {
            return Err(MoneyError::Malformed);
        }
        let allowed = currency.exponent();
        let missing = usize::from(allowed)
            .checked_sub(fraction.len())
            .ok_or(MoneyError::TooManyDecimals { currency, allowed })?;
        let scaled = format!("{whole}{fraction}{}", "0".repeat(missing));
        let minor = scaled
            .parse::<i64>()
            .map_err(|_too_long| MoneyError::TooLarge)?;
        let minor = if negative {
            minor.checked_neg().ok_or(MoneyError::TooLarge)?
        } else {
            minor
        };
        Ok(Self { minor, currency })
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrenciesDiffer`], [`MoneyError::TooLarge`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrenciesDiffer(self.currency, other.currency));
        }
        let minor = self
            .minor
            .checked_add(other.minor)
            .ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }

    /// The amount with its sign turned.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`] for the one amount that has no counterpart.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::TooLarge)?;
        Ok(Self { minor, ..self })
    }

    /// Whether the amount is above zero.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The amount as wire formats want it: a decimal with exactly the currency's digits.
    #[must_use]
    pub fn decimal(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let exponent = usize::from(self.currency.exponent());
        let width = exponent.saturating_add(1);
        let digits = format!("{:0>width$}", self.minor.unsigned_abs());
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(exponent));
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn decimals_are_read_and_written_exactly() {
        for (text, code, minor, written) in [
            ("12.5", "EUR", 1250, "12.50"),
            ("0.01", "EUR", 1, "0.01"),
            ("-0.05", "EUR", -5, "-0.05"),
            ("7", "JPY", 7, "7"),
            ("1.234", "KWD", 1234, "1.234"),
            ("0", "KWD", 0, "0.000"),
        ] {
            let money = Money::parse(text, currency(code)).unwrap();
            assert_eq!(money.minor(), minor, "{text} {code}");
            assert_eq!(money.decimal(), written);
        }
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in [
            "", ".", "1.", ".5", "+1", " 1", "1e3", "1,5", "--1", "1.2.3", "١", "NaN",
        ] {
            assert_eq!(
                Money::parse(text, currency("EUR")),
                Err(MoneyError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn decimals_that_the_currency_does_not_have_are_refused() {
        assert!(matches!(
            Money::parse("1.001", currency("EUR")),
            Err(MoneyError::TooManyDecimals { allowed: 2, .. })
        ));
        assert!(Money::parse("1.0", currency("JPY")).is_err());
    }

    #[test]
    fn an_amount_beyond_63_bits_is_refused() {
        let text = "92233720368547758.08";
        assert_eq!(
            Money::parse(text, currency("EUR")),
            Err(MoneyError::TooLarge)
        );
        let most = Money::new(i64::MAX, currency("EUR"));
        assert_eq!(
            most.checked_add(Money::new(1, currency("EUR"))),
            Err(MoneyError::TooLarge)
        );
    }

    #[test]
    fn amounts_of_two_currencies_do_not_add() {
        let (eur, jpy) = (
            Money::new(1, currency("EUR")),
            Money::new(1, currency("JPY")),
        );
        assert!(matches!(
            eur.checked_add(jpy),
            Err(MoneyError::CurrenciesDiffer(..))
        ));
    }
}
