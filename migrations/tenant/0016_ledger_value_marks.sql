-- Value figures of marks: a balance at a value day reads the entries of the books that are still open, and no others.
--
-- An entry may be valued on any day, before or behind the period it is booked under. So a mark keeps, of the entries booked
-- since the mark before it, the sum of each value day; what lies outside the marked days themselves can be found by itself.
-- Marks that were made without such figures get them when their period is marked again.
--
-- Invariants: an account's value marks are made in the order of their days, so the days between two of them never change.

CREATE TABLE value_mark (
    account bigint NOT NULL,
    day     date   NOT NULL,
    -- What is booked and valued by the end of the day.
    valued  bigint NOT NULL,
    CONSTRAINT value_mark_pkey PRIMARY KEY (account, day)
);

CREATE TABLE value_mark_day (
    account    bigint  NOT NULL,
    amount     bigint  NOT NULL,
    -- The mark's day, and a value day of the entries that were booked since the mark before.
    day        date    NOT NULL,
    value_date date    NOT NULL,
    -- Whether the value day lies behind the mark, or not after the mark before.
    outside    boolean NOT NULL,
    CONSTRAINT value_mark_day_pkey PRIMARY KEY (account, day, value_date)
);
CREATE INDEX value_mark_day_outside_idx ON value_mark_day (account, value_date) WHERE outside;

-- Periods all of whose accounts are marked. It only saves looking: without it, or with too much in it, balances stay right.
CREATE TABLE marked_period (
    first_day date        NOT NULL,
    marked_at timestamptz NOT NULL DEFAULT transaction_timestamp(),
    CONSTRAINT marked_period_pkey PRIMARY KEY (first_day)
);

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON value_mark
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON value_mark_day
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON marked_period
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();

-- Adds the value figures to the marks of these accounts at p_day.
CREATE FUNCTION ledger_mark_values(p_accounts bigint[], p_day date) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off AS $$
    INSERT INTO value_mark_day (account, day, value_date, amount, outside)
    SELECT a.id, p_day, e.value_date, sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END),
           e.value_date > p_day OR coalesce(e.value_date <= m.day, false)
      FROM unnest(p_accounts) k(id)
      JOIN account a ON a.id = k.id
      JOIN balance_mark b ON b.account = a.id AND b.day = p_day
      LEFT JOIN LATERAL (SELECT v.day, w.first_seq FROM value_mark v JOIN balance_mark w ON w.account = v.account AND w.day = v.day
                          WHERE v.account = a.id ORDER BY v.day DESC LIMIT 1) m ON true
      JOIN entry e ON e.account = a.id AND e.seq >= coalesce(m.first_seq, 1) AND e.seq <= b.last_seq
                  AND e.booking_date <= p_day AND e.booking_date > coalesce(m.day, '-infinity')
     GROUP BY a.id, e.value_date, m.day
    HAVING sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END) <> 0;

    INSERT INTO value_mark (account, day, valued)
    SELECT k.id, p_day, coalesce(m.valued, 0)
           + (SELECT coalesce(sum(d.amount), 0) FROM value_mark_day d
               WHERE d.account = k.id AND d.day = p_day AND d.value_date <= p_day)
           + (SELECT coalesce(sum(d.amount), 0) FROM value_mark_day d
               WHERE d.account = k.id AND d.outside AND d.day <= m.day AND d.value_date > m.day AND d.value_date <= p_day)
      FROM unnest(p_accounts) k(id)
      LEFT JOIN LATERAL (SELECT v.day, v.valued FROM value_mark v WHERE v.account = k.id ORDER BY v.day DESC LIMIT 1) m ON true
$$;

-- Marks up to p_count accounts behind p_after at the end of the closed period that begins on p_first, and gives the last
-- account it looked at, or null when none is left. Marks that are there stay, and cost next to nothing.
CREATE OR REPLACE FUNCTION ledger_mark_balances(p_first date, p_after bigint, p_count integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_began    timestamptz := clock_timestamp();
    v_day      date;
    v_last     bigint;
    v_accounts bigint[];
BEGIN
    SELECT p.last_day INTO v_day FROM period p WHERE p.first_day = p_first AND p.closed_at IS NOT NULL;
    IF v_day IS NULL OR EXISTS (SELECT FROM period p WHERE p.first_day < p_first AND p.closed_at IS NULL) THEN
        RAISE EXCEPTION 'only a closed period without open ones before it is marked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_mark_closed';
    END IF;
    -- Two who mark at once would each believe to follow the same mark.
    LOCK TABLE value_mark IN SHARE ROW EXCLUSIVE MODE;
    SELECT max(q.id) INTO v_last FROM (SELECT a.id FROM account a WHERE a.id > p_after ORDER BY a.id LIMIT p_count) q;
    IF v_last IS NULL THEN
        INSERT INTO marked_period (first_day) VALUES (p_first) ON CONFLICT (first_day) DO NOTHING;
        RETURN NULL;
    END IF;
    INSERT INTO balance_mark (account, day, booked, first_seq, last_seq)
    SELECT a.id, v_day, coalesce(m.booked, 0) + e.booked, least(e.first_seq, a.seq + 1), greatest(e.last_seq, m.last_seq, 0)
      FROM account a
      LEFT JOIN LATERAL (SELECT k.day, k.booked, k.first_seq, k.last_seq FROM balance_mark k
                          WHERE k.account = a.id AND k.day < v_day ORDER BY k.day DESC LIMIT 1) m ON true
      CROSS JOIN LATERAL (
          SELECT coalesce(sum(CASE WHEN q.side = a.normal_side THEN q.amount ELSE -q.amount END)
                              FILTER (WHERE q.booking_date <= v_day AND q.booking_date > coalesce(m.day, '-infinity')), 0) AS booked,
                 min(q.seq) FILTER (WHERE q.booking_date > v_day) AS first_seq,
                 max(q.seq) FILTER (WHERE q.booking_date <= v_day) AS last_seq
            FROM entry q WHERE q.account = a.id AND q.seq >= coalesce(m.first_seq, 1)) e
     WHERE a.id > p_after AND a.id <= v_last AND a.seq > 0
       AND NOT EXISTS (SELECT FROM balance_mark k WHERE k.account = a.id AND k.day = v_day)
    ON CONFLICT (account, day) DO NOTHING;
    v_accounts := (SELECT array_agg(a.id) FROM account a WHERE a.id > p_after AND a.id <= v_last AND a.seq > 0
        AND NOT EXISTS (SELECT FROM value_mark k WHERE k.account = a.id AND k.day >= v_day));
    PERFORM ledger_mark_values(v_accounts, v_day);
    -- Whoever opens books behind these days waits from here on and then sees the marks; whoever did so meanwhile is seen.
    LOCK TABLE period IN SHARE MODE;
    IF EXISTS (SELECT FROM period p WHERE p.first_day < p_first AND (p.closed_at IS NULL OR p.closed_at > v_began)) THEN
        RAISE EXCEPTION 'books were opened behind the days that are being marked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_mark_closed';
    END IF;
    RETURN v_last;
END $$;

REVOKE ALL ON FUNCTION ledger_mark_values(bigint[], date), ledger_mark_balances(date, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_mark_balances(date, bigint, integer) TO {{app}};
GRANT SELECT ON value_mark, value_mark_day, marked_period TO {{app}};
