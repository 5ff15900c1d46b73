//! What the ledger can be told to do.

use std::collections::BTreeMap;

use branchline_kernel::{Currency, HoldId, LedgerAccountId, Money, PostingId, Timestamp};
use chrono::NaiveDate;
use uuid::Uuid;

/// Names one command for good, so that a repeated attempt has one effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey(Uuid);

impl LedgerKey {
    /// The key of one `step` of the business object `of`: the same for each attempt.
    #[must_use]
    pub fn derived(of: Uuid, step: &str) -> Self {
        Self(Uuid::new_v5(&of, step.as_bytes()))
    }

    /// The key as a UUID.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl From<Uuid> for LedgerKey {
    fn from(key: Uuid) -> Self {
        Self(key)
    }
}

/// One of the two sides of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The left side: assets and expenses grow on it.
    Debit,
    /// The right side: liabilities, equity and income grow on it.
    Credit,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }

    /// The letter that rows hold.
    #[must_use]
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Debit => "D",
            Self::Credit => "C",
        }
    }
}

/// One line of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The account it changes.
    pub account: LedgerAccountId,
    /// The side it goes to.
    pub side: Side,
    /// How much: above zero, in the account's currency.
    pub amount: Money,
}

impl Leg {
    /// A debit of `amount`.
    #[must_use]
    pub const fn debit(account: LedgerAccountId, amount: Money) -> Self {
        Self {
            account,
            side: Side::Debit,
            amount,
        }
    }

    /// A credit of `amount`.
    #[must_use]
    pub const fn credit(account: LedgerAccountId, amount: Money) -> Self {
        Self {
            account,
            side: Side::Credit,
            amount,
        }
    }
}

/// The days of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// The day it is booked under; an open period covers it.
    pub booking: NaiveDate,
    /// The day from which it bears interest; may lie before or behind the booking day.
    pub value: NaiveDate,
}

impl Dates {
    /// Booked and valued on the same day.
    #[must_use]
    pub const fn on(day: NaiveDate) -> Self {
        Self {
            booking: day,
            value: day,
        }
    }
}

/// The business object that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it is: `payment`, `deposit`.
    pub kind: String,
    /// Which one.
    pub id: Uuid,
}

/// Why a command cannot be built. Nothing of it is stored: it is the caller's mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCommand {
    /// Fewer than 2 or more than 100 legs.
    #[error("a posting has 2 to 100 legs, not {0}")]
    Legs(usize),
    /// An amount that is not above zero, or beyond what counters hold.
    #[error("the amount of a leg or hold lies above zero and within 4e18 minor units")]
    Amount,
    /// Debits and credits differ.
    #[error("debits and credits in {0} differ")]
    Unbalanced(Currency),
    /// A kind, memo, branch or reference that is empty or too long.
    #[error("{0} is empty or too long")]
    Text(&'static str),
}

/// A balanced set of legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    pub(crate) id: PostingId,
    pub(crate) kind: String,
    pub(crate) dates: Dates,
    pub(crate) legs: Vec<Leg>,
    pub(crate) hold: Option<HoldId>,
}

const MAX_AMOUNT: i64 = 4_000_000_000_000_000_000;

fn check_amount(amount: Money) -> Result<(), MalformedCommand> {
    if (1..=MAX_AMOUNT).contains(&amount.minor()) {
        Ok(())
    } else {
        Err(MalformedCommand::Amount)
    }
}

fn check_text(what: &'static str, text: &str, most: usize) -> Result<(), MalformedCommand> {
    if text.is_empty() || text.chars().count() > most || text.contains('\0') {
        Err(MalformedCommand::Text(what))
    } else {
        Ok(())
    }
}

impl Post {
    /// A posting of 2 to 100 legs whose debits and credits are equal in each currency.
    ///
    /// # Errors
    /// [`MalformedCommand`] when it is not.
    pub fn try_new(
        id: PostingId,
        kind: &str,
        dates: Dates,
        legs: Vec<Leg>,
    ) -> Result<Self, MalformedCommand> {
        check_text("the kind of the posting", kind, 40)?;
        if !(2..=100).contains(&legs.len()) {
            return Err(MalformedCommand::Legs(legs.len()));
        }
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for leg in &legs {
            check_amount(leg.amount)?;
            let minor = i128::from(leg.amount.minor());
            let signed = match leg.side {
                Side::Debit => minor,
                Side::Credit => minor.saturating_neg(),
            };
            let sum = sums.entry(leg.amount.currency()).or_default();
            *sum = sum.saturating_add(signed);
        }
        if let Some((currency, _)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            return Err(MalformedCommand::Unbalanced(currency));
        }
        Ok(Self {
            id,
            kind: kind.to_owned(),
            dates,
            legs,
            hold: None,
        })
    }

    /// Takes the money of `hold`, in full or in part; what is left over is free again.
    #[must_use]
    pub const fn ending(mut self, hold: HoldId) -> Self {
        self.hold = Some(hold);
        self
    }
}

/// The mirror image of an earlier posting; the ledger builds its legs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverse {
    /// The id of the new posting.
    pub id: PostingId,
    /// The posting to undo.
    pub of: PostingId,
    /// The days of the new posting.
    pub dates: Dates,
}

/// Which way the money of a hold will go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It leaves the account: the available balance falls now.
    Outgoing,
    /// It is announced: only the expected balance rises.
    Incoming,
}

/// Money to set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHold {
    pub(crate) id: HoldId,
    pub(crate) account: LedgerAccountId,
    pub(crate) amount: Money,
    pub(crate) direction: Direction,
    pub(crate) expires_at: Option<Timestamp>,
}

impl NewHold {
    /// Sets `amount` of `account` aside until the hold is ended.
    ///
    /// # Errors
    /// [`MalformedCommand::Amount`] when the amount is not above zero.
    pub fn try_new(
        id: HoldId,
        account: LedgerAccountId,
        amount: Money,
        direction: Direction,
    ) -> Result<Self, MalformedCommand> {
        check_amount(amount)?;
        Ok(Self {
            id,
            account,
            amount,
            direction,
            expires_at: None,
        })
    }

    /// From `at` on the hold can no longer be posted, and [`Action::Expire`] may end it.
    #[must_use]
    pub const fn until(mut self, at: Timestamp) -> Self {
        self.expires_at = Some(at);
        self
    }
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Books a posting, perhaps ending a hold.
    Post(Post),
    /// Books the mirror image of a posting.
    Reverse(Reverse),
    /// Sets money aside.
    Hold(NewHold),
    /// Ends a hold and frees its money.
    Void(HoldId),
    /// Ends a hold whose time has come.
    Expire(HoldId),
}

/// One command with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) key: LedgerKey,
    pub(crate) action: Action,
    pub(crate) actor: Option<String>,
    pub(crate) memo: Option<String>,
    pub(crate) reference: Option<Reference>,
    pub(crate) branch: String,
}

/// The branch of whatever names none.
pub(crate) const MAIN_BRANCH: &str = "main";

impl Command {
    /// A command; until [`Command::by`] names somebody, the actor of the transaction gives it.
    #[must_use]
    pub fn new(key: LedgerKey, action: Action) -> Self {
        Self {
            key,
            action,
            actor: None,
            memo: None,
            reference: None,
            branch: MAIN_BRANCH.to_owned(),
        }
    }

    /// Names who gives the command.
    ///
    /// # Errors
    /// [`MalformedCommand::Text`] when the name is empty or longer than 200 characters.
    pub fn by(mut self, actor: &str) -> Result<Self, MalformedCommand> {
        check_text("the actor", actor, 200)?;
        self.actor = Some(actor.to_owned());
        Ok(self)
    }

    /// Adds a line for people.
    ///
    /// # Errors
    /// [`MalformedCommand::Text`] when it is empty or longer than 280 characters.
    pub fn with_memo(mut self, memo: &str) -> Result<Self, MalformedCommand> {
        check_text("the memo", memo, 280)?;
        self.memo = Some(memo.to_owned());
        Ok(self)
    }

    /// Names the business object behind it.
    ///
    /// # Errors
    /// [`MalformedCommand::Text`] when the kind is empty or longer than 40 characters.
    pub fn about(mut self, kind: &str, id: Uuid) -> Result<Self, MalformedCommand> {
        check_text("the kind of the reference", kind, 40)?;
        let kind = kind.to_owned();
        self.reference = Some(Reference { kind, id });
        Ok(self)
    }

    /// Names the branch it belongs to.
    ///
    /// # Errors
    /// [`MalformedCommand::Text`] when the name is empty or longer than 40 characters.
    pub fn at_branch(mut self, branch: &str) -> Result<Self, MalformedCommand> {
        check_text("the branch", branch, 40)?;
        branch.clone_into(&mut self.branch);
        Ok(self)
    }

    /// The key under which the verdict is kept.
    #[must_use]
    pub const fn key(&self) -> LedgerKey {
        self.key
    }

    /// What the command does.
    #[must_use]
    pub const fn action(&self) -> &Action {
        &self.action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn post(legs: Vec<Leg>) -> Result<Post, MalformedCommand> {
        let day = NaiveDate::from_ymd_opt(2026, 11, 3).unwrap();
        Post::try_new(
            PostingId::from(Uuid::nil()),
            "transfer",
            Dates::on(day),
            legs,
        )
    }

    fn pair(amount: Money) -> Vec<Leg> {
        vec![Leg::debit(1.into(), amount), Leg::credit(2.into(), amount)]
    }

    #[test]
    fn a_posting_is_balanced_in_each_currency() {
        assert!(post(pair(eur(5))).is_ok());
        let kes = Money::new(5, "KES".parse().unwrap());
        let crossed = vec![Leg::debit(1.into(), eur(5)), Leg::credit(2.into(), kes)];
        assert_eq!(
            post(crossed),
            Err(MalformedCommand::Unbalanced("EUR".parse().unwrap()))
        );
    }

    #[test]
    fn a_posting_has_two_to_a_hundred_legs() {
        assert_eq!(post(vec![]), Err(MalformedCommand::Legs(0)));
        let many: Vec<_> = (0..51).flat_map(|_| pair(eur(1))).collect();
        assert_eq!(post(many), Err(MalformedCommand::Legs(102)));
    }

    #[test]
    fn amounts_that_are_not_above_zero_or_too_large_are_refused() {
        for minor in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(
                post(pair(eur(minor))),
                Err(MalformedCommand::Amount),
                "{minor}"
            );
        }
    }

    #[test]
    fn the_key_of_a_step_is_the_same_each_time_and_differs_between_steps() {
        let payment = Uuid::from_u128(7);
        assert_eq!(
            LedgerKey::derived(payment, "hold"),
            LedgerKey::derived(payment, "hold")
        );
        assert_ne!(
            LedgerKey::derived(payment, "hold"),
            LedgerKey::derived(payment, "book")
        );
    }
}
