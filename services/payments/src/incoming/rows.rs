//! Rows of credits that were asked for, and the answers they got.

use std::collections::BTreeSet;

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{AccountId, PostingId};
use sqlx::Row;
use uuid::Uuid;

use super::{Answer, CreditOrder};
use crate::payment::PaymentError;
use crate::reason::Reason;

const INSERT_ALL: &str = "INSERT INTO incoming_credit (payer_tenant, payment, debtor_iban, \
debtor_name, creditor_iban, amount_minor, currency, end_to_end_id, remittance, outcome, account, \
posting, reason_code, reason_text, received_at) \
SELECT c.payer_tenant, c.payment, c.debtor_iban, c.debtor_name, c.creditor_iban, c.amount_minor, \
c.currency, c.end_to_end_id, c.remittance, c.outcome, c.account, c.posting, c.reason_code, \
c.reason_text, $15 FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], \
$6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::uuid[], $12::uuid[], \
$13::text[], $14::text[]) AS c (payer_tenant, payment, debtor_iban, debtor_name, creditor_iban, \
amount_minor, currency, end_to_end_id, remittance, outcome, account, posting, reason_code, \
reason_text) ON CONFLICT ON CONSTRAINT incoming_credit_pkey DO NOTHING \
RETURNING payer_tenant, payment";
const ANSWER: &str = "SELECT creditor_iban, amount_minor, currency, outcome, posting, reason_code, \
reason_text FROM incoming_credit WHERE payer_tenant = $1 AND payment = $2";

/// What names an order: the payer's institution and its payment.
pub(super) type Name = (String, Uuid);

/// An order with the answer to keep.
pub(super) struct Decided<'a> {
    pub(super) order: &'a CreditOrder,
    /// The account that was credited.
    pub(super) account: Option<AccountId>,
    pub(super) answer: Answer,
    /// Who acts.
    pub(super) by: &'a str,
}

impl Decided<'_> {
    pub(super) fn name(&self) -> Name {
        let payer = self.order.payer.as_str().to_owned();
        (payer, self.order.payment.uuid())
    }

    pub(super) const fn outcome(&self) -> &'static str {
        match &self.answer {
            Answer::Credited(_) => "credited",
            Answer::Refused(_) => "refused",
        }
    }

    const fn posting(&self) -> Option<Uuid> {
        match &self.answer {
            Answer::Credited(posting) => Some(posting.uuid()),
            Answer::Refused(_) => None,
        }
    }

    const fn reason(&self) -> Option<&Reason> {
        match &self.answer {
            Answer::Credited(_) => None,
            Answer::Refused(reason) => Some(reason),
        }
    }
}

/// Inserts answers, and gives the names of those that were new.
pub(super) async fn insert_all(
    tx: &TenantTx,
    decided: &[Decided<'_>],
) -> Result<BTreeSet<Name>, DbError> {
    let all = || decided.iter();
    let what = || decided.iter().map(|one| &one.order.instruction);
    let reasons = || decided.iter().map(Decided::reason);
    let texts = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let values = Values::new()
        .with(texts(all().map(|one| one.order.payer.as_str()).collect()))
        .with(
            all()
                .map(|one| one.order.payment.uuid())
                .collect::<Vec<_>>(),
        )
        .with(texts(what().map(|one| one.debtor.iban.as_str()).collect()))
        .with(texts(what().map(|one| one.debtor.name.as_str()).collect()))
        .with(texts(
            what().map(|one| one.creditor_iban.as_str()).collect(),
        ))
        .with(what().map(|one| one.amount.minor()).collect::<Vec<_>>())
        .with(texts(
            what().map(|one| one.amount.currency().code()).collect(),
        ))
        .with(texts(
            what().map(|one| one.end_to_end_id.as_str()).collect(),
        ))
        .with(what().map(|one| one.remittance.clone()).collect::<Vec<_>>())
        .with(all().map(Decided::outcome).collect::<Vec<_>>())
        .with(
            all()
                .map(|one| one.account.map(AccountId::uuid))
                .collect::<Vec<_>>(),
        )
        .with(all().map(Decided::posting).collect::<Vec<_>>())
        .with(
            reasons()
                .map(|one| one.map(|one| one.code.code()))
                .collect::<Vec<_>>(),
        )
        .with(
            reasons()
                .map(|one| one.map(|one| one.text.clone()))
                .collect::<Vec<_>>(),
        )
        .with(tx.now());
    let rows = tx.named(INSERT_ALL, values).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("payer_tenant")?, row.try_get("payment")?)))
        .collect()
}

/// The answer that was given before; an order with the same name and other content is a broken
/// invariant of the payer's institution, and nothing is answered.
pub(super) async fn find_answer(
    tx: &TenantTx,
    order: &CreditOrder,
) -> Result<Option<Answer>, PaymentError> {
    let values = Values::new()
        .with(order.payer.as_str())
        .with(order.payment.uuid());
    let rows = tx.named(ANSWER, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
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
        return Ok(Some(Answer::Credited(posting)));
    }
    let code: Option<String> = row.try_get("reason_code").map_err(get)?;
    let text: Option<String> = row.try_get("reason_text").map_err(get)?;
    let reason = code
        .zip(text)
        .and_then(|(code, text)| Reason::stored(&code, text));
    let reason = reason.ok_or(inconsistent("reason_code"))?;
    Ok(Some(Answer::Refused(reason)))
}
