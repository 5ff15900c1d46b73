//! What an institution may owe, and how it is netted.

use branchline_kernel::{IdSource, RandomIds};
use branchline_payments::{self as payments, Payment, State};

use crate::bank::{Banks, banks, eur};

async fn set_cap(banks: &Banks, minor: i64) {
    banks
        .at(&banks.lion, async |tx| {
            payments::set_cap(tx, eur(minor)).await
        })
        .await
        .unwrap();
}

async fn sent(banks: &Banks, minor: i64) -> Payment {
    let id = banks.authorised(banks.order(eur(minor))).await.id;
    banks.dispatch(id).await
}

async fn completed(banks: &Banks, payment: &Payment) {
    let answer = banks.credit(&banks.asked(payment.id).await).await;
    banks.conclude(payment.id, answer).await;
}

#[tokio::test]
async fn above_the_net_debit_cap_a_payment_is_rejected_and_its_money_is_free() {
    let Some(banks) = banks().await else { return };
    set_cap(&banks, 3_000).await;
    let first = sent(&banks, 2_000).await;
    assert!(matches!(first.state, State::Dispatching { .. }));
    let second = sent(&banks, 1_001).await;
    assert!(
        matches!(&second.state, State::Rejected { reason, .. } if reason.code.code() == "AM23")
    );
    completed(&banks, &first).await;
    let third = sent(&banks, 1_001).await;
    assert!(
        matches!(third.state, State::Rejected { .. }),
        "what is booked counts as well"
    );
    let fits = sent(&banks, 1_000).await;
    completed(&banks, &fits).await;
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (7_000, 7_000)
    );
    banks.check_books().await;
}

#[tokio::test]
async fn payments_that_are_sent_at_once_do_not_pass_the_cap_together() {
    let Some(banks) = banks().await else { return };
    set_cap(&banks, 1_500).await;
    let one = banks.authorised(banks.order(eur(1_000))).await.id;
    let two = banks.authorised(banks.order(eur(1_000))).await.id;
    let (one, two) = tokio::join!(banks.dispatch(one), banks.dispatch(two));
    let mut words = [one.state.word(), two.state.word()];
    words.sort_unstable();
    assert_eq!(words, ["DISPATCHING", "REJECTED"]);
}

#[tokio::test]
async fn netting_empties_clearing_makes_room_under_the_cap_and_books_once() {
    let Some(banks) = banks().await else { return };
    set_cap(&banks, 2_000).await;
    let payment = sent(&banks, 2_000).await;
    completed(&banks, &payment).await;
    let run = RandomIds.next();
    for _ in 0..2 {
        for (tenant, owed) in [(&banks.lion, -2_000), (&banks.elephant, 2_000)] {
            banks
                .at(tenant, async |tx| payments::net(tx, run, eur(owed)).await)
                .await
                .unwrap();
        }
    }
    for (tenant, settlement) in [(&banks.lion, -2_000), (&banks.elephant, 2_000)] {
        let position = banks
            .at(tenant, async |tx| {
                payments::position(tx, "EUR".parse().unwrap()).await
            })
            .await
            .unwrap();
        assert_eq!(
            (position.clearing.minor(), position.settlement.minor()),
            (0, settlement)
        );
    }
    let next = sent(&banks, 2_000).await;
    assert!(matches!(next.state, State::Dispatching { .. }));
    completed(&banks, &next).await;
    banks.check_books().await;
}
