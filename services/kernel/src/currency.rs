//! Currencies and their number of decimals (ISO 4217).

use std::fmt;
use std::str::FromStr;

/// A currency in use: its alphabetic code and its number of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: &'static str,
    exponent: u8,
}

/// A text that names no currency in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown currency: expected an ISO 4217 code in capitals such as EUR")]
pub struct UnknownCurrency;

impl Currency {
    /// The three capitals of the code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.code
    }

    /// Decimals of one major unit: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub const fn exponent(self) -> u8 {
        self.exponent
    }

    /// All currencies known here, in the order of their decimals.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().flat_map(|(exponent, codes)| {
            codes.split(' ').map(|code| Self {
                code,
                exponent: *exponent,
            })
        })
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;

    fn from_str(text: &str) -> Result<Self, UnknownCurrency> {
        Self::all()
            .find(|currency| currency.code == text)
            .ok_or(UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// Active codes of ISO 4217 by number of decimals; funds, metals and test codes left out.
const TABLE: &[(u8, &str)] = &[
    (
        2,
        "EUR USD KES TZS GBP ZAR NGN GHS ETB ZMW MWK MZN BWP NAD SZL LSL AED AFN ALL AMD AOA ARS \
AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK \
DOP DZD EGP ERN FJD FKP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KGS KHR KPW KYD \
KZT LAK LBP LKR LRD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MXN MYR NIO NOK NPR NZD PAB PEN PGK \
PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP THB TJS TMT \
TOP TRY TTD TWD UAH UYU UZS VED VES WST XCD XCG YER ZWG",
    ),
    (
        0,
        "UGX RWF BIF XAF XOF JPY KRW CLP DJF GNF ISK KMF PYG VND VUV XPF",
    ),
    (3, "KWD BHD IQD JOD LYD OMR TND"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_decimals() {
        for (code, exponent) in [("EUR", 2), ("UGX", 0), ("KWD", 3)] {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent);
        }
    }

    #[test]
    fn every_code_is_three_capitals_and_stands_once() {
        let mut codes: Vec<_> = Currency::all().map(Currency::code).collect();
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()))
        );
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn what_names_no_currency_is_refused() {
        for text in ["", "eur", "EURO", "XXX", "E R", "EUR "] {
            assert_eq!(text.parse::<Currency>(), Err(UnknownCurrency), "{text}");
        }
    }
}
