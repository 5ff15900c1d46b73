//! The books on the wire.

use branchline_core_contract::{ClosePeriodDto, PeriodDto, TrialBalanceDto, TrialBalanceRowDto};
use branchline_kernel::{Currency, Kind, MoneyError};
use branchline_ledger::TrialBalanceRow;
use branchline_web::Problem;
use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::accounts::show_money;
use crate::input;

/// Which sums to show.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialBalanceQuery {
    /// Only periods that begin on this day or later.
    date_from: Option<NaiveDate>,
    /// Only periods that begin on this day or earlier.
    date_to: Option<NaiveDate>,
    /// Only this currency.
    currency: Option<String>,
}

/// The sums that a caller wants.
pub(super) struct Wanted {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    currency: Option<Currency>,
}

impl Wanted {
    pub(super) fn shows(&self, row: &TrialBalanceRow) -> bool {
        let currency = row.debits.currency();
        self.currency.is_none_or(|wanted| wanted == currency)
    }
}

pub(super) fn parse_trial_balance_query(query: TrialBalanceQuery) -> Result<Wanted, Problem> {
    let TrialBalanceQuery {
        date_from,
        date_to,
        currency,
    } = query;
    input::day("date_from", date_from)?;
    input::day("date_to", date_to)?;
    let currency = currency
        .map(|text| input::currency("currency", &text))
        .transpose()?;
    let (first, last) = ever()?;
    Ok(Wanted {
        first: date_from.unwrap_or(first),
        last: date_to.unwrap_or(last),
        currency,
    })
}

/// All days on which periods may begin.
fn ever() -> Result<(NaiveDate, NaiveDate), Problem> {
    let days = NaiveDate::from_ymd_opt(1900, 1, 1).zip(NaiveDate::from_ymd_opt(9999, 12, 31));
    let detail = "Something on our side is broken.";
    days.ok_or_else(|| Problem::new(Kind::Broken, "internal", detail))
}

pub(super) fn parse_period(dto: PeriodDto) -> Result<PeriodDto, Problem> {
    input::day("first_day", Some(dto.first_day))?;
    input::day("last_day", Some(dto.last_day))?;
    if dto.first_day > dto.last_day {
        let detail = "first_day lies after last_day: exchange them.";
        return Err(Problem::invalid(detail));
    }
    Ok(dto)
}

pub(super) fn parse_closing(dto: &ClosePeriodDto) -> Result<NaiveDate, Problem> {
    let ClosePeriodDto { first_day } = dto;
    input::day("first_day", Some(*first_day))?;
    Ok(*first_day)
}

pub(super) fn show_trial_balance(rows: &[TrialBalanceRow]) -> Result<TrialBalanceDto, Problem> {
    let rows: Result<_, _> = rows.iter().map(show_row).collect();
    Ok(TrialBalanceDto {
        rows: rows.map_err(|_too_large| {
            let detail = "A sum of the books is too large to be shown. Tell the operator.";
            Problem::new(Kind::Broken, "internal", detail)
        })?,
    })
}

fn show_row(row: &TrialBalanceRow) -> Result<TrialBalanceRowDto, MoneyError> {
    let balance = row.debits.checked_add(row.credits.checked_neg()?)?;
    Ok(TrialBalanceRowDto {
        gl_account: row.gl_account.code.clone(),
        debit: show_money(row.debits),
        credit: show_money(row.credits),
        balance: show_money(balance),
    })
}
