//! Approvals.

use branchline_kernel::AuthorisationId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::status::ScaStatus;

/// `GET …/authorisations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorisationsBody {
    /// Their names.
    #[schema(value_type = Vec<String>)]
    pub authorisation_ids: Vec<AuthorisationId>,
}

/// `GET …/authorisations/{authorisationId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScaStatusBody {
    /// Where it stands.
    pub sca_status: ScaStatus,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn approvals_are_listed_by_name() {
        let id = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
        let body = AuthorisationsBody {
            authorisation_ids: vec![id.parse().unwrap()],
        };
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({ "authorisationIds": [id] })
        );
        let status = ScaStatusBody {
            sca_status: ScaStatus::Finalised,
        };
        assert_eq!(
            serde_json::to_value(status).unwrap(),
            json!({"scaStatus": "finalised"})
        );
    }
}
