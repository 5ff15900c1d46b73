//! What is ordered, and the model of what must come of it.

use std::collections::BTreeMap;

use branchline_kernel::{HoldId, LedgerAccountId, PostingId};
use branchline_ledger::{
    Action, Command, Dates, Direction, LedgerKey, Leg, NewHold, Post, Reverse,
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::chance::Chance;
use crate::commands::ledger::ground::eur;

/// A command as it travels to a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) key: Uuid,
    pub(super) id: Uuid,
    pub(super) day: NaiveDate,
    pub(super) what: What,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum What {
    Transfer {
        from: i64,
        to: i64,
        minor: i64,
    },
    Hold {
        account: i64,
        minor: i64,
    },
    Take {
        hold: Uuid,
        from: i64,
        to: i64,
        minor: i64,
    },
    Void {
        hold: Uuid,
    },
    Reverse {
        of: Uuid,
    },
}

impl Order {
    pub(super) fn command(&self) -> anyhow::Result<Command> {
        let dates = Dates::on(self.day);
        let post = |from: i64, to: i64, minor: i64| -> anyhow::Result<Post> {
            let amount = eur(minor)?;
            let legs = vec![
                Leg::debit(from.into(), amount),
                Leg::credit(to.into(), amount),
            ];
            Ok(Post::try_new(
                PostingId::from(self.id),
                "transfer",
                dates,
                legs,
            )?)
        };
        let action = match self.what {
            What::Transfer { from, to, minor } => Action::Post(post(from, to, minor)?),
            What::Take {
                hold,
                from,
                to,
                minor,
            } => Action::Post(post(from, to, minor)?.ending(HoldId::from(hold))),
            What::Hold { account, minor } => {
                let (id, account) = (HoldId::from(self.id), LedgerAccountId::from(account));
                Action::Hold(NewHold::try_new(
                    id,
                    account,
                    eur(minor)?,
                    Direction::Outgoing,
                )?)
            }
            What::Void { hold } => Action::Void(HoldId::from(hold)),
            What::Reverse { of } => Action::Reverse(Reverse {
                id: PostingId::from(self.id),
                of: PostingId::from(of),
                dates,
            }),
        };
        Ok(Command::new(LedgerKey::from(self.key), action))
    }

    /// Whether an accepted order has a posting of its own.
    pub(super) const fn books(&self) -> bool {
        match self.what {
            What::Transfer { .. } | What::Take { .. } | What::Reverse { .. } => true,
            What::Hold { .. } | What::Void { .. } => false,
        }
    }
}

/// Makes orders: few accounts, so that they meet; amounts that are often too large.
pub(super) struct Orders {
    pub(super) chance: Chance,
    pub(super) day: NaiveDate,
    accounts: Vec<i64>,
    // What was ordered before, accepted or not.
    transfers: Vec<Uuid>,
    holds: Vec<(Uuid, i64)>,
}

impl Orders {
    pub(super) fn new(chance: Chance, day: NaiveDate, accounts: &[LedgerAccountId]) -> Self {
        Self {
            chance,
            day,
            accounts: accounts.iter().map(|account| account.number()).collect(),
            transfers: Vec::new(),
            holds: Vec::new(),
        }
    }

    pub(super) fn next(&mut self) -> Option<Order> {
        let (key, id) = (self.chance.id(), self.chance.id());
        let from = *self.chance.one_of(&self.accounts)?;
        let to = self.other_than(from)?;
        let minor = i64::try_from(self.chance.below(400))
            .ok()?
            .saturating_add(1);
        let what = match self.chance.below(10) {
            0 | 1 => {
                self.holds.push((id, from));
                What::Hold {
                    account: from,
                    minor,
                }
            }
            2 if !self.holds.is_empty() => {
                let (hold, from) = *self.chance.one_of(&self.holds)?;
                let to = self.other_than(from)?;
                What::Take {
                    hold,
                    from,
                    to,
                    minor,
                }
            }
            3 if !self.holds.is_empty() => What::Void {
                hold: self.chance.one_of(&self.holds)?.0,
            },
            4 if !self.transfers.is_empty() => What::Reverse {
                of: *self.chance.one_of(&self.transfers)?,
            },
            _ => {
                self.transfers.push(id);
                What::Transfer { from, to, minor }
            }
        };
        // Old ones are ended or reversed by now.
        self.holds.drain(..self.holds.len().saturating_sub(30));
        self.transfers
            .drain(..self.transfers.len().saturating_sub(60));
        Some(Order {
            key,
            id,
            day: self.day,
            what,
        })
    }

    fn other_than(&mut self, account: i64) -> Option<i64> {
        loop {
            let other = *self.chance.one_of(&self.accounts)?;
            if other != account {
                return Some(other);
            }
        }
    }
}

/// What is known of the orders, outside the database.
#[derive(Default)]
pub(super) struct Model {
    pub(super) orders: BTreeMap<Uuid, (Order, Option<String>)>,
}

/// The answer of an accepted order.
pub(super) const POSTED: &str = "posted";

impl Model {
    pub(super) fn ordered(&mut self, order: &Order) {
        self.orders.insert(order.key, (order.clone(), None));
    }

    /// Notes an answer; gives what contradicts if there was another one before.
    pub(super) fn answered(&mut self, key: Uuid, answer: &str) -> Option<String> {
        let (_, known) = self.orders.get_mut(&key)?;
        match known {
            Some(known) if known != answer => {
                Some(format!("{key} was answered {known}, then {answer}"))
            }
            Some(_) => None,
            None => {
                *known = Some(answer.to_owned());
                None
            }
        }
    }

    pub(super) fn unknown(&self) -> Vec<Order> {
        let open = self.orders.values().filter(|(_, answer)| answer.is_none());
        open.map(|(order, _)| order.clone()).collect()
    }

    /// The sums that the accepted orders leave on each account: booked above `opening`, and held.
    pub(super) fn sums(&self) -> BTreeMap<i64, (i64, i64)> {
        let accepted = || {
            let posted = |(_, answer): &&(Order, Option<String>)| answer.as_deref() == Some(POSTED);
            self.orders.values().filter(posted).map(|(order, _)| order)
        };
        let by_id: BTreeMap<Uuid, &Order> = accepted().map(|order| (order.id, order)).collect();
        let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let mut move_money = |from: i64, to: i64, minor: i64| {
            let payer = &mut sums.entry(from).or_default().0;
            *payer = payer.saturating_sub(minor);
            let payee = &mut sums.entry(to).or_default().0;
            *payee = payee.saturating_add(minor);
        };
        let mut held: BTreeMap<Uuid, (i64, i64)> = BTreeMap::new();
        for order in accepted() {
            if let What::Hold { account, minor } = order.what {
                held.insert(order.id, (account, minor));
            }
        }
        for order in accepted() {
            match order.what {
                What::Transfer { from, to, minor } => move_money(from, to, minor),
                What::Take {
                    hold,
                    from,
                    to,
                    minor,
                } => {
                    move_money(from, to, minor);
                    held.remove(&hold);
                }
                What::Void { hold } => {
                    held.remove(&hold);
                }
                What::Reverse { of } => {
                    if let Some(What::Transfer { from, to, minor }) =
                        by_id.get(&of).map(|order| &order.what)
                    {
                        move_money(*to, *from, *minor);
                    }
                }
                What::Hold { .. } => {}
            }
        }
        for (account, minor) in held.into_values() {
            let holds = &mut sums.entry(account).or_default().1;
            *holds = holds.saturating_add(minor);
        }
        sums
    }
}
