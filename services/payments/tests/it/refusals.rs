//! Payments that end without moving money, and the reason each is given.

use branchline_banking as banking;
use branchline_ledger as ledger;
use branchline_payments::{self as payments, Answer, Payment, PaymentError, State};

use crate::bank::{Banks, banks, eur};

fn reason(payment: &Payment) -> &'static str {
    let State::Rejected { reason, .. } = &payment.state else {
        panic!("not rejected: {:?}", payment.state);
    };
    reason.code.code()
}

/// A payment that Elephant was asked for, and its answer.
async fn refused_by_payee(banks: &Banks) -> Payment {
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    let answer = banks.credit(&banks.asked(id).await).await;
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    let payment = banks.conclude(id, answer).await;
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
    banks.check_books().await;
    payment
}

#[tokio::test]
async fn a_payment_above_the_balance_is_rejected_when_the_member_agrees() {
    let Some(banks) = banks().await else { return };
    let payment = banks.authorised(banks.order(eur(10_001))).await;
    assert_eq!(reason(&payment), "AM04");
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
}

#[tokio::test]
async fn a_payment_that_is_not_what_was_shown_holds_nothing() {
    let Some(banks) = banks().await else { return };
    let new = banks.order(eur(1_000));
    let id = new.id;
    banks
        .at(&banks.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await
        .unwrap();
    let changed = banks
        .at(&banks.lion, async |tx| {
            payments::authorise(tx, id, |payment| payment.instruction.amount == eur(999)).await
        })
        .await;
    assert!(matches!(changed, Err(PaymentError::Changed)));
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
    let payment = banks
        .at(&banks.lion, async |tx| payments::get_payment(tx, id).await)
        .await
        .unwrap();
    assert_eq!(payment.state, State::Received);
}

#[tokio::test]
async fn a_cancelled_payment_cannot_be_authorised_and_an_authorised_one_not_cancelled() {
    let Some(banks) = banks().await else { return };
    let new = banks.order(eur(1_000));
    let id = new.id;
    banks
        .at(&banks.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await
        .unwrap();
    let cancel = async |id| {
        banks
            .at(&banks.lion, async |tx| payments::cancel(tx, id).await)
            .await
    };
    assert_eq!(cancel(id).await.unwrap().state, State::Cancelled);
    assert_eq!(cancel(id).await.unwrap().state, State::Cancelled);
    assert!(matches!(
        banks.authorise(id).await,
        Err(PaymentError::WrongState(_))
    ));
    let other = banks.authorised(banks.order(eur(1_000))).await.id;
    assert!(matches!(
        cancel(other).await,
        Err(PaymentError::WrongState(_))
    ));
}

#[tokio::test]
async fn an_iban_of_no_institution_frees_the_hold() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    let payment = banks
        .post(async |tx| payments::dispatch(tx, id, None).await)
        .await
        .unwrap();
    assert_eq!(reason(&payment), "RC04");
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
}

#[tokio::test]
async fn a_frozen_payee_is_refused_with_its_reason() {
    let Some(banks) = banks().await else { return };
    banks
        .at(&banks.elephant, async |tx| {
            Ok(banking::freeze(tx, banks.baraka.id, "test").await?)
        })
        .await
        .unwrap();
    assert_eq!(reason(&refused_by_payee(&banks).await), "AC06");
}

#[tokio::test]
async fn a_closed_payee_is_refused_with_its_reason() {
    let Some(banks) = banks().await else { return };
    banks
        .at(&banks.elephant, async |tx| {
            let day = tx.now().date_naive();
            Ok(ledger::close_account(tx, banks.baraka.ledger_account, day).await?)
        })
        .await
        .unwrap();
    assert_eq!(reason(&refused_by_payee(&banks).await), "AC04");
}

#[tokio::test]
async fn a_payment_in_another_currency_than_the_payers_account_is_rejected() {
    let Some(banks) = banks().await else { return };
    let kes = branchline_kernel::Money::new(100, "KES".parse().unwrap());
    let payment = banks.authorised(banks.order(kes)).await;
    assert_eq!(reason(&payment), "AM03");
}

#[tokio::test]
async fn a_frozen_payer_holds_nothing_but_what_was_held_before_still_goes() {
    let Some(banks) = banks().await else { return };
    let before = banks.authorised(banks.order(eur(1_000))).await.id;
    banks
        .at(&banks.lion, async |tx| {
            Ok(banking::freeze(tx, banks.amina.id, "test").await?)
        })
        .await
        .unwrap();
    assert_eq!(reason(&banks.authorised(banks.order(eur(1))).await), "AC06");
    banks.dispatch(before).await;
    let answer = banks.credit(&banks.asked(before).await).await;
    let payment = banks.conclude(before, answer).await;
    assert!(matches!(payment.state, State::Completed { .. }));
    banks.check_books().await;
}

#[tokio::test]
async fn a_payment_to_the_account_it_comes_from_is_refused() {
    let Some(banks) = banks().await else { return };
    let new = banks.order_to(banks.amina.iban.as_str(), eur(1));
    let refused = banks
        .at(&banks.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await;
    assert!(matches!(refused, Err(PaymentError::ToItself)));
}

#[tokio::test]
async fn a_payment_of_another_institution_is_not_there() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    let foreign = banks
        .at(&banks.elephant, async |tx| {
            payments::get_payment(tx, id).await
        })
        .await;
    assert!(matches!(foreign, Err(PaymentError::NotFound)));
    let foreign = banks
        .at(&banks.elephant, async |tx| {
            Ok(banking::get_account(tx, banks.amina.id).await?)
        })
        .await;
    assert!(matches!(
        foreign,
        Err(PaymentError::Account(banking::AccountError::NotFound))
    ));
}
