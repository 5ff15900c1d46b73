//! The rules, each as a query for the places where it is broken.
//!
//! A query over rows takes the portion's bounds: behind `$1`, up to `$2` or, without it, to the
//! end.

/// A rule and the query that finds where it is broken.
pub(super) struct Rule {
    pub(super) says: &'static str,
    pub(super) sql: &'static str,
}

/// A part of a verification.
pub(super) enum Section {
    /// The rows of a table, portion by portion.
    Rows {
        /// What it is about.
        subject: &'static str,
        /// A key before all others.
        start: &'static str,
        /// Gives the last key of a full portion behind `$1`.
        bounds: &'static str,
        /// What must hold of each.
        rules: &'static [Rule],
    },
    /// What can only be seen at once.
    Whole {
        /// What it is about.
        subject: &'static str,
        /// What must hold.
        rules: &'static [Rule],
    },
    /// The guards of the tables.
    Guards,
}

impl Section {
    pub(super) const fn subject(&self) -> &'static str {
        match self {
            Self::Rows { subject, .. } | Self::Whole { subject, .. } => subject,
            Self::Guards => "guards",
        }
    }
}

const NIL: &str = "00000000-0000-0000-0000-000000000000";

pub(super) const SECTIONS: [Section; 7] = [
    Section::Guards,
    Section::Rows {
        subject: "accounts",
        start: "-1",
        bounds: "SELECT q.id::text AS last FROM account q WHERE q.id > $1::bigint \
ORDER BY q.id OFFSET 999 LIMIT 1",
        rules: ACCOUNT_RULES,
    },
    Section::Rows {
        subject: "postings",
        start: NIL,
        bounds: "SELECT q.id::text AS last FROM posting q WHERE q.id > $1::uuid \
ORDER BY q.id OFFSET 4999 LIMIT 1",
        rules: POSTING_RULES,
    },
    Section::Rows {
        subject: "holds",
        start: NIL,
        bounds: "SELECT q.hold::text AS last FROM hold_end q WHERE q.hold > $1::uuid \
ORDER BY q.hold OFFSET 4999 LIMIT 1",
        rules: HOLD_RULES,
    },
    Section::Rows {
        subject: "keys",
        start: NIL,
        bounds: "SELECT q.key::text AS last FROM ledger_key q WHERE q.key > $1::uuid \
ORDER BY q.key OFFSET 9999 LIMIT 1",
        rules: KEY_RULES,
    },
    Section::Whole {
        subject: "general ledger",
        rules: TOTAL_RULES,
    },
    // A seal reads the postings of its days: a week of them at a time.
    Section::Rows {
        subject: "day seals",
        start: "-infinity",
        bounds: "SELECT q.day::text AS last FROM day_seal q WHERE q.day > $1::date \
ORDER BY q.day OFFSET 6 LIMIT 1",
        rules: SEAL_RULES,
    },
];

const ACCOUNT_RULES: &[Rule] = &[
    Rule {
        says: "an account's counters are the sums of its entries",
        sql: "SELECT a.id::text AS place FROM account a LEFT JOIN \
(SELECT e.account, coalesce(sum(e.amount) FILTER (WHERE e.side = 'D'), 0) AS dr, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'C'), 0) AS cr, count(*) AS n, max(e.seq) AS last \
FROM entry e WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint) \
GROUP BY e.account) s ON s.account = a.id \
WHERE a.id > $1::bigint AND ($2::text IS NULL OR a.id <= $2::bigint) \
AND (a.dr <> coalesce(s.dr, 0) OR a.cr <> coalesce(s.cr, 0) \
OR a.seq <> coalesce(s.n, 0) OR a.seq <> coalesce(s.last, 0))",
    },
    Rule {
        says: "each balance follows from the one before",
        sql: "SELECT q.account::text || '/' || q.seq AS place FROM (SELECT e.account, e.seq, e.balance_after, \
sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) \
OVER (PARTITION BY e.account ORDER BY e.seq) AS running \
FROM entry e JOIN account a ON a.id = e.account \
WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint)) q \
WHERE q.balance_after <> q.running",
    },
    Rule {
        says: "an entry is in the currency of its account and belongs to its posting",
        sql: "SELECT e.account::text || '/' || e.seq AS place FROM entry e \
LEFT JOIN account a ON a.id = e.account LEFT JOIN posting p ON p.id = e.posting \
WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint) \
AND (a.currency IS DISTINCT FROM e.currency OR p.booking_date IS DISTINCT FROM e.booking_date \
OR p.value_date IS DISTINCT FROM e.value_date)",
    },
    // Each entry is added to the first mark it is under, and the marks are summed in their order.
    Rule {
        says: "a marked balance is the sum of the entries up to its day",
        sql: "SELECT q.account::text || ' ' || q.day AS place FROM (SELECT u.account, u.day, u.mark, u.first_seq, u.last_seq, \
coalesce(sum(u.amount) OVER upto, 0) AS booked, max(u.hi) OVER upto AS hi, min(u.lo) OVER behind AS lo FROM \
(SELECT coalesce(m.account, p.account) AS account, coalesce(m.day, p.day) AS day, m.booked AS mark, m.first_seq, m.last_seq, \
p.amount, p.lo, p.hi FROM (SELECT * FROM balance_mark k \
WHERE k.account > $1::bigint AND ($2::text IS NULL OR k.account <= $2::bigint)) m FULL JOIN \
(SELECT e.account, coalesce(k.day, 'infinity') AS day, min(e.seq) AS lo, max(e.seq) AS hi, \
sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) AS amount \
FROM entry e JOIN account a ON a.id = e.account LEFT JOIN LATERAL (SELECT g.day FROM balance_mark g \
WHERE g.account = e.account AND g.day >= e.booking_date ORDER BY g.day LIMIT 1) k ON true \
WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint) GROUP BY 1, 2) p \
ON p.account = m.account AND p.day = m.day) u WINDOW upto AS (PARTITION BY u.account ORDER BY u.day), \
behind AS (PARTITION BY u.account ORDER BY u.day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)) q \
WHERE q.mark <> q.booked OR q.last_seq < q.hi OR q.lo < q.first_seq",
    },
    Rule {
        says: "a marked value balance is the sum of the entries booked and valued up to its day",
        sql: "SELECT q.account::text || ' ' || q.day AS place FROM (SELECT u.account, u.day, u.mark, \
coalesce(sum(u.amount) OVER (PARTITION BY u.account ORDER BY u.day), 0) AS valued FROM \
(SELECT coalesce(m.account, p.account) AS account, coalesce(m.day, p.day) AS day, m.valued AS mark, p.amount \
FROM (SELECT * FROM value_mark k WHERE k.account > $1::bigint AND ($2::text IS NULL OR k.account <= $2::bigint)) m FULL JOIN \
(SELECT e.account, coalesce(k.day, 'infinity') AS day, \
sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) AS amount \
FROM entry e JOIN account a ON a.id = e.account LEFT JOIN LATERAL (SELECT g.day FROM value_mark g WHERE g.account = e.account \
AND g.day >= greatest(e.booking_date, e.value_date) ORDER BY g.day LIMIT 1) k ON true \
WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint) GROUP BY 1, 2) p \
ON p.account = m.account AND p.day = m.day) u) q WHERE q.mark <> q.valued",
    },
    Rule {
        says: "what a mark keeps of a value day is the sum of the entries booked since the mark before",
        sql: "SELECT coalesce(d.account, p.account)::text || ' ' || coalesce(d.day, p.day) || ' ' \
|| coalesce(d.value_date, p.value_date) AS place FROM (SELECT * FROM value_mark_day g \
WHERE g.account > $1::bigint AND ($2::text IS NULL OR g.account <= $2::bigint)) d FULL JOIN \
(SELECT e.account, k.day, e.value_date, e.value_date > k.day OR coalesce(e.value_date <= k.before, false) AS outside, \
sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) AS amount \
FROM entry e JOIN account a ON a.id = e.account CROSS JOIN LATERAL (SELECT g.day, (SELECT max(h.day) FROM value_mark h \
WHERE h.account = g.account AND h.day < g.day) AS before FROM value_mark g \
WHERE g.account = e.account AND g.day >= e.booking_date ORDER BY g.day LIMIT 1) k \
WHERE e.account > $1::bigint AND ($2::text IS NULL OR e.account <= $2::bigint) GROUP BY 1, 2, 3, 4) p \
ON p.account = d.account AND p.day = d.day AND p.value_date = d.value_date \
WHERE coalesce(d.amount, 0) <> coalesce(p.amount, 0) OR d.outside <> p.outside \
OR d.outside AND p.outside IS NULL",
    },
    Rule {
        says: "what is pending on an account is the sum of its open holds",
        sql: "SELECT a.id::text AS place FROM account a LEFT JOIN \
(SELECT h.account, coalesce(sum(h.amount) FILTER (WHERE h.side = 'D'), 0) AS dr, \
coalesce(sum(h.amount) FILTER (WHERE h.side = 'C'), 0) AS cr FROM hold h \
WHERE h.account > $1::bigint AND ($2::text IS NULL OR h.account <= $2::bigint) \
AND NOT EXISTS (SELECT FROM hold_end e WHERE e.hold = h.id) GROUP BY h.account) s ON s.account = a.id \
WHERE a.id > $1::bigint AND ($2::text IS NULL OR a.id <= $2::bigint) \
AND (a.pdr <> coalesce(s.dr, 0) OR a.pcr <> coalesce(s.cr, 0))",
    },
];

const POSTING_RULES: &[Rule] = &[
    Rule {
        says: "a posting has the legs it names, and they sum to zero in each currency",
        sql: "SELECT p.id::text AS place FROM posting p \
CROSS JOIN LATERAL (SELECT count(e.posting) AS n, count(*) AS named FROM \
unnest(p.leg_accounts, p.leg_seqs) k(account, seq) LEFT JOIN entry e \
ON e.account = k.account AND e.seq = k.seq AND e.posting = p.id) q \
WHERE p.id > $1::uuid AND ($2::text IS NULL OR p.id <= $2::uuid) AND (q.n <> q.named OR EXISTS \
(SELECT FROM unnest(p.leg_accounts, p.leg_seqs) k(account, seq) JOIN entry e \
ON e.account = k.account AND e.seq = k.seq AND e.posting = p.id GROUP BY e.currency \
HAVING sum(CASE e.side WHEN 'D' THEN e.amount ELSE -e.amount END) <> 0))",
    },
    Rule {
        says: "a reversal mirrors its posting leg by leg",
        sql: "SELECT r.id::text AS place FROM posting r LEFT JOIN posting p ON p.id = r.reversal_of \
WHERE r.reversal_of IS NOT NULL AND r.id > $1::uuid AND ($2::text IS NULL OR r.id <= $2::uuid) \
AND (p.id IS NULL OR EXISTS (SELECT FROM \
unnest(r.leg_accounts, r.leg_seqs, p.leg_accounts, p.leg_seqs) k(ra, rs, pa, ps) \
LEFT JOIN entry x ON x.account = k.ra AND x.seq = k.rs LEFT JOIN entry y ON y.account = k.pa AND y.seq = k.ps \
WHERE k.ra IS DISTINCT FROM k.pa OR x.amount IS DISTINCT FROM y.amount OR x.side IS NOT DISTINCT FROM y.side))",
    },
];

const HOLD_RULES: &[Rule] = &[Rule {
    says: "the end of a hold belongs to a hold, and to a posting that took of it",
    sql: "SELECT e.hold::text AS place FROM hold_end e LEFT JOIN hold h ON h.id = e.hold \
LEFT JOIN posting p ON p.id = e.posting \
WHERE e.hold > $1::uuid AND ($2::text IS NULL OR e.hold <= $2::uuid) AND (h.id IS NULL OR e.posted > h.amount \
OR (e.how = 'post' AND (p.id IS NULL OR e.posted IS DISTINCT FROM (SELECT sum(g.amount) FROM entry g \
JOIN unnest(p.leg_accounts, p.leg_seqs) k(account, seq) ON g.account = k.account AND g.seq = k.seq \
WHERE g.account = h.account AND g.side = h.side))))",
}];

const KEY_RULES: &[Rule] = &[Rule {
    says: "a key that was posted has what it made",
    sql: "SELECT k.key::text AS place FROM ledger_key k WHERE k.reason = 0 AND k.result IS NOT NULL \
AND k.key > $1::uuid AND ($2::text IS NULL OR k.key <= $2::uuid) \
AND NOT EXISTS (SELECT FROM posting p WHERE p.id = k.result) AND NOT EXISTS (SELECT FROM hold h WHERE h.id = k.result)",
}];

const TOTAL_RULES: &[Rule] = &[
    Rule {
        says: "a posting has its legs and no others, and a posting or hold has its key",
        sql: "SELECT q.id::text AS place FROM (SELECT p.id, cardinality(p.leg_accounts) AS n FROM posting p \
UNION ALL SELECT h.id, NULL FROM hold h) q \
LEFT JOIN (SELECT e.posting, count(*) AS n FROM entry e GROUP BY e.posting) l ON l.posting = q.id \
LEFT JOIN (SELECT g.result FROM ledger_key g WHERE g.reason = 0) k ON k.result = q.id \
WHERE k.result IS NULL OR l.n IS DISTINCT FROM q.n",
    },
    Rule {
        says: "the general ledger agrees with its accounts in each period",
        sql: "SELECT coalesce(q.period, t.period)::text || ' ' || coalesce(q.gl_account, t.gl_account) || ' ' \
|| coalesce(q.currency, t.currency) AS place FROM (SELECT p.first_day AS period, a.gl_account, e.currency, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'D'), 0) AS dr, \
coalesce(sum(e.amount) FILTER (WHERE e.side = 'C'), 0) AS cr \
FROM entry e JOIN account a ON a.id = e.account \
JOIN period p ON e.booking_date BETWEEN p.first_day AND p.last_day GROUP BY 1, 2, 3) q \
FULL JOIN gl_total t ON t.period = q.period AND t.gl_account = q.gl_account AND t.currency = q.currency \
WHERE q.dr IS DISTINCT FROM t.dr OR q.cr IS DISTINCT FROM t.cr",
    },
];

const SEAL_RULES: &[Rule] = &[Rule {
    says: "what a day seal covers is as it was sealed",
    sql: "SELECT s.day::text AS place FROM day_seal s \
LEFT JOIN LATERAL (SELECT b.day, b.hash FROM day_seal b WHERE b.day < s.day ORDER BY b.day DESC LIMIT 1) b ON true \
CROSS JOIN LATERAL (SELECT coalesce(b.hash, decode(repeat('00', 32), 'hex')) AS hash) l \
CROSS JOIN LATERAL ledger_seal_content(b.day, s.day, l.hash) c \
WHERE s.day > $1::date AND ($2::text IS NULL OR s.day <= $2::date) \
AND (s.previous <> l.hash OR s.hash <> c.hash OR s.postings <> c.postings OR s.entries <> c.entries) ORDER BY s.day",
}];
