//! The words of the standard for where a consent, a payment and an SCA stand.

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
}
