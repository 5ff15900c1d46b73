-- A posting alone. Most batches of most tenants are one plain command, and a batch of one spends its time on the setting up of
-- what it needs for five hundred.

-- Posts one command of one debit and one credit, of which nothing but the usual is asked, and says true. Where it is not sure
-- that post_batch would accept the command, it says false and has changed nothing: post_batch decides, and the accounts stay
-- locked for it. It never refuses. Raises what post_batch raises.
CREATE FUNCTION post_plain(
    p_key uuid, p_hash bytea, p_id uuid, p_kind text, p_booking date, p_value date, p_actor text, p_memo text,
    p_reference_kind text, p_reference_id uuid, p_branch text,
    p_debit bigint, p_credit bigint, p_debit_first boolean, p_amount bigint, p_currency text)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off SET lock_timeout = '1s' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    c_most CONSTANT bigint := 4000000000000000000;
    r account%ROWTYPE; d account%ROWTYPE; c account%ROWTYPE;
    v_period date;
    v_d bigint; v_c bigint; -- what the balances of both gain
BEGIN
    IF NOT coalesce(p_debit <> p_credit AND p_amount BETWEEN 1 AND c_most, false) THEN
        RETURN false;
    END IF;
    -- As in post_batch: the periods, then both accounts by id, and whatever is read after that is read later.
    LOCK TABLE period IN ROW SHARE MODE;
    FOR r IN SELECT g.* FROM account g WHERE g.id IN (p_debit, p_credit) ORDER BY g.id FOR NO KEY UPDATE LOOP
        IF r.id = p_debit THEN d := r; ELSE c := r; END IF;
    END LOOP;
    SELECT p.first_day INTO v_period FROM period p
     WHERE p.first_day <= p_booking AND p.last_day >= p_booking AND p.closed_at IS NULL;
    v_d := CASE d.normal_side WHEN 'C' THEN -p_amount ELSE p_amount END;
    v_c := CASE c.normal_side WHEN 'C' THEN p_amount ELSE -p_amount END;
    IF v_period IS NULL OR d.id IS NULL OR c.id IS NULL OR d.currency <> p_currency OR c.currency <> p_currency
       OR d.no_debit OR d.no_credit OR c.no_debit OR c.no_credit OR d.closed_on IS NOT NULL OR c.closed_on IS NOT NULL
       OR d.dr + p_amount > c_most OR c.cr + p_amount > c_most
       OR d.available + v_d < d.floor_available OR d.booked + v_d > d.cap_booked
       OR c.available + v_c < c.floor_available OR c.booked + v_c > c.cap_booked THEN
        RETURN false;
    END IF;

    INSERT INTO ledger_key (key, result, reason, hash) VALUES (p_key, p_id, 0, p_hash) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO posting (id, kind, booking_date, value_date, actor, memo, reference_kind, reference_id, branch, leg_accounts, leg_seqs)
    VALUES (p_id, p_kind, p_booking, p_value, p_actor, p_memo, p_reference_kind, p_reference_id, p_branch,
            CASE WHEN p_debit_first THEN ARRAY[p_debit, p_credit] ELSE ARRAY[p_credit, p_debit] END,
            CASE WHEN p_debit_first THEN ARRAY[d.seq + 1, c.seq + 1] ELSE ARRAY[c.seq + 1, d.seq + 1] END);
    INSERT INTO entry (account, seq, amount, balance_after, posting, booking_date, value_date, side, currency)
    VALUES (p_debit, d.seq + 1, p_amount, d.booked + v_d, p_id, p_booking, p_value, 'D', p_currency),
           (p_credit, c.seq + 1, p_amount, c.booked + v_c, p_id, p_booking, p_value, 'C', p_currency);
    UPDATE account g SET dr = g.dr + CASE g.id WHEN p_debit THEN p_amount ELSE 0 END,
                         cr = g.cr + CASE g.id WHEN p_credit THEN p_amount ELSE 0 END, seq = g.seq + 1
     WHERE g.id IN (p_debit, p_credit);
    SET LOCAL lock_timeout = '10s';
    INSERT INTO gl_total AS g (period, gl_account, currency, dr, cr)
    SELECT v_period, q.gl_account, p_currency, q.dr, q.cr
      FROM (VALUES (d.gl_account, p_amount, CASE WHEN d.gl_account = c.gl_account THEN p_amount ELSE 0 END), (c.gl_account, 0, p_amount))
           q(gl_account, dr, cr)
     WHERE q.dr > 0 OR d.gl_account <> c.gl_account ORDER BY q.gl_account
    ON CONFLICT (period, gl_account, currency) DO UPDATE SET dr = g.dr + excluded.dr, cr = g.cr + excluded.cr;
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION post_plain(uuid, bytea, uuid, text, date, date, text, text, text, uuid, text, bigint, bigint, boolean, bigint, text)
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_plain(uuid, bytea, uuid, text, date, date, text, text, text, uuid, text, bigint, bigint, boolean, bigint, text)
    TO {{app}};

-- A CHECK is read, planned and compiled anew by each statement. Floor and cap are asked of the balances that are computed
-- anyway, and limits only where limits are set.
ALTER TABLE account DROP CONSTRAINT account_floor_kept, DROP CONSTRAINT account_cap_kept, DROP CONSTRAINT account_limits_ok,
    ADD CONSTRAINT account_floor_kept CHECK (available >= floor_available),
    ADD CONSTRAINT account_cap_kept CHECK (booked <= cap_booked);
CREATE FUNCTION ledger_guard_limits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    IF NOT (NEW.floor_available BETWEEN -1000000000000000000 AND 1000000000000000000
            AND NEW.cap_booked BETWEEN -1000000000000000000 AND 1000000000000000000) THEN
        RAISE EXCEPTION 'floor and cap of an account are at most 10^18 minor units away from zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_limits_ok';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limits BEFORE INSERT OR UPDATE OF floor_available, cap_booked ON account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_limits();
REVOKE ALL ON FUNCTION ledger_guard_limits() FROM PUBLIC;

-- The guards with fewer steps to set up, and with what CHECKs of the two tables asked for.
CREATE OR REPLACE FUNCTION ledger_guard_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_broken text;
BEGIN
    SELECT coalesce(
               min(CASE WHEN NOT w.shaped THEN 'entry_shape_ok'
                        WHEN w.total <> 0 THEN 'entry_balanced'
                        WHEN p.booked_at IS DISTINCT FROM transaction_timestamp() OR p.booking_date <> w.booking_date
                            THEN 'entry_sealed' END),
               (SELECT 'entry_currency' FROM (SELECT n.currency, array_agg(DISTINCT n.account) AS ids FROM new_rows n GROUP BY n.currency) k
                 WHERE cardinality(k.ids) <> (SELECT count(*) FROM account a WHERE a.id = ANY (k.ids) AND a.currency = k.currency) LIMIT 1))
      INTO v_broken
      FROM (SELECT n.posting, n.booking_date, bool_and(n.side IN ('D', 'C') AND n.seq > 0 AND n.amount BETWEEN 1 AND 4000000000000000000) AS shaped,
                   sum(CASE n.side WHEN 'D' THEN n.amount ELSE -n.amount END) AS total
              FROM new_rows n GROUP BY n.posting, n.currency, n.booking_date) w
      LEFT JOIN LATERAL (SELECT q.booked_at, q.booking_date FROM posting q WHERE q.id = w.posting LIMIT 1) p ON true;
    IF v_broken IS NULL THEN
        RETURN NULL;
    END IF;
    IF v_broken = 'entry_shape_ok' THEN
        RAISE EXCEPTION 'an entry is a debit or a credit of 1 to 4*10^18 minor units with a number above zero'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'entry_balanced' THEN
        RAISE EXCEPTION 'the entries of a posting do not sum to zero in each currency and on one day'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'entry_currency' THEN
        RAISE EXCEPTION 'an entry has another currency than its account'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    END IF;
    RAISE EXCEPTION 'entries may join a posting only in the transaction that brings it, and on its day'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = v_broken;
END $$;

CREATE OR REPLACE FUNCTION ledger_guard_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_broken text;
BEGIN
    -- Nobody closes a period from here on until this transaction has ended.
    LOCK TABLE period IN ROW SHARE MODE;
    SELECT min(CASE WHEN NOT (length(n.kind) BETWEEN 1 AND 40 AND length(n.actor) BETWEEN 1 AND 200 AND length(n.branch) BETWEEN 1 AND 40
                              AND (n.memo IS NULL OR length(n.memo) <= 280)
                              AND (n.reference_kind IS NULL) = (n.reference_id IS NULL)
                              AND (n.reference_kind IS NULL OR length(n.reference_kind) <= 40)) THEN 'posting_words_ok'
                    WHEN NOT (cardinality(n.leg_accounts) BETWEEN 2 AND 100 AND cardinality(n.leg_seqs) = cardinality(n.leg_accounts))
                        THEN 'posting_legs_ok'
                    -- In order, so that an index serves: post_batch lets the planner choose no other way.
                    WHEN NOT coalesce((SELECT range_agg(daterange(q.first_day, q.last_day, '[]'))
                                         FROM (SELECT p.first_day, p.last_day FROM period p WHERE p.closed_at IS NULL ORDER BY p.first_day) q)
                                      @> n.booking_date, false) THEN 'posting_period_open'
                    WHEN n.booked_at <> transaction_timestamp() OR clock_timestamp() > transaction_timestamp() + interval '10 minutes'
                         OR EXISTS (SELECT FROM day_seal s WHERE s.day >= (transaction_timestamp() AT TIME ZONE 'UTC')::date)
                        THEN 'posting_booked_now' END)
      INTO v_broken FROM new_rows n;
    IF v_broken IS NULL THEN
        RETURN NULL;
    END IF;
    IF v_broken = 'posting_words_ok' THEN
        RAISE EXCEPTION 'kind, actor, branch, memo or reference of a posting is missing or too long'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'posting_legs_ok' THEN
        RAISE EXCEPTION 'a posting has 2 to 100 legs, each with its number in its account'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'posting_period_open' THEN
        RAISE EXCEPTION 'no open period covers the booking date'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    END IF;
    RAISE EXCEPTION 'a posting is booked at the time of its own transaction, in a day that is not sealed'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = v_broken;
END $$;

ALTER TABLE entry DROP CONSTRAINT entry_amount_ok, DROP CONSTRAINT entry_seq_ok;
ALTER TABLE posting DROP CONSTRAINT posting_legs_ok;
