-- The double-entry ledger of one tenant.
--
-- Invariants that the database keeps, whoever writes:
--   * entries, postings, holds, ends of holds, keys and seals are inserted and never change;
--   * the entries of a posting sum to zero in each currency and arrive in the transaction that brings the posting;
--   * no available balance under its floor, no booked balance above its cap, no money on a closed account;
--   * no posting into days that no open period covers, or into a sealed day;
--   * a hold ends at most once, a posting is reversed at most once, a key is decided at most once.
-- The application role may read, and execute the functions that are granted at the end; nothing else writes.
--
-- Locks are taken in this order: periods by first day, accounts by id, general ledger totals by key.

-- Chart of accounts -----------------------------------------------------------------------------------------------

CREATE TABLE gl_account (
    code  text NOT NULL,
    name  text NOT NULL,
    class text NOT NULL,
    CONSTRAINT gl_account_pkey PRIMARY KEY (code),
    CONSTRAINT gl_account_code_ok CHECK (code ~ '^[A-Za-z0-9._-]{1,40}$'),
    CONSTRAINT gl_account_class_ok CHECK (class IN ('asset', 'liability', 'equity', 'income', 'expense'))
);

-- Ids of accounts come from here, not from a sequence: they must not depend on the server that holds the tenant.
CREATE TABLE account_counter (
    one  boolean NOT NULL DEFAULT true,
    last bigint  NOT NULL DEFAULT 0,
    CONSTRAINT account_counter_pkey PRIMARY KEY (one),
    CONSTRAINT account_counter_one CHECK (one)
);
INSERT INTO account_counter DEFAULT VALUES;

CREATE TABLE account (
    id              bigint   NOT NULL,
    dr              bigint   NOT NULL DEFAULT 0,
    cr              bigint   NOT NULL DEFAULT 0,
    pdr             bigint   NOT NULL DEFAULT 0,
    pcr             bigint   NOT NULL DEFAULT 0,
    seq             bigint   NOT NULL DEFAULT 0,
    floor_available bigint,
    cap_booked      bigint,
    booked          bigint   GENERATED ALWAYS AS (CASE normal_side WHEN 'C' THEN cr - dr ELSE dr - cr END) STORED,
    available       bigint   GENERATED ALWAYS AS (CASE normal_side WHEN 'C' THEN cr - dr - pdr ELSE dr - cr - pcr END) STORED,
    closed_on       date,
    exponent        smallint NOT NULL,
    no_debit        boolean  NOT NULL DEFAULT false,
    no_credit       boolean  NOT NULL DEFAULT false,
    currency        text     NOT NULL,
    normal_side     text     NOT NULL,
    code            text     NOT NULL,
    gl_account      text     NOT NULL,
    branch          text     NOT NULL,
    CONSTRAINT account_pkey PRIMARY KEY (id),
    CONSTRAINT account_code_key UNIQUE (code),
    CONSTRAINT account_code_ok CHECK (length(code) BETWEEN 1 AND 80),
    CONSTRAINT account_currency_ok CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT account_exponent_ok CHECK (exponent BETWEEN 0 AND 8),
    CONSTRAINT account_side_ok CHECK (normal_side IN ('D', 'C')),
    -- Four counters of at most 4e18 can be added and subtracted without leaving a bigint.
    CONSTRAINT account_counters_ok CHECK (
        dr BETWEEN 0 AND 4000000000000000000 AND cr BETWEEN 0 AND 4000000000000000000
        AND pdr BETWEEN 0 AND 4000000000000000000 AND pcr BETWEEN 0 AND 4000000000000000000 AND seq >= 0),
    CONSTRAINT account_limits_ok CHECK (
        floor_available BETWEEN -1000000000000000000 AND 1000000000000000000
        AND cap_booked BETWEEN -1000000000000000000 AND 1000000000000000000),
    CONSTRAINT account_floor_kept CHECK (
        CASE normal_side WHEN 'C' THEN cr - dr - pdr ELSE dr - cr - pcr END >= floor_available),
    CONSTRAINT account_cap_kept CHECK (CASE normal_side WHEN 'C' THEN cr - dr ELSE dr - cr END <= cap_booked),
    CONSTRAINT account_closed_empty CHECK (closed_on IS NULL OR (cr = dr AND pdr = 0 AND pcr = 0))
) WITH (fillfactor = 70);

-- Books -------------------------------------------------------------------------------------------------------------

CREATE TABLE period (
    first_day date NOT NULL,
    last_day  date NOT NULL,
    closed_at timestamptz,
    CONSTRAINT period_pkey PRIMARY KEY (first_day),
    CONSTRAINT period_days_ok CHECK (last_day >= first_day),
    CONSTRAINT period_no_overlap EXCLUDE USING gist (daterange(first_day, last_day, '[]') WITH &&)
);

CREATE TABLE posting (
    booked_at      timestamptz NOT NULL DEFAULT transaction_timestamp(),
    booking_date   date        NOT NULL,
    value_date     date        NOT NULL,
    id             uuid        NOT NULL,
    reversal_of    uuid,
    reference_id   uuid,
    kind           text        NOT NULL,
    actor          text        NOT NULL,
    branch         text        NOT NULL,
    memo           text,
    reference_kind text,
    -- Where the entries lie: account and sequence of each leg, in the order of the legs.
    leg_accounts   bigint[]    NOT NULL,
    leg_seqs       bigint[]    NOT NULL,
    CONSTRAINT posting_pkey PRIMARY KEY (id),
    CONSTRAINT posting_kind_ok CHECK (length(kind) BETWEEN 1 AND 40),
    CONSTRAINT posting_actor_ok CHECK (length(actor) BETWEEN 1 AND 200),
    CONSTRAINT posting_branch_ok CHECK (length(branch) BETWEEN 1 AND 40),
    CONSTRAINT posting_memo_ok CHECK (length(memo) <= 280),
    CONSTRAINT posting_reference_ok CHECK ((reference_kind IS NULL) = (reference_id IS NULL) AND length(reference_kind) <= 40),
    CONSTRAINT posting_legs_ok CHECK (
        cardinality(leg_accounts) BETWEEN 2 AND 100 AND cardinality(leg_seqs) = cardinality(leg_accounts))
);
CREATE UNIQUE INDEX posting_reversal_of_key ON posting (reversal_of) WHERE reversal_of IS NOT NULL;
CREATE INDEX posting_booked_at_brin ON posting USING brin (booked_at) WITH (pages_per_range = 32);

CREATE TABLE entry (
    account       bigint NOT NULL,
    seq           bigint NOT NULL,
    amount        bigint NOT NULL,
    balance_after bigint NOT NULL,
    posting       uuid   NOT NULL,
    booking_date  date   NOT NULL,
    value_date    date   NOT NULL,
    side          text   NOT NULL,
    currency      text   NOT NULL,
    CONSTRAINT entry_pkey PRIMARY KEY (account, seq),
    CONSTRAINT entry_seq_ok CHECK (seq > 0),
    CONSTRAINT entry_amount_ok CHECK (amount BETWEEN 1 AND 4000000000000000000),
    CONSTRAINT entry_side_ok CHECK (side IN ('D', 'C'))
);

CREATE TABLE hold (
    id             uuid        NOT NULL,
    account        bigint      NOT NULL,
    amount         bigint      NOT NULL,
    placed_at      timestamptz NOT NULL DEFAULT transaction_timestamp(),
    expires_at     timestamptz,
    reference_id   uuid,
    side           text        NOT NULL,
    actor          text        NOT NULL,
    memo           text,
    reference_kind text,
    CONSTRAINT hold_pkey PRIMARY KEY (id),
    CONSTRAINT hold_amount_ok CHECK (amount BETWEEN 1 AND 4000000000000000000),
    CONSTRAINT hold_side_ok CHECK (side IN ('D', 'C')),
    CONSTRAINT hold_actor_ok CHECK (length(actor) BETWEEN 1 AND 200),
    CONSTRAINT hold_memo_ok CHECK (length(memo) <= 280),
    CONSTRAINT hold_reference_ok CHECK ((reference_kind IS NULL) = (reference_id IS NULL) AND length(reference_kind) <= 40)
);
CREATE INDEX hold_account_idx ON hold (account);
CREATE INDEX hold_expires_idx ON hold (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE hold_end (
    hold     uuid        NOT NULL,
    posting  uuid,
    posted   bigint      NOT NULL,
    ended_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    how      text        NOT NULL,
    actor    text        NOT NULL,
    CONSTRAINT hold_end_pkey PRIMARY KEY (hold),
    CONSTRAINT hold_end_how_ok CHECK (how IN ('post', 'void', 'expire')),
    CONSTRAINT hold_end_posting_ok CHECK ((how = 'post') = (posting IS NOT NULL)),
    CONSTRAINT hold_end_posted_ok CHECK (posted >= 0 AND (how = 'post') = (posted > 0))
);

-- One row per decided command: 0 posted, else the reason of the refusal. Kept as long as the entries.
CREATE TABLE ledger_key (
    key     uuid     NOT NULL,
    result  uuid,
    account bigint,
    reason  smallint NOT NULL,
    hash    bytea    NOT NULL,
    CONSTRAINT ledger_key_pkey PRIMARY KEY (key),
    CONSTRAINT ledger_key_hash_ok CHECK (length(hash) = 32),
    CONSTRAINT ledger_key_reason_ok CHECK (reason BETWEEN 0 AND 17)
);

CREATE TABLE gl_total (
    period     date           NOT NULL,
    gl_account text           NOT NULL,
    currency   text           NOT NULL,
    dr         numeric(30, 0) NOT NULL,
    cr         numeric(30, 0) NOT NULL,
    CONSTRAINT gl_total_pkey PRIMARY KEY (period, gl_account, currency),
    CONSTRAINT gl_total_ok CHECK (dr >= 0 AND cr >= 0)
) WITH (fillfactor = 50);

-- A hash chain over days that are over: what was sealed can no longer change unseen.
CREATE TABLE day_seal (
    day       date        NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    postings  bigint      NOT NULL,
    entries   bigint      NOT NULL,
    previous  bytea       NOT NULL,
    hash      bytea       NOT NULL,
    CONSTRAINT day_seal_pkey PRIMARY KEY (day),
    CONSTRAINT day_seal_counts_ok CHECK (postings >= 0 AND entries >= 0),
    CONSTRAINT day_seal_hashes_ok CHECK (length(previous) = 32 AND length(hash) = 32)
);

-- Rights ------------------------------------------------------------------------------------------------------------

GRANT SELECT ON gl_account, account, period, posting, entry, hold, hold_end, ledger_key, gl_total, day_seal TO {{app}};
