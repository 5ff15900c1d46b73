//! The rules of the state machine, without a database.

use branchline_kernel::{HoldId, PostingId, TenantId};
use uuid::Uuid;

use super::model::State;
use crate::reason::{Reason, ReasonCode, reason};

fn hold() -> HoldId {
    Uuid::from_u128(1).into()
}

fn payee() -> TenantId {
    "elephant".parse().unwrap()
}

fn posting(number: u128) -> PostingId {
    Uuid::from_u128(number).into()
}

fn no() -> Reason {
    reason(ReasonCode::Ac01)
}

/// One state of each kind.
fn all() -> Vec<State> {
    let reserved = State::Reserved { hold: hold() };
    let dispatching = reserved.clone().dispatch(payee()).unwrap();
    let unknown = dispatching.clone().lose_sight().unwrap();
    let completed = dispatching
        .clone()
        .complete(posting(2), posting(3))
        .unwrap();
    let rejected = dispatching.clone().reject(no()).unwrap();
    vec![
        State::Received,
        State::Authorised,
        reserved,
        dispatching,
        unknown,
        completed,
        rejected,
        State::Cancelled,
    ]
}

/// The words of the states from which a change is allowed.
fn allowed<T>(change: impl Fn(State) -> Result<T, super::WrongState>) -> Vec<&'static str> {
    let states = all().into_iter();
    states
        .filter(|state| change(state.clone()).is_ok())
        .map(|state| state.word())
        .collect()
}

#[test]
fn only_a_received_payment_is_authorised_or_cancelled() {
    assert_eq!(allowed(State::authorise), ["RECEIVED"]);
    assert_eq!(allowed(State::cancel), ["RECEIVED"]);
}

#[test]
fn money_is_held_after_the_member_agreed_and_before_it_is_sent() {
    assert_eq!(allowed(|state| state.reserve(hold())), ["AUTHORISED"]);
    assert_eq!(allowed(|state| state.dispatch(payee())), ["RESERVED"]);
}

#[test]
fn only_what_may_have_been_sent_is_completed_or_lost_sight_of() {
    let sent = ["DISPATCHING", "UNKNOWN"];
    assert_eq!(
        allowed(|state| state.complete(posting(2), posting(3))),
        sent
    );
    assert_eq!(allowed(State::lose_sight), sent);
}

#[test]
fn what_has_ended_is_never_rejected() {
    let open = ["AUTHORISED", "RESERVED", "DISPATCHING", "UNKNOWN"];
    assert_eq!(allowed(|state| state.reject(no())), open);
}

#[test]
fn a_rejected_payment_remembers_the_hold_that_is_to_be_voided() {
    let rejected = State::Reserved { hold: hold() }.reject(no()).unwrap();
    assert!(matches!(rejected, State::Rejected { hold: Some(held), .. } if held == hold()));
}

#[test]
fn a_state_is_under_way_or_an_end_or_waits_for_the_member() {
    let under_way: Vec<_> = all()
        .into_iter()
        .filter(State::is_under_way)
        .map(|state| state.word())
        .collect();
    assert_eq!(
        under_way,
        ["AUTHORISED", "RESERVED", "DISPATCHING", "UNKNOWN"]
    );
}

mod random_walks {
    use proptest::prelude::{Strategy, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::{State, hold, no, payee, posting};

    /// What may happen to a payment, in any order and any number of times.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        Authorise,
        Cancel,
        Reserve,
        Dispatch,
        LoseSight,
        Complete,
        Reject,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let one = prop::sample::select(vec![
            Event::Authorise,
            Event::Cancel,
            Event::Reserve,
            Event::Dispatch,
            Event::LoseSight,
            Event::Complete,
            Event::Reject,
        ]);
        prop::collection::vec(one, 0..40)
    }

    fn step(state: State, event: Event) -> State {
        let before = state.clone();
        match event {
            Event::Authorise => state.authorise(),
            Event::Cancel => state.cancel(),
            Event::Reserve => state.reserve(hold()),
            Event::Dispatch => state.dispatch(payee()),
            Event::LoseSight => state.lose_sight(),
            Event::Complete => state.complete(posting(2), posting(3)),
            Event::Reject => state.reject(no()),
        }
        .unwrap_or(before)
    }

    proptest! {
        #[test]
        fn money_moves_at_most_once_and_only_with_a_hold(events in events()) {
            let mut states = vec![State::Received];
            for event in events {
                let now = states.last().cloned().unwrap();
                let next = step(now.clone(), event);
                if next != now {
                    states.push(next);
                }
            }
            let count = |is: fn(&State) -> bool| states.iter().filter(|state| is(state)).count();
            let held = count(|state| matches!(state, State::Reserved { .. }));
            let ended = count(|state| matches!(
                state,
                State::Completed { .. } | State::Rejected { hold: Some(_), .. }
            ));
            prop_assert!(held <= 1 && ended <= held);
            prop_assert_eq!(ended == 1, held == 1 && !states.last().unwrap().is_under_way());
        }
    }
}
