//! Why a payment was rejected, in the words of ISO 20022 (external status reason codes).

use branchline_ledger as ledger;

/// An ISO 20022 status reason code that we give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReasonCode {
    /// Incorrect account number.
    Ac01,
    /// Closed account.
    Ac04,
    /// Blocked account.
    Ac06,
    /// Amount that cannot be booked.
    Am02,
    /// Currency that the account does not have.
    Am03,
    /// Insufficient funds.
    Am04,
    /// Beyond the settlement limit.
    Am23,
    /// Incorrect bank identifier of the payee.
    Rc04,
}

impl ReasonCode {
    const ALL: [Self; 8] = [
        Self::Ac01,
        Self::Ac04,
        Self::Ac06,
        Self::Am02,
        Self::Am03,
        Self::Am04,
        Self::Am23,
        Self::Rc04,
    ];

    /// The code as messages and rows spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ac01 => "AC01",
            Self::Ac04 => "AC04",
            Self::Ac06 => "AC06",
            Self::Am02 => "AM02",
            Self::Am03 => "AM03",
            Self::Am04 => "AM04",
            Self::Am23 => "AM23",
            Self::Rc04 => "RC04",
        }
    }
}

/// Why a payment was rejected: a code for programs and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The code.
    pub code: ReasonCode,
    /// The sentence.
    pub text: String,
}

/// Which end of the payment refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Payer,
    Payee,
}

impl Reason {
    pub(crate) fn new(code: ReasonCode, text: &str) -> Self {
        Self {
            code,
            text: text.to_owned(),
        }
    }

    /// A reason read back from its row.
    pub(crate) fn stored(code: &str, text: String) -> Option<Self> {
        let code = ReasonCode::ALL
            .into_iter()
            .find(|known| known.code() == code)?;
        Some(Self { code, text })
    }

    /// What the ledger's refusal means for a payment, if it is the payment's own fault and not
    /// that of the books.
    pub(crate) fn of_ledger(refused: ledger::Reason, end: End) -> Option<Self> {
        use ledger::Reason as L;
        let code = match refused {
            L::Funds | L::Floor => ReasonCode::Am04,
            L::Cap | L::TooLarge => ReasonCode::Am02,
            L::Frozen => ReasonCode::Ac06,
            L::Closed => ReasonCode::Ac04,
            L::Currency => ReasonCode::Am03,
            L::UnknownAccount
            | L::Period
            | L::UnknownHold
            | L::HoldEnded
            | L::HoldExpired
            | L::HoldAmount
            | L::UnknownPosting
            | L::AlreadyReversed
            | L::HoldExists
            | L::HoldNotExpired => return None,
        };
        Some(Self::new(code, sentence(code, end)))
    }
}

const fn sentence(code: ReasonCode, end: End) -> &'static str {
    match (code, end) {
        (ReasonCode::Am04, _) => "The available balance is too low.",
        (ReasonCode::Am02, End::Payer) => "The amount is more than the account can count.",
        (ReasonCode::Am02, End::Payee) => "The amount is more than the payee's account may hold.",
        (ReasonCode::Ac06, End::Payer) => "The payer's account is frozen.",
        (ReasonCode::Ac06, End::Payee) => "The payee's account takes no money at present.",
        (ReasonCode::Ac04, End::Payer) => "The payer's account is closed.",
        (ReasonCode::Ac04, End::Payee) => "The payee's account is closed.",
        (ReasonCode::Am03, End::Payer) => "The payer's account is kept in another currency.",
        (ReasonCode::Am03, End::Payee) => "The payee's account is kept in another currency.",
        (ReasonCode::Ac01, _) => "There is no account with the payee's IBAN.",
        (ReasonCode::Am23, _) => "The payer's institution has reached its net debit cap.",
        (ReasonCode::Rc04, _) => "The payee's IBAN belongs to no institution that can be reached.",
    }
}

/// The reason of a code that is the same at both ends.
pub(crate) fn reason(code: ReasonCode) -> Reason {
    Reason::new(code, sentence(code, End::Payee))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_back_from_its_row() {
        for code in ReasonCode::ALL {
            let known = reason(code);
            assert_eq!(Reason::stored(code.code(), known.text.clone()), Some(known));
        }
        assert_eq!(Reason::stored("XX99", String::new()), None);
    }

    #[test]
    fn trouble_with_the_books_is_nobodys_reason() {
        assert_eq!(Reason::of_ledger(ledger::Reason::Period, End::Payee), None);
        let poor = Reason::of_ledger(ledger::Reason::Funds, End::Payer).unwrap();
        assert_eq!(poor.code, ReasonCode::Am04);
    }
}
