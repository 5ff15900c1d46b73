//! The books on the wire.

use branchline_core_contract::{TrialBalanceDto, TrialBalanceRowDto};
use branchline_kernel::{Kind, MoneyError};
use branchline_ledger::TrialBalanceRow;
use branchline_web::Problem;

use crate::accounts::show_money;

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
