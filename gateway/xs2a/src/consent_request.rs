//! `POST /v1/consents`: what a TPP must say, and what we make of it.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::access::Access;
use crate::body::Members;
use crate::query::parse_date;
use crate::{Moment, Xs2aError};

/// Unattended reads per day that a consent gets at most (R1: more is accepted and capped).
pub const MAX_FREQUENCY_PER_DAY: u8 = 4;

/// Days that a consent lives at most (R2; the law's interval between two SCAs).
pub const MAX_VALIDITY_DAYS: u64 = 180;

/// A consent as it was asked for, brought within our bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentRequest {
    /// What may be read.
    pub access: Access,
    /// Whether it is for more than one occasion.
    pub recurring: bool,
    /// The last day, inclusive, in the tenant's own calendar.
    pub valid_until: NaiveDate,
    /// Unattended reads per day.
    pub frequency_per_day: u8,
}

impl ConsentRequest {
    /// Reads the body; all five members are mandatory (R1).
    ///
    /// # Errors
    /// FORMAT_ERROR, PERIOD_INVALID, PARAMETER_NOT_SUPPORTED, SESSIONS_NOT_SUPPORTED.
    pub fn parse(body: &Value, moment: Moment) -> Result<Self, Xs2aError> {
        let members = Members::of_body(body)?;
        let recurring = members.flag("recurringIndicator")?;
        let request = Self {
            access: Access::parse(members.get("access")?)?,
            recurring,
            valid_until: valid_until(&members, moment)?,
            frequency_per_day: frequency(&members, recurring)?,
        };
        if members.flag("combinedServiceIndicator")? {
            return Err(Xs2aError::sessions_not_supported());
        }
        Ok(request)
    }
}

/// Too far is adjusted, never refused (R2); GET shows the adjusted day.
fn valid_until(members: &Members<'_>, moment: Moment) -> Result<NaiveDate, Xs2aError> {
    let wanted = parse_date(members.text("validUntil")?)
        .ok_or_else(|| members.wrong("validUntil", "a date such as 2026-12-31"))?;
    if wanted < moment.today {
        return Err(Xs2aError::period(
            "validUntil",
            "validUntil lies in the past: send today or a later date",
        ));
    }
    let latest = moment
        .today
        .checked_add_days(Days::new(MAX_VALIDITY_DAYS))
        .unwrap_or(wanted);
    Ok(wanted.min(latest))
}

fn frequency(members: &Members<'_>, recurring: bool) -> Result<u8, Xs2aError> {
    let wanted = members
        .get("frequencyPerDay")?
        .as_u64()
        .filter(|wanted| *wanted >= 1)
        .ok_or_else(|| members.wrong("frequencyPerDay", "a whole number of 1 or more"))?;
    if !recurring && wanted != 1 {
        return Err(members.wrong("frequencyPerDay", "1, as recurringIndicator is false"));
    }
    let most = u64::from(MAX_FREQUENCY_PER_DAY);
    Ok(u8::try_from(wanted.min(most)).unwrap_or(MAX_FREQUENCY_PER_DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use serde_json::json;

    fn moment() -> Moment {
        Moment::utc(DateTime::from_timestamp(1_795_219_200, 0).unwrap()) // 2026-11-21
    }

    fn body() -> Value {
        json!({
            "access": {"allPsd2": "allAccounts"},
            "recurringIndicator": true,
            "validUntil": "2026-12-31",
            "frequencyPerDay": 4,
            "combinedServiceIndicator": false,
            "unknown": {"x": 1},
        })
    }

    fn with(name: &str, value: Value) -> Result<ConsentRequest, Xs2aError> {
        let mut body = body();
        body[name] = value;
        ConsentRequest::parse(&body, moment())
    }

    fn code(result: Result<ConsentRequest, Xs2aError>) -> String {
        let body = serde_json::to_value(result.unwrap_err().body()).unwrap();
        body["tppMessages"][0]["code"].as_str().unwrap().to_owned()
    }

    #[test]
    fn r1_all_five_members_are_mandatory() {
        assert!(ConsentRequest::parse(&body(), moment()).is_ok());
        for name in [
            "access",
            "recurringIndicator",
            "validUntil",
            "frequencyPerDay",
            "combinedServiceIndicator",
        ] {
            let mut short = body();
            short.as_object_mut().unwrap().remove(name);
            let error = ConsentRequest::parse(&short, moment()).unwrap_err();
            assert!(
                matches!(&error, Xs2aError::Message { path: Some(path), .. } if path == name),
                "{name}"
            );
            assert_eq!(code(with(name, json!(null))), "FORMAT_ERROR", "{name}");
        }
    }

    #[test]
    fn r1_more_reads_than_four_are_accepted_and_capped() {
        for (wanted, got) in [
            (json!(1), 1),
            (json!(4), 4),
            (json!(5), 4),
            (json!(u64::MAX), 4),
        ] {
            assert_eq!(
                with("frequencyPerDay", wanted).unwrap().frequency_per_day,
                got
            );
        }
    }

    #[test]
    fn r1_a_frequency_below_one_is_refused() {
        for wanted in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!("4"),
            json!(1e300),
            json!([]),
        ] {
            assert_eq!(code(with("frequencyPerDay", wanted)), "FORMAT_ERROR");
        }
    }

    #[test]
    fn r1_a_one_off_consent_reads_once_a_day() {
        let mut one_off = body();
        one_off["recurringIndicator"] = json!(false);
        assert_eq!(
            code(ConsentRequest::parse(&one_off, moment())),
            "FORMAT_ERROR"
        );
        one_off["frequencyPerDay"] = json!(1);
        assert!(ConsentRequest::parse(&one_off, moment()).is_ok());
    }

    #[test]
    fn r2_the_boundary_days() {
        for (wanted, got) in [
            ("2026-11-21", "2026-11-21"),
            ("2027-05-20", "2027-05-20"),
            ("2027-05-21", "2027-05-20"),
            ("9999-12-31", "2027-05-20"),
        ] {
            let request = with("validUntil", json!(wanted)).unwrap();
            assert_eq!(request.valid_until.to_string(), got, "{wanted}");
        }
        assert_eq!(
            code(with("validUntil", json!("2026-11-20"))),
            "PERIOD_INVALID"
        );
        assert_eq!(
            code(with("validUntil", json!("0001-01-01"))),
            "PERIOD_INVALID"
        );
    }

    #[test]
    fn r2_what_is_no_date_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-02-30",
            "2026-1-1",
            "21.11.2026",
            "+12026-01-01",
            "2026-12-31T00:00:00Z",
            "٢٠٢٦-12-31",
        ] {
            assert_eq!(
                code(with("validUntil", json!(text))),
                "FORMAT_ERROR",
                "{text}"
            );
        }
        assert_eq!(code(with("validUntil", json!(20_261_231))), "FORMAT_ERROR");
    }

    #[test]
    fn r10_a_combined_session_is_not_offered() {
        assert_eq!(
            code(with("combinedServiceIndicator", json!(true))),
            "SESSIONS_NOT_SUPPORTED"
        );
        assert_eq!(
            code(with("combinedServiceIndicator", json!("false"))),
            "FORMAT_ERROR"
        );
    }
}
