//! A payment that goes well.

use branchline_kernel::PaymentId;
use branchline_ledger::{Side, StatementQuery};
use branchline_payments::{self as payments, Answer, State};

use crate::bank::{banks, eur};

#[tokio::test]
async fn a_payment_holds_credits_the_payee_and_then_books_the_payer() {
    let Some(banks) = banks().await else { return };
    let payment = banks.authorised(banks.order(eur(2_500))).await;
    assert!(matches!(payment.state, State::Reserved { .. }));
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 7_500)
    );

    banks.dispatch(payment.id).await;
    let answer = banks.credit(&banks.asked(payment.id).await).await;
    assert!(matches!(answer, Answer::Credited(_)));
    assert_eq!(
        banks.balance(&banks.elephant, &banks.baraka).await,
        (2_500, 2_500)
    );

    let payment = banks.conclude(payment.id, answer).await;
    assert!(matches!(payment.state, State::Completed { .. }));
    assert_eq!(payment.next_action_at, None);
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (7_500, 7_500)
    );
    banks.check_books().await;
}

#[tokio::test]
async fn nothing_is_held_and_no_balance_is_looked_at_before_the_member_agrees() {
    let Some(banks) = banks().await else { return };
    let new = banks.order(eur(99_999_999));
    let payment = banks
        .at(&banks.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await
        .unwrap();
    assert_eq!(payment.state, State::Received);
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
}

#[tokio::test]
async fn both_statements_name_the_payment_and_the_other_side() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(100))).await.id;
    banks.dispatch(id).await;
    let answer = banks.credit(&banks.asked(id).await).await;
    banks.conclude(id, answer).await;
    for (tenant, account, side, name) in [
        (&banks.lion, &banks.amina, Side::Debit, "Baraka"),
        (&banks.elephant, &banks.baraka, Side::Credit, "Amina"),
    ] {
        let query = StatementQuery {
            limit: 1,
            ..StatementQuery::default()
        };
        let page = banks
            .at(tenant, async |tx| {
                Ok(branchline_banking::statement(tx, account, &query).await?)
            })
            .await
            .unwrap();
        let entry = page.entries.first().unwrap();
        let payment = PaymentId::from(entry.reference.as_ref().unwrap().id);
        assert_eq!((payment, entry.side), (id, side));
        assert_eq!(entry.memo.as_deref(), Some("Invoice 17"));
        let others = banks
            .at(tenant, async |tx| payments::counterparties(tx, &[id]).await)
            .await
            .unwrap();
        let other = others.iter().find(|other| other.side == side).unwrap();
        assert_eq!(
            (other.name.as_str(), other.end_to_end_id.as_str()),
            (name, "INV-17")
        );
    }
}
