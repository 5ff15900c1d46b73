//! Consents.

use branchline_kernel::ConsentId;
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccountReferenceBody, Href, InitiationLinks};
use crate::access::Access;
use crate::consent::{Consent, ConsentState, GrantedAccount};
use crate::status::ConsentStatus;

/// `POST /v1/consents`, 201.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentCreated {
    /// Where it stands.
    pub consent_status: ConsentStatus,
    /// Its name.
    #[schema(value_type = String)]
    pub consent_id: ConsentId,
    /// What to do next.
    #[serde(rename = "_links")]
    pub links: InitiationLinks,
}

/// `GET /v1/consents/{consentId}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentStatusBody {
    /// Where it stands.
    pub consent_status: ConsentStatus,
}

/// `GET /v1/consents/{consentId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsentBody {
    access: AccessBody,
    recurring_indicator: bool,
    #[schema(value_type = String, format = Date)]
    valid_until: NaiveDate,
    frequency_per_day: u8,
    #[schema(value_type = String, format = Date)]
    last_action_date: NaiveDate,
    consent_status: ConsentStatus,
    #[serde(rename = "_links", skip_serializing_if = "Option::is_none")]
    links: Option<ConsentLinks>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct ConsentLinks {
    account: Href,
}

/// The access of a consent: what was asked for, and after the approval what the member chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<AccountReferenceBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    balances: Option<Vec<AccountReferenceBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transactions: Option<Vec<AccountReferenceBody>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all_psd2: Option<&'static str>,
}

impl ConsentBody {
    /// The body for `consent` as it stands; `accounts` is where its accounts are read, shown once
    /// it is valid.
    #[must_use]
    pub fn of(consent: &Consent, accounts: impl Into<String>) -> Self {
        let links = match consent.state {
            ConsentState::Valid { .. } => Some(ConsentLinks {
                account: Href::to(accounts),
            }),
            ConsentState::Received { .. }
            | ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. }
            | ConsentState::Expired { .. } => None,
        };
        Self {
            access: AccessBody::of(consent),
            recurring_indicator: consent.request.recurring,
            valid_until: consent.request.valid_until,
            frequency_per_day: consent.request.frequency_per_day,
            last_action_date: consent.last_action,
            consent_status: consent.status(),
            links,
        }
    }
}

impl AccessBody {
    /// What `consent` asks for or gives.
    #[must_use]
    pub fn of(consent: &Consent) -> Self {
        match (&consent.state, &consent.request.access) {
            (_, Access::AllPsd2) => Self {
                accounts: None,
                balances: None,
                transactions: None,
                all_psd2: Some("allAccounts"),
            },
            (
                ConsentState::Valid { accounts, .. },
                Access::Dedicated(_) | Access::BankOffered(_),
            ) => Self::chosen(accounts),
            (
                ConsentState::Received { .. }
                | ConsentState::Rejected { .. }
                | ConsentState::RevokedByPsu { .. }
                | ConsentState::TerminatedByTpp { .. }
                | ConsentState::Expired { .. },
                Access::BankOffered(permissions),
            ) => Self {
                accounts: Some(Vec::new()),
                balances: permissions.balances.then(Vec::new),
                transactions: permissions.transactions.then(Vec::new),
                all_psd2: None,
            },
            (
                ConsentState::Received { .. }
                | ConsentState::Rejected { .. }
                | ConsentState::RevokedByPsu { .. }
                | ConsentState::TerminatedByTpp { .. }
                | ConsentState::Expired { .. },
                Access::Dedicated(dedicated),
            ) => Self::listed(dedicated.accounts().map(|(reference, permissions)| {
                let body = AccountReferenceBody::of(&reference.iban, reference.currency);
                (body, permissions.balances, permissions.transactions)
            })),
        }
    }

    fn chosen(accounts: &[GrantedAccount]) -> Self {
        Self::listed(accounts.iter().map(|granted| {
            (
                AccountReferenceBody::of(&granted.iban, Some(granted.currency)),
                granted.permissions.balances,
                granted.permissions.transactions,
            )
        }))
    }

    /// Empty lists are left out: beside named accounts they would mean "let the member choose".
    fn listed(accounts: impl Iterator<Item = (AccountReferenceBody, bool, bool)>) -> Self {
        let (mut all, mut balances, mut transactions) = (Vec::new(), Vec::new(), Vec::new());
        for (body, has_balances, has_transactions) in accounts {
            if has_balances {
                balances.push(body.clone());
            }
            if has_transactions {
                transactions.push(body.clone());
            }
            all.push(body);
        }
        Self {
            accounts: Some(all),
            balances: (!balances.is_empty()).then_some(balances),
            transactions: (!transactions.is_empty()).then_some(transactions),
            all_psd2: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Permissions;
    use crate::consent::{Moment, Psu};
    use crate::consent_request::ConsentRequest;
    use serde_json::{Value, json};

    const IBAN: &str = "DE89370400440532013000";

    fn moment() -> Moment {
        Moment::utc(chrono::DateTime::from_timestamp(1_795_219_200, 0).unwrap())
    }

    fn consent(access: &Value) -> Consent {
        let body = json!({"access": access, "recurringIndicator": true, "frequencyPerDay": 9,
            "validUntil": "9999-12-31", "combinedServiceIndicator": false});
        let request = ConsentRequest::parse(&body, moment()).unwrap();
        let id = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
        Consent::received(id.parse().unwrap(), id.parse().unwrap(), request, moment())
    }

    fn shown(consent: &Consent) -> Value {
        serde_json::to_value(ConsentBody::of(consent, "/accounts")).unwrap()
    }

    fn approved(access: &Value) -> Consent {
        let id = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
        let account = GrantedAccount {
            resource: id.parse().unwrap(),
            account: id.parse().unwrap(),
            iban: IBAN.parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            permissions: Permissions {
                balances: true,
                transactions: false,
            },
        };
        let psu = Psu {
            issuer: "i".to_owned(),
            subject: "s".to_owned(),
        };
        consent(access)
            .approve(psu, vec![account], moment())
            .unwrap()
    }

    #[test]
    fn before_the_approval_a_consent_shows_what_was_asked_for() {
        for access in [
            json!({"accounts": [{"iban": IBAN}], "balances": [{"iban": IBAN}]}),
            json!({"accounts": [], "balances": [], "transactions": []}),
            json!({"allPsd2": "allAccounts"}),
        ] {
            assert_eq!(
                shown(&consent(&access)),
                json!({"access": access, "recurringIndicator": true, "validUntil": "2027-05-20",
                    "frequencyPerDay": 4, "lastActionDate": "2026-11-21",
                    "consentStatus": "received"})
            );
        }
    }

    #[test]
    fn after_the_approval_a_consent_shows_what_the_member_chose() {
        let body = shown(&approved(
            &json!({"accounts": [], "balances": [], "transactions": []}),
        ));
        let chosen = json!([{"iban": IBAN, "currency": "EUR"}]);
        assert_eq!(
            body["access"],
            json!({"accounts": chosen, "balances": chosen})
        );
        assert_eq!(body["consentStatus"], "valid");
        assert_eq!(body["_links"], json!({"account": {"href": "/accounts"}}));
        let global = json!({"allPsd2": "allAccounts"});
        assert_eq!(shown(&approved(&global))["access"], global);
    }

    #[test]
    fn a_created_consent_links_to_the_metadata_its_status_and_its_approval() {
        let created = ConsentCreated {
            consent_status: ConsentStatus::Received,
            consent_id: "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap(),
            links: InitiationLinks {
                sca_oauth: Href::to("/m"),
                itself: Href::to("/c"),
                status: Href::to("/c/status"),
                sca_status: Href::to("/c/authorisations/1"),
            },
        };
        assert_eq!(
            serde_json::to_value(created).unwrap(),
            json!({"consentStatus": "received",
                "consentId": "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f",
                "_links": {"scaOAuth": {"href": "/m"}, "self": {"href": "/c"},
                    "status": {"href": "/c/status"},
                    "scaStatus": {"href": "/c/authorisations/1"}}})
        );
    }
}
