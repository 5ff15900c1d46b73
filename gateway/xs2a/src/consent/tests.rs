//! What a consent goes through, and what it refuses.

use super::*;
use crate::access::Permissions;
use branchline_kernel::Refusal;
use chrono::DateTime;
use serde_json::{Value, json};

const ONE: &str = "DE89370400440532013000";
const TWO: &str = "FI2112345600000785";

fn at(seconds: i64) -> Moment {
    let second = 1_795_219_200_i64.saturating_add(seconds); // 2026-11-21 and so many
    Moment::utc(DateTime::from_timestamp(second, 0).unwrap())
}

fn day(days: i64) -> Moment {
    at(days.saturating_mul(86_400))
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u8) -> T {
    format!("0191e3a4-5c2b-7d3e-8f00-0000000000{number:02}")
        .parse()
        .unwrap()
}

fn asked(access: Value) -> Consent {
    let body = json!({"access": access, "recurringIndicator": true, "frequencyPerDay": 4,
        "validUntil": "2026-11-30", "combinedServiceIndicator": false});
    let request = ConsentRequest::parse(&body, at(0)).unwrap();
    Consent::received(id(1), id(2), request, at(0))
}

fn consent() -> Consent {
    asked(json!({"accounts": [{"iban": ONE}], "balances": [{"iban": ONE}]}))
}

fn account(iban: &str, opened: &[DataKind]) -> GrantedAccount {
    GrantedAccount {
        resource: id(7),
        account: id(8),
        iban: iban.parse().unwrap(),
        currency: "EUR".parse().unwrap(),
        permissions: Permissions {
            balances: opened.contains(&DataKind::Balances),
            transactions: opened.contains(&DataKind::Transactions),
        },
    }
}

fn psu(subject: &str) -> Psu {
    Psu {
        issuer: "https://id.example".to_owned(),
        subject: subject.to_owned(),
    }
}

fn valid() -> Consent {
    let accounts = vec![account(ONE, &[DataKind::Balances])];
    consent().approve(psu("achieng"), accounts, at(60)).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Xs2aError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn an_approved_consent_opens_what_was_chosen() {
    let consent = valid();
    assert_eq!(consent.status(), ConsentStatus::Valid);
    let opened = consent.permit(id(7), DataKind::Balances, at(61)).unwrap();
    assert_eq!(opened.iban.as_str(), ONE);
    assert!(consent.permit(id(7), DataKind::Details, at(61)).is_ok());
}

#[test]
fn r14_a_right_that_was_not_given_makes_the_consent_invalid() {
    assert_eq!(
        code(valid().permit(id(7), DataKind::Transactions, at(61))),
        "consent-invalid"
    );
}

#[test]
fn r16_an_account_outside_the_consent_is_unknown() {
    assert_eq!(
        code(valid().permit(id(9), DataKind::Balances, at(61))),
        "resource-unknown"
    );
}

#[test]
fn a_consent_that_is_not_valid_opens_nothing() {
    assert_eq!(code(consent().accounts_at(at(1))), "consent-invalid");
    assert_eq!(
        code(consent().reject(at(1)).unwrap().accounts_at(at(1))),
        "consent-invalid"
    );
    assert_eq!(
        code(valid().revoke(at(99)).unwrap().accounts_at(at(99))),
        "consent-invalid"
    );
    assert_eq!(
        code(valid().terminate(at(99)).unwrap().accounts_at(at(99))),
        "consent-invalid"
    );
}

#[test]
fn nothing_beyond_the_request_is_granted() {
    for beyond in [
        account(TWO, &[]),
        account(ONE, &[DataKind::Balances, DataKind::Transactions]),
    ] {
        let accounts = vec![account(ONE, &[DataKind::Balances]), beyond];
        assert_eq!(
            consent().approve(psu("achieng"), accounts, at(1)),
            Err(ConsentError::BeyondRequest)
        );
    }
    assert_eq!(
        consent().approve(psu("achieng"), Vec::new(), at(1)),
        Err(ConsentError::NoAccount)
    );
}

#[test]
fn the_member_may_grant_less_than_was_asked_for() {
    let less = vec![account(ONE, &[])];
    assert!(consent().approve(psu("achieng"), less, at(1)).is_ok());
    let chosen = vec![account(TWO, &[DataKind::Balances, DataKind::Transactions])];
    assert!(
        asked(json!({"allPsd2": "allAccounts"}))
            .approve(psu("a"), chosen, at(1))
            .is_ok()
    );
}

#[test]
fn r2_the_last_day_is_inclusive() {
    assert_eq!(valid().seen_at(day(9)).status(), ConsentStatus::Valid);
    assert!(valid().accounts_at(day(9)).is_ok());
    assert_eq!(valid().seen_at(day(10)).status(), ConsentStatus::Expired);
    assert_eq!(code(valid().accounts_at(day(10))), "consent-expired");
    assert_eq!(
        code(valid().seen_at(day(10)).accounts_at(day(10))),
        "consent-expired"
    );
}

#[test]
fn r6_a_consent_that_nobody_approves_in_time_is_rejected() {
    assert_eq!(
        consent().seen_at(at(1799)).status(),
        ConsentStatus::Received
    );
    assert_eq!(
        consent().seen_at(at(1800)).status(),
        ConsentStatus::Rejected
    );
    let late = consent().approve(
        psu("a"),
        vec![account(ONE, &[DataKind::Balances])],
        at(1800),
    );
    assert!(matches!(late, Err(ConsentError::WrongState { .. })));
}

#[test]
fn r7_a_final_state_never_changes() {
    let finals = [
        consent().reject(at(1)).unwrap(),
        valid().revoke(at(99)).unwrap(),
        valid().terminate(at(99)).unwrap(),
        valid().seen_at(day(10)),
    ];
    for consent in finals {
        let now = day(20);
        assert_eq!(consent.clone().seen_at(now), consent);
        let accounts = vec![account(ONE, &[DataKind::Balances])];
        assert!(consent.clone().approve(psu("a"), accounts, now).is_err());
        assert!(consent.clone().reject(now).is_err());
        assert!(consent.clone().revoke(now).is_err());
        assert!(consent.terminate(now).is_err());
    }
}

#[test]
fn r8_the_tpp_ends_a_consent_once_before_or_after_the_approval() {
    let ended = consent().terminate(at(1)).unwrap();
    assert_eq!(ended.status(), ConsentStatus::TerminatedByTpp);
    assert_eq!(code(ended.terminate(at(2))), "consent-invalid");
    assert_eq!(code(valid().terminate(day(10))), "consent-expired");
}

#[test]
fn r5_a_newer_recurring_consent_of_the_same_member_takes_the_place() {
    let older = valid();
    let newer = Consent {
        id: id(3),
        ..valid()
    };
    assert!(newer.supersedes(&older));
    assert!(!older.supersedes(&older), "itself");
    let unapproved = Consent {
        id: id(3),
        ..consent()
    };
    assert!(!unapproved.supersedes(&older), "not when created");
    let foreign = Consent {
        tpp: id(9),
        ..newer.clone()
    };
    assert!(!foreign.supersedes(&older), "another TPP");
    let mut one_off = newer.clone();
    one_off.request.recurring = false;
    assert!(!one_off.supersedes(&older), "one-off");
    let other_member =
        consent().approve(psu("b"), vec![account(ONE, &[DataKind::Balances])], at(1));
    let other_member = Consent {
        id: id(3),
        ..other_member.unwrap()
    };
    assert!(!other_member.supersedes(&older), "another member");
    let ended = older.superseded(at(99)).unwrap();
    assert_eq!(ended.status(), ConsentStatus::TerminatedByTpp);
}

#[test]
fn r9_each_action_moves_the_day_of_the_last_one() {
    assert_eq!(consent().last_action, at(0).today);
    assert_eq!(valid().revoke(day(3)).unwrap().last_action, day(3).today);
}

#[test]
fn the_text_that_is_approved_changes_with_each_fact_and_not_with_the_order() {
    let (one, two) = (
        account(ONE, &[DataKind::Balances]),
        account(TWO, &[DataKind::Balances]),
    );
    let other = GrantedAccount {
        account: id(9),
        ..one.clone()
    };
    let more = account(ONE, &[DataKind::Balances, DataKind::Transactions]);
    let consent = consent();
    let alone = [one.clone()];
    let text = consent.approval_text(&alone);
    assert_ne!(text, consent.approval_text(&[more]));
    assert_ne!(text, consent.approval_text(&[one.clone(), two]));
    assert_eq!(
        consent.approval_text(&[one.clone(), other.clone()]),
        consent.approval_text(&[other, one])
    );
    let mut longer = consent;
    longer.request.valid_until = day(8).today;
    assert_ne!(text, longer.approval_text(&alone));
}
