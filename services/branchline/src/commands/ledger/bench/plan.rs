//! How much is measured: a run that counts, or a quick one.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};

use super::tenants::Crowd;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// The peak over random pairs of accounts, against TPC-B's.
    Uniform,
    /// The same over two busy tenants together.
    TwoTenants,
    /// As many clients as TPC-B has.
    SameClients,
    /// Nine of ten postings on a tenth of the accounts.
    NinetyTen,
    /// One account in every posting, against TPC-B at scale 1.
    Hot,
    /// One client, against a bare insert.
    Light,
    /// A fixed rate.
    OpenLoop,
    /// Through the core's HTTP, against TPC-B.
    Http,
    /// Bytes per posting.
    Storage,
    /// Statement pages of a long account, against a short one's.
    Pages,
    /// Many tenants, against a few.
    Crowd,
}

/// How much of it.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Short windows on few accounts: shows that the bench works and the books are right, not
    /// how fast anything is.
    #[arg(long)]
    pub(super) quick: bool,
    /// Writes each window as a line of JSON into this file.
    #[arg(long)]
    pub(super) json: Option<PathBuf>,
    /// Triples per verdict.
    #[arg(long, default_value_t = 7)]
    pub(super) triples: usize,
    /// Seconds per window.
    #[arg(long, default_value_t = 5)]
    pub(super) seconds: u64,
    /// Tenants that are compared with ten.
    #[arg(long, default_value_t = 1_000)]
    pub(super) tenants: usize,
    /// Entries of the long account whose statement pages are compared with a short one's.
    #[arg(long, default_value_t = 1_000_000)]
    pub(super) history: u64,
    /// Lets each flush of the server's log wait so many microseconds before, as on a slower disk:
    /// PostgreSQL's `commit_delay`, for the anchors as for ours.
    #[arg(long, default_value_t = 0)]
    pub(super) flush_micros: u32,
    /// Measures these parts only; the others count as unmeasured.
    #[arg(long, value_delimiter = ',')]
    pub(super) only: Vec<Part>,
}

/// What differs between a quick run and one that counts.
pub(super) struct Plan {
    pub(super) accounts: usize,
    pub(super) window: Duration,
    pub(super) triples: usize,
    pub(super) anchor_clients: &'static [usize],
    pub(super) clients: &'static [usize],
    pub(super) same_clients: usize,
    pub(super) connections: &'static [usize],
    pub(super) open_rate: u64,
    pub(super) crowd: Crowd,
    pub(super) history: u64,
    only: Vec<Part>,
}

impl Plan {
    pub(super) fn of(args: &Args) -> Self {
        if args.quick {
            return Self {
                accounts: 200,
                window: Duration::from_secs(1),
                triples: 1,
                anchor_clients: &[8],
                clients: &[1, 64],
                same_clients: 8,
                connections: &[32],
                open_rate: 300,
                crowd: Crowd { few: 3, many: 6 },
                history: 2_000,
                only: args.only.clone(),
            };
        }
        Self {
            accounts: 20_000,
            window: Duration::from_secs(args.seconds),
            triples: args.triples,
            anchor_clients: &[1, 8, 32, 64],
            clients: &[1, 8, 32, 64, 256, 1_024],
            same_clients: 32,
            connections: &[32, 64, 256],
            open_rate: 3_000,
            crowd: Crowd {
                few: args.tenants.min(10),
                many: args.tenants,
            },
            history: args.history.max(1_000),
            only: args.only.clone(),
        }
    }
}

/// Fewer triples than this are no verdict, unless fewer were asked for.
const FEWEST: usize = 5;

impl Plan {
    pub(super) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(super) fn needed(&self) -> usize {
        self.triples.min(FEWEST)
    }
}
