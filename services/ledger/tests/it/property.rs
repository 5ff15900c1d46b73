//! Random sequences of mixed commands in random batches: the database agrees with the model on
//! every verdict, balance and place in an account's history.
//!
//! `BRANCHLINE_LEDGER_SEQUENCES` sets how many sequences are played (100 without it).

use branchline_kernel::{Clock, HoldId, LedgerAccountId, Money, PostingId};
use branchline_ledger::{
    Action, Command, Dates, Direction, Freeze, LedgerKey, Leg, Limits, NewHold, Post, Reverse,
    Side, Verdict,
};
use chrono::{NaiveDate, TimeDelta};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::books::{Books, books, day, id};
use crate::model::{Account, Line, Model, Told};

/// A command before ids are known: places in lists instead, taken modulo their length.
#[derive(Debug, Clone)]
enum Step {
    Post {
        pairs: Vec<(usize, usize, i64)>,
        hold: Option<usize>,
        /// The first pair is made to take its money from where the hold lies.
        fits: bool,
        day: u32,
    },
    Reverse(usize),
    Hold {
        account: usize,
        amount: i64,
        direction: Direction,
        minutes: Option<i64>,
    },
    Void(usize),
    Expire(usize),
    /// An earlier command with the same key, perhaps with other content.
    Again {
        of: usize,
        is_other: bool,
    },
}

#[derive(Debug, Clone)]
enum Between {
    Nothing,
    Freeze(usize, Freeze),
    Close(usize),
    Limits(usize, Option<i64>),
    Wait(i64),
}

const ACCOUNTS: [(&str, Side, Limits); 8] = [
    ("EUR", Side::Debit, Limits::NONE),
    ("EUR", Side::Credit, Limits::NO_OVERDRAFT),
    ("EUR", Side::Credit, Limits::NO_OVERDRAFT),
    ("EUR", Side::Credit, limits(Some(-300), None)),
    ("EUR", Side::Credit, limits(Some(0), Some(500))),
    ("EUR", Side::Debit, limits(Some(0), None)),
    ("KWD", Side::Credit, Limits::NO_OVERDRAFT),
    ("KWD", Side::Debit, Limits::NONE),
];

const fn limits(floor_minor: Option<i64>, cap_minor: Option<i64>) -> Limits {
    Limits {
        floor_minor,
        cap_minor,
    }
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![60 => 1..200_i64, 1 => Just(4_000_000_000_000_000_000), 1 => Just(1_500_000_000_000_000_000)]
}

fn step() -> impl Strategy<Value = Step> {
    // One place more than there are accounts: an id that no account has.
    let pair = (0..=ACCOUNTS.len(), 0..=ACCOUNTS.len(), amount());
    let near = (
        prop_oneof![5 => 0..6_usize, 1 => 0..=ACCOUNTS.len()],
        prop_oneof![5 => 0..6_usize, 1 => 0..=ACCOUNTS.len()],
        amount(),
    );
    let pairs = prop_oneof![
        6 => prop::collection::vec(near, 1..2),
        2 => prop::collection::vec(pair, 1..4),
    ];
    let direction = prop_oneof![4 => Just(Direction::Outgoing), 1 => Just(Direction::Incoming)];
    prop_oneof![
        8 => (pairs, prop::option::weighted(0.3, 0..40_usize), prop::bool::weighted(0.8), prop_oneof![20 => 1..31_u32, 1 => Just(31)])
            .prop_map(|(pairs, hold, fits, day)| Step::Post { pairs, hold, fits, day }),
        1 => (0..60_usize).prop_map(Step::Reverse),
        3 => (0..=ACCOUNTS.len(), amount(), direction, prop::option::of(0..30_i64))
            .prop_map(|(account, amount, direction, minutes)| Step::Hold { account, amount, direction, minutes }),
        1 => (0..40_usize).prop_map(Step::Void),
        1 => (0..40_usize).prop_map(Step::Expire),
        1 => (0..200_usize, any::<bool>()).prop_map(|(of, is_other)| Step::Again { of, is_other }),
    ]
}

fn between() -> impl Strategy<Value = Between> {
    let freeze = prop_oneof![
        2 => Just(Freeze::Nothing),
        1 => Just(Freeze::Debits),
        1 => Just(Freeze::Credits),
    ];
    let account = 0..ACCOUNTS.len();
    prop_oneof![
        6 => Just(Between::Nothing),
        2 => (account.clone(), freeze).prop_map(|(at, freeze)| Between::Freeze(at, freeze)),
        1 => account.clone().prop_map(Between::Close),
        1 => (account, prop::option::of(-400..1_i64)).prop_map(|(at, floor)| Between::Limits(at, floor)),
        2 => (1..20_i64).prop_map(Between::Wait),
    ]
}

type Batch = (Vec<Step>, Between);

fn sequence() -> impl Strategy<Value = Vec<Batch>> {
    let steps = prop::collection::vec((step(), 0..100_u8, between()), 50..200);
    // Long batches mostly; in some sequences most commands stand alone.
    let cuts = prop_oneof![3 => Just(12_u8), 1 => Just(70)];
    (steps, cuts).prop_map(|(steps, cuts)| {
        let mut batches: Vec<Batch> = vec![(Vec::new(), Between::Nothing)];
        for (step, chance, between) in steps {
            batches.last_mut().unwrap().0.push(step);
            if chance < cuts {
                batches.push((Vec::new(), between));
            }
        }
        batches
    })
}

/// What was said, to say it again.
#[derive(Clone)]
struct Said {
    key: LedgerKey,
    told: Told,
}

struct Play<'b> {
    books: &'b Books,
    model: Model,
    ids: Vec<LedgerAccountId>,
    /// With the account of each and the side its money will go to.
    holds: Vec<(HoldId, usize, Side)>,
    postings: Vec<PostingId>,
    said: Vec<Said>,
}

fn pick<T: Copy>(from: &[T], at: usize, otherwise: T) -> T {
    if from.is_empty() {
        otherwise
    } else {
        from[at % from.len()]
    }
}

impl<'b> Play<'b> {
    async fn start(books: &'b Books) -> Self {
        let mut model = Model::default();
        let mut ids = Vec::new();
        for (currency, side, limits) in ACCOUNTS {
            let zero = Money::new(0, currency.parse().unwrap());
            let opened = books.account_in(zero, limits, side).await;
            ids.push(opened);
            model.accounts.push(Account {
                id: opened,
                currency,
                side,
                floor: limits.floor_minor,
                cap: limits.cap_minor,
                no_debit: false,
                no_credit: false,
                closed: false,
                dr: 0,
                cr: 0,
                pdr: 0,
                pcr: 0,
                history: Vec::new(),
            });
        }
        ids.push(LedgerAccountId::from(-1));
        Self {
            books,
            model,
            ids,
            holds: Vec::new(),
            postings: Vec::new(),
            said: Vec::new(),
        }
    }

    fn currency(&self, account: usize) -> &'static str {
        ACCOUNTS
            .get(account)
            .map_or("EUR", |(currency, ..)| currency)
    }

    fn told(&self, step: &Step) -> Option<Told> {
        let stranger = (HoldId::from(uuid::Uuid::nil()), 1, Side::Debit);
        let now = self.books.clock.now();
        Some(match step {
            Step::Post {
                pairs,
                hold,
                fits,
                day,
            } => {
                let held = hold.map(|at| pick(&self.holds, at, stranger));
                let mut pairs = pairs.clone();
                match held {
                    Some((_, account, Side::Debit)) if *fits => pairs[0].0 = account,
                    Some((_, account, Side::Credit)) if *fits => pairs[0].1 = account,
                    Some(_) | None => {}
                }
                let mut lines = Vec::new();
                for (from, to, amount) in &pairs {
                    let currency = self.currency(*from);
                    for (at, side) in [(from, Side::Debit), (to, Side::Credit)] {
                        lines.push(Line {
                            account: self.ids[*at],
                            side,
                            amount: *amount,
                            currency,
                        });
                    }
                }
                Told::Post {
                    lines,
                    hold: held.map(|(hold, ..)| hold),
                    is_open_day: *day < 31,
                }
            }
            Step::Reverse(at) => Told::Reverse {
                of: pick(&self.postings, *at, PostingId::from(uuid::Uuid::nil())),
                is_open_day: true,
            },
            Step::Hold {
                account,
                amount,
                direction,
                minutes,
            } => Told::Hold {
                account: self.ids[*account],
                amount: *amount,
                currency: self.currency(*account),
                direction: *direction,
                expires_at: minutes.map(|minutes| now + TimeDelta::minutes(minutes)),
            },
            Step::Void(at) => Told::Void(pick(&self.holds, *at, stranger).0),
            Step::Expire(at) => Told::Expire(pick(&self.holds, *at, stranger).0),
            Step::Again { .. } => return None,
        })
    }

    /// The command for the database and the model's verdict on it.
    fn say(&mut self, step: &Step) -> (Command, Verdict) {
        let said = match (self.told(step), step) {
            (Some(told), _) => Said {
                key: LedgerKey::from(id()),
                told,
            },
            (None, Step::Again { of, is_other }) if !self.said.is_empty() => {
                let mut said = self.said[of % self.said.len()].clone();
                if *is_other {
                    said.told = match said.told {
                        Told::Void(hold) => Told::Expire(hold),
                        Told::Expire(_) | Told::Reverse { .. } => Told::Void(HoldId::from(id())),
                        Told::Hold { .. } | Told::Post { .. } => Told::Reverse {
                            of: PostingId::from(id()),
                            is_open_day: true,
                        },
                    };
                }
                said
            }
            (None, _) => Said {
                key: LedgerKey::from(id()),
                told: Told::Void(HoldId::from(id())),
            },
        };
        let made = id();
        let now = self.books.clock.now();
        let verdict = self.model.tell(said.key, &said.told, made, now);
        match said.told {
            // Refused ones too: later commands name them and must be refused.
            Told::Post { .. } | Told::Reverse { .. } => self.postings.push(made.into()),
            Told::Hold {
                account, direction, ..
            } => {
                let at = self.ids.iter().position(|id| *id == account).unwrap();
                let normal = ACCOUNTS.get(at).map_or(Side::Credit, |(_, side, _)| *side);
                let side = match direction {
                    Direction::Outgoing => normal.opposite(),
                    Direction::Incoming => normal,
                };
                self.holds.push((made.into(), at, side));
            }
            Told::Void(_) | Told::Expire(_) => {}
        }
        let command = Command::new(said.key, action(&said.told, made));
        self.said.push(said);
        (command, verdict)
    }

    async fn meanwhile(&mut self, between: &Between) {
        let tx = self.books.write().await;
        match between {
            Between::Nothing => {}
            Between::Wait(minutes) => self.books.clock.advance(TimeDelta::minutes(*minutes)),
            Between::Freeze(at, freeze) => {
                let account = &mut self.model.accounts[*at];
                let frozen = branchline_ledger::set_freeze(&tx, account.id, *freeze).await;
                assert_eq!(frozen.is_ok(), !account.closed);
                if !account.closed {
                    account.no_debit = matches!(freeze, Freeze::Debits | Freeze::Everything);
                    account.no_credit = matches!(freeze, Freeze::Credits | Freeze::Everything);
                }
            }
            Between::Close(at) => {
                let account = &mut self.model.accounts[*at];
                let closed = branchline_ledger::close_account(&tx, account.id, day(5)).await;
                let is_empty = account.dr == account.cr && account.pdr == 0 && account.pcr == 0;
                assert_eq!(closed.is_ok(), is_empty && !account.closed);
                if closed.is_err() {
                    return;
                }
                account.closed = true;
            }
            Between::Limits(at, floor) => {
                let account = &mut self.model.accounts[*at];
                let set =
                    branchline_ledger::set_limits(&tx, account.id, limits(*floor, account.cap))
                        .await;
                let fits = floor.is_none_or(|floor| account.booked() - account.held() >= floor);
                assert_eq!(set.is_ok(), fits && !account.closed);
                if set.is_err() {
                    return;
                }
                account.floor = *floor;
            }
        }
        tx.commit().await.unwrap();
    }

    async fn compare(&self) -> Result<(), TestCaseError> {
        for account in &self.model.accounts {
            let stored = self.books.balances(account.id).await;
            prop_assert_eq!(stored.booked.minor(), account.booked());
            prop_assert_eq!(stored.held.minor(), account.held());
            prop_assert_eq!(stored.available.minor(), account.booked() - account.held());
            let page = self.books.statement(account.id).await;
            let mut history: Vec<_> = page
                .entries
                .iter()
                .map(|entry| entry.balance_after.minor())
                .collect();
            history.reverse();
            let tail = account.history.len().saturating_sub(500);
            prop_assert_eq!(&history, &account.history[tail..]);
            let last = page.entries.first().map_or(0, |entry| entry.seq);
            prop_assert_eq!(usize::try_from(last).unwrap(), account.history.len());
        }
        Ok(())
    }
}

fn action(told: &Told, made: uuid::Uuid) -> Action {
    let dates = |is_open: bool| {
        let december = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        Dates::on(if is_open { day(3) } else { december })
    };
    match told {
        Told::Post {
            lines,
            hold,
            is_open_day,
        } => {
            let legs = lines
                .iter()
                .map(|line| Leg {
                    account: line.account,
                    side: line.side,
                    amount: Money::new(line.amount, line.currency.parse().unwrap()),
                })
                .collect();
            let post = Post::try_new(made.into(), "test", dates(*is_open_day), legs).unwrap();
            Action::Post(match hold {
                Some(hold) => post.ending(*hold),
                None => post,
            })
        }
        Told::Reverse { of, is_open_day } => Action::Reverse(Reverse {
            id: made.into(),
            of: *of,
            dates: dates(*is_open_day),
        }),
        Told::Hold {
            account,
            amount,
            currency,
            direction,
            expires_at,
        } => {
            let amount = Money::new(*amount, currency.parse().unwrap());
            let hold = NewHold::try_new(made.into(), *account, amount, *direction).unwrap();
            Action::Hold(match expires_at {
                Some(at) => hold.until(*at),
                None => hold,
            })
        }
        Told::Void(hold) => Action::Void(*hold),
        Told::Expire(hold) => Action::Expire(*hold),
    }
}

async fn play(books: &Books, batches: &[Batch]) -> Result<(), TestCaseError> {
    let mut play = Play::start(books).await;
    for (steps, between) in batches {
        play.meanwhile(between).await;
        let (commands, expected): (Vec<_>, Vec<_>) =
            steps.iter().map(|step| play.say(step)).unzip();
        let verdicts = books.post(&commands).await;
        prop_assert_eq!(verdicts, expected);
    }
    play.compare().await
}

fn sequences() -> u32 {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads how long it shall last"
    )]
    let wanted = std::env::var("BRANCHLINE_LEDGER_SEQUENCES");
    wanted.map_or(100, |text| text.parse().unwrap())
}

#[test]
fn random_batches_agree_with_the_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(books) = runtime.block_on(books()) else {
        return;
    };
    let mut runner = TestRunner::new(Config {
        cases: sequences(),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    });
    let played = runner.run(&sequence(), |batches| {
        runtime.block_on(play(&books, &batches))
    });
    if let Err(found) = played {
        panic!("{found}");
    }
    runtime.block_on(books.agree());
}
