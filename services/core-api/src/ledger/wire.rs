//! The ledger on the wire.

use branchline_core_contract::{
    EntrySideDto, HoldDirectionDto, HoldDto, HoldIdDto, HoldStateDto, LedgerAccountDto,
    LedgerEntryDto, LedgerEntryPageDto, LedgerFreezeDto, LegDto, NewHoldDto, NewLedgerAccountDto,
    NewPostingDto, PostedLegDto, PostingDto, ReferenceDto, ReversePostingDto,
};
use branchline_kernel::{Currency, HoldId, LedgerAccountId, Money, PostingId, Timestamp};
use branchline_ledger::{
    Account, Action, Balances, Command, Dates, Direction, Effect, Entry, Freeze, Hold, HoldState,
    LedgerKey, Leg, Limits, MalformedCommand, NewAccount, NewHold, Page, Post, PostedLeg, Posting,
    Reference, RefusedByLedger, Reverse, Side, Verdict,
};
use branchline_web::{Answer, Problem};
use chrono::NaiveDate;

use crate::accounts::show_money;
use crate::input;
use crate::posting::Occasion;

/// The names that Branchline itself gives to accounts begin so.
const RESERVED: [&str; 2] = ["house/", "deposit/"];

pub(super) fn parse_new_account(dto: NewLedgerAccountDto) -> Result<NewAccount, Problem> {
    let NewLedgerAccountDto {
        code,
        currency,
        normal_side,
        gl_account,
        floor,
        cap,
    } = dto;
    let code = input::line("code", code, 80)?;
    if RESERVED.iter().any(|prefix| code.starts_with(prefix)) {
        let detail = "code: names that begin with house/ or deposit/ are reserved: choose another.";
        return Err(Problem::invalid(detail));
    }
    let currency = input::currency("currency", &currency)?;
    let gl_account = input::line("gl_account", gl_account, 80)?;
    let limits = Limits {
        floor_minor: bound("floor", floor.as_deref(), currency)?,
        cap_minor: bound("cap", cap.as_deref(), currency)?,
    };
    let account = NewAccount::new(&code, currency, parse_side(normal_side), &gl_account);
    Ok(account.with_limits(limits))
}

fn bound(field: &str, text: Option<&str>, currency: Currency) -> Result<Option<i64>, Problem> {
    let parsed = text.map(|text| Money::parse(text, currency)).transpose();
    match parsed {
        Ok(money) => Ok(money.map(Money::minor)),
        Err(error) => Err(Problem::invalid(&format!("{field}: {error}."))),
    }
}

/// The days that a caller asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    booking: Option<NaiveDate>,
    value: Option<NaiveDate>,
}

impl Days {
    fn try_new(booking: Option<NaiveDate>, value: Option<NaiveDate>) -> Result<Self, Problem> {
        input::day("booking_date", booking)?;
        input::day("value_date", value)?;
        Ok(Self { booking, value })
    }

    /// What is left open is today.
    fn at(self, now: Timestamp) -> Dates {
        let booking = self.booking.unwrap_or_else(|| now.date_naive());
        Dates {
            booking,
            value: self.value.unwrap_or(booking),
        }
    }
}

/// What is said of a posting or a hold for people and programs.
struct About {
    memo: Option<String>,
    reference: Option<Reference>,
}

impl About {
    fn try_new(memo: Option<String>, reference: Option<ReferenceDto>) -> Result<Self, Problem> {
        let memo = memo
            .map(|text| input::line("memo", text, 280))
            .transpose()?;
        let reference = match reference {
            Some(ReferenceDto { kind, id }) => Some(Reference {
                kind: input::line("reference.kind", kind, 40)?,
                id,
            }),
            None => None,
        };
        Ok(Self { memo, reference })
    }

    fn of(&self, occasion: &Occasion, key: LedgerKey, action: Action) -> Result<Command, Problem> {
        let mut command = Command::new(key, action)
            .by(occasion.actor())
            .map_err(malformed)?;
        if let Some(memo) = &self.memo {
            command = command.with_memo(memo).map_err(malformed)?;
        }
        match &self.reference {
            Some(Reference { kind, id }) => command.about(kind, *id).map_err(malformed),
            None => Ok(command),
        }
    }
}

fn malformed(error: MalformedCommand) -> Problem {
    Problem::invalid(&format!("The ledger cannot take this: {error}."))
}

/// A posting that a caller asks for.
pub(super) struct AskedPosting {
    kind: String,
    days: Days,
    legs: Vec<Leg>,
    hold: Option<HoldId>,
    about: About,
}

pub(super) fn parse_new_posting(dto: NewPostingDto) -> Result<AskedPosting, Problem> {
    let NewPostingDto {
        kind,
        booking_date,
        value_date,
        legs,
        hold_id,
        memo,
        reference,
    } = dto;
    let legs: Result<Vec<_>, _> = legs.iter().map(parse_leg).collect();
    Ok(AskedPosting {
        kind: input::line("kind", kind, 40)?,
        days: Days::try_new(booking_date, value_date)?,
        legs: legs?,
        hold: hold_id.map(HoldId::from),
        about: About::try_new(memo, reference)?,
    })
}

fn parse_leg(dto: &LegDto) -> Result<Leg, Problem> {
    let LegDto {
        ledger_account_id,
        side,
        amount,
    } = dto;
    Ok(Leg {
        account: LedgerAccountId::from(*ledger_account_id),
        side: parse_side(*side),
        amount: input::amount("legs.amount", amount)?,
    })
}

impl AskedPosting {
    pub(super) fn command(&self, occasion: &Occasion, key: LedgerKey) -> Result<Command, Problem> {
        let dates = self.days.at(occasion.now());
        let id = PostingId::from(occasion.next_id());
        let post = Post::try_new(id, &self.kind, dates, self.legs.clone()).map_err(malformed)?;
        let post = match self.hold {
            Some(hold) => post.ending(hold),
            None => post,
        };
        self.about.of(occasion, key, Action::Post(post))
    }
}

pub(super) fn parse_reversal(dto: ReversePostingDto) -> Result<Days, Problem> {
    let ReversePostingDto {
        booking_date,
        value_date,
    } = dto;
    Days::try_new(booking_date, value_date)
}

pub(super) fn reversal(
    occasion: &Occasion,
    of: PostingId,
    days: Days,
    key: LedgerKey,
) -> Result<Command, Problem> {
    let reverse = Reverse {
        id: occasion.next_id().into(),
        of,
        dates: days.at(occasion.now()),
    };
    let command = Command::new(key, Action::Reverse(reverse));
    command.by(occasion.actor()).map_err(malformed)
}

/// A hold that a caller asks for.
pub(super) struct AskedHold {
    account: LedgerAccountId,
    amount: Money,
    direction: Direction,
    expires_at: Option<Timestamp>,
    about: About,
}

pub(super) fn parse_new_hold(dto: NewHoldDto) -> Result<AskedHold, Problem> {
    let NewHoldDto {
        ledger_account_id,
        amount,
        direction,
        expires_at,
        memo,
        reference,
    } = dto;
    input::day("expires_at", expires_at.map(|at| at.date_naive()))?;
    Ok(AskedHold {
        account: ledger_account_id.into(),
        amount: input::amount("amount", &amount)?,
        direction: match direction {
            HoldDirectionDto::Outgoing => Direction::Outgoing,
            HoldDirectionDto::Incoming => Direction::Incoming,
        },
        expires_at,
        about: About::try_new(memo, reference)?,
    })
}

impl AskedHold {
    pub(super) fn command(&self, occasion: &Occasion, key: LedgerKey) -> Result<Command, Problem> {
        let id = HoldId::from(occasion.next_id());
        let hold = NewHold::try_new(id, self.account, self.amount, self.direction);
        let hold = hold.map_err(malformed)?;
        let hold = match self.expires_at {
            Some(at) => hold.until(at),
            None => hold,
        };
        self.about.of(occasion, key, Action::Hold(hold))
    }
}

pub(super) fn voiding(
    occasion: &Occasion,
    hold: HoldId,
    key: LedgerKey,
) -> Result<Command, Problem> {
    let command = Command::new(key, Action::Void(hold));
    command.by(occasion.actor()).map_err(malformed)
}

/// The hold that was placed or ended, or why it was not.
pub(super) fn show_held(verdict: Verdict) -> Result<Answer, Problem> {
    let shown = |hold: HoldId| HoldIdDto {
        hold_id: hold.uuid(),
    };
    match verdict.accepted()? {
        Effect::Held(hold) => Ok(Answer::created(&shown(hold))),
        Effect::Released(hold) => Ok(Answer::ok(&shown(hold))),
        Effect::Booked(_) => Err(RefusedByLedger::Conflict.into()),
    }
}

const fn parse_side(side: EntrySideDto) -> Side {
    match side {
        EntrySideDto::Debit => Side::Debit,
        EntrySideDto::Credit => Side::Credit,
    }
}

const fn show_side(side: Side) -> EntrySideDto {
    match side {
        Side::Debit => EntrySideDto::Debit,
        Side::Credit => EntrySideDto::Credit,
    }
}

fn show_reference(reference: Option<&Reference>) -> Option<ReferenceDto> {
    reference.map(|about| ReferenceDto {
        kind: about.kind.clone(),
        id: about.id,
    })
}

pub(super) fn show_account(account: &Account, balances: &Balances) -> LedgerAccountDto {
    LedgerAccountDto {
        ledger_account_id: account.id.number(),
        code: account.code.clone(),
        normal_side: show_side(account.normal_side),
        gl_account: account.gl_account.clone(),
        branch: account.branch.clone(),
        frozen: match account.freeze {
            Freeze::Nothing => LedgerFreezeDto::Nothing,
            Freeze::Debits => LedgerFreezeDto::Debits,
            Freeze::Credits => LedgerFreezeDto::Credits,
            Freeze::Everything => LedgerFreezeDto::Everything,
        },
        closed_on: account.closed_on,
        booked: show_money(balances.booked),
        available: show_money(balances.available),
        held: show_money(balances.held),
        incoming: show_money(balances.incoming),
    }
}

pub(super) fn show_page(page: &Page) -> LedgerEntryPageDto {
    LedgerEntryPageDto {
        entries: page.entries.iter().map(show_entry).collect(),
        next_cursor: page.next.as_ref().map(|next| next.as_str().to_owned()),
    }
}

fn show_entry(entry: &Entry) -> LedgerEntryDto {
    LedgerEntryDto {
        entry: entry.seq,
        posting_id: entry.posting.uuid(),
        side: show_side(entry.side),
        amount: show_money(entry.amount),
        balance_after: show_money(entry.balance_after),
        booking_date: entry.dates.booking,
        value_date: entry.dates.value,
        booked_at: entry.booked_at,
        kind: entry.kind.clone(),
        memo: entry.memo.clone(),
        reference: show_reference(entry.reference.as_ref()),
    }
}

pub(super) fn show_posting(posting: &Posting) -> PostingDto {
    PostingDto {
        posting_id: posting.id.uuid(),
        kind: posting.kind.clone(),
        booking_date: posting.dates.booking,
        value_date: posting.dates.value,
        booked_at: posting.booked_at,
        actor: posting.actor.clone(),
        branch: posting.branch.clone(),
        reversal_of: posting.reversal_of.map(PostingId::uuid),
        memo: posting.memo.clone(),
        reference: show_reference(posting.reference.as_ref()),
        legs: posting.legs.iter().map(show_leg).collect(),
    }
}

fn show_leg(leg: &PostedLeg) -> PostedLegDto {
    PostedLegDto {
        ledger_account_id: leg.account.number(),
        entry: leg.seq,
        side: show_side(leg.side),
        amount: show_money(leg.amount),
        balance_after: show_money(leg.balance_after),
    }
}

pub(super) fn show_hold(hold: &Hold) -> HoldDto {
    let (state, taken) = match hold.state {
        HoldState::Open => (HoldStateDto::Open, None),
        HoldState::Posted(taken) => (HoldStateDto::Posted, Some(show_money(taken))),
        HoldState::Voided => (HoldStateDto::Voided, None),
        HoldState::Expired => (HoldStateDto::Expired, None),
    };
    HoldDto {
        hold_id: hold.id.uuid(),
        ledger_account_id: hold.account.number(),
        amount: show_money(hold.amount),
        state,
        taken,
        expires_at: hold.expires_at,
    }
}
