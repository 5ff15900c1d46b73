-- What is done to accounts, the chart and periods besides posting.

-- Accounts, chart and periods ---------------------------------------------------------------------------------------

-- A block of account ids; the caller owns all of (result - p_count, result].
CREATE FUNCTION ledger_take_ids(p_count bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_last bigint;
BEGIN
    IF p_count IS NULL OR p_count < 1 OR p_count > 1000000 THEN
        RAISE EXCEPTION 'a block has 1 to 1000000 ids' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE account_counter c SET last = c.last + p_count RETURNING c.last INTO v_last;
    RETURN v_last;
END $$;

CREATE FUNCTION ledger_add_gl_account(p_code text, p_name text, p_class text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
    INSERT INTO gl_account (code, name, class) VALUES (p_code, p_name, p_class)
$$;

CREATE FUNCTION ledger_open_account(
    p_code text, p_currency text, p_exponent smallint, p_side text, p_gl_account text, p_branch text, p_floor bigint, p_cap bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_id bigint := ledger_take_ids(1);
BEGIN
    INSERT INTO account (id, code, currency, exponent, normal_side, gl_account, branch, floor_available, cap_booked)
    VALUES (v_id, p_code, p_currency, p_exponent, p_side, p_gl_account, p_branch, p_floor, p_cap);
    RETURN v_id;
END $$;

-- Answers whether the account exists and is open.
CREATE FUNCTION ledger_set_freeze(p_account bigint, p_no_debit boolean, p_no_credit boolean) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    UPDATE account a SET no_debit = p_no_debit, no_credit = p_no_credit WHERE a.id = p_account AND a.closed_on IS NULL;
    RETURN FOUND;
END $$;

CREATE FUNCTION ledger_set_limits(p_account bigint, p_floor bigint, p_cap bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    UPDATE account a SET floor_available = p_floor, cap_booked = p_cap WHERE a.id = p_account AND a.closed_on IS NULL;
    RETURN FOUND;
END $$;

-- Refused by account_closed_empty while money lies on it, booked or pending.
CREATE FUNCTION ledger_close_account(p_account bigint, p_day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
BEGIN
    UPDATE account a SET closed_on = p_day WHERE a.id = p_account AND a.closed_on IS NULL;
    RETURN FOUND;
END $$;

CREATE FUNCTION ledger_open_period(p_first date, p_last date) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
    INSERT INTO period (first_day, last_day) VALUES (p_first, p_last)
$$;

-- The instant of closing is read only once the row is locked: whatever was booked, was booked before it.
CREATE FUNCTION ledger_close_period(p_first date) RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_closed timestamptz;
BEGIN
    PERFORM FROM period p WHERE p.first_day = p_first AND p.closed_at IS NULL FOR NO KEY UPDATE;
    UPDATE period p SET closed_at = clock_timestamp() WHERE p.first_day = p_first AND p.closed_at IS NULL
        RETURNING p.closed_at INTO v_closed;
    RETURN v_closed;
END $$;

REVOKE ALL ON FUNCTION ledger_take_ids(bigint), ledger_add_gl_account(text, text, text),
    ledger_open_account(text, text, smallint, text, text, text, bigint, bigint), ledger_set_freeze(bigint, boolean, boolean),
    ledger_set_limits(bigint, bigint, bigint), ledger_close_account(bigint, date), ledger_open_period(date, date),
    ledger_close_period(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_take_ids(bigint), ledger_add_gl_account(text, text, text),
    ledger_open_account(text, text, smallint, text, text, text, bigint, bigint), ledger_set_freeze(bigint, boolean, boolean),
    ledger_set_limits(bigint, bigint, bigint), ledger_close_account(bigint, date), ledger_open_period(date, date),
    ledger_close_period(date) TO {{app}};
