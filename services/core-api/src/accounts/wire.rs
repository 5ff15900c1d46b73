//! Accounts on the wire.

use branchline_banking::{Account, NewAccount, Product, Status};
use branchline_core_contract::{
    AccountDto, AccountStatusDto, AmountDto, BalancesDto, EntryDto, EntryPageDto, EntrySideDto,
    FreezeAccountDto, NewAccountDto, NewDepositDto, PostedDto, ProductDto,
};
use branchline_kernel::{Cursor, Money, PaymentId, Timestamp};
use branchline_ledger::{
    Balances, Effect, Entry, Page, RefusedByLedger, Side, StatementQuery, Verdict,
};
use branchline_payments::Counterparty;
use branchline_web::{Answer, Problem};
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::input;

/// Which entries to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntriesQuery {
    /// The first booking day.
    date_from: Option<NaiveDate>,
    /// The last booking day.
    date_to: Option<NaiveDate>,
    /// Where the page before said that the next one starts.
    cursor: Option<String>,
    /// How many entries at most.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u16>,
}

const DEFAULT_PAGE: u16 = 100;
const MAX_PAGE: u16 = 500;

pub(crate) fn parse_entries_query(query: EntriesQuery) -> Result<StatementQuery, Problem> {
    let EntriesQuery {
        date_from,
        date_to,
        cursor,
        limit,
    } = query;
    input::day("date_from", date_from)?;
    input::day("date_to", date_to)?;
    if date_from.zip(date_to).is_some_and(|(from, to)| from > to) {
        let detail = "date_from lies after date_to: exchange them.";
        return Err(Problem::invalid(detail));
    }
    let limit = limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        let detail = format!("limit: give a number from 1 to {MAX_PAGE}.");
        return Err(Problem::invalid(&detail));
    }
    Ok(StatementQuery {
        from: date_from,
        to: date_to,
        cursor,
        limit,
    })
}

pub(super) fn parse_new_account(dto: &NewAccountDto) -> Result<NewAccount, Problem> {
    let NewAccountDto {
        member_id,
        currency,
        product,
    } = dto;
    Ok(NewAccount {
        member: (*member_id).into(),
        currency: input::currency("currency", currency)?,
        product: match product {
            ProductDto::Current => Product::Current,
        },
    })
}

pub(super) fn parse_new_deposit(dto: &NewDepositDto) -> Result<Money, Problem> {
    let NewDepositDto { amount } = dto;
    input::amount("amount", amount)
}

pub(super) fn parse_reason(dto: FreezeAccountDto) -> Result<String, Problem> {
    let FreezeAccountDto { reason } = dto;
    input::line("reason", reason, 140)
}

/// What was posted, or why nothing was.
pub(crate) fn show_posted(verdict: Verdict) -> Result<Answer, Problem> {
    match verdict.accepted()? {
        Effect::Booked(posting) => Ok(Answer::created(&PostedDto {
            posting_id: posting.uuid(),
        })),
        Effect::Held(_) | Effect::Released(_) => Err(RefusedByLedger::Conflict.into()),
    }
}

pub(crate) fn show_money(money: Money) -> AmountDto {
    AmountDto {
        amount: money.decimal(),
        currency: money.currency().code().to_owned(),
    }
}

pub(super) fn show_account(account: &Account) -> AccountDto {
    AccountDto {
        account_id: account.id.uuid(),
        iban: account.iban.to_string(),
        currency: account.currency.code().to_owned(),
        product: match account.product {
            Product::Current => ProductDto::Current,
        },
        status: match account.status {
            Status::Open => AccountStatusDto::Open,
            Status::Frozen => AccountStatusDto::Frozen,
            Status::Closed => AccountStatusDto::Closed,
        },
        owner_name: account.owner_name.clone(),
    }
}

pub(super) fn show_balances(account: &Account, balances: &Balances, at: Timestamp) -> BalancesDto {
    BalancesDto {
        account_id: account.id.uuid(),
        booked: show_money(balances.booked),
        available: show_money(balances.available),
        at,
    }
}

/// The payment behind an entry, if one is.
fn payment_of(entry: &Entry) -> Option<PaymentId> {
    let reference = entry.reference.as_ref()?;
    (reference.kind == "payment").then(|| reference.id.into())
}

pub(super) fn payments_of(page: &Page) -> Vec<PaymentId> {
    page.entries.iter().filter_map(payment_of).collect()
}

pub(super) fn show_page(page: &Page, others: &[Counterparty]) -> EntryPageDto {
    EntryPageDto {
        entries: page
            .entries
            .iter()
            .map(|entry| show_entry(entry, others))
            .collect(),
        next_cursor: page
            .next
            .as_ref()
            .map(|next: &Cursor| next.as_str().to_owned()),
    }
}

fn show_entry(entry: &Entry, others: &[Counterparty]) -> EntryDto {
    let payment = payment_of(entry);
    let is_other =
        |other: &&Counterparty| Some(other.payment) == payment && other.side == entry.side;
    let other = others.iter().find(is_other);
    EntryDto {
        entry: entry.seq,
        posting_id: entry.posting.uuid(),
        side: match entry.side {
            Side::Debit => EntrySideDto::Debit,
            Side::Credit => EntrySideDto::Credit,
        },
        amount: show_money(entry.amount),
        balance_after: show_money(entry.balance_after),
        booking_date: entry.dates.booking,
        value_date: entry.dates.value,
        kind: entry.kind.clone(),
        memo: entry.memo.clone(),
        payment_id: payment.map(PaymentId::uuid),
        end_to_end_id: other.map(|other| other.end_to_end_id.clone()),
        counterparty_name: other.map(|other| other.name.clone()),
        counterparty_iban: other.map(|other| other.iban.clone()),
    }
}
