//! How often a TPP may read without the member (R11 to R13).
//!
//! The counting unit is one endpoint of one account; the account list counts by itself. Following
//! `next` links costs nothing, since they belong to the read that gave them out.

use crate::Xs2aError;
use crate::consent_request::ConsentRequest;
use crate::headers::ReadPresence;

/// What is counted, together with the account where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `GET /v1/accounts`.
    AccountList,
    /// `GET /v1/accounts/{account-id}`.
    AccountDetails,
    /// `GET …/balances`.
    Balances,
    /// `GET …/transactions`.
    Transactions,
}

impl Endpoint {
    /// A stable name for a row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountList => "account-list",
            Self::AccountDetails => "account-details",
            Self::Balances => "balances",
            Self::Transactions => "transactions",
        }
    }
}

/// Which earlier reads count together with this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountWindow {
    /// Those of the same day in the tenant's calendar.
    Day,
    /// All since the consent was approved: it is for one occasion.
    WholeLife,
}

/// Whether a read counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// It costs nothing.
    Free,
    /// It counts within the window.
    Counted(CountWindow),
}

/// The rule of one consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaRule {
    recurring: bool,
    per_day: u8,
}

impl QuotaRule {
    /// The rule that `request` gives.
    #[must_use]
    pub const fn of(request: &ConsentRequest) -> Self {
        Self {
            recurring: request.recurring,
            per_day: request.frequency_per_day,
        }
    }

    /// Whether a read counts; `follows_link` is true for a page that a `next` link led to.
    #[must_use]
    pub const fn counting(self, presence: ReadPresence, follows_link: bool) -> Counting {
        match (self.recurring, presence) {
            (_, _) if follows_link => Counting::Free,
            (false, _) => Counting::Counted(CountWindow::WholeLife),
            (true, ReadPresence::Attended(_)) => Counting::Free,
            (true, ReadPresence::Unattended) => Counting::Counted(CountWindow::Day),
        }
    }

    /// Whether one more counted read is allowed after `used` in its window.
    ///
    /// # Errors
    /// ACCESS_EXCEEDED (R13).
    pub fn admit(self, used: u32) -> Result<(), Xs2aError> {
        if used < u32::from(self.per_day) {
            Ok(())
        } else {
            Err(Xs2aError::access_exceeded())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECURRING: QuotaRule = QuotaRule {
        recurring: true,
        per_day: 4,
    };
    const ONE_OFF: QuotaRule = QuotaRule {
        recurring: false,
        per_day: 1,
    };

    fn attended() -> ReadPresence {
        ReadPresence::Attended("192.0.2.1".parse().unwrap())
    }

    #[test]
    fn r11_only_unattended_reads_of_a_recurring_consent_count() {
        assert_eq!(RECURRING.counting(attended(), false), Counting::Free);
        assert_eq!(
            RECURRING.counting(ReadPresence::Unattended, false),
            Counting::Counted(CountWindow::Day)
        );
    }

    #[test]
    fn r11_reads_of_a_one_off_consent_always_count() {
        for presence in [attended(), ReadPresence::Unattended] {
            assert_eq!(
                ONE_OFF.counting(presence, false),
                Counting::Counted(CountWindow::WholeLife)
            );
        }
    }

    #[test]
    fn r12_following_a_link_costs_nothing() {
        for rule in [RECURRING, ONE_OFF] {
            assert_eq!(
                rule.counting(ReadPresence::Unattended, true),
                Counting::Free
            );
        }
    }

    #[test]
    fn r13_the_read_after_the_last_is_refused() {
        assert_eq!(RECURRING.admit(3), Ok(()));
        assert_eq!(RECURRING.admit(4), Err(Xs2aError::access_exceeded()));
        assert_eq!(RECURRING.admit(u32::MAX), Err(Xs2aError::access_exceeded()));
        assert_eq!(ONE_OFF.admit(0), Ok(()));
        assert_eq!(ONE_OFF.admit(1), Err(Xs2aError::access_exceeded()));
    }
}
