//! The words of the standard for where a consent, a payment and an SCA stand.

use std::str::FromStr;

/// Where a consent stands, as the TPP sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ConsentStatus {
    /// Waits for its member.
    Received,
    /// Not approved.
    Rejected,
    /// Approved.
    Valid,
    /// Withdrawn by the member.
    RevokedByPsu,
    /// Run out.
    Expired,
    /// Ended by the TPP.
    TerminatedByTpp,
}

impl ConsentStatus {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Rejected => "rejected",
            Self::Valid => "valid",
            Self::RevokedByPsu => "revokedByPsu",
            Self::Expired => "expired",
            Self::TerminatedByTpp => "terminatedByTpp",
        }
    }
}

/// Where a payment stands (ISO 20022 external code list).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum TransactionStatus {
    /// Received.
    Rcvd,
    /// Pending.
    Pdng,
    /// Authenticated and syntactically right.
    Actc,
    /// Customer profile checked.
    Accp,
    /// Funds checked.
    Acfc,
    /// Accepted with a change.
    Acwc,
    /// Accepted without posting.
    Acwp,
    /// Being settled.
    Acsp,
    /// Settled on the payer's side.
    Acsc,
    /// Settled on the payee's side.
    Accc,
    /// Some of the needed approvals given.
    Patc,
    /// Cancelled.
    Canc,
    /// Rejected.
    Rjct,
}

impl TransactionStatus {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rcvd => "RCVD",
            Self::Pdng => "PDNG",
            Self::Actc => "ACTC",
            Self::Accp => "ACCP",
            Self::Acfc => "ACFC",
            Self::Acwc => "ACWC",
            Self::Acwp => "ACWP",
            Self::Acsp => "ACSP",
            Self::Acsc => "ACSC",
            Self::Accc => "ACCC",
            Self::Patc => "PATC",
            Self::Canc => "CANC",
            Self::Rjct => "RJCT",
        }
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Accc | Self::Canc | Self::Rjct => true,
            Self::Rcvd
            | Self::Pdng
            | Self::Actc
            | Self::Accp
            | Self::Acfc
            | Self::Acwc
            | Self::Acwp
            | Self::Acsp
            | Self::Acsc
            | Self::Patc => false,
        }
    }
}

impl FromStr for TransactionStatus {
    type Err = NotAStatus;

    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        [
            Self::Rcvd,
            Self::Pdng,
            Self::Actc,
            Self::Accp,
            Self::Acfc,
            Self::Acwc,
            Self::Acwp,
            Self::Acsp,
            Self::Acsc,
            Self::Accc,
            Self::Patc,
            Self::Canc,
            Self::Rjct,
        ]
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or(NotAStatus)
    }
}

/// A text that is no status of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a transaction status of ISO 20022 that is used here")]
pub struct NotAStatus;

/// Where an SCA stands, as the TPP sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ScaStatus {
    /// Created.
    Received,
    /// The member is known, not yet authenticated.
    PsuIdentified,
    /// The member signed in.
    PsuAuthenticated,
    /// The code was sent.
    Started,
    /// Done.
    Finalised,
    /// Not done, for good.
    Failed,
    /// Not needed.
    Exempted,
}

impl ScaStatus {
    /// The word of the standard.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::PsuIdentified => "psuIdentified",
            Self::PsuAuthenticated => "psuAuthenticated",
            Self::Started => "started",
            Self::Finalised => "finalised",
            Self::Failed => "failed",
            Self::Exempted => "exempted",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_words_are_those_of_the_standard() {
        for (status, word) in [
            (ConsentStatus::Received, "received"),
            (ConsentStatus::RevokedByPsu, "revokedByPsu"),
            (ConsentStatus::TerminatedByTpp, "terminatedByTpp"),
        ] {
            assert_eq!(serde_json::to_value(status).unwrap(), json!(word));
        }
        assert_eq!(
            serde_json::to_value(TransactionStatus::Accc).unwrap(),
            json!("ACCC")
        );
        assert_eq!(
            serde_json::from_value::<TransactionStatus>(json!("RJCT")).unwrap(),
            TransactionStatus::Rjct
        );
        assert_eq!(
            serde_json::to_value(ScaStatus::PsuAuthenticated).unwrap(),
            json!("psuAuthenticated")
        );
    }

    #[test]
    fn a_payment_status_is_read_back_from_its_word() {
        assert_eq!("ACSC".parse(), Ok(TransactionStatus::Acsc));
        for text in ["", "acsc", "XXXX"] {
            assert_eq!(text.parse::<TransactionStatus>(), Err(NotAStatus));
        }
    }

    #[test]
    fn rows_and_answers_use_the_same_words() {
        let answer = |status: serde_json::Value| status.as_str().unwrap().to_owned();
        for status in [TransactionStatus::Pdng, TransactionStatus::Canc] {
            assert_eq!(
                answer(serde_json::to_value(status).unwrap()),
                status.as_str()
            );
        }
        for status in [ConsentStatus::Expired, ConsentStatus::RevokedByPsu] {
            assert_eq!(
                answer(serde_json::to_value(status).unwrap()),
                status.as_str()
            );
        }
        for status in [ScaStatus::PsuIdentified, ScaStatus::Exempted] {
            assert_eq!(
                answer(serde_json::to_value(status).unwrap()),
                status.as_str()
            );
        }
    }
}
