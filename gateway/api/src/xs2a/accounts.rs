//! Accounts, balances and transactions, as far as a consent opens them.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::consents;
use branchline_core_contract::AccountDto;
use branchline_db::audit;
use branchline_kernel::{Cursor, ResourceId};
use branchline_oauth::Role;
use branchline_xs2a::{
    AccountReferenceBody, AccountsBody, BalanceBody, BalancesBody, BookingStatus, Consent,
    DataKind, Endpoint, GrantedAccount, Href, Moment, OneAccountBody, QuotaRule, ReportBody,
    ReportLinks, TransactionsBody, TransactionsQuery, Xs2aError, accept_json, consent_id,
    id_in_path, presence, with_balance,
};

use super::caller::{Caller, header, part};
use super::docs::{AccountPath, BalanceQuery, CallHeaders, ConsentHeader, ReportQuery, Xs2aErrors};
use super::refused::Refused;
use super::show::{show_account, show_balances, show_entry};
use super::{Read, pairs};
use crate::Gateway;
use crate::core_client::{Asker, CoreError, Period};

/// A read that its consent allows.
struct Permitted {
    caller: Caller,
    consent: Consent,
    asker: Asker,
    moment: Moment,
}

/// What a read is about to see.
struct Wish {
    operation: &'static str,
    endpoint: Endpoint,
    kind: DataKind,
    with_balance: bool,
    follows_link: bool,
}

/// Token, consent, account, right, quota, in this order; then the read is written down.
async fn permit(
    gateway: &Gateway,
    request: &HttpRequest,
    caller: Caller,
    wish: &Wish,
) -> Result<Permitted, Refused> {
    let granted = caller.granted_consent()?;
    let named = consent_id(header(request, "Consent-ID").as_deref())?;
    accept_json(header(request, "Accept").as_deref())?;
    let presence = presence(header(request, "PSU-IP-Address").as_deref())?;
    let moment = gateway.moment();
    let read = Read {
        operation: wish.operation,
        id: named.to_string(),
    };
    let consent = gateway
        .change(&caller.tenant.id, &caller.actor(), async |tx| {
            let found = consents::find(tx, named, moment).await?;
            let consent = found
                .filter(|consent| consent.tpp == caller.tpp.id)
                .ok_or_else(Xs2aError::consent_unknown)?;
            if named != granted {
                return Err(Xs2aError::token_invalid("the token is for another consent").into());
            }
            let resource = look_at(&consent, request, wish, moment)?;
            let counting = QuotaRule::of(&consent.request).counting(presence, wish.follows_link);
            let place = (wish.endpoint, resource);
            consents::admit_read(tx, &consent, place, counting, moment).await?;
            audit::record(tx, read.event(&caller)).await?;
            Ok::<_, Refused>(consent)
        })
        .await?;
    let accounts = consent.accounts_at(moment)?;
    let asker = Asker {
        accounts: Some(accounts.iter().map(|granted| granted.account).collect()),
        ..caller.asker(gateway, consent.psu().cloned())
    };
    Ok(Permitted {
        caller,
        consent,
        asker,
        moment,
    })
}

/// The account of the path, when there is one in it and the consent opens what is wished.
fn look_at(
    consent: &Consent,
    request: &HttpRequest,
    wish: &Wish,
    moment: Moment,
) -> Result<Option<ResourceId>, Refused> {
    let accounts = consent.accounts_at(moment)?;
    if matches!(wish.endpoint, Endpoint::AccountList) {
        let all_open = accounts
            .iter()
            .all(|account| account.opens(DataKind::Balances));
        return match wish.with_balance && !all_open {
            true => Err(no_balances()),
            false => Ok(None),
        };
    }
    let resource: ResourceId = id_in_path(part(request, "accountId"))?;
    let account = consent.permit(resource, wish.kind, moment)?;
    match wish.with_balance && !account.opens(DataKind::Balances) {
        true => Err(no_balances()),
        false => Ok(Some(resource)),
    }
}

fn no_balances() -> Refused {
    Xs2aError::consent_invalid("the consent does not open balances: leave out withBalance").into()
}

impl Permitted {
    /// The account of the path, as the consent knows it.
    fn account(&self, request: &HttpRequest) -> Result<&GrantedAccount, Refused> {
        let resource = id_in_path(part(request, "accountId"))?;
        Ok(self
            .consent
            .permit(resource, DataKind::Details, self.moment)?)
    }

    async fn balances(
        &self,
        gateway: &Gateway,
        account: &GrantedAccount,
    ) -> Result<Vec<BalanceBody>, Refused> {
        let told = gateway
            .core()
            .balances(&self.asker, account.account)
            .await?;
        Ok(show_balances(&told, self.moment.today)?)
    }

    /// What the core says of the accounts; one that is gone there is left out.
    async fn told(&self, gateway: &Gateway) -> Result<Vec<(&GrantedAccount, AccountDto)>, Refused> {
        let mut listed = gateway.core().accounts(&self.asker).await?.accounts;
        let mut told = Vec::new();
        for granted in self.consent.accounts_at(self.moment)? {
            let at = listed
                .iter()
                .position(|account| account.account_id == granted.account.uuid());
            if let Some(at) = at {
                told.push((granted, listed.swap_remove(at)));
            }
        }
        Ok(told)
    }
}

/// Lists the accounts that the member chose.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/accounts", operation_id = "getAccountList", tag = "AIS",
    params(CallHeaders, ConsentHeader, BalanceQuery),
    responses((status = 200, description = "The accounts", body = AccountsBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_account_list(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    let wish = Wish {
        operation: "getAccountList",
        endpoint: Endpoint::AccountList,
        kind: DataKind::Details,
        with_balance: with_balance(&pairs(&request)?)?,
        follows_link: false,
    };
    let permitted = permit(&gateway, &request, caller, &wish).await?;
    let mut accounts = Vec::new();
    for (granted, told) in permitted.told(&gateway).await? {
        let balances = match wish.with_balance {
            true => Some(permitted.balances(&gateway, granted).await?),
            false => None,
        };
        accounts.push(show_account(
            &permitted.caller.issuer,
            granted,
            &told,
            balances,
        ));
    }
    Ok(HttpResponse::Ok().json(AccountsBody { accounts }))
}

/// Shows one account.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/accounts/{accountId}", operation_id = "readAccountDetails",
    tag = "AIS", params(CallHeaders, ConsentHeader, AccountPath, BalanceQuery),
    responses((status = 200, description = "The account", body = OneAccountBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn read_account_details(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    let wish = Wish {
        operation: "readAccountDetails",
        endpoint: Endpoint::AccountDetails,
        kind: DataKind::Details,
        with_balance: with_balance(&pairs(&request)?)?,
        follows_link: false,
    };
    let permitted = permit(&gateway, &request, caller, &wish).await?;
    let wanted = permitted.account(&request)?.resource;
    let told = permitted.told(&gateway).await?;
    let (granted, account) = told
        .iter()
        .find(|(granted, _)| granted.resource == wanted)
        .ok_or_else(Xs2aError::resource_unknown)?;
    let balances = match wish.with_balance {
        true => Some(permitted.balances(&gateway, granted).await?),
        false => None,
    };
    let account = show_account(&permitted.caller.issuer, granted, account, balances);
    Ok(HttpResponse::Ok().json(OneAccountBody { account }))
}

/// Shows the balances of an account.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/accounts/{accountId}/balances", operation_id = "getBalances",
    tag = "AIS", params(CallHeaders, ConsentHeader, AccountPath),
    responses((status = 200, description = "The balances", body = BalancesBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_balances(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    let wish = Wish {
        operation: "getBalances",
        endpoint: Endpoint::Balances,
        kind: DataKind::Balances,
        with_balance: false,
        follows_link: false,
    };
    let permitted = permit(&gateway, &request, caller, &wish).await?;
    let account = permitted.account(&request)?;
    Ok(HttpResponse::Ok().json(BalancesBody {
        account: AccountReferenceBody::of(&account.iban, Some(account.currency)),
        balances: permitted.balances(&gateway, account).await?,
    }))
}

/// Lists the transactions of an account, the latest first. What is not booked yet is not told by
/// the core, so the list of pending ones is empty.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/accounts/{accountId}/transactions",
    operation_id = "getTransactionList", tag = "AIS",
    params(CallHeaders, ConsentHeader, AccountPath, ReportQuery),
    responses((status = 200, description = "The report", body = TransactionsBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_transaction_list(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    let query = TransactionsQuery::parse(&pairs(&request)?, gateway.moment().today)?;
    let wish = Wish {
        operation: "getTransactionList",
        endpoint: Endpoint::Transactions,
        kind: DataKind::Transactions,
        with_balance: query.with_balance,
        follows_link: query.follows_link(),
    };
    let permitted = permit(&gateway, &request, caller, &wish).await?;
    let account = permitted.account(&request)?;
    let balances = match wish.with_balance {
        true => Some(permitted.balances(&gateway, account).await?),
        false => None,
    };
    Ok(HttpResponse::Ok().json(TransactionsBody {
        account: AccountReferenceBody::of(&account.iban, Some(account.currency)),
        transactions: report(&gateway, &permitted, account, &query).await?,
        balances,
    }))
}

async fn report(
    gateway: &Gateway,
    permitted: &Permitted,
    account: &GrantedAccount,
    query: &TransactionsQuery,
) -> Result<ReportBody, Refused> {
    let itself = permitted
        .caller
        .issuer
        .at(&format!("v1/accounts/{}", account.resource));
    let (wants_booked, wants_pending, status) = match query.status {
        BookingStatus::Booked => (true, false, "booked"),
        BookingStatus::Pending => (false, true, "pending"),
        BookingStatus::Both => (true, true, "both"),
    };
    // A period that has not begun yet is empty; the core need not be asked.
    let mut next = None;
    let mut booked = Vec::new();
    if wants_booked && query.from <= query.to {
        let period = Period {
            from: query.from,
            to: query.to,
            cursor: query.after.as_deref(),
        };
        let page = gateway
            .core()
            .entries(&permitted.asker, account.account, &period);
        let page = page.await.map_err(|error| refuse_page(error, query))?;
        next = page.next_cursor.map(|key| {
            let cursor = Cursor::after(&key);
            Href::to(format!(
                "{itself}/transactions?bookingStatus={status}&dateFrom={}&dateTo={}&cursor={}",
                query.from,
                query.to,
                cursor.as_str()
            ))
        });
        booked = page
            .entries
            .iter()
            .map(show_entry)
            .collect::<Result<_, _>>()?;
    }
    Ok(ReportBody {
        booked: wants_booked.then_some(booked),
        pending: wants_pending.then(Vec::new),
        links: ReportLinks {
            account: Href::to(itself),
            next,
        },
    })
}

/// What the core may find wrong in the call is the cursor, else the period.
fn refuse_page(error: CoreError, query: &TransactionsQuery) -> Refused {
    match (error, &query.after) {
        (CoreError::Refused { status: 400, .. }, Some(_)) => Xs2aError::format(
            "cursor",
            "the cursor is not one that this list gave out: start again without it",
        )
        .into(),
        (
            CoreError::Refused {
                status: 400,
                detail,
                ..
            },
            None,
        ) => Xs2aError::period("dateFrom", &detail).into(),
        (error, _) => error.into(),
    }
}
