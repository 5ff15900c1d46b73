-- Marks: an account's balance at the end of a closed period, so that a balance at any day reads one month of entries.
--
-- Nothing can be booked under the days of a closed period, nor into a period opened behind a mark, so what a mark says of
-- booking days stays true. Entries up to its day lie at last_seq or before, entries behind it at first_seq or after: an
-- account may be posted to under two open periods at once.

CREATE TABLE balance_mark (
    account   bigint NOT NULL,
    day       date   NOT NULL,
    booked    bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_seq  bigint NOT NULL,
    CONSTRAINT balance_mark_pkey PRIMARY KEY (account, day),
    CONSTRAINT balance_mark_seqs_ok CHECK (first_seq > 0 AND last_seq >= 0)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON balance_mark
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();

-- The last marked day of the tenant bounds where periods may still be opened.
CREATE FUNCTION ledger_guard_new_period() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM period p WHERE p.closed_at IS NOT NULL AND p.first_day > NEW.last_day
                AND EXISTS (SELECT FROM balance_mark m WHERE m.day = p.last_day)) THEN
        RAISE EXCEPTION 'no period can be opened behind days whose balances are marked'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'period_before_marks';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER before_marks BEFORE INSERT ON period FOR EACH ROW EXECUTE FUNCTION ledger_guard_new_period();

-- Marks up to p_count accounts behind p_after at the end of the closed period that begins on p_first, and gives the last
-- account it looked at, or null when none is left. Marks that are there stay.
CREATE FUNCTION ledger_mark_balances(p_first date, p_after bigint, p_count integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_day  date;
    v_last bigint;
BEGIN
    SELECT p.last_day INTO v_day FROM period p WHERE p.first_day = p_first AND p.closed_at IS NOT NULL;
    IF v_day IS NULL OR EXISTS (SELECT FROM period p WHERE p.first_day < p_first AND p.closed_at IS NULL) THEN
        RAISE EXCEPTION 'only a closed period without open ones before it is marked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'balance_mark_closed';
    END IF;
    SELECT max(q.id) INTO v_last FROM (SELECT a.id FROM account a WHERE a.id > p_after ORDER BY a.id LIMIT p_count) q;
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
    ON CONFLICT (account, day) DO NOTHING;
    RETURN v_last;
END $$;

REVOKE ALL ON FUNCTION ledger_guard_new_period(), ledger_mark_balances(date, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_mark_balances(date, bigint, integer) TO {{app}};
GRANT SELECT ON balance_mark TO {{app}};
