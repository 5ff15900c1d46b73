//! Runs of strong customer authentication.

use branchline_consent::sca;
use branchline_kernel::{IdSource, RandomIds, TppId};
use branchline_testkit::Installation;
use branchline_xs2a::{Authorisation, CodeCheck, ContentHash, ScaFailure, ScaOutcome, ScaStatus};
use chrono::TimeDelta;

use crate::scene::{Scene, amina, asked, installation};

fn content(digit: &str) -> ContentHash {
    digit.repeat(64).parse().unwrap()
}

/// A run whose code was sent.
async fn started(world: &Installation) -> sca::Object {
    let tx = world.at_lion().await;
    let tpp = TppId::from(RandomIds.next());
    let object = sca::Object::Consent(asked(&tx, tpp, world.moment()).await);
    let mut run = sca::of_locked(&tx, object).await.unwrap();
    let known = run.state.authenticate(amina()).unwrap();
    run.state = known.start(content("a"), tx.now()).unwrap();
    run.shown = Some("Savanna may read 1 account".to_owned());
    sca::update(&tx, &run).await.unwrap();
    sca::send(&tx, &run).await.unwrap();
    tx.commit().await.unwrap();
    object
}

/// One answer in a transaction of its own, as the pages give it.
async fn answer(
    world: &Installation,
    object: sca::Object,
    check: CodeCheck,
    now: &ContentHash,
) -> ScaOutcome {
    let tx = world.at_lion().await;
    let mut run = sca::of_locked(&tx, object).await.unwrap();
    let (state, outcome) = run.state.answer(check, now, tx.now()).unwrap();
    run.state = state;
    sca::update(&tx, &run).await.unwrap();
    tx.commit().await.unwrap();
    outcome
}

#[tokio::test]
async fn wrong_codes_are_counted_across_transactions() {
    let Some(world) = installation().await else {
        return;
    };
    let object = started(&world).await;
    for left in [2, 1] {
        let outcome = answer(&world, object, CodeCheck::Wrong, &content("a")).await;
        assert_eq!(outcome, ScaOutcome::WrongCode { left });
    }
    let outcome = answer(&world, object, CodeCheck::Wrong, &content("a")).await;
    assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::CodesExhausted));
    let tx = world.at_lion().await;
    let run = sca::of(&tx, object).await.unwrap();
    assert_eq!(run.state.status(), ScaStatus::Failed);
}

#[tokio::test]
async fn a_changed_content_voids_the_code_even_if_it_is_right() {
    let Some(world) = installation().await else {
        return;
    };
    let object = started(&world).await;
    let outcome = answer(&world, object, CodeCheck::Right, &content("b")).await;
    assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::ContentChanged));
}

#[tokio::test]
async fn a_right_code_in_time_finalises_the_run() {
    let Some(world) = installation().await else {
        return;
    };
    let object = started(&world).await;
    let outcome = answer(&world, object, CodeCheck::Right, &content("a")).await;
    assert_eq!(outcome, ScaOutcome::Approved);
    let tx = world.at_lion().await;
    let run = sca::of(&tx, object).await.unwrap();
    assert!(matches!(run.state, Authorisation::Finalised { psu, .. } if psu == amina()));
}

#[tokio::test]
async fn a_code_is_good_for_five_minutes() {
    let Some(world) = installation().await else {
        return;
    };
    let object = started(&world).await;
    world.clock.advance(TimeDelta::minutes(5));
    let outcome = answer(&world, object, CodeCheck::Right, &content("a")).await;
    assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::TimedOut));
}

#[tokio::test]
async fn a_message_names_its_challenge_while_that_one_waits() {
    let Some(world) = installation().await else {
        return;
    };
    let object = started(&world).await;
    let tx = world.at_lion().await;
    let long_ago = tx.now() - TimeDelta::hours(1);
    let first = sca::recent(&tx, long_ago).await.unwrap();
    let mut run = sca::of_locked(&tx, object).await.unwrap();
    assert_eq!(first.len(), 1);
    assert!(
        first
            .iter()
            .all(|message| message.challenge == run.state.challenge(run.id))
    );
    run.state = run.state.start(content("a"), tx.now()).unwrap();
    sca::update(&tx, &run).await.unwrap();
    sca::send(&tx, &run).await.unwrap();
    let both = sca::recent(&tx, long_ago).await.unwrap();
    let waiting = both
        .iter()
        .filter(|message| message.challenge.is_some())
        .count();
    assert_eq!((both.len(), waiting), (2, 1));
}
