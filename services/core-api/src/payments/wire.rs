//! Payments on the wire.

use branchline_banking::Account;
use branchline_core_contract::{
    AmountDto, NewPaymentDto, PaymentDto, PaymentFacts, PaymentStateDto, PaymentStatusDto,
    payment_fingerprint,
};
use branchline_kernel::{AccountId, Iban, Money, PaymentId};
use branchline_payments::{Debtor, Instruction, NewPayment, Payment, State};
use branchline_web::Problem;
use uuid::Uuid;

use crate::input;

/// How a caller names the account that pays.
#[derive(Debug, Clone)]
pub(super) enum DebtorAccount {
    Id(AccountId),
    Iban(Iban),
}

/// A payment as it was asked for; the payer's account is still to be looked up.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    id: PaymentId,
    pub(super) debtor: DebtorAccount,
    creditor_iban: Iban,
    creditor_name: String,
    amount: Money,
    end_to_end_id: String,
    remittance: Option<String>,
}

impl Asked {
    /// The payment from that account.
    pub(super) fn from(self, account: &Account) -> NewPayment {
        NewPayment {
            id: self.id,
            instruction: Instruction {
                debtor: Debtor {
                    account: account.id,
                    iban: account.iban.clone(),
                    name: account.owner_name.clone(),
                },
                creditor_iban: self.creditor_iban,
                creditor_name: self.creditor_name,
                amount: self.amount,
                end_to_end_id: self.end_to_end_id,
                remittance: self.remittance,
            },
        }
    }
}

pub(super) fn parse_new_payment(dto: NewPaymentDto, key: Uuid) -> Result<Asked, Problem> {
    let NewPaymentDto {
        payment_id,
        debtor_account_id,
        debtor_iban,
        creditor_iban,
        creditor_name,
        amount,
        end_to_end_id,
        remittance,
    } = dto;
    if payment_id != key {
        let detail =
            "payment_id and the header Idempotency-Key differ: send the same UUID in both.";
        return Err(Problem::invalid(detail));
    }
    let debtor = match (debtor_account_id, debtor_iban) {
        (Some(id), None) => DebtorAccount::Id(id.into()),
        (None, Some(text)) => DebtorAccount::Iban(input::iban("debtor_iban", &text)?),
        (None, None) | (Some(_), Some(_)) => {
            let detail = "Name the account that pays once: debtor_account_id or debtor_iban.";
            return Err(Problem::invalid(detail));
        }
    };
    Ok(Asked {
        id: payment_id.into(),
        debtor,
        creditor_iban: input::iban("creditor_iban", &creditor_iban)?,
        creditor_name: input::line("creditor_name", creditor_name, 140)?,
        amount: input::amount("amount", &amount)?,
        end_to_end_id: input::line("end_to_end_id", end_to_end_id, 35)?,
        remittance: remittance
            .map(|text| input::line("remittance", text, 140))
            .transpose()?,
    })
}

fn show_amount(payment: &Payment) -> AmountDto {
    crate::accounts::show_money(payment.instruction.amount)
}

/// The fingerprint of the payment as it is stored.
pub(super) fn fingerprint(payment: &Payment) -> String {
    let what = &payment.instruction;
    payment_fingerprint(&PaymentFacts {
        payment_id: payment.id.uuid(),
        debtor_iban: what.debtor.iban.as_str(),
        creditor_iban: what.creditor_iban.as_str(),
        creditor_name: &what.creditor_name,
        amount: &show_amount(payment),
    })
}

/// The internal rail knows the credit when the payer is booked, so completed is ACCC at once.
const fn show_state(state: &State) -> (PaymentStateDto, PaymentStatusDto) {
    use {PaymentStateDto as Dto, PaymentStatusDto as Iso};
    match state {
        State::Received => (Dto::Received, Iso::Rcvd),
        State::Authorised => (Dto::Authorised, Iso::Rcvd),
        State::Reserved { .. } => (Dto::Reserved, Iso::Acsp),
        State::Dispatching { .. } => (Dto::Dispatching, Iso::Acsp),
        State::Unknown { .. } => (Dto::Unknown, Iso::Acsp),
        State::Completed { .. } => (Dto::Completed, Iso::Accc),
        State::Rejected { .. } => (Dto::Rejected, Iso::Rjct),
        State::Cancelled => (Dto::Cancelled, Iso::Canc),
    }
}

pub(super) fn show_payment(payment: &Payment) -> PaymentDto {
    let what = &payment.instruction;
    let (state, status) = show_state(&payment.state);
    let reason = match &payment.state {
        State::Rejected { reason, .. } => Some(reason),
        State::Received
        | State::Authorised
        | State::Reserved { .. }
        | State::Dispatching { .. }
        | State::Unknown { .. }
        | State::Completed { .. }
        | State::Cancelled => None,
    };
    PaymentDto {
        payment_id: payment.id.uuid(),
        state,
        status,
        reason_code: reason.map(|reason| reason.code.code().to_owned()),
        reason_text: reason.map(|reason| reason.text.clone()),
        debtor_account_id: what.debtor.account.uuid(),
        debtor_iban: what.debtor.iban.to_string(),
        creditor_iban: what.creditor_iban.to_string(),
        creditor_name: what.creditor_name.clone(),
        amount: show_amount(payment),
        end_to_end_id: what.end_to_end_id.clone(),
        remittance: what.remittance.clone(),
        fingerprint: fingerprint(payment),
        created_at: payment.created_at,
        updated_at: payment.updated_at,
    }
}
