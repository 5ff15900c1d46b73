//! The fingerprint of a command's content, by which a repeated key is told from a reused one.

use aws_lc_rs::digest::{Context, SHA256};
use branchline_kernel::Money;
use chrono::NaiveDate;

use crate::command::{Action, Command, Dates, Direction};

/// SHA-256 over every field that says what is to happen.
///
/// Left out are the key itself, the ids that each attempt mints anew, and the actor: a sweep may
/// repeat what a member began. Each field is preceded by its length, so that no two commands
/// spell the same bytes.
pub(crate) fn fingerprint(command: &Command) -> [u8; 32] {
    let mut text = Canonical(Context::new(&SHA256));
    text.field(b"branchline-ledger-1");
    match &command.action {
        Action::Post(post) => {
            text.field(b"post");
            text.field(post.kind.as_bytes());
            text.dates(post.dates);
            text.optional(post.hold.map(|hold| hold.uuid().into_bytes()));
            for leg in &post.legs {
                text.field(&leg.account.number().to_be_bytes());
                text.field(leg.side.letter().as_bytes());
                text.money(leg.amount);
            }
        }
        Action::Reverse(reverse) => {
            text.field(b"reverse");
            text.field(reverse.of.uuid().as_bytes());
            text.dates(reverse.dates);
        }
        Action::Hold(hold) => {
            text.field(b"hold");
            text.field(&hold.account.number().to_be_bytes());
            text.money(hold.amount);
            text.field(match hold.direction {
                Direction::Outgoing => b"out",
                Direction::Incoming => b"in",
            });
            text.optional(
                hold.expires_at
                    .map(|at| at.timestamp_micros().to_be_bytes()),
            );
        }
        Action::Void(hold) => {
            text.field(b"void");
            text.field(hold.uuid().as_bytes());
        }
        Action::Expire(hold) => {
            text.field(b"expire");
            text.field(hold.uuid().as_bytes());
        }
    }
    text.optional(command.memo.as_deref());
    text.optional(command.reference.as_ref().map(|about| about.kind.as_str()));
    text.optional(
        command
            .reference
            .as_ref()
            .map(|about| about.id.into_bytes()),
    );
    text.field(command.branch.as_bytes());
    text.finish()
}

struct Canonical(Context);

impl Canonical {
    fn field(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.update(&length.to_be_bytes());
        self.0.update(bytes);
    }

    fn optional(&mut self, bytes: Option<impl AsRef<[u8]>>) {
        match bytes {
            Some(bytes) => {
                self.0.update(b"+");
                self.field(bytes.as_ref());
            }
            None => self.0.update(b"-"),
        }
    }

    fn money(&mut self, money: Money) {
        self.field(money.currency().code().as_bytes());
        self.field(&money.minor().to_be_bytes());
    }

    fn dates(&mut self, dates: Dates) {
        self.day(dates.booking);
        self.day(dates.value);
    }

    fn day(&mut self, day: NaiveDate) {
        self.field(day.to_string().as_bytes());
    }

    fn finish(self) -> [u8; 32] {
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use branchline_kernel::{HoldId, PostingId};
    use uuid::Uuid;

    use super::*;
    use crate::command::{LedgerKey, Leg, NewHold, Post, Reverse};

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
    }

    fn command(action: Action) -> Command {
        Command::new(LedgerKey::from(Uuid::from_u128(1)), action)
    }

    fn transfer(id: u128, from: i64, amount: i64) -> Post {
        let legs = vec![
            Leg::debit(from.into(), eur(amount)),
            Leg::credit(9.into(), eur(amount)),
        ];
        Post::try_new(
            PostingId::from(Uuid::from_u128(id)),
            "transfer",
            Dates::on(day(3)),
            legs,
        )
        .unwrap()
    }

    fn hold(id: u128, direction: Direction) -> NewHold {
        NewHold::try_new(
            HoldId::from(Uuid::from_u128(id)),
            1.into(),
            eur(5),
            direction,
        )
        .unwrap()
    }

    #[test]
    fn a_new_attempt_with_fresh_ids_and_another_actor_is_the_same_request() {
        let first = command(Action::Post(transfer(1, 1, 5)));
        let again = command(Action::Post(transfer(2, 1, 5)))
            .by("sweep")
            .unwrap();
        assert_eq!(fingerprint(&first), fingerprint(&again));
    }

    #[test]
    fn every_difference_in_content_shows() {
        let at = chrono::DateTime::from_timestamp(1, 0).unwrap();
        let reverse = |of: u128, on: u32| {
            Action::Reverse(Reverse {
                id: PostingId::from(Uuid::nil()),
                of: PostingId::from(Uuid::from_u128(of)),
                dates: Dates::on(day(on)),
            })
        };
        let some = HoldId::from(Uuid::from_u128(1));
        let post = |post: Post| command(Action::Post(post));
        let mut later = transfer(1, 1, 5);
        later.dates.value = day(4);
        let mut renamed = transfer(1, 1, 5);
        renamed.kind = "fee".to_owned();
        let different = [
            post(transfer(1, 1, 5)),
            post(transfer(1, 2, 5)),
            post(transfer(1, 1, 6)),
            post(transfer(1, 1, 5).ending(some)),
            post(later),
            post(renamed),
            post(transfer(1, 1, 5)).with_memo("a").unwrap(),
            post(transfer(1, 1, 5)).about("a", Uuid::nil()).unwrap(),
            post(transfer(1, 1, 5)).about("a", Uuid::max()).unwrap(),
            post(transfer(1, 1, 5)).at_branch("north").unwrap(),
            command(reverse(1, 3)),
            command(reverse(2, 3)),
            command(reverse(1, 4)),
            command(Action::Hold(hold(1, Direction::Outgoing))),
            command(Action::Hold(hold(1, Direction::Incoming))),
            command(Action::Hold(hold(1, Direction::Outgoing).until(at))),
            command(Action::Void(some)),
            command(Action::Expire(some)),
        ];
        let mut seen: Vec<_> = different.iter().map(fingerprint).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), different.len());
    }
}
