//! Headers and path ids of XS2A, read from what the HTTP layer found (`None` = absent).

use std::net::IpAddr;
use std::str::FromStr;

use branchline_kernel::{ConsentId, RequestId};

use crate::Xs2aError;
use crate::codes::Bare;

/// Whether the member is there while her accounts are read. Only the presence of
/// `PSU-IP-Address` tells (R11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadPresence {
    /// She asked for it just now, from this address.
    Attended(IpAddr),
    /// The TPP reads by itself.
    Unattended,
}

/// `X-Request-ID`: mandatory everywhere. Echo the header's own text, not this id: the answer must
/// carry the same value, capitals included.
///
/// # Errors
/// FORMAT_ERROR when it is missing or no UUID.
pub fn request_id(header: Option<&str>) -> Result<RequestId, Xs2aError> {
    header
        .ok_or_else(|| Xs2aError::missing("X-Request-ID"))?
        .parse()
        .map_err(|_not_a_uuid| {
            Xs2aError::format("X-Request-ID", "X-Request-ID is no UUID: send a new UUID")
        })
}

/// `PSU-IP-Address` where it is mandatory: initiating a consent or a payment.
///
/// # Errors
/// FORMAT_ERROR when it is missing or no address.
pub fn psu_ip_address(header: Option<&str>) -> Result<IpAddr, Xs2aError> {
    match presence(header)? {
        ReadPresence::Attended(address) => Ok(address),
        ReadPresence::Unattended => Err(Xs2aError::missing("PSU-IP-Address")),
    }
}

/// `PSU-IP-Address` where it tells whether the member is there. The YAML says ipv4; members come
/// over IPv6 too, so both are read.
///
/// # Errors
/// FORMAT_ERROR when it is no address.
pub fn presence(header: Option<&str>) -> Result<ReadPresence, Xs2aError> {
    match header.map(str::parse) {
        None => Ok(ReadPresence::Unattended),
        Some(Ok(address)) => Ok(ReadPresence::Attended(address)),
        Some(Err(_)) => Err(Xs2aError::format(
            "PSU-IP-Address",
            "PSU-IP-Address is no IPv4 or IPv6 address: send the member's address without port",
        )),
    }
}

/// `Consent-ID` on account reads. A malformed id is answered like an unknown one.
///
/// # Errors
/// FORMAT_ERROR when it is missing, CONSENT_UNKNOWN when it is no consent id.
pub fn consent_id(header: Option<&str>) -> Result<ConsentId, Xs2aError> {
    header
        .ok_or_else(|| Xs2aError::missing("Consent-ID"))?
        .parse()
        .map_err(|_not_a_uuid| Xs2aError::consent_unknown())
}

/// An id in the path. A malformed id is answered like an unknown one.
///
/// # Errors
/// RESOURCE_UNKNOWN.
pub fn id_in_path<T: FromStr>(text: &str) -> Result<T, Xs2aError> {
    text.parse()
        .map_err(|_malformed| Xs2aError::resource_unknown())
}

/// `TPP-Redirect-URI`: optional, since the address of the OAuth request is what counts; yet what is
/// sent must be an address.
///
/// # Errors
/// FORMAT_ERROR.
pub fn tpp_redirect_uri(header: Option<&str>) -> Result<Option<&str>, Xs2aError> {
    let Some(text) = header else {
        return Ok(None);
    };
    let address = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let fits = address.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.len() <= 2048
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(Some(text))
    } else {
        Err(Xs2aError::format(
            "TPP-Redirect-URI",
            "TPP-Redirect-URI is no absolute address of at most 2048 characters",
        ))
    }
}

/// A header that is `true` or `false`, such as `TPP-Redirect-Preferred`; a wish, so it may be
/// ignored once read.
///
/// # Errors
/// FORMAT_ERROR when it is neither.
pub fn optional_flag(name: &str, header: Option<&str>) -> Result<Option<bool>, Xs2aError> {
    match header {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Xs2aError::format(
            name,
            &format!("{name} is neither true nor false: send one of them or leave it out"),
        )),
    }
}

/// `Content-Type` of a request with a body: JSON in UTF-8.
///
/// # Errors
/// 415 without a body.
pub fn json_content(header: Option<&str>) -> Result<(), Xs2aError> {
    let refused = Xs2aError::Bare(Bare::UnsupportedMediaType);
    let mut parts = header.unwrap_or_default().split(';').map(str::trim);
    if !parts
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
    {
        return Err(refused);
    }
    let other_charset = parts.any(|parameter| {
        parameter.split_once('=').is_some_and(|(name, charset)| {
            name.trim().eq_ignore_ascii_case("charset")
                && !charset
                    .trim()
                    .trim_matches('"')
                    .eq_ignore_ascii_case("utf-8")
        })
    });
    if other_charset { Err(refused) } else { Ok(()) }
}

/// `Accept` of an account read: JSON must be among what is accepted.
///
/// # Errors
/// REQUESTED_FORMATS_INVALID.
pub fn accept_json(header: Option<&str>) -> Result<(), Xs2aError> {
    let Some(accepted) = header else {
        return Ok(());
    };
    let offers = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        !refused
            && matches!(
                kind.as_str(),
                "" | "*/*" | "application/*" | "application/json"
            )
    };
    if accepted.split(',').any(offers) {
        Ok(())
    } else {
        Err(Xs2aError::formats_invalid())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use branchline_kernel::PaymentId;

    const ID: &str = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";

    fn refusal<T: std::fmt::Debug>(result: Result<T, Xs2aError>) -> (u16, String) {
        let error = result.unwrap_err();
        let body = serde_json::to_value(error.body()).unwrap();
        let code = body["tppMessages"][0]["code"].as_str().unwrap_or_default();
        (error.status(), code.to_owned())
    }

    #[test]
    fn a_request_id_is_a_uuid_and_mandatory() {
        assert!(request_id(Some(ID)).is_ok() && request_id(Some(&ID.to_uppercase())).is_ok());
        for header in [
            None,
            Some(""),
            Some("1"),
            Some("ä"),
            Some(&*"a".repeat(1_000_000)),
        ] {
            assert_eq!(
                refusal(request_id(header)),
                (400, "FORMAT_ERROR".to_owned())
            );
        }
    }

    #[test]
    fn the_members_address_may_be_of_either_version() {
        for text in ["192.0.2.1", "2001:db8::1"] {
            assert!(psu_ip_address(Some(text)).is_ok(), "{text}");
        }
        for header in [
            None,
            Some(""),
            Some("192.0.2.1:80"),
            Some("192.0.2"),
            Some("localhost"),
        ] {
            assert_eq!(refusal(psu_ip_address(header)).0, 400, "{header:?}");
        }
    }

    #[test]
    fn only_the_absence_of_the_address_makes_a_read_unattended() {
        assert_eq!(presence(None), Ok(ReadPresence::Unattended));
        assert!(matches!(
            presence(Some("192.0.2.1")),
            Ok(ReadPresence::Attended(_))
        ));
        assert!(presence(Some("")).is_err());
    }

    #[test]
    fn malformed_ids_are_answered_like_unknown_ones() {
        assert_eq!(refusal(consent_id(None)), (400, "FORMAT_ERROR".to_owned()));
        assert_eq!(
            refusal(consent_id(Some("x"))),
            (400, "CONSENT_UNKNOWN".to_owned())
        );
        assert_eq!(
            refusal(id_in_path::<PaymentId>("../x")),
            (404, "RESOURCE_UNKNOWN".to_owned())
        );
    }

    #[test]
    fn a_redirect_address_is_optional_but_must_be_one() {
        assert_eq!(tpp_redirect_uri(None), Ok(None));
        assert!(tpp_redirect_uri(Some("https://tpp.example/cb")).is_ok());
        for text in [
            "",
            "tpp.example",
            "https://",
            "javascript:alert(1)",
            "https://a b",
            "https:///x",
        ] {
            assert_eq!(refusal(tpp_redirect_uri(Some(text))).0, 400, "{text}");
        }
    }

    #[test]
    fn a_wish_is_true_or_false() {
        assert_eq!(
            optional_flag("TPP-Redirect-Preferred", Some("false")),
            Ok(Some(false))
        );
        assert_eq!(optional_flag("TPP-Redirect-Preferred", None), Ok(None));
        assert!(optional_flag("TPP-Redirect-Preferred", Some("yes")).is_err());
    }

    #[test]
    fn a_body_must_be_json_in_utf_8() {
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert_eq!(json_content(Some(text)), Ok(()), "{text}");
        }
        for header in [
            None,
            Some(""),
            Some("text/json"),
            Some("application/jsonp"),
            Some("application/xml"),
            Some("application/json; charset=latin1"),
        ] {
            assert_eq!(
                json_content(header).unwrap_err().status(),
                415,
                "{header:?}"
            );
        }
    }

    #[test]
    fn json_must_be_among_what_is_accepted() {
        for header in [
            None,
            Some(""),
            Some("*/*"),
            Some("text/html, application/json;q=0.5"),
            Some("application/*"),
        ] {
            assert_eq!(accept_json(header), Ok(()), "{header:?}");
        }
        for text in ["application/xml", "text/plain, application/json;q=0"] {
            assert_eq!(
                refusal(accept_json(Some(text))),
                (406, "REQUESTED_FORMATS_INVALID".to_owned())
            );
        }
    }
}
