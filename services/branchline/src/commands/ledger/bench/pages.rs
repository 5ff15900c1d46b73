//! A page of a long account's statement against one of a short account's.

use std::time::Instant;

use anyhow::Context;
use branchline_db::Access;
use branchline_kernel::{Cursor, IdSource, LedgerAccountId, PostingId, RandomIds};
use branchline_ledger::{
    Action, Command, Dates, LedgerKey, Leg, Post, StatementQuery, post, statement,
};
use serde_json::json;

use super::Bench;
use super::report::{Ratio, Triples};
use crate::commands::ledger::ground::{Books, eur};
use crate::commands::ledger::torture::Chance;
use crate::terminal::tell;

/// Entries of the short account.
const SHORT: u64 = 100;
const PAGE: u16 = 50;
/// Pages whose times make one median.
const PAGES: usize = 200;
/// Postings that share a commit while the history is written.
const AT_ONCE: u64 = 1_000;

/// The two accounts; a third one is on the other side of everything.
struct Histories {
    books: Books,
    long: (LedgerAccountId, u64),
    short: (LedgerAccountId, u64),
}

impl Bench {
    /// Writes the histories and compares the median times of pages at random places.
    pub(super) async fn statement_pages(&mut self) -> anyhow::Result<String> {
        let histories = self.write_histories().await?;
        let mut chance = Chance::new(RandomIds.next().as_u64_pair().1);
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.median_page(&histories, histories.short, &mut chance);
            let first = first.await?;
            let middle = self.median_page(&histories, histories.long, &mut chance);
            let middle = middle.await?;
            let last = self.median_page(&histories, histories.short, &mut chance);
            let last = last.await?;
            triples.add(Ratio::of_triple(first, middle, last));
        }
        self.opened.push(histories.books);
        let conditions = json!({
            "long": histories.long.1, "short": histories.short.1, "page": PAGE, "pages": PAGES,
        });
        let needed = self.plan.needed();
        Ok(self
            .report
            .verdict("statement-page", &conditions, triples, needed))
    }

    async fn write_histories(&self) -> anyhow::Result<Histories> {
        let books = self.ground.tenant("history", 3, 1_000_000_000).await?;
        let [long, short, other] = books.accounts[..] else {
            anyhow::bail!("three accounts were opened");
        };
        let histories = Histories {
            // The opening is an entry as well.
            long: (long, self.plan.history),
            short: (short, SHORT),
            books,
        };
        for (account, entries) in [histories.short, histories.long] {
            let mut left = entries.saturating_sub(1);
            while left > 0 {
                let some = left.min(AT_ONCE);
                self.write(&histories.books, [account, other], some).await?;
                left = left.saturating_sub(some);
                if left.div_euclid(AT_ONCE).checked_rem(100) == Some(0) {
                    tell(&format!("{left} entries to write"));
                }
            }
        }
        self.ground.root().await?.run("VACUUM ANALYZE").await?;
        Ok(histories)
    }

    /// Postings to and fro, so that the balance stays where it is.
    async fn write(
        &self,
        books: &Books,
        [account, other]: [LedgerAccountId; 2],
        count: u64,
    ) -> anyhow::Result<()> {
        let one = eur(1)?;
        let mut commands = Vec::new();
        for number in 0..count {
            let mut pair = [account, other];
            if number.checked_rem(2) == Some(0) {
                pair.reverse();
            }
            let legs = vec![Leg::debit(pair[0], one), Leg::credit(pair[1], one)];
            let id = PostingId::from(RandomIds.next());
            let transfer = Post::try_new(id, "transfer", Dates::on(self.ground.day), legs)?;
            let key = LedgerKey::from(RandomIds.next());
            commands.push(Command::new(key, Action::Post(transfer)));
        }
        let db = &self.ground.db;
        let tx = db
            .tenant(&books.tenant, "system:bench", Access::Write)
            .await?;
        for verdict in post(&tx, &commands).await? {
            verdict.accepted()?;
        }
        Ok(tx.commit().await?)
    }

    /// The median time of a page in nanoseconds; the way to the database and back is in it.
    async fn median_page(
        &self,
        histories: &Histories,
        (account, entries): (LedgerAccountId, u64),
        chance: &mut Chance,
    ) -> anyhow::Result<u64> {
        let db = &self.ground.db;
        let tenant = &histories.books.tenant;
        let tx = db.tenant(tenant, "system:bench", Access::Read).await?;
        let places = entries.saturating_sub(u64::from(PAGE));
        let mut times = Vec::with_capacity(PAGES);
        for _ in 0..PAGES {
            // A whole page lies below.
            let below = u64::from(PAGE).saturating_add(1);
            let before = below.saturating_add(chance.below(places));
            let query = StatementQuery {
                cursor: Some(Cursor::after(&before.to_string()).as_str().to_owned()),
                limit: PAGE,
                ..StatementQuery::default()
            };
            let started = Instant::now();
            let page = statement(&tx, account, &query).await?;
            times.push(u64::try_from(started.elapsed().as_nanos())?);
            anyhow::ensure!(
                page.entries.len() == usize::from(PAGE),
                "a page is not full"
            );
        }
        tx.rollback().await?;
        times.sort_unstable();
        let middle = PAGES.checked_div(2).and_then(|middle| times.get(middle));
        middle.copied().context("there are pages")
    }
}
