//! Steps that are done twice, at once or one after the other: what a crash and a second try do.

use branchline_ledger as ledger;
use branchline_payments::{self as payments, Answer, Credit, PaymentError, State};
use chrono::TimeDelta;

use crate::bank::{banks, eur};

#[tokio::test]
async fn two_payments_cannot_spend_the_same_money() {
    let Some(banks) = banks().await else { return };
    let mut ids = Vec::new();
    for _ in 0..4 {
        let new = banks.order(eur(6_000));
        ids.push(new.id);
        banks
            .at(&banks.lion, async |tx| {
                payments::initiate(tx, new.clone()).await
            })
            .await
            .unwrap();
    }
    let [a, b, c, d] = ids.try_into().unwrap();
    let (a, b, c, d) = tokio::join!(
        banks.authorise(a),
        banks.authorise(b),
        banks.authorise(c),
        banks.authorise(d)
    );
    let states: Vec<_> = [a, b, c, d]
        .into_iter()
        .map(|payment| payment.unwrap().state.word())
        .collect();
    let held = states.iter().filter(|word| **word == "RESERVED").count();
    let refused = states.iter().filter(|word| **word == "REJECTED").count();
    assert_eq!((held, refused), (1, 3), "{states:?}");
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 4_000)
    );
}

#[tokio::test]
async fn a_payment_that_is_authorised_twice_at_once_holds_once() {
    let Some(banks) = banks().await else { return };
    let new = banks.order(eur(4_000));
    let id = new.id;
    banks
        .at(&banks.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await
        .unwrap();
    let (one, two) = tokio::join!(banks.authorise(id), banks.authorise(id));
    assert_eq!(one.unwrap().state, two.unwrap().state);
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 6_000)
    );
}

#[tokio::test]
async fn each_step_done_twice_has_one_effect() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    let first = banks.authorise(id).await.unwrap();
    assert_eq!(banks.authorise(id).await.unwrap(), first);
    let first = banks.dispatch(id).await;
    assert_eq!(banks.dispatch(id).await, first);
    let order = banks.asked(id).await;
    let answer = banks.credit(&order).await;
    assert_eq!(banks.credit(&order).await, answer);
    let first = banks.conclude(id, answer.clone()).await;
    assert_eq!(banks.conclude(id, answer).await, first);
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (9_000, 9_000)
    );
    assert_eq!(
        banks.balance(&banks.elephant, &banks.baraka).await,
        (1_000, 1_000)
    );
    banks.check_books().await;
}

#[tokio::test]
async fn a_credit_that_is_asked_for_twice_at_once_is_booked_once() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    let order = banks.asked(id).await;
    let (one, two) = tokio::join!(banks.credit(&order), banks.credit(&order));
    assert_eq!(one, two);
    assert_eq!(
        banks.balance(&banks.elephant, &banks.baraka).await,
        (1_000, 1_000)
    );
    banks.conclude(id, one).await;
    banks.check_books().await;
}

#[tokio::test]
async fn an_order_of_the_same_name_with_other_content_is_not_answered() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    let order = banks.asked(id).await;
    banks.credit(&order).await;
    let mut more = order.clone();
    more.instruction.amount = eur(9_000);
    let refused = banks.try_credit(&more).await;
    assert!(matches!(refused, Err(PaymentError::KeyConflict(_))));
    assert_eq!(
        banks.balance(&banks.elephant, &banks.baraka).await,
        (1_000, 1_000)
    );
}

#[tokio::test]
async fn a_missing_answer_keeps_the_hold_and_is_asked_for_again_later_each_time() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    for wait in [1, 2, 4] {
        let payment = banks
            .at(&banks.lion, async |tx| {
                payments::postpone(tx, id, "answer missing").await
            })
            .await
            .unwrap();
        assert!(matches!(payment.state, State::Unknown { .. }));
        let wait = TimeDelta::seconds(wait);
        assert_eq!(
            payment.next_action_at,
            payment.updated_at.checked_add_signed(wait)
        );
    }
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 9_000)
    );
    let answer = banks.credit(&banks.asked(id).await).await;
    let payment = banks.conclude(id, answer).await;
    assert!(matches!(payment.state, State::Completed { .. }));
    banks.check_books().await;
}

#[tokio::test]
async fn what_is_due_is_claimed_by_one_sweep_and_due_again_when_that_one_died() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    let due = async || {
        banks
            .at(&banks.lion, async |tx| payments::due(tx, 10).await)
            .await
            .unwrap()
    };
    assert_eq!(due().await, [id]);
    assert_eq!(due().await, []);
    banks.clock.advance(TimeDelta::seconds(11));
    assert_eq!(due().await, [id]);
}

#[tokio::test]
async fn a_payment_is_initiated_once_under_its_id() {
    let Some(banks) = banks().await else { return };
    let new = banks.order(eur(1_000));
    let initiate = async || {
        banks
            .at(&banks.lion, async |tx| {
                payments::initiate(tx, new.clone()).await
            })
            .await
    };
    initiate().await.unwrap();
    assert!(matches!(initiate().await, Err(PaymentError::Exists(id)) if id == new.id));
}

#[tokio::test]
async fn a_refusal_of_the_payee_is_final_even_when_asked_again() {
    let Some(banks) = banks().await else { return };
    let nobody = branchline_kernel::Iban::of("DE", "700100029999999999").unwrap();
    let id = banks
        .authorised(banks.order_to(nobody.as_str(), eur(1_000)))
        .await
        .id;
    banks.dispatch(id).await;
    let order = banks.asked(id).await;
    let answer = banks.credit(&order).await;
    assert!(matches!(&answer, Answer::Refused(reason) if reason.code.code() == "AC01"));
    assert_eq!(banks.credit(&order).await, answer);
    let first = banks.conclude(id, answer.clone()).await;
    assert_eq!(banks.conclude(id, answer).await, first);
    assert_eq!(
        banks.balance(&banks.lion, &banks.amina).await,
        (10_000, 10_000)
    );
    banks.check_books().await;
}

#[tokio::test]
async fn a_step_that_is_repeated_on_the_next_day_has_one_effect() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    let order = banks.asked(id).await;
    // Both planned today; only one of each is posted before midnight.
    let credit = async || {
        let plan = banks
            .at(&banks.elephant, async |tx| {
                payments::plan_credit(tx, &order).await
            })
            .await;
        let Credit::Post(planned) = plan.unwrap() else {
            panic!("there is an answer already");
        };
        planned
    };
    let today = credit().await;
    banks.clock.advance(TimeDelta::days(1));
    let tomorrow = credit().await;
    let answer = today.post(&banks.engine, &banks.elephant).await.unwrap();
    let answer = answer.unwrap();
    let late = tomorrow.post(&banks.engine, &banks.elephant).await.unwrap();
    assert_eq!(
        late, None,
        "another day under the same key is looked at again"
    );
    assert_eq!(banks.credit(&order).await, answer);
    banks.conclude(id, answer.clone()).await;
    banks.clock.advance(TimeDelta::days(1));
    let again = banks.conclude(id, answer).await;
    assert!(matches!(again.state, State::Completed { .. }));
    banks.check_books().await;
}

#[tokio::test]
async fn a_booking_that_no_period_takes_is_not_kept_and_succeeds_later() {
    let Some(banks) = banks().await else { return };
    let id = banks.authorised(banks.order(eur(1_000))).await.id;
    banks.dispatch(id).await;
    let order = banks.asked(id).await;
    let answer = banks.credit(&order).await;
    let away = TimeDelta::days(800);
    banks.clock.advance(away);
    let refused = banks.try_conclude(id, answer.clone()).await;
    assert!(
        matches!(refused, Err(PaymentError::Books(ledger::Reason::Period))),
        "{refused:?}"
    );
    let back = TimeDelta::days(-800);
    banks.clock.advance(back);
    let payment = banks.conclude(id, answer).await;
    assert!(matches!(payment.state, State::Completed { .. }));
    banks.check_books().await;
}
