//! What a TPP asks to read: named accounts, accounts the member will choose, or all of them.

use branchline_kernel::{Currency, Iban};
use serde_json::{Value, json};

use crate::Xs2aError;
use crate::body::Members;

/// The access that a consent asks for (R3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Accounts that the TPP names.
    Dedicated(DedicatedAccess),
    /// Accounts that the member chooses on the page; these are the rights for each of them.
    BankOffered(Permissions),
    /// All accounts of the member, with all rights.
    AllPsd2,
}

/// Named accounts, each with its rights; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedicatedAccess(Vec<(AccountReference, Permissions)>);

/// An account as a TPP names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReference {
    /// The account number.
    pub iban: Iban,
    /// Which sub-account, where one number has several.
    pub currency: Option<Currency>,
}

/// What may be read of an account besides its being there (R4: either implies the account itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// The balances.
    pub balances: bool,
    /// The transactions.
    pub transactions: bool,
}

const MAX_ACCOUNTS: usize = 100;
const ALL_ACCOUNTS: &str = "allAccounts";

impl Permissions {
    /// Everything.
    pub const ALL: Self = Self {
        balances: true,
        transactions: true,
    };

    /// Whether `self` gives nothing that `other` does not.
    #[must_use]
    pub const fn within(self, other: Self) -> bool {
        (other.balances || !self.balances) && (other.transactions || !self.transactions)
    }
}

impl Access {
    /// Reads the member `access` of a consent, also one that was stored with [`Access::to_json`].
    ///
    /// # Errors
    /// FORMAT_ERROR or PARAMETER_NOT_SUPPORTED with the path.
    pub fn parse(access: &Value) -> Result<Self, Xs2aError> {
        let members = Members::of(access, "access".to_owned())?;
        // `additionalInformation` is dropped without a word, as R4 wants; GET shows that.
        members.refuse(&[
            "availableAccounts",
            "availableAccountsWithBalance",
            "restrictedTo",
            "statements",
        ])?;
        let accounts = references(&members, "accounts")?;
        let balances = references(&members, "balances")?;
        let transactions = references(&members, "transactions")?;
        let named = [&accounts, &balances, &transactions]
            .into_iter()
            .flatten()
            .any(|list| !list.is_empty());
        if let Some(which) = members.find_text("allPsd2")? {
            return match which {
                ALL_ACCOUNTS if named => {
                    Err(members.wrong("allPsd2", "either it or account lists"))
                }
                ALL_ACCOUNTS => Ok(Self::AllPsd2),
                "allAccountsWithOwnerName" => Err(Xs2aError::not_supported("access.allPsd2")),
                _ => Err(members.wrong("allPsd2", ALL_ACCOUNTS)),
            };
        }
        match (&accounts, &balances, &transactions) {
            (None, None, None) => Err(Xs2aError::format(
                "access",
                "access names nothing: send accounts, balances or transactions, or allPsd2",
            )),
            (Some(list), _, _) if list.is_empty() && named => Err(members.wrong(
                "accounts",
                "account references, or empty balances and transactions too",
            )),
            _ if named => dedicated(accounts, balances, transactions),
            _ => Ok(Self::BankOffered(Permissions {
                balances: balances.is_some(),
                transactions: transactions.is_some(),
            })),
        }
    }

    /// What this access would give to the account, `None` when the account is not meant.
    #[must_use]
    pub fn permissions_for(&self, iban: &Iban, currency: Currency) -> Option<Permissions> {
        match self {
            Self::Dedicated(dedicated) => dedicated.permissions_for(iban, currency),
            Self::BankOffered(permissions) => Some(*permissions),
            Self::AllPsd2 => Some(Permissions::ALL),
        }
    }

    /// The access as it was asked for, for a row and for GET before the approval.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::AllPsd2 => json!({ "allPsd2": ALL_ACCOUNTS }),
            Self::BankOffered(permissions) => lists([
                Some(Vec::new()),
                permissions.balances.then(Vec::new),
                permissions.transactions.then(Vec::new),
            ]),
            Self::Dedicated(DedicatedAccess(accounts)) => {
                let list = |wanted: fn(&Permissions) -> bool| {
                    let list: Vec<_> = accounts
                        .iter()
                        .filter(|(_, permissions)| wanted(permissions))
                        .map(|(reference, _)| reference.to_json())
                        .collect();
                    (!list.is_empty()).then_some(list)
                };
                lists([
                    list(|_| true),
                    list(|permissions| permissions.balances),
                    list(|permissions| permissions.transactions),
                ])
            }
        }
    }
}

/// The members `accounts`, `balances` and `transactions`, each where it is there.
fn lists(lists: [Option<Vec<Value>>; 3]) -> Value {
    ["accounts", "balances", "transactions"]
        .into_iter()
        .zip(lists)
        .filter_map(|(name, list)| Some((name.to_owned(), Value::Array(list?))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

impl DedicatedAccess {
    /// The accounts in the order in which they were named.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountReference, Permissions)> {
        self.0
            .iter()
            .map(|(reference, permissions)| (reference, *permissions))
    }

    fn permissions_for(&self, iban: &Iban, currency: Currency) -> Option<Permissions> {
        self.0
            .iter()
            .filter(|(reference, _)| {
                reference.iban == *iban && reference.currency.is_none_or(|named| named == currency)
            })
            .map(|(_, permissions)| *permissions)
            .reduce(|one, other| Permissions {
                balances: one.balances || other.balances,
                transactions: one.transactions || other.transactions,
            })
    }
}

impl AccountReference {
    /// Reads an account reference by IBAN; the other kinds of the standard are not offered yet.
    ///
    /// # Errors
    /// FORMAT_ERROR or PARAMETER_NOT_SUPPORTED with the path.
    pub(crate) fn parse(value: &Value, path: String) -> Result<Self, Xs2aError> {
        let members = Members::of(value, path)?;
        members.refuse(&[
            "bban",
            "pan",
            "maskedPan",
            "msisdn",
            "other",
            "cashAccountType",
        ])?;
        let iban = members.text("iban")?.parse().map_err(|malformed| {
            let path = members.path_of("iban");
            Xs2aError::format(&path, &format!("{path} is {malformed}"))
        })?;
        let currency = members
            .find_text("currency")?
            .map(str::parse)
            .transpose()
            .map_err(|_unknown| members.wrong("currency", "an ISO 4217 code such as EUR"))?;
        Ok(Self { iban, currency })
    }

    fn to_json(&self) -> Value {
        match self.currency {
            None => json!({ "iban": self.iban.as_str() }),
            Some(currency) => {
                json!({ "iban": self.iban.as_str(), "currency": currency.code() })
            }
        }
    }
}

type References = Option<Vec<AccountReference>>;

fn references(members: &Members<'_>, name: &str) -> Result<References, Xs2aError> {
    let Some(list) = members.find_list(name)? else {
        return Ok(None);
    };
    if list.len() > MAX_ACCOUNTS {
        return Err(members.wrong(name, "at most 100 accounts"));
    }
    list.iter()
        .enumerate()
        .map(|(index, value)| {
            AccountReference::parse(value, format!("{}[{index}]", members.path_of(name)))
        })
        .collect::<Result<_, _>>()
        .map(Some)
}

fn dedicated(
    accounts: References,
    balances: References,
    transactions: References,
) -> Result<Access, Xs2aError> {
    let mut named: Vec<(AccountReference, Permissions)> = Vec::new();
    let rights = |balances, transactions| Permissions {
        balances,
        transactions,
    };
    let lists = [
        (accounts, rights(false, false)),
        (balances, rights(true, false)),
        (transactions, rights(false, true)),
    ];
    for (list, right) in lists {
        for reference in list.into_iter().flatten() {
            match named.iter_mut().find(|(known, _)| *known == reference) {
                Some((_, permissions)) => {
                    permissions.balances |= right.balances;
                    permissions.transactions |= right.transactions;
                }
                None => named.push((reference, right)),
            }
        }
    }
    Ok(Access::Dedicated(DedicatedAccess(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "DE89370400440532013000";
    const TWO: &str = "FI2112345600000785";

    fn refused(access: Value) -> (u16, String, String) {
        let error = Access::parse(&access).unwrap_err();
        let body = serde_json::to_value(error.body()).unwrap();
        let message = &body["tppMessages"][0];
        (
            error.status(),
            message["code"].as_str().unwrap().to_owned(),
            message["path"].as_str().unwrap().to_owned(),
        )
    }

    fn eur() -> Currency {
        "EUR".parse().unwrap()
    }

    #[test]
    fn a_right_on_balances_implies_the_account() {
        let access = Access::parse(&json!({
            "balances": [{"iban": ONE}], "transactions": [{"iban": ONE}, {"iban": TWO}]
        }))
        .unwrap();
        let of = |iban: &str| access.permissions_for(&iban.parse().unwrap(), eur());
        assert_eq!(of(ONE), Some(Permissions::ALL));
        assert_eq!(
            of(TWO).unwrap(),
            Permissions {
                balances: false,
                transactions: true
            }
        );
        assert_eq!(of("GB82WEST12345698765432"), None);
    }

    #[test]
    fn a_named_currency_binds_the_reference() {
        let access =
            Access::parse(&json!({"accounts": [{"iban": ONE, "currency": "USD"}]})).unwrap();
        assert_eq!(access.permissions_for(&ONE.parse().unwrap(), eur()), None);
        assert!(
            access
                .permissions_for(&ONE.parse().unwrap(), "USD".parse().unwrap())
                .is_some()
        );
    }

    #[test]
    fn empty_lists_leave_the_choice_to_the_member() {
        let all = json!({"accounts": [], "balances": [], "transactions": []});
        assert_eq!(
            Access::parse(&all),
            Ok(Access::BankOffered(Permissions::ALL))
        );
        let balances = Access::parse(&json!({"balances": []}));
        let only_balances = Permissions {
            balances: true,
            transactions: false,
        };
        assert_eq!(balances, Ok(Access::BankOffered(only_balances)));
    }

    #[test]
    fn all_accounts_are_asked_for_by_one_word() {
        assert_eq!(
            Access::parse(&json!({"allPsd2": "allAccounts"})),
            Ok(Access::AllPsd2)
        );
        assert_eq!(
            refused(json!({"allPsd2": "allAccounts", "accounts": [{"iban": ONE}]})).1,
            "FORMAT_ERROR"
        );
    }

    #[test]
    fn access_survives_storage() {
        for access in [
            json!({"accounts": [{"iban": ONE, "currency": "EUR"}], "balances": [{"iban": TWO}]}),
            json!({"balances": []}),
            json!({"accounts": [], "balances": [], "transactions": []}),
            json!({"allPsd2": "allAccounts"}),
        ] {
            let parsed = Access::parse(&access).unwrap();
            assert_eq!(Access::parse(&parsed.to_json()), Ok(parsed));
        }
    }

    #[test]
    fn what_the_standard_knows_and_we_do_not_offer_is_said_so() {
        for (access, path) in [
            (
                json!({"availableAccounts": "allAccounts"}),
                "access.availableAccounts",
            ),
            (
                json!({"availableAccountsWithBalance": "allAccounts"}),
                "access.availableAccountsWithBalance",
            ),
            (
                json!({"allPsd2": "allAccountsWithOwnerName"}),
                "access.allPsd2",
            ),
            (
                json!({"accounts": [], "restrictedTo": ["CACC"]}),
                "access.restrictedTo",
            ),
            (
                json!({"accounts": [{"bban": "1"}]}),
                "access.accounts[0].bban",
            ),
            (
                json!({"accounts": [{"iban": ONE}, {"iban": ONE, "cashAccountType": "CACC"}]}),
                "access.accounts[1].cashAccountType",
            ),
        ] {
            assert_eq!(
                refused(access),
                (400, "PARAMETER_NOT_SUPPORTED".to_owned(), path.to_owned())
            );
        }
    }

    #[test]
    fn additional_information_and_unknown_members_are_dropped() {
        let access =
            json!({"accounts": [{"iban": ONE, "x": 1}], "additionalInformation": {}, "x": 1});
        let parsed = Access::parse(&access).unwrap();
        assert_eq!(parsed.to_json(), json!({"accounts": [{"iban": ONE}]}));
    }

    #[test]
    fn malformed_access_names_its_place() {
        for (access, path) in [
            (json!(null), "access"),
            (json!([]), "access"),
            (json!({}), "access"),
            (json!({"accounts": "x"}), "access.accounts"),
            (json!({"accounts": null}), "access.accounts"),
            (json!({"accounts": [7]}), "access.accounts[0]"),
            (json!({"accounts": [{}]}), "access.accounts[0].iban"),
            (
                json!({"accounts": [{"iban": 7}]}),
                "access.accounts[0].iban",
            ),
            (
                json!({"accounts": [{"iban": ""}]}),
                "access.accounts[0].iban",
            ),
            (
                json!({"accounts": [{"iban": "DE00370400440532013000"}]}),
                "access.accounts[0].iban",
            ),
            (
                json!({"accounts": [{"iban": ONE, "currency": "eur"}]}),
                "access.accounts[0].currency",
            ),
            (
                json!({"accounts": [], "balances": [{"iban": ONE}]}),
                "access.accounts",
            ),
            (
                json!({"accounts": vec![json!({"iban": ONE}); 101]}),
                "access.accounts",
            ),
            (json!({"allPsd2": "all"}), "access.allPsd2"),
            (json!({"allPsd2": true}), "access.allPsd2"),
        ] {
            assert_eq!(
                refused(access),
                (400, "FORMAT_ERROR".to_owned(), path.to_owned())
            );
        }
    }
}
