//! The page on which a member shares accounts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use branchline_consent::consents;
use branchline_core_contract::{AccountDto, AccountStatusDto};
use branchline_db::{Digest, TenantTx};
use branchline_kernel::{AccountId, ConsentId, ResourceId};
use branchline_xs2a::{Access, Consent, ContentHash, GrantedAccount, Permissions};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::approve::Draft;
use super::case::Case;
use super::forms::Form;
use super::page::show;
use super::refused::Refused;
use super::views::{ConsentPage, OfferedAccount};
use crate::Gateway;
use crate::core_client::CoreError;
use crate::xs2a::read_iban;

/// An account she chose, as it waits for her code.
#[derive(Serialize, Deserialize)]
struct Chosen {
    resource: ResourceId,
    account: AccountId,
    iban: String,
    currency: String,
    balances: bool,
    transactions: bool,
}

async fn find(gateway: &Gateway, case: &Case, id: ConsentId) -> Result<Consent, Refused> {
    let moment = gateway.moment();
    let found = gateway
        .look(&case.tenant.id, &case.actor(), async |tx| {
            Ok::<_, Refused>(consents::find(tx, id, moment).await?)
        })
        .await?;
    found
        .filter(|consent| consent.tpp == case.tpp.id)
        .ok_or(Refused::NothingHere)
}

/// Her accounts that fit what is asked, with the rights that are asked for them.
async fn offered(
    gateway: &Gateway,
    case: &Case,
    consent: &Consent,
) -> Result<Vec<(AccountDto, Permissions)>, Refused> {
    let told = gateway.core().accounts(&case.asker(gateway)).await?;
    let mut offered = Vec::new();
    for account in told.accounts {
        let iban = read_iban(&account.iban)?;
        let currency = account
            .currency
            .parse()
            .map_err(|_unknown| CoreError::Impossible("currency"))?;
        let is_open = match account.status {
            AccountStatusDto::Open | AccountStatusDto::Frozen => true,
            AccountStatusDto::Closed => false,
        };
        let asked = consent.request.access.permissions_for(&iban, currency);
        if let Some(permissions) = asked.filter(|_| is_open) {
            offered.push((account, permissions));
        }
    }
    Ok(offered)
}

/// The page, with a problem to correct if there is one.
pub(super) async fn show_page(
    gateway: &Gateway,
    case: &Case,
    id: ConsentId,
    problem: Option<&str>,
) -> Result<HttpResponse, Refused> {
    let consent = find(gateway, case, id).await?;
    let offered = offered(gateway, case, &consent).await?;
    let is_named = match consent.request.access {
        Access::Dedicated(_) => true,
        Access::BankOffered(_) | Access::AllPsd2 => false,
    };
    let accounts: Vec<_> = offered
        .iter()
        .map(|(account, _)| OfferedAccount {
            id: account.account_id.to_string(),
            iban: spaced(&account.iban),
            currency: account.currency.clone(),
            is_named,
        })
        .collect();
    let page = ConsentPage {
        frame: case.frame(gateway),
        problem: problem.map(str::to_owned),
        tpp: case.tpp.name().to_owned(),
        client_id: case.tpp.client().to_string(),
        data: data(offered.iter().map(|(_, permissions)| *permissions)),
        until: consent.request.valid_until.format("%-d %B %Y").to_string(),
        often: often(&consent),
        accounts,
        action: case.path("/decision"),
        csrf: case.token("approve", &[]),
    };
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    show(
        status,
        &page,
        Some(case.pushed.request.redirect_uri.as_str()),
    )
}

fn often(consent: &Consent) -> String {
    match (consent.request.recurring, consent.request.frequency_per_day) {
        (false, _) => "Once".to_owned(),
        (true, 1) => "Up to once a day without you, and whenever you ask for it".to_owned(),
        (true, times) => {
            format!("Up to {times} times a day without you, and whenever you ask for it")
        }
    }
}

/// What may be read, in plain words.
fn data(all: impl Iterator<Item = Permissions>) -> Vec<&'static str> {
    let any = all.fold(
        Permissions {
            balances: false,
            transactions: false,
        },
        |any, one| Permissions {
            balances: any.balances || one.balances,
            transactions: any.transactions || one.transactions,
        },
    );
    let mut words = vec!["the accounts you choose: number, currency and state"];
    if any.balances {
        words.push("how much money is on them");
    }
    if any.transactions {
        words.push("what was paid in and out, to whom and what for");
    }
    words
}

/// An account number in groups of four, as people read it.
pub(super) fn spaced(iban: &str) -> String {
    iban.chars()
        .enumerate()
        .fold(String::new(), |mut text, (index, character)| {
            if index > 0 && index.checked_rem(4) == Some(0) {
                text.push(' ');
            }
            text.push(character);
            text
        })
}

/// What she chose, ready to be bound to a code; `None` when she chose nothing.
pub(super) async fn draft(
    gateway: &Gateway,
    case: &Case,
    id: ConsentId,
    form: &Form,
) -> Result<Option<Draft>, Refused> {
    let consent = find(gateway, case, id).await?;
    let offered = offered(gateway, case, &consent).await?;
    let mut chosen: Vec<GrantedAccount> = Vec::new();
    for text in form.all("account") {
        let wanted: Uuid = text.parse().map_err(|_malformed| Refused::Choice)?;
        let known = chosen
            .iter()
            .any(|account| account.account.uuid() == wanted);
        let (account, permissions) = offered
            .iter()
            .find(|(account, _)| account.account_id == wanted && !known)
            .ok_or(Refused::Choice)?;
        chosen.push(GrantedAccount {
            resource: ResourceId::from(gateway.db().ids().next()),
            account: AccountId::from(account.account_id),
            iban: read_iban(&account.iban)?,
            currency: account
                .currency
                .parse()
                .map_err(|_unknown| CoreError::Impossible("currency"))?,
            permissions: *permissions,
        });
    }
    if chosen.is_empty() {
        return Ok(None);
    }
    let shown = format!(
        "{} may read {} of your accounts until {}",
        case.tpp.name(),
        chosen.len(),
        consent.request.valid_until.format("%-d %B %Y")
    );
    Ok(Some(Draft {
        content: content(&consent, &chosen)?,
        shown,
        choice: Some(write(&chosen)),
    }))
}

/// The hash of what she approves.
fn content(consent: &Consent, chosen: &[GrantedAccount]) -> Result<ContentHash, Refused> {
    let digest = Digest::of(&[consent.approval_text(chosen).as_bytes()]);
    digest
        .to_string()
        .parse()
        .map_err(|_malformed| Refused::NothingHere)
}

/// The same, from what stands in the rows now.
pub(super) async fn current(
    tx: &TenantTx,
    gateway: &Gateway,
    id: ConsentId,
    choice: Option<&Value>,
) -> Result<(ContentHash, Vec<GrantedAccount>), Refused> {
    let found = consents::find(tx, id, gateway.moment()).await?;
    let consent = found.ok_or(Refused::NothingHere)?;
    let chosen = read(choice)?;
    Ok((content(&consent, &chosen)?, chosen))
}

fn write(chosen: &[GrantedAccount]) -> Value {
    let rows: Vec<_> = chosen
        .iter()
        .map(|granted| Chosen {
            resource: granted.resource,
            account: granted.account,
            iban: granted.iban.to_string(),
            currency: granted.currency.code().to_owned(),
            balances: granted.permissions.balances,
            transactions: granted.permissions.transactions,
        })
        .collect();
    // Ids, texts and flags always have a JSON form.
    serde_json::to_value(rows).unwrap_or_default()
}

fn read(choice: Option<&Value>) -> Result<Vec<GrantedAccount>, Refused> {
    let inconsistent = || {
        Refused::Db(branchline_db::DbError::Inconsistent {
            table: "authorisation",
            column: "choice",
        })
    };
    let rows: Vec<Chosen> = choice
        .and_then(|choice| serde_json::from_value(choice.clone()).ok())
        .ok_or_else(inconsistent)?;
    rows.into_iter()
        .map(|row| {
            Ok(GrantedAccount {
                resource: row.resource,
                account: row.account,
                iban: row.iban.parse().map_err(|_malformed| inconsistent())?,
                currency: row.currency.parse().map_err(|_unknown| inconsistent())?,
                permissions: Permissions {
                    balances: row.balances,
                    transactions: row.transactions,
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_number_is_shown_in_groups_of_four() {
        assert_eq!(
            spaced("DE89370400440532013000"),
            "DE89 3704 0044 0532 0130 00"
        );
        assert_eq!(spaced(""), "");
    }

    #[test]
    fn only_what_is_asked_for_is_named() {
        let only_balances = Permissions {
            balances: true,
            transactions: false,
        };
        assert_eq!(data([only_balances].into_iter()).len(), 2);
        assert_eq!(data([Permissions::ALL].into_iter()).len(), 3);
        assert_eq!(data(std::iter::empty()).len(), 1);
    }

    #[test]
    fn a_choice_is_read_back_as_it_was_written() {
        let chosen = vec![GrantedAccount {
            resource: ResourceId::from(Uuid::from_u128(1)),
            account: AccountId::from(Uuid::from_u128(2)),
            iban: "DE89370400440532013000".parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            permissions: Permissions::ALL,
        }];
        assert_eq!(read(Some(&write(&chosen))).unwrap(), chosen);
        assert!(read(None).is_err());
    }
}
