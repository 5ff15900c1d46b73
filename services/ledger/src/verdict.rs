//! What became of a command.

use branchline_kernel::{HoldId, Kind, LedgerAccountId, PostingId, Refusal};

/// The ledger's answer to one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was done, now or (`replayed`) when the key came first.
    Posted {
        /// What it did.
        effect: Effect,
        /// Whether an earlier attempt had done it.
        replayed: bool,
    },
    /// It was refused, and will be whenever this key comes again.
    Refused {
        /// Why.
        reason: Reason,
        /// The account that stood in the way, if one did.
        account: Option<LedgerAccountId>,
        /// Whether an earlier attempt had been refused.
        replayed: bool,
    },
    /// The key was used before, with other content. Nothing was done or stored.
    Conflict,
}

/// What an accepted command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It booked this posting.
    Booked(PostingId),
    /// It placed this hold.
    Held(HoldId),
    /// It ended this hold.
    Released(HoldId),
}

/// Why a command was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// More than is available.
    Funds,
    /// Beyond the overdraft limit, or below the minimum balance.
    Floor,
    /// Above the most the account may hold.
    Cap,
    /// The account is frozen on that side.
    Frozen,
    /// The account is closed.
    Closed,
    /// There is no such account.
    UnknownAccount,
    /// The account is kept in another currency.
    Currency,
    /// No open period covers the booking date.
    Period,
    /// There is no such hold.
    UnknownHold,
    /// The hold was posted, voided or expired before.
    HoldEnded,
    /// The hold's time is over.
    HoldExpired,
    /// The posting takes nothing of the hold, or more than it holds.
    HoldAmount,
    /// There is no such posting.
    UnknownPosting,
    /// The posting was reversed before.
    AlreadyReversed,
    /// A counter of the account would leave its range.
    TooLarge,
    /// There is a hold with that id already.
    HoldExists,
    /// The hold's time is not over yet.
    HoldNotExpired,
}

impl Reason {
    /// All reasons; the place in the list, counted from one, is the number that rows hold.
    pub(crate) const ALL: [Self; 17] = [
        Self::Funds,
        Self::Floor,
        Self::Cap,
        Self::Frozen,
        Self::Closed,
        Self::UnknownAccount,
        Self::Currency,
        Self::Period,
        Self::UnknownHold,
        Self::HoldEnded,
        Self::HoldExpired,
        Self::HoldAmount,
        Self::UnknownPosting,
        Self::AlreadyReversed,
        Self::TooLarge,
        Self::HoldExists,
        Self::HoldNotExpired,
    ];

    /// The reason that a row's number stands for.
    pub(crate) fn of(number: i16) -> Option<Self> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// A stable code in kebab case.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Funds => "insufficient-funds",
            Self::Floor => "below-floor",
            Self::Cap => "above-cap",
            Self::Frozen => "account-frozen",
            Self::Closed => "account-closed",
            Self::UnknownAccount => "ledger-account-unknown",
            Self::Currency => "wrong-currency",
            Self::Period => "period-not-open",
            Self::UnknownHold => "hold-unknown",
            Self::HoldEnded => "hold-ended",
            Self::HoldExpired => "hold-expired",
            Self::HoldAmount => "not-within-hold",
            Self::UnknownPosting => "posting-unknown",
            Self::AlreadyReversed => "already-reversed",
            Self::TooLarge => "amount-too-large",
            Self::HoldExists => "hold-exists",
            Self::HoldNotExpired => "hold-not-expired",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Funds => "The available balance is too low. Pay in first, or ask for less.",
            Self::Floor => "The account would fall below its limit. Pay in first, or ask for less.",
            Self::Cap => "The account would hold more than it may. Ask for less.",
            Self::Frozen => "The account is frozen. Ask the institution.",
            Self::Closed => "The account is closed. Use another one.",
            Self::UnknownAccount => "There is no such account in the ledger. Check its id.",
            Self::Currency => "The account is kept in another currency. Use that one.",
            Self::Period => "No open period covers the booking date. Choose a day in an open one.",
            Self::UnknownHold => "There is no such hold. Check its id.",
            Self::HoldEnded => "The hold was posted or released before. Place a new one.",
            Self::HoldExpired => "The hold has expired. Place a new one.",
            Self::HoldAmount => "The posting must take some of the hold and no more than all.",
            Self::UnknownPosting => "There is no such posting. Check its id.",
            Self::AlreadyReversed => "The posting was reversed before. Nothing is left to do.",
            Self::TooLarge => "The amount is beyond what an account can count. Ask for less.",
            Self::HoldExists => "There is a hold with that id already. Use a new id.",
            Self::HoldNotExpired => "The hold has not expired yet. Void it, or wait.",
        }
    }
}

/// A verdict that was not "posted", as an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedByLedger {
    /// The command was refused.
    #[error("the ledger refused: {}", .0.code())]
    Refused(Reason),
    /// The key was used for something else.
    #[error("the ledger's key was used for another request")]
    Conflict,
}

impl Verdict {
    /// Whether it was decided just now: what rides on its command was carried out with it.
    #[must_use]
    pub const fn is_first(self) -> bool {
        match self {
            Self::Posted { replayed, .. } | Self::Refused { replayed, .. } => !replayed,
            Self::Conflict => false,
        }
    }

    /// What was done, or why nothing was.
    ///
    /// # Errors
    /// [`RefusedByLedger`] for every verdict but [`Verdict::Posted`].
    pub const fn accepted(self) -> Result<Effect, RefusedByLedger> {
        match self {
            Self::Posted { effect, .. } => Ok(effect),
            Self::Refused { reason, .. } => Err(RefusedByLedger::Refused(reason)),
            Self::Conflict => Err(RefusedByLedger::Conflict),
        }
    }
}

impl Refusal for RefusedByLedger {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused(reason) => match reason {
                Reason::UnknownAccount | Reason::UnknownHold | Reason::UnknownPosting => {
                    Kind::NotFound
                }
                Reason::Currency | Reason::TooLarge | Reason::HoldAmount => Kind::Unprocessable,
                Reason::Funds
                | Reason::Floor
                | Reason::Cap
                | Reason::Frozen
                | Reason::Closed
                | Reason::Period
                | Reason::HoldEnded
                | Reason::HoldExpired
                | Reason::AlreadyReversed
                | Reason::HoldExists
                | Reason::HoldNotExpired => Kind::Conflict,
            },
            Self::Conflict => Kind::Unprocessable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Refused(reason) => reason.code(),
            Self::Conflict => "idempotency-key-reused",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Refused(reason) => reason.sentence().to_owned(),
            Self::Conflict => {
                "This key was used for another request. Use a new key for a new request.".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_own_number_and_code() {
        for (number, reason) in (1_i16..).zip(Reason::ALL) {
            assert_eq!(Reason::of(number), Some(reason));
        }
        assert_eq!(
            (Reason::of(0), Reason::of(18), Reason::of(-1)),
            (None, None, None)
        );
        let mut codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
