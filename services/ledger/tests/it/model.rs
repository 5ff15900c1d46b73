//! The ledger once more, one command at a time and in plain Rust: what the database must agree with.

use std::collections::HashMap;

use branchline_kernel::{HoldId, LedgerAccountId, PostingId, Timestamp};
use branchline_ledger::{Direction, Effect, LedgerKey, Reason, Side, Verdict};

const MOST: i64 = 4_000_000_000_000_000_000;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: LedgerAccountId,
    pub(crate) currency: &'static str,
    pub(crate) side: Side,
    pub(crate) floor: Option<i64>,
    pub(crate) cap: Option<i64>,
    pub(crate) no_debit: bool,
    pub(crate) no_credit: bool,
    pub(crate) closed: bool,
    pub(crate) dr: i64,
    pub(crate) cr: i64,
    pub(crate) pdr: i64,
    pub(crate) pcr: i64,
    /// The balance after each entry.
    pub(crate) history: Vec<i64>,
}

impl Account {
    pub(crate) fn booked(&self) -> i64 {
        match self.side {
            Side::Credit => self.cr - self.dr,
            Side::Debit => self.dr - self.cr,
        }
    }

    pub(crate) fn held(&self) -> i64 {
        match self.side {
            Side::Credit => self.pdr,
            Side::Debit => self.pcr,
        }
    }

    fn within(&self) -> Option<Reason> {
        match (self.floor, self.cap) {
            (Some(0), _) if self.booked() - self.held() < 0 => Some(Reason::Funds),
            (Some(floor), _) if self.booked() - self.held() < floor => Some(Reason::Floor),
            (_, Some(cap)) if self.booked() > cap => Some(Reason::Cap),
            _ => None,
        }
    }

    fn pending(&mut self, side: Side) -> &mut i64 {
        match side {
            Side::Debit => &mut self.pdr,
            Side::Credit => &mut self.pcr,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) account: LedgerAccountId,
    pub(crate) side: Side,
    pub(crate) amount: i64,
    pub(crate) currency: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Post {
        lines: Vec<Line>,
        hold: Option<HoldId>,
        is_open_day: bool,
    },
    Reverse {
        of: PostingId,
        is_open_day: bool,
    },
    Hold {
        account: LedgerAccountId,
        amount: i64,
        currency: &'static str,
        direction: Direction,
        expires_at: Option<Timestamp>,
    },
    Void(HoldId),
    Expire(HoldId),
}

#[derive(Debug, Clone)]
struct Held {
    account: LedgerAccountId,
    side: Side,
    amount: i64,
    expires_at: Option<Timestamp>,
    is_ended: bool,
}

#[derive(Debug, Clone)]
struct Posted {
    lines: Vec<Line>,
    is_reversed: bool,
}

type Refused = (Reason, Option<LedgerAccountId>);

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) accounts: Vec<Account>,
    holds: HashMap<HoldId, Held>,
    postings: HashMap<PostingId, Posted>,
    keys: HashMap<LedgerKey, (Told, Verdict)>,
}

impl Model {
    /// Decides one command. `made` is the id that it brings for what it makes.
    pub(crate) fn tell(
        &mut self,
        key: LedgerKey,
        told: &Told,
        made: uuid::Uuid,
        now: Timestamp,
    ) -> Verdict {
        if let Some((before, verdict)) = self.keys.get(&key) {
            return match (before == told, *verdict) {
                (false, _) => Verdict::Conflict,
                (true, Verdict::Posted { effect, .. }) => Verdict::Posted {
                    effect,
                    replayed: true,
                },
                (
                    true,
                    Verdict::Refused {
                        reason, account, ..
                    },
                ) => Verdict::Refused {
                    reason,
                    account,
                    replayed: true,
                },
                (true, Verdict::Conflict) => Verdict::Conflict,
            };
        }
        let before = self.accounts.clone();
        let verdict = match self.decide(told, made, now) {
            Ok(effect) => Verdict::Posted {
                effect,
                replayed: false,
            },
            Err((reason, account)) => {
                self.accounts = before;
                Verdict::Refused {
                    reason,
                    account,
                    replayed: false,
                }
            }
        };
        self.keys.insert(key, (told.clone(), verdict));
        verdict
    }

    fn decide(&mut self, told: &Told, made: uuid::Uuid, now: Timestamp) -> Result<Effect, Refused> {
        match told {
            Told::Post {
                lines,
                hold,
                is_open_day,
            } => self.post(lines, *hold, *is_open_day, made.into(), now),
            Told::Reverse { of, is_open_day } => {
                if !is_open_day {
                    return Err((Reason::Period, None));
                }
                let known = self.postings.get(of);
                let posted = known.ok_or((Reason::UnknownPosting, None))?;
                if posted.is_reversed {
                    return Err((Reason::AlreadyReversed, None));
                }
                let mut lines = posted.lines.clone();
                for line in &mut lines {
                    line.side = line.side.opposite();
                }
                let effect = self.post(&lines, None, true, made.into(), now)?;
                self.postings.get_mut(of).unwrap().is_reversed = true;
                Ok(effect)
            }
            Told::Hold {
                account,
                amount,
                currency,
                direction,
                expires_at,
            } => {
                let id = HoldId::from(made);
                let at = self.judge_alone(*account, currency, None)?;
                let found = &mut self.accounts[at];
                let side = match direction {
                    Direction::Outgoing => found.side.opposite(),
                    Direction::Incoming => found.side,
                };
                self.judge_alone(*account, currency, Some(side))?;
                let found = &mut self.accounts[at];
                let pending = found.pending(side);
                if *pending > MOST - amount {
                    return Err((Reason::TooLarge, Some(*account)));
                }
                *pending += amount;
                if let Some(reason) = found.within() {
                    return Err((reason, Some(*account)));
                }
                let held = Held {
                    account: *account,
                    side,
                    amount: *amount,
                    expires_at: *expires_at,
                    is_ended: false,
                };
                self.holds.insert(id, held);
                Ok(Effect::Held(id))
            }
            Told::Void(hold) => self.end(*hold, |_| Ok(())),
            Told::Expire(hold) => self.end(*hold, |held| match held.expires_at {
                Some(at) if at <= now => Ok(()),
                _ => Err((Reason::HoldNotExpired, None)),
            }),
        }
    }

    fn end(
        &mut self,
        id: HoldId,
        judge: impl Fn(&Held) -> Result<(), Refused>,
    ) -> Result<Effect, Refused> {
        let held = self.open_hold(id)?;
        judge(&held)?;
        self.release(id, &held);
        Ok(Effect::Released(id))
    }

    fn open_hold(&self, id: HoldId) -> Result<Held, Refused> {
        let held = self.holds.get(&id).ok_or((Reason::UnknownHold, None))?;
        if held.is_ended {
            return Err((Reason::HoldEnded, None));
        }
        Ok(held.clone())
    }

    fn release(&mut self, id: HoldId, held: &Held) {
        let at = self.place(held.account).unwrap();
        *self.accounts[at].pending(held.side) -= held.amount;
        self.holds.get_mut(&id).unwrap().is_ended = true;
    }

    fn place(&self, id: LedgerAccountId) -> Option<usize> {
        self.accounts.iter().position(|one| one.id == id)
    }

    fn judge_alone(
        &self,
        id: LedgerAccountId,
        currency: &str,
        side: Option<Side>,
    ) -> Result<usize, Refused> {
        let place = self.place(id).ok_or((Reason::UnknownAccount, Some(id)))?;
        let account = &self.accounts[place];
        if account.currency != currency {
            return Err((Reason::Currency, Some(id)));
        }
        if account.closed {
            return Err((Reason::Closed, Some(id)));
        }
        let frozen = match side {
            Some(Side::Debit) => account.no_debit,
            Some(Side::Credit) => account.no_credit,
            None => false,
        };
        if frozen {
            return Err((Reason::Frozen, Some(id)));
        }
        Ok(place)
    }

    fn post(
        &mut self,
        lines: &[Line],
        hold: Option<HoldId>,
        is_open_day: bool,
        id: PostingId,
        now: Timestamp,
    ) -> Result<Effect, Refused> {
        if !is_open_day {
            return Err((Reason::Period, None));
        }
        let held = match hold {
            Some(hold) => {
                let held = self.open_hold(hold)?;
                if held.expires_at.is_some_and(|at| at <= now) {
                    return Err((Reason::HoldExpired, None));
                }
                let covered = |line: &&Line| line.account == held.account && line.side == held.side;
                let sum: i128 = lines
                    .iter()
                    .filter(covered)
                    .map(|line| i128::from(line.amount))
                    .sum();
                if sum == 0 || sum > i128::from(held.amount) {
                    return Err((Reason::HoldAmount, Some(held.account)));
                }
                Some((hold, held))
            }
            None => None,
        };
        for line in lines {
            let promised = held
                .as_ref()
                .is_some_and(|(_, held)| held.account == line.account && held.side == line.side);
            let side = (!promised).then_some(line.side);
            self.judge_alone(line.account, line.currency, side)?;
        }
        let was_ended = held.clone();
        if let Some((hold, held)) = &held {
            self.release(*hold, held);
        }
        let applied = self.apply(lines);
        if applied.is_err()
            && let Some((hold, _)) = was_ended
        {
            self.holds.get_mut(&hold).unwrap().is_ended = false;
        }
        applied?;
        let posted = Posted {
            lines: lines.to_vec(),
            is_reversed: false,
        };
        self.postings.insert(id, posted);
        Ok(Effect::Booked(id))
    }

    fn apply(&mut self, lines: &[Line]) -> Result<(), Refused> {
        for line in lines {
            let place = self.place(line.account).unwrap();
            let account = &mut self.accounts[place];
            let counter = match line.side {
                Side::Debit => &mut account.dr,
                Side::Credit => &mut account.cr,
            };
            if *counter > MOST - line.amount {
                return Err((Reason::TooLarge, Some(line.account)));
            }
            *counter += line.amount;
            let booked = account.booked();
            account.history.push(booked);
        }
        for line in lines {
            let place = self.place(line.account).unwrap();
            if let Some(reason) = self.accounts[place].within() {
                return Err((reason, Some(line.account)));
            }
        }
        Ok(())
    }
}
