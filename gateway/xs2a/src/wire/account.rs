//! Accounts, balances, transactions.

use branchline_kernel::{Currency, Iban, Money, ResourceId, Timestamp};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

use super::Href;

/// An amount and its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Amount {
    currency: String,
    amount: String,
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self {
            currency: money.currency().code().to_owned(),
            amount: money.decimal(),
        }
    }
}

/// An account by its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountReferenceBody {
    iban: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

impl AccountReferenceBody {
    /// The account with this number, of this currency where that matters.
    #[must_use]
    pub fn of(iban: &Iban, currency: Option<Currency>) -> Self {
        Self {
            iban: iban.as_str().to_owned(),
            currency: currency.map(|currency| currency.code().to_owned()),
        }
    }
}

/// `GET /v1/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountsBody {
    /// The accounts of the consent; none is an empty list (R24).
    pub accounts: Vec<AccountBody>,
}

/// `GET /v1/accounts/{account-id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OneAccountBody {
    /// The account.
    pub account: AccountBody,
}

/// An account as a consent shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountBody {
    /// How the TPP addresses it.
    #[schema(value_type = String)]
    pub resource_id: ResourceId,
    /// Its number.
    pub iban: String,
    /// Its currency.
    pub currency: String,
    /// What the institution calls this kind of account, at most 35 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// ISO 20022 cash account type, e.g. `CACC`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cash_account_type: Option<String>,
    /// Whether it can be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<AccountStatus>,
    /// Whose it is, where the consent opens that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_name: Option<String>,
    /// Its balances, where they were asked for and the consent opens them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Vec<BalanceBody>>,
    /// Where the rest is read.
    #[serde(rename = "_links")]
    pub links: AccountLinks,
}

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum AccountStatus {
    /// In use.
    Enabled,
    /// Closed.
    Deleted,
    /// Frozen.
    Blocked,
}

/// The links of an account: only what the consent opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountLinks {
    /// The balances.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Href>,
    /// The transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactions: Option<Href>,
}

/// `GET …/balances`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BalancesBody {
    /// Whose balances.
    pub account: AccountReferenceBody,
    /// The balances.
    pub balances: Vec<BalanceBody>,
}

/// One balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BalanceBody {
    /// How much.
    pub balance_amount: Amount,
    /// Of which kind.
    pub balance_type: BalanceType,
    /// When it was reckoned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_change_date_time: Option<Timestamp>,
    /// For which day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub reference_date: Option<NaiveDate>,
}

/// Kinds of balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum BalanceType {
    /// At the end of the day, booked.
    ClosingBooked,
    /// Booked and pending at the end of the day.
    Expected,
    /// At the start of the day, booked.
    OpeningBooked,
    /// At this moment, less what is held.
    InterimAvailable,
    /// At this moment, booked.
    InterimBooked,
}

/// `GET …/transactions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TransactionsBody {
    /// Whose transactions.
    pub account: AccountReferenceBody,
    /// The report.
    pub transactions: ReportBody,
    /// The balances, where they were asked for and the consent opens them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balances: Option<Vec<BalanceBody>>,
}

/// The entries of a period; a list that was not asked for is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportBody {
    /// Booked entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<Vec<TransactionBody>>,
    /// Entries that are not booked yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<Vec<TransactionBody>>,
    /// The account and the next page.
    #[serde(rename = "_links")]
    pub links: ReportLinks,
}

/// The links of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReportLinks {
    /// The account.
    pub account: Href,
    /// The next page, while there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Href>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionBody {
    /// Its name; free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Its name for deltas, at most 35 characters: a UUID fits only without hyphens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_reference: Option<String>,
    /// The payer's reference, at most 35 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The day it was booked; absent while it is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub booking_date: Option<NaiveDate>,
    /// The day from which it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub value_date: Option<NaiveDate>,
    /// How much: negative when the account pays.
    pub transaction_amount: Amount,
    /// The payee's name, at most 70 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor_name: Option<String>,
    /// The payee's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creditor_account: Option<AccountReferenceBody>,
    /// The payer's name, at most 70 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor_name: Option<String>,
    /// The payer's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountReferenceBody>,
    /// What it is for, at most 140 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remittance_information_unstructured: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn iban() -> Iban {
        "DE89370400440532013000".parse().unwrap()
    }

    fn money(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn an_account_shows_only_the_links_that_it_has() {
        let account = AccountBody {
            resource_id: "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap(),
            iban: iban().as_str().to_owned(),
            currency: "EUR".to_owned(),
            product: None,
            cash_account_type: Some("CACC".to_owned()),
            status: Some(AccountStatus::Enabled),
            owner_name: None,
            balances: None,
            links: AccountLinks {
                balances: Some(Href::to("/b")),
                transactions: None,
            },
        };
        assert_eq!(
            serde_json::to_value(AccountsBody {
                accounts: vec![account]
            })
            .unwrap(),
            json!({"accounts": [{
                "resourceId": "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f",
                "iban": "DE89370400440532013000", "currency": "EUR",
                "cashAccountType": "CACC", "status": "enabled",
                "_links": {"balances": {"href": "/b"}}
            }]})
        );
    }

    #[test]
    fn a_report_has_the_lists_that_were_asked_for() {
        let entry = TransactionBody {
            transaction_id: Some("1".to_owned()),
            entry_reference: None,
            end_to_end_id: None,
            booking_date: NaiveDate::from_ymd_opt(2026, 11, 21),
            value_date: None,
            transaction_amount: money(-1250).into(),
            creditor_name: None,
            creditor_account: None,
            debtor_name: None,
            debtor_account: None,
            remittance_information_unstructured: Some("Rent".to_owned()),
        };
        let body = TransactionsBody {
            account: AccountReferenceBody::of(&iban(), None),
            transactions: ReportBody {
                booked: Some(vec![entry]),
                pending: None,
                links: ReportLinks {
                    account: Href::to("/a"),
                    next: None,
                },
            },
            balances: None,
        };
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({
                "account": {"iban": "DE89370400440532013000"},
                "transactions": {
                    "booked": [{"transactionId": "1", "bookingDate": "2026-11-21",
                        "transactionAmount": {"currency": "EUR", "amount": "-12.50"},
                        "remittanceInformationUnstructured": "Rent"}],
                    "_links": {"account": {"href": "/a"}}
                }
            })
        );
    }

    #[test]
    fn a_balance_names_its_kind() {
        let balance = BalanceBody {
            balance_amount: money(5).into(),
            balance_type: BalanceType::InterimAvailable,
            last_change_date_time: None,
            reference_date: None,
        };
        assert_eq!(
            serde_json::to_value(balance).unwrap(),
            json!({"balanceAmount": {"currency": "EUR", "amount": "0.05"},
                "balanceType": "interimAvailable"})
        );
    }
}
