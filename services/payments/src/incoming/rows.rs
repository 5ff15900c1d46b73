//! Rows of credits that were asked for, and the answers they got.

use branchline_banking::Account;
use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::PostingId;
use sqlx::Row;
use uuid::Uuid;

use super::{Answer, CreditOrder};
use crate::payment::PaymentError;
use crate::reason::Reason;

// A second asker waits here until the first transaction has ended.
const CLAIM: &str = "INSERT INTO incoming_credit (payer_tenant, payment, debtor_iban, debtor_name, \
creditor_iban, amount_minor, currency, end_to_end_id, remittance, outcome, received_at) \
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'deciding', $10) \
ON CONFLICT ON CONSTRAINT incoming_credit_pkey DO NOTHING";
const KEEP: &str = "UPDATE incoming_credit SET outcome = $3, account = $4, posting = $5, \
reason_code = $6, reason_text = $7 WHERE payer_tenant = $1 AND payment = $2";
const ANSWER: &str = "SELECT creditor_iban, amount_minor, currency, outcome, posting, reason_code, \
reason_text FROM incoming_credit WHERE payer_tenant = $1 AND payment = $2";

/// Says whether the order is new.
pub(super) async fn claim(tx: &TenantTx, order: &CreditOrder) -> Result<bool, DbError> {
    let what = &order.instruction;
    let values = Values::new()
        .with(order.payer.as_str())
        .with(order.payment.uuid())
        .with(what.debtor.iban.as_str())
        .with(what.debtor.name.as_str())
        .with(what.creditor_iban.as_str())
        .with(what.amount.minor())
        .with(what.amount.currency().code())
        .with(what.end_to_end_id.as_str())
        .with(what.remittance.as_deref())
        .with(tx.now());
    Ok(tx.run(CLAIM, values).await? == 1)
}

pub(super) async fn keep(
    tx: &TenantTx,
    order: &CreditOrder,
    (account, answer): &(Option<Account>, Answer),
) -> Result<(), DbError> {
    let (outcome, posting, reason) = match answer {
        Answer::Credited(posting) => ("credited", Some(posting.uuid()), None),
        Answer::Refused(reason) => ("refused", None, Some(reason)),
    };
    let values = Values::new()
        .with(order.payer.as_str())
        .with(order.payment.uuid())
        .with(outcome)
        .with(account.as_ref().map(|account| account.id.uuid()))
        .with(posting)
        .with(reason.map(|reason| reason.code.code()))
        .with(reason.map(|reason| reason.text.as_str()));
    tx.run(KEEP, values).await.map(drop)
}

/// The answer that was given before; an order with the same name and other content is a broken
/// invariant of the payer's institution, and nothing is answered.
pub(super) async fn answer_of(tx: &TenantTx, order: &CreditOrder) -> Result<Answer, PaymentError> {
    let values = Values::new()
        .with(order.payer.as_str())
        .with(order.payment.uuid());
    let rows = tx.named(ANSWER, values).await?;
    let row = rows.first().ok_or(PaymentError::Stale(order.payment))?;
    let get = |error: sqlx::Error| PaymentError::Db(error.into());
    let iban: String = row.try_get("creditor_iban").map_err(get)?;
    let minor: i64 = row.try_get("amount_minor").map_err(get)?;
    let currency: String = row.try_get("currency").map_err(get)?;
    let what = &order.instruction;
    let is_same = iban == what.creditor_iban.as_str()
        && minor == what.amount.minor()
        && currency == what.amount.currency().code();
    if !is_same {
        return Err(PaymentError::KeyConflict(order.payment));
    }
    let inconsistent = |column| DbError::Inconsistent {
        table: "incoming_credit",
        column,
    };
    let outcome: String = row.try_get("outcome").map_err(get)?;
    if outcome == "credited" {
        let posting: Option<Uuid> = row.try_get("posting").map_err(get)?;
        let posting = posting
            .map(PostingId::from)
            .ok_or(inconsistent("posting"))?;
        return Ok(Answer::Credited(posting));
    }
    let code: Option<String> = row.try_get("reason_code").map_err(get)?;
    let text: Option<String> = row.try_get("reason_text").map_err(get)?;
    let reason = code
        .zip(text)
        .and_then(|(code, text)| Reason::stored(&code, text));
    Ok(Answer::Refused(reason.ok_or(inconsistent("reason_code"))?))
}
