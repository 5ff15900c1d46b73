-- What the ledger's tables refuse, whoever writes.

-- Guards ------------------------------------------------------------------------------------------------------------
-- They work per statement. A transition table is never joined: keys go into an array first.

CREATE FUNCTION ledger_guard_frozen_rows() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'rows of the ledger are inserted and never change: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'ledger_insert_only';
END $$;

CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hold
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hold_end
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_key
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON day_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON account_counter
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON period
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON gl_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();
CREATE TRIGGER no_removal BEFORE DELETE OR TRUNCATE ON gl_total
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_frozen_rows();

-- Each INSERT into entry brings whole postings, of this very transaction, in the currency of each account.
CREATE FUNCTION ledger_guard_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_postings   uuid[];
    v_days       date[];
    v_accounts   bigint[];
    v_currencies text[];
    v_balanced   boolean;
BEGIN
    SELECT array_agg(s.posting), array_agg(s.day), bool_and(s.total = 0 AND s.day = s.last_day)
      INTO v_postings, v_days, v_balanced
      FROM (SELECT n.posting, min(n.booking_date) AS day, max(n.booking_date) AS last_day,
                   sum(CASE n.side WHEN 'D' THEN n.amount ELSE -n.amount END) AS total
              FROM new_rows n GROUP BY n.posting, n.currency) s;
    IF NOT v_balanced THEN
        RAISE EXCEPTION 'the entries of a posting do not sum to zero in each currency'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_balanced';
    END IF;
    IF EXISTS (SELECT FROM unnest(v_postings, v_days) k(id, day)
                 LEFT JOIN LATERAL (SELECT p.booked_at, p.booking_date FROM posting p WHERE p.id = k.id LIMIT 1) p ON true
                WHERE p.booked_at IS DISTINCT FROM transaction_timestamp() OR p.booking_date <> k.day) THEN
        RAISE EXCEPTION 'entries may join a posting only in the transaction that brings it'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'entry_sealed';
    END IF;
    SELECT array_agg(s.account), array_agg(s.currency) INTO v_accounts, v_currencies
      FROM (SELECT n.account, n.currency FROM new_rows n GROUP BY n.account, n.currency) s;
    IF EXISTS (SELECT FROM unnest(v_accounts, v_currencies) k(id, currency)
                 LEFT JOIN LATERAL (SELECT a.currency FROM account a WHERE a.id = k.id LIMIT 1) a ON true
                WHERE a.currency IS DISTINCT FROM k.currency) THEN
        RAISE EXCEPTION 'an entry has another currency than its account'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_currency';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER whole_postings AFTER INSERT ON entry REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_entries();

-- A posting carries the time of its own transaction, which is not old, lies in an open period and in no sealed day.
CREATE FUNCTION ledger_guard_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_days date[];
    v_own  boolean;
BEGIN
    SELECT array_agg(DISTINCT n.booking_date), bool_and(n.booked_at = transaction_timestamp())
      INTO v_days, v_own FROM new_rows n;
    IF v_days IS NULL THEN
        RETURN NULL;
    END IF;
    IF NOT v_own OR clock_timestamp() > transaction_timestamp() + interval '10 minutes' OR EXISTS (SELECT FROM day_seal s WHERE s.day >= (transaction_timestamp() AT TIME ZONE 'UTC')::date) THEN
        RAISE EXCEPTION 'a posting is booked at the time of its own transaction, in a day that is not sealed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'posting_booked_now';
    END IF;
    PERFORM FROM period p
      WHERE p.closed_at IS NULL AND EXISTS (SELECT FROM unnest(v_days) d WHERE d BETWEEN p.first_day AND p.last_day)
      ORDER BY p.first_day FOR SHARE;
    IF EXISTS (SELECT FROM unnest(v_days) d WHERE NOT EXISTS (
                 SELECT FROM period p WHERE d BETWEEN p.first_day AND p.last_day AND p.closed_at IS NULL)) THEN
        RAISE EXCEPTION 'no open period covers the booking date'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_period_open';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER booked_now AFTER INSERT ON posting REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_postings();

-- The end of a hold belongs to a hold and posts no more than was held.
CREATE FUNCTION ledger_guard_hold_ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_holds  uuid[];
    v_posted bigint[];
BEGIN
    SELECT array_agg(n.hold), array_agg(n.posted) INTO v_holds, v_posted FROM new_rows n;
    IF EXISTS (SELECT FROM unnest(v_holds, v_posted) k(id, posted)
                 LEFT JOIN LATERAL (SELECT h.amount FROM hold h WHERE h.id = k.id LIMIT 1) h ON true
                WHERE h.amount IS NULL OR k.posted > h.amount) THEN
        RAISE EXCEPTION 'the end of a hold belongs to a hold and posts no more than was held'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_end_within_hold';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER within_hold AFTER INSERT ON hold_end REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_guard_hold_ends();

-- What an account is cannot change once entries may refer to it. Not fired by updates of counters, limits and freezes.
CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'id, code, currency, side, chart account and branch of an account never change'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'account_identity';
    END IF;
    IF NOT EXISTS (SELECT FROM gl_account g WHERE g.code = NEW.gl_account) THEN
        RAISE EXCEPTION 'the chart of accounts does not have this account'
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'account_gl_account_fkey';
    END IF;
    IF NEW.dr <> 0 OR NEW.cr <> 0 OR NEW.pdr <> 0 OR NEW.pcr <> 0 OR NEW.seq <> 0 THEN
        RAISE EXCEPTION 'a new account is empty'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'account_new_empty';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER identity BEFORE INSERT OR UPDATE OF id, code, currency, exponent, normal_side, gl_account, branch ON account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();

-- A period is closed once and never opened again.
CREATE FUNCTION ledger_guard_period() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL
       OR NEW.first_day <> OLD.first_day OR NEW.last_day <> OLD.last_day THEN
        RAISE EXCEPTION 'a period can only be closed, once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'period_closed_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER closed_once BEFORE UPDATE ON period FOR EACH ROW EXECUTE FUNCTION ledger_guard_period();

REVOKE ALL ON FUNCTION ledger_guard_frozen_rows(), ledger_guard_entries(), ledger_guard_postings(), ledger_guard_hold_ends(),
    ledger_guard_account(), ledger_guard_period() FROM PUBLIC;
