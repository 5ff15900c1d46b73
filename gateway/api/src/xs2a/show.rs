//! The core's answers in the words of XS2A.

use branchline_core_contract::{
    AccountDto, AccountStatusDto, AmountDto, BalancesDto, EntryDto, EntrySideDto, PaymentDto,
    PaymentStatusDto,
};
use branchline_kernel::{Iban, Money};
use branchline_oauth::Issuer;
use branchline_xs2a::{
    AccountBody, AccountLinks, AccountReferenceBody, AccountStatus, Amount, BalanceBody,
    BalanceType, GrantedAccount, Href, SepaCreditTransfer, TransactionBody, TransactionStatus,
};
use chrono::NaiveDate;

use super::payments::NO_REFERENCE;
use crate::core_client::CoreError;

const MAX_NAME: usize = 70;
const MAX_REMITTANCE: usize = 140;
const MAX_REFERENCE: usize = 35;

pub(crate) const fn show_status(status: PaymentStatusDto) -> TransactionStatus {
    match status {
        PaymentStatusDto::Rcvd => TransactionStatus::Rcvd,
        PaymentStatusDto::Acsp => TransactionStatus::Acsp,
        PaymentStatusDto::Acsc => TransactionStatus::Acsc,
        PaymentStatusDto::Accc => TransactionStatus::Accc,
        PaymentStatusDto::Rjct => TransactionStatus::Rjct,
        PaymentStatusDto::Canc => TransactionStatus::Canc,
    }
}

pub(crate) fn read_money(amount: &AmountDto) -> Result<Money, CoreError> {
    let currency = amount.currency.parse();
    let currency = currency.map_err(|_unknown| CoreError::Impossible("currency"))?;
    Money::parse(&amount.amount, currency).map_err(|_wrong| CoreError::Impossible("amount"))
}

pub(crate) fn read_iban(text: &str) -> Result<Iban, CoreError> {
    text.parse()
        .map_err(|_malformed| CoreError::Impossible("IBAN"))
}

pub(crate) fn show_payment(told: &PaymentDto) -> Result<SepaCreditTransfer, CoreError> {
    Ok(SepaCreditTransfer {
        debtor: read_iban(&told.debtor_iban)?,
        amount: read_money(&told.amount)?,
        creditor: read_iban(&told.creditor_iban)?,
        creditor_name: told.creditor_name.clone(),
        creditor_agent: None,
        end_to_end_id: Some(told.end_to_end_id.clone()).filter(|id| id != NO_REFERENCE),
        remittance: told.remittance.clone(),
    })
}

/// An account as its consent shows it: links only to what the consent opens.
pub(crate) fn show_account(
    issuer: &Issuer,
    granted: &GrantedAccount,
    told: &AccountDto,
    balances: Option<Vec<BalanceBody>>,
) -> AccountBody {
    let link =
        |what: &str| Href::to(issuer.at(&format!("v1/accounts/{}/{what}", granted.resource)));
    AccountBody {
        resource_id: granted.resource,
        iban: told.iban.clone(),
        currency: told.currency.clone(),
        product: None,
        cash_account_type: Some("CACC".to_owned()),
        status: Some(match told.status {
            AccountStatusDto::Open => AccountStatus::Enabled,
            AccountStatusDto::Frozen => AccountStatus::Blocked,
            AccountStatusDto::Closed => AccountStatus::Deleted,
        }),
        owner_name: None,
        balances,
        links: AccountLinks {
            balances: granted.permissions.balances.then(|| link("balances")),
            transactions: granted
                .permissions
                .transactions
                .then(|| link("transactions")),
        },
    }
}

pub(crate) fn show_balances(
    told: &BalancesDto,
    today: NaiveDate,
) -> Result<Vec<BalanceBody>, CoreError> {
    let balance = |amount: &AmountDto, kind, day| {
        Ok::<_, CoreError>(BalanceBody {
            balance_amount: Amount::from(read_money(amount)?),
            balance_type: kind,
            last_change_date_time: None,
            reference_date: day,
        })
    };
    Ok(vec![
        balance(&told.available, BalanceType::InterimAvailable, None)?,
        balance(&told.booked, BalanceType::ClosingBooked, Some(today))?,
    ])
}

/// An entry; what the account pays is negative and names the payee, what it gets names the payer.
pub(crate) fn show_entry(entry: &EntryDto) -> Result<TransactionBody, CoreError> {
    let money = read_money(&entry.amount)?;
    let name = entry
        .counterparty_name
        .as_deref()
        .map(|name| cut(name, MAX_NAME));
    let account = entry
        .counterparty_iban
        .as_deref()
        .map(|iban| Ok::<_, CoreError>(AccountReferenceBody::of(&read_iban(iban)?, None)))
        .transpose()?;
    let (pays, amount) = match entry.side {
        EntrySideDto::Debit => (
            true,
            money
                .checked_neg()
                .map_err(|_least| CoreError::Impossible("amount"))?,
        ),
        EntrySideDto::Credit => (false, money),
    };
    let (creditor, debtor) = if pays {
        ((name, account), (None, None))
    } else {
        ((None, None), (name, account))
    };
    Ok(TransactionBody {
        transaction_id: Some(entry.posting_id.to_string()),
        entry_reference: Some(entry.entry.to_string()),
        end_to_end_id: entry
            .end_to_end_id
            .as_deref()
            .map(|id| cut(id, MAX_REFERENCE)),
        booking_date: Some(entry.booking_date),
        value_date: Some(entry.value_date),
        transaction_amount: Amount::from(amount),
        creditor_name: creditor.0,
        creditor_account: creditor.1,
        debtor_name: debtor.0,
        debtor_account: debtor.1,
        remittance_information_unstructured: entry
            .memo
            .as_deref()
            .map(|memo| cut(memo, MAX_REMITTANCE)),
    })
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry(side: EntrySideDto) -> EntryDto {
        let amount = |text: &str| AmountDto {
            amount: text.to_owned(),
            currency: "EUR".to_owned(),
        };
        EntryDto {
            entry: 3,
            posting_id: Uuid::from_u128(7),
            side,
            amount: amount("12.50"),
            balance_after: amount("87.50"),
            booking_date: NaiveDate::from_ymd_opt(2026, 11, 21).unwrap(),
            value_date: NaiveDate::from_ymd_opt(2026, 11, 21).unwrap(),
            kind: "payment".to_owned(),
            memo: Some("x".repeat(200)),
            payment_id: None,
            end_to_end_id: Some("INV-1".to_owned()),
            counterparty_name: Some("Baraka Hardware".to_owned()),
            counterparty_iban: Some("DE89370400440532013000".to_owned()),
        }
    }

    #[test]
    fn what_the_account_pays_is_negative_and_names_the_payee() {
        let shown = serde_json::to_value(show_entry(&entry(EntrySideDto::Debit)).unwrap()).unwrap();
        assert_eq!(shown["transactionAmount"]["amount"], "-12.50");
        assert_eq!(shown["creditorName"], "Baraka Hardware");
        assert!(shown.get("debtorName").is_none());
        let memo = shown["remittanceInformationUnstructured"].as_str().unwrap();
        assert_eq!(memo.len(), MAX_REMITTANCE);
    }

    #[test]
    fn what_the_account_gets_names_the_payer() {
        let shown =
            serde_json::to_value(show_entry(&entry(EntrySideDto::Credit)).unwrap()).unwrap();
        assert_eq!(shown["transactionAmount"]["amount"], "12.50");
        assert_eq!(shown["debtorAccount"]["iban"], "DE89370400440532013000");
    }
}
