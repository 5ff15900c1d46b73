//! The query of `GET …/transactions` and of other account reads.

use branchline_kernel::Cursor;
use chrono::NaiveDate;

use crate::Xs2aError;

/// Which entries are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingStatus {
    /// Booked ones.
    Booked,
    /// Those not booked yet.
    Pending,
    /// Both.
    Both,
}

/// What a report is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionsQuery {
    /// Which entries.
    pub status: BookingStatus,
    /// The first day, inclusive.
    pub from: NaiveDate,
    /// The last day, inclusive; never after today.
    pub to: NaiveDate,
    /// Whether the balances are wanted too; needs the right to them (R14).
    pub with_balance: bool,
    /// The key behind which the page starts, when a `next` link led here.
    pub after: Option<String>,
}

const NAMES: [&str; 8] = [
    "bookingStatus",
    "dateFrom",
    "dateTo",
    "withBalance",
    "cursor",
    "entryReferenceFrom",
    "deltaList",
    "pageSize",
];

impl TransactionsQuery {
    /// Reads the decoded pairs of the query; `today` is the day in the tenant's calendar.
    ///
    /// # Errors
    /// FORMAT_ERROR, PARAMETER_NOT_SUPPORTED, PERIOD_INVALID.
    pub fn parse(pairs: &[(String, String)], today: NaiveDate) -> Result<Self, Xs2aError> {
        let query = Pairs(pairs);
        for name in NAMES {
            query.find(name)?;
        }
        let status = booking_status(query.find("bookingStatus")?)?;
        let from = query.date("dateFrom")?;
        refuse_deltas(&query, from)?;
        let from = from.ok_or_else(|| Xs2aError::missing("dateFrom"))?;
        let to = query.date("dateTo")?.unwrap_or(today).min(today);
        if to < from {
            return Err(Xs2aError::period(
                "dateFrom",
                "dateFrom lies after dateTo or after today: send an earlier date",
            ));
        }
        let after = query
            .find("cursor")?
            .map(Cursor::key)
            .transpose()
            .map_err(|malformed| Xs2aError::format("cursor", &malformed.to_string()))?;
        Ok(Self {
            status,
            from,
            to,
            with_balance: query.flag("withBalance")?,
            after,
        })
    }

    /// Whether a `next` link led here; such a read costs no quota (R12).
    #[must_use]
    pub const fn follows_link(&self) -> bool {
        self.after.is_some()
    }
}

/// `withBalance` of the account list and of one account.
///
/// # Errors
/// FORMAT_ERROR when it is neither true nor false, or stands twice.
pub fn with_balance(pairs: &[(String, String)]) -> Result<bool, Xs2aError> {
    Pairs(pairs).flag("withBalance")
}

/// A date of the form `2026-12-31`; chrono alone also reads signs, blanks and short numbers.
pub(crate) fn parse_date(text: &str) -> Option<NaiveDate> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
    } else {
        None
    }
}

fn booking_status(text: Option<&str>) -> Result<BookingStatus, Xs2aError> {
    match text {
        None => Err(Xs2aError::missing("bookingStatus")),
        Some("booked") => Ok(BookingStatus::Booked),
        Some("pending") => Ok(BookingStatus::Pending),
        Some("both") => Ok(BookingStatus::Both),
        Some("information" | "all") => Err(Xs2aError::not_supported("bookingStatus")),
        Some(_) => Err(Xs2aError::format(
            "bookingStatus",
            "bookingStatus is unknown: send booked, pending or both",
        )),
    }
}

/// R18: both deltas at once contradict each other; one that is not offered is refused unless dates
/// say what to serve instead.
fn refuse_deltas(query: &Pairs<'_>, from: Option<NaiveDate>) -> Result<(), Xs2aError> {
    let entry = query.find("entryReferenceFrom")?.is_some();
    let delta = query.flag("deltaList")?;
    match (entry, delta, from) {
        (true, true, _) => Err(Xs2aError::format(
            "deltaList",
            "deltaList and entryReferenceFrom exclude each other: send dateFrom instead",
        )),
        (true, false, None) => Err(Xs2aError::not_supported("entryReferenceFrom")),
        (false, true, None) => Err(Xs2aError::not_supported("deltaList")),
        (false, false, _) | (true, false, Some(_)) | (false, true, Some(_)) => Ok(()),
    }
}

struct Pairs<'a>(&'a [(String, String)]);

impl<'a> Pairs<'a> {
    fn find(&self, name: &str) -> Result<Option<&'a str>, Xs2aError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Xs2aError::format(
                name,
                &format!("{name} stands more than once: send it once"),
            ));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }

    fn date(&self, name: &str) -> Result<Option<NaiveDate>, Xs2aError> {
        match self.find(name)?.map(parse_date) {
            None => Ok(None),
            Some(Some(date)) => Ok(Some(date)),
            Some(None) => Err(Xs2aError::format(
                name,
                &format!("{name} is no date: send one such as 2026-12-31"),
            )),
        }
    }

    fn flag(&self, name: &str) -> Result<bool, Xs2aError> {
        match self.find(name)? {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Xs2aError::format(
                name,
                &format!("{name} is neither true nor false: send one of them or leave it out"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        parse_date(text).unwrap()
    }

    fn parse(pairs: &[(&str, &str)]) -> Result<TransactionsQuery, Xs2aError> {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        TransactionsQuery::parse(&pairs, day("2026-11-21"))
    }

    fn code(pairs: &[(&str, &str)]) -> String {
        let body = serde_json::to_value(parse(pairs).unwrap_err().body()).unwrap();
        body["tppMessages"][0]["code"].as_str().unwrap().to_owned()
    }

    #[test]
    fn r17_booking_status_is_mandatory_and_three_are_offered() {
        for (text, status) in [
            ("booked", BookingStatus::Booked),
            ("pending", BookingStatus::Pending),
            ("both", BookingStatus::Both),
        ] {
            let query = parse(&[("bookingStatus", text), ("dateFrom", "2026-11-01")]).unwrap();
            assert_eq!(query.status, status);
        }
        assert_eq!(code(&[("dateFrom", "2026-11-01")]), "FORMAT_ERROR");
        for text in ["information", "all"] {
            assert_eq!(code(&[("bookingStatus", text)]), "PARAMETER_NOT_SUPPORTED");
        }
        for text in ["", "BOOKED", "booked "] {
            assert_eq!(code(&[("bookingStatus", text)]), "FORMAT_ERROR");
        }
    }

    #[test]
    fn r18_the_last_day_defaults_to_today() {
        let query = parse(&[("bookingStatus", "booked"), ("dateFrom", "2026-11-21")]).unwrap();
        assert_eq!(
            (query.from, query.to),
            (day("2026-11-21"), day("2026-11-21"))
        );
        let later = [
            ("bookingStatus", "booked"),
            ("dateFrom", "2026-11-01"),
            ("dateTo", "9999-12-31"),
        ];
        assert_eq!(parse(&later).unwrap().to, day("2026-11-21"));
    }

    #[test]
    fn r18_a_period_the_wrong_way_round_is_refused() {
        let base = ("bookingStatus", "booked");
        assert_eq!(
            code(&[base, ("dateFrom", "2026-11-02"), ("dateTo", "2026-11-01")]),
            "PERIOD_INVALID"
        );
        assert_eq!(code(&[base, ("dateFrom", "2026-11-22")]), "PERIOD_INVALID");
    }

    #[test]
    fn r18_dates_are_mandatory_and_exact() {
        let base = ("bookingStatus", "booked");
        assert_eq!(code(&[base]), "FORMAT_ERROR");
        let long = "1".repeat(1_000_000);
        for text in [
            "",
            "2026-13-01",
            "2026-1-01",
            "-026-01-01",
            "heute",
            "２026-01-1",
            &long,
        ] {
            assert_eq!(code(&[base, ("dateFrom", text)]), "FORMAT_ERROR");
        }
    }

    #[test]
    fn r18_deltas_are_not_offered_unless_dates_stand_beside_them() {
        let base = ("bookingStatus", "booked");
        let dates = ("dateFrom", "2026-11-01");
        for delta in [("deltaList", "true"), ("entryReferenceFrom", "1")] {
            assert_eq!(code(&[base, delta]), "PARAMETER_NOT_SUPPORTED");
            assert!(parse(&[base, delta, dates]).is_ok());
        }
        assert_eq!(
            code(&[
                base,
                dates,
                ("deltaList", "true"),
                ("entryReferenceFrom", "1")
            ]),
            "FORMAT_ERROR"
        );
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused_and_an_unknown_one_ignored() {
        let base = [("bookingStatus", "booked"), ("dateFrom", "2026-11-01")];
        assert!(parse(&[base[0], base[1], ("x", "1"), ("x", "2")]).is_ok());
        assert_eq!(code(&[base[0], base[1], base[1]]), "FORMAT_ERROR");
    }

    #[test]
    fn a_cursor_is_read_back_or_refused() {
        let cursor = Cursor::after("17");
        let base = [("bookingStatus", "booked"), ("dateFrom", "2026-11-01")];
        let query = parse(&[base[0], base[1], ("cursor", cursor.as_str())]).unwrap();
        assert_eq!(query.after.as_deref(), Some("17"));
        assert!(query.follows_link());
        assert_eq!(code(&[base[0], base[1], ("cursor", "%")]), "FORMAT_ERROR");
    }

    #[test]
    fn with_balance_is_true_or_false() {
        let pair = |value: &str| vec![("withBalance".to_owned(), value.to_owned())];
        assert_eq!(with_balance(&[]), Ok(false));
        assert_eq!(with_balance(&pair("true")), Ok(true));
        assert!(with_balance(&pair("1")).is_err());
    }
}
