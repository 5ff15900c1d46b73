//! Whether the guards of the ledger's tables are still there: a migration gone wrong, or an owner
//! with bad intentions, could have dropped or replaced them.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

use super::Finding;
use crate::error::LedgerError;

const TRIGGERS: [[&str; 3]; 22] = [
    ["posting", "insert_only", "ledger_guard_frozen_rows"],
    ["entry", "insert_only", "ledger_guard_frozen_rows"],
    ["hold", "insert_only", "ledger_guard_frozen_rows"],
    ["hold_end", "insert_only", "ledger_guard_frozen_rows"],
    ["ledger_key", "insert_only", "ledger_guard_frozen_rows"],
    ["day_seal", "insert_only", "ledger_guard_frozen_rows"],
    ["balance_mark", "insert_only", "ledger_guard_frozen_rows"],
    ["value_mark", "insert_only", "ledger_guard_frozen_rows"],
    ["value_mark_day", "insert_only", "ledger_guard_frozen_rows"],
    ["marked_period", "insert_only", "ledger_guard_frozen_rows"],
    ["period", "before_marks", "ledger_guard_new_period"],
    ["account", "no_removal", "ledger_guard_frozen_rows"],
    ["account_counter", "no_removal", "ledger_guard_frozen_rows"],
    ["period", "no_removal", "ledger_guard_frozen_rows"],
    ["gl_account", "no_removal", "ledger_guard_frozen_rows"],
    ["gl_total", "no_removal", "ledger_guard_frozen_rows"],
    ["entry", "whole_postings", "ledger_guard_entries"],
    ["posting", "booked_now", "ledger_guard_postings"],
    ["hold_end", "within_hold", "ledger_guard_hold_ends"],
    ["account", "identity", "ledger_guard_account"],
    ["account", "limits", "ledger_guard_limits"],
    ["period", "closed_once", "ledger_guard_period"],
];

const CONSTRAINTS: [[&str; 2]; 20] = [
    ["account", "account_pkey"],
    ["account", "account_code_key"],
    ["account", "account_counters_ok"],
    ["account", "account_floor_kept"],
    ["account", "account_cap_kept"],
    ["account", "account_closed_empty"],
    ["period", "period_pkey"],
    ["period", "period_no_overlap"],
    ["posting", "posting_pkey"],
    ["entry", "entry_pkey"],
    ["hold", "hold_pkey"],
    ["hold", "hold_amount_ok"],
    ["hold_end", "hold_end_pkey"],
    ["hold_end", "hold_end_posted_ok"],
    ["ledger_key", "ledger_key_pkey"],
    ["gl_total", "gl_total_pkey"],
    ["day_seal", "day_seal_pkey"],
    ["balance_mark", "balance_mark_pkey"],
    ["value_mark", "value_mark_pkey"],
    ["value_mark_day", "value_mark_day_pkey"],
];

/// SHA-256 of the text of each function that decides or guards. A migration that replaces one
/// adds its new text here and keeps the old one for as long as tenants may lag.
const FUNCTIONS: [[&str; 2]; 19] = [
    [
        "post_batch",
        "e5ad505247869539185bc59d4a7c27893995d4322a37b5e7522558a54e97716c",
    ],
    [
        "post_batch",
        "549c253c235145492dc6a8fd07a77911e8ee6c874ff030d47c31dee003ccb8f5",
    ],
    [
        "post_batch",
        "48991e604ad916ceae471f1a4d76c94118e6ac49c649b9491109fed6854c3dae",
    ],
    [
        "post_plain",
        "2a9593d633cd1b100646467d5f827884a19b43b2fe7af44a96177cd6ec805cee",
    ],
    [
        "ledger_guard_frozen_rows",
        "e7a18719790cfe9998e47290aabe4e85edd10838dfdbfc3b1fa2397e30b910db",
    ],
    [
        "ledger_guard_entries",
        "fb1caee81b84262bd5a3e8ab0e494e88ad7ea738b886f276d58d8ba65de0ba3f",
    ],
    [
        "ledger_guard_entries",
        "79b9eaaf6412072b973e8fa8965fcf1eb1bf4a907e3e22e0b19e8d54fe0bacb5",
    ],
    [
        "ledger_guard_entries",
        "fe9acc6c8373597236a6dbdedb1208469b859315a59a7308f217b87f4480d7d7",
    ],
    [
        "ledger_guard_entries",
        "abb106dd838691ed286eb732467e5960b036525c052e1cf0b1adc46628f38b99",
    ],
    [
        "ledger_guard_postings",
        "d24273ee6adb958b156e3035c63a607b685ee39216acb38fd4bef31255b4340c",
    ],
    [
        "ledger_guard_postings",
        "c34094be688a8286fcdb0a0103c60cdd77e293b35c00504bbb00b2f12ae0d820",
    ],
    [
        "ledger_guard_postings",
        "e083da064735531cc78e1da82b9ebd05e3e01e3ebed9b0e999b7cec6c98b3b8f",
    ],
    [
        "ledger_guard_hold_ends",
        "9ced1ff04ba818a449fea7f9ed5104b2cbd120c2aa15ed96bb93693a1e30a9d0",
    ],
    [
        "ledger_guard_account",
        "7365ee2e7f26eceacd648f320aa943ad72f766fbba79d4d355c90ace8d51143f",
    ],
    [
        "ledger_guard_account",
        "d784871549fed802cad2f63e0c134af23ef046ad6bc29f56a3189d9b77f8dd77",
    ],
    [
        "ledger_guard_limits",
        "eb72c13131d3ca623c8740ef17a50ad964fe8cd685346b0a9506cbc626f4fc0b",
    ],
    [
        "ledger_guard_period",
        "87ce13ef7ce7d6d3f6dcd85ab5a502260b1ff397f829abb5dcf7244b9e99ea0a",
    ],
    [
        "ledger_guard_new_period",
        "6766725eb48b9dfcdcce0d2bb91f0268d228f10225c9f76112455422cb526153",
    ],
    [
        "ledger_seal_content",
        "48f601606ca2bc5531b660994f93b8842c8d01dc08398fdc83fbafedf9ef3e0e",
    ],
];

const MISSING: &str = "SELECT 'trigger ' || w.name || ' on ' || w.tab AS place \
FROM unnest($1::text[], $2::text[], $3::text[]) w(tab, name, fn) WHERE NOT EXISTS (SELECT FROM pg_trigger t \
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid \
WHERE c.relnamespace = current_schema()::regnamespace AND p.pronamespace = c.relnamespace \
AND c.relname = w.tab AND t.tgname = w.name AND p.proname = w.fn AND t.tgenabled = 'O') \
UNION ALL SELECT 'constraint ' || w.name || ' on ' || w.tab FROM unnest($4::text[], $5::text[]) w(tab, name) \
WHERE NOT EXISTS (SELECT FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid \
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = w.tab AND k.conname = w.name AND k.convalidated) \
UNION ALL SELECT 'unique index posting_reversal_of_key' WHERE NOT EXISTS (SELECT FROM pg_index i \
JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = current_schema()::regnamespace \
AND c.relname = 'posting_reversal_of_key' AND i.indisunique AND i.indisvalid) \
UNION ALL SELECT 'function ' || w.name FROM (SELECT u.name, array_agg(u.digest) AS digests \
FROM unnest($6::text[], $7::text[]) u(name, digest) GROUP BY u.name) w \
WHERE (SELECT count(*) FILTER (WHERE p.prosecdef AND encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') = ANY (w.digests) \
AND EXISTS (SELECT FROM unnest(p.proconfig) c WHERE c LIKE 'search%' \
AND split_part(c, '=', 2) = quote_ident(current_schema()) || ', pg_temp')) <> 1 OR count(*) <> 1 \
FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace AND p.proname = w.name) \
UNION ALL SELECT 'rights of the application on ' || c.relname FROM pg_class c \
WHERE c.relnamespace = current_schema()::regnamespace \
AND c.relname = ANY (ARRAY['account', 'account_counter', 'balance_mark', 'day_seal', 'entry', 'gl_account', 'gl_total', 'hold', \
'hold_end', 'ledger_key', 'marked_period', 'period', 'posting', 'value_mark', 'value_mark_day']) AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')";

/// The guards that are not as they were made.
pub(super) async fn missing(tx: &TenantTx) -> Result<Vec<Finding>, LedgerError> {
    let part = |place: usize| column(&TRIGGERS, place);
    let values = Values::new()
        .with(part(0))
        .with(part(1))
        .with(part(2))
        .with(column(&CONSTRAINTS, 0))
        .with(column(&CONSTRAINTS, 1))
        .with(column(&FUNCTIONS, 0))
        .with(column(&FUNCTIONS, 1));
    let mut findings = Vec::new();
    for row in tx.named(MISSING, values).await? {
        findings.push(Finding {
            rule: "the guards of the ledger are as they were made",
            place: row.try_get("place").map_err(DbError::from)?,
        });
    }
    Ok(findings)
}

fn column<const N: usize>(rows: &[[&'static str; N]], place: usize) -> Vec<&'static str> {
    rows.iter()
        .filter_map(|row| row.get(place).copied())
        .collect()
}
