//! Compares what is stored twice: counters and entries, holds and pendings, sub-ledgers and totals.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

use crate::error::LedgerError;

/// A contradiction in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static str,
    /// Where: the account, posting or total, as text.
    pub place: String,
}

/// Each gives the places where its rule is broken.
const RULES: [(&str, &str); 9] = [
    (
        "an account's counters are the sums of its entries",
        "SELECT a.id::text AS place FROM account a LEFT JOIN \
(SELECT e.account, coalesce(sum(e.amount) FILTER (WHERE e.side = 'D'), 0) AS dr, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'C'), 0) AS cr, count(*) AS n, max(e.seq) AS last \
FROM entry e GROUP BY e.account) s ON s.account = a.id \
WHERE a.dr <> coalesce(s.dr, 0) OR a.cr <> coalesce(s.cr, 0) \
OR a.seq <> coalesce(s.n, 0) OR a.seq <> coalesce(s.last, 0)",
    ),
    (
        "each balance follows from the one before",
        "SELECT q.account::text || '/' || q.seq AS place FROM (SELECT e.account, e.seq, e.balance_after, \
sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) \
OVER (PARTITION BY e.account ORDER BY e.seq) AS running \
FROM entry e JOIN account a ON a.id = e.account) q WHERE q.balance_after <> q.running",
    ),
    (
        "an entry is in the currency of its account and belongs to its posting",
        "SELECT e.account::text || '/' || e.seq AS place FROM entry e \
LEFT JOIN account a ON a.id = e.account LEFT JOIN posting p ON p.id = e.posting \
WHERE a.currency IS DISTINCT FROM e.currency OR p.booking_date IS DISTINCT FROM e.booking_date \
OR p.value_date IS DISTINCT FROM e.value_date",
    ),
    (
        "a posting has the legs it names, and they sum to zero in each currency",
        "SELECT p.id::text AS place FROM posting p LEFT JOIN (SELECT s.posting, sum(s.n) AS n, \
bool_and(s.total = 0) AS balanced FROM (SELECT e.posting, e.currency, count(*) AS n, \
sum(CASE e.side WHEN 'D' THEN e.amount ELSE -e.amount END) AS total \
FROM entry e GROUP BY e.posting, e.currency) s GROUP BY s.posting) q ON q.posting = p.id \
WHERE q.n IS DISTINCT FROM cardinality(p.leg_accounts) OR NOT q.balanced \
OR EXISTS (SELECT FROM unnest(p.leg_accounts, p.leg_seqs) k(account, seq) WHERE NOT EXISTS \
(SELECT FROM entry e WHERE e.account = k.account AND e.seq = k.seq AND e.posting = p.id))",
    ),
    (
        "what is pending on an account is the sum of its open holds",
        "SELECT a.id::text AS place FROM account a LEFT JOIN \
(SELECT h.account, coalesce(sum(h.amount) FILTER (WHERE h.side = 'D'), 0) AS dr, \
coalesce(sum(h.amount) FILTER (WHERE h.side = 'C'), 0) AS cr FROM hold h \
WHERE NOT EXISTS (SELECT FROM hold_end e WHERE e.hold = h.id) GROUP BY h.account) s \
ON s.account = a.id WHERE a.pdr <> coalesce(s.dr, 0) OR a.pcr <> coalesce(s.cr, 0)",
    ),
    (
        "the end of a hold belongs to a hold, and to a posting that took of it",
        "SELECT e.hold::text AS place FROM hold_end e LEFT JOIN hold h ON h.id = e.hold \
LEFT JOIN posting p ON p.id = e.posting WHERE h.id IS NULL OR e.posted > h.amount \
OR (e.how = 'post' AND (p.id IS NULL OR e.posted IS DISTINCT FROM (SELECT sum(g.amount) FROM entry g \
JOIN unnest(p.leg_accounts, p.leg_seqs) k(account, seq) ON g.account = k.account AND g.seq = k.seq \
WHERE g.account = h.account AND g.side = h.side)))",
    ),
    (
        "a reversal mirrors its posting leg by leg",
        "SELECT r.id::text AS place FROM posting r LEFT JOIN posting p ON p.id = r.reversal_of \
WHERE r.reversal_of IS NOT NULL AND (p.id IS NULL OR EXISTS (SELECT FROM \
unnest(r.leg_accounts, r.leg_seqs, p.leg_accounts, p.leg_seqs) k(ra, rs, pa, ps) \
LEFT JOIN entry x ON x.account = k.ra AND x.seq = k.rs LEFT JOIN entry y ON y.account = k.pa AND y.seq = k.ps \
WHERE k.ra IS DISTINCT FROM k.pa OR x.amount IS DISTINCT FROM y.amount OR x.side IS NOT DISTINCT FROM y.side))",
    ),
    (
        "the general ledger agrees with its accounts in each period",
        "SELECT coalesce(q.period, t.period)::text || ' ' || coalesce(q.gl_account, t.gl_account) || ' ' \
|| coalesce(q.currency, t.currency) AS place FROM (SELECT p.first_day AS period, a.gl_account, e.currency, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'D'), 0) AS dr, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'C'), 0) AS cr \
FROM entry e JOIN account a ON a.id = e.account \
JOIN period p ON e.booking_date BETWEEN p.first_day AND p.last_day GROUP BY 1, 2, 3) q \
FULL JOIN gl_total t ON t.period = q.period AND t.gl_account = q.gl_account AND t.currency = q.currency \
WHERE q.dr IS DISTINCT FROM t.dr OR q.cr IS DISTINCT FROM t.cr",
    ),
    (
        "a key that was posted has what it made, and a posting or hold has its key",
        "SELECT coalesce(k.key::text, q.id::text) AS place FROM (SELECT * FROM ledger_key g \
WHERE g.reason = 0 AND g.result IS NOT NULL) k \
FULL JOIN (SELECT id FROM posting UNION ALL SELECT id FROM hold) q ON q.id = k.result \
WHERE k.key IS NULL OR q.id IS NULL",
    ),
];

/// Looks through the whole books of the tenant. Nothing found means nothing contradicts.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn verify(tx: &TenantTx) -> Result<Vec<Finding>, LedgerError> {
    let mut findings = Vec::new();
    for (rule, sql) in RULES {
        for row in tx.named(sql, Values::new()).await? {
            let place = row.try_get("place").map_err(DbError::from)?;
            findings.push(Finding { rule, place });
        }
    }
    Ok(findings)
}
