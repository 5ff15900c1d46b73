-- The batch, leaner again: the same verdicts and reasons with less work for a batch of one and for one of five hundred.
--
--   * The usual posting, one debit and one credit that fit, is judged and applied in a few steps of the loop.
--   * A period is kept open by a lock of its table instead of one of its row, which wrote the row anew with each batch
--     and made a multixact of two at a time. Who closes a period waits for all batches that run, and those behind wait too.
--   * Each guard is one statement.
--   * An array is made only where something is put into it.

-- Reasons, parameters and what is raised: see 0012.
CREATE OR REPLACE FUNCTION post_batch(
    p_now timestamptz,
    p_key uuid[], p_hash bytea[], p_op smallint[], p_id uuid[], p_kind text[], p_booking date[], p_value date[],
    p_actor text[], p_memo text[], p_reference_kind text[], p_reference_id uuid[], p_branch text[],
    p_hold uuid[], p_target uuid[], p_expires timestamptz[], p_legs integer[],
    p_account bigint[], p_debit boolean[], p_amount bigint[], p_currency text[])
RETURNS TABLE (reason smallint, result uuid, account bigint, replayed boolean) LANGUAGE plpgsql SECURITY DEFINER
-- The plans must stay index look-ups even when they were made while the tables were empty. A row that somebody else has
-- locked makes the batch give up soon: the caller then leaves out what meets such rows (ledger_busy_commands).
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off SET enable_mergejoin = off SET enable_hashjoin = off
SET lock_timeout = '1s' SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    c_most CONSTANT bigint := 4000000000000000000;
    n  integer := cardinality(p_key);
    f  integer; t integer; x integer; y integer; a integer; b integer; h integer; d integer; j integer; last integer;
    v  smallint; bal bigint; av bigint; m bigint; v_late boolean;
    -- open periods, by first day
    b_first date[]; b_last date[]; v_day date; v_period date; c_period date[];
    -- legs: the parameters, or new arrays where reversals are spelled out; what stays null was not booked
    l_from integer[];
    l_acct bigint[]; l_debit boolean[]; l_amt bigint[]; l_cur text[];
    l_pos integer[]; l_cmd integer[]; l_seq bigint[]; l_bal bigint[];
    -- accounts, locked, by id
    a_id bigint[]; a_c boolean[]; a_dr bigint[]; a_cr bigint[]; a_pdr bigint[]; a_pcr bigint[]; a_seq bigint[]; a_touched boolean[];
    a_floor bigint[]; a_cap bigint[]; a_cur text[]; a_gl text[];
    a_tid tid[];      -- where the row lies
    a_bars integer[]; -- what bars it: 1 no debits, 2 no credits, 4 closed; the sum of them
    -- commands; those with an old key, and what came of them
    c_reason smallint[]; c_result uuid[]; c_account bigint[]; c_old boolean[]; c_same boolean[]; c_first integer[];
    -- holds that are named
    h_id uuid[]; h_known boolean[]; h_acct bigint[]; h_debit boolean[]; h_amt bigint[]; h_exp timestamptz[]; h_ended boolean[];
    h_placed_by integer[]; h_ended_by integer[]; h_posted bigint[]; c_hold integer[];
    -- postings that are to be reversed
    t_id uuid[]; t_known boolean[]; t_done boolean[]; c_target integer[]; t_acct bigint[]; t_debit boolean[]; t_amt bigint[]; t_cur text[];
BEGIN
    IF n = 0 THEN
        RETURN;
    END IF;

    -- 1. Shape. Callers see to it; this is the belt.
    x := 1;
    FOR i IN 1..n LOOP
        l_from[i] := x;
        IF NOT coalesce(CASE p_op[i]
                        WHEN 1 THEN p_legs[i] BETWEEN 2 AND 100 AND p_id[i] IS NOT NULL
                        WHEN 2 THEN p_legs[i] = 0 AND p_id[i] IS NOT NULL AND p_target[i] IS NOT NULL
                        WHEN 3 THEN p_legs[i] = 1 AND p_id[i] IS NOT NULL
                        WHEN 4 THEN p_legs[i] = 0 AND p_hold[i] IS NOT NULL
                        WHEN 5 THEN p_legs[i] = 0 AND p_hold[i] IS NOT NULL
                        WHEN 6 THEN p_legs[i] = 1 AND p_id[i] IS NOT NULL END, false) THEN
            RAISE EXCEPTION 'command % of the batch is malformed', i USING ERRCODE = 'invalid_parameter_value';
        END IF;
        x := x + p_legs[i];
    END LOOP;
    l_from[n + 1] := x;
    IF x - 1 <> cardinality(p_account) OR 0 >= ANY (p_amount) OR c_most < ANY (p_amount)
       OR array_position(p_amount, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'legs do not fit the commands' USING ERRCODE = 'invalid_parameter_value';
    END IF;

    -- 2. A reversal mirrors the stored entries, or those of an earlier command of this batch.
    IF 2 = ANY (p_op) THEN
        t_id := (SELECT array_agg(DISTINCT u.id ORDER BY u.id) FROM unnest(p_target, p_op) u(id, op) WHERE u.op = 2);
        t_known := array_fill(false, ARRAY[cardinality(t_id)]);
        t_done := t_known;
        last := 0;
        FOR i IN 1..n LOOP
            f := l_from[i]; t := l_from[i + 1] - 1;
            -- l_from still speaks of the parameters behind i, and of the new arrays up to i.
            l_from[i] := last + 1;
            IF p_op[i] <> 2 THEN
                FOR x IN f..t LOOP
                    last := last + 1;
                    l_acct[last] := p_account[x]; l_debit[last] := p_debit[x]; l_amt[last] := p_amount[x]; l_cur[last] := p_currency[x];
                END LOOP;
                CONTINUE;
            END IF;
            d := width_bucket(p_target[i], t_id);
            c_target[i] := d;
            SELECT array_agg(e.account ORDER BY k.ord), array_agg(e.side = 'D' ORDER BY k.ord),
                   array_agg(e.amount ORDER BY k.ord), array_agg(e.currency ORDER BY k.ord)
              INTO t_acct, t_debit, t_amt, t_cur
              FROM posting p
              CROSS JOIN LATERAL unnest(p.leg_accounts, p.leg_seqs) WITH ORDINALITY k(account, seq, ord)
              CROSS JOIN LATERAL (SELECT g.account, g.side, g.amount, g.currency FROM entry g
                                   WHERE g.account = k.account AND g.seq = k.seq LIMIT 1) e
             WHERE p.id = p_target[i];
            t_known[d] := t_acct IS NOT NULL;
            IF t_known[d] THEN
                FOR x IN 1..cardinality(t_acct) LOOP
                    last := last + 1;
                    l_acct[last] := t_acct[x]; l_debit[last] := NOT t_debit[x]; l_amt[last] := t_amt[x]; l_cur[last] := t_cur[x];
                END LOOP;
                CONTINUE;
            END IF;
            j := array_position(p_id, p_target[i]);
            IF j < i AND p_op[j] IN (1, 2) THEN
                t := CASE WHEN j + 1 = i THEN last ELSE l_from[j + 1] - 1 END;
                FOR x IN l_from[j]..t LOOP
                    last := last + 1;
                    l_acct[last] := l_acct[x]; l_debit[last] := NOT l_debit[x]; l_amt[last] := l_amt[x]; l_cur[last] := l_cur[x];
                END LOOP;
            END IF;
        END LOOP;
        l_from[n + 1] := last + 1;
        p_account := l_acct; p_debit := l_debit; p_amount := l_amt; p_currency := l_cur;
    END IF;

    -- 3. Holds that are named: where they lie.
    IF cardinality(array_remove(p_hold, NULL)) > 0 OR 3 = ANY (p_op) OR 6 = ANY (p_op) THEN
        h_id := (SELECT array_agg(DISTINCT u.id ORDER BY u.id)
                   FROM (SELECT CASE WHEN c.op IN (3, 6) THEN c.id ELSE c.hold END AS id FROM unnest(p_op, p_id, p_hold) c(op, id, hold)) u
                  WHERE u.id IS NOT NULL);
        h_acct := (SELECT array_agg(g.account) FROM hold g WHERE g.id = ANY (h_id));
    END IF;

    -- 4. Locks: the periods, which nobody closes before this transaction has ended, then every account once, by id. A lock
    -- that had to wait reads the newest row.
    LOCK TABLE period IN ROW SHARE MODE;
    SELECT array_agg(q.first_day), array_agg(q.last_day) INTO b_first, b_last
      FROM (SELECT p.first_day, p.last_day FROM period p WHERE p.closed_at IS NULL ORDER BY p.first_day) q;
    SELECT array_agg(q.ctid), array_agg(q.id), array_agg(q.normal_side = 'C'), array_agg(q.dr), array_agg(q.cr), array_agg(q.pdr), array_agg(q.pcr),
           array_agg(q.seq), array_agg(q.floor_available), array_agg(q.cap_booked), array_agg(q.currency), array_agg(q.gl_account),
           array_agg(q.no_debit::integer + 2 * q.no_credit::integer + CASE WHEN q.closed_on IS NULL THEN 0 ELSE 4 END)
      INTO a_tid, a_id, a_c, a_dr, a_cr, a_pdr, a_pcr, a_seq, a_floor, a_cap, a_cur, a_gl, a_bars
      FROM (SELECT g.ctid, g.id, g.normal_side, g.dr, g.cr, g.pdr, g.pcr, g.seq, g.floor_available, g.cap_booked, g.currency, g.gl_account,
                   g.no_debit, g.no_credit, g.closed_on
              FROM account g WHERE g.id = ANY (p_account || h_acct) ORDER BY g.id FOR NO KEY UPDATE) q;

    -- 5. Only now look for known keys, ends of holds and reversals: later statements, hence later snapshots.
    IF EXISTS (SELECT FROM ledger_key g WHERE g.key = ANY (p_key))
       OR n > 1 AND n > (SELECT count(DISTINCT u.key) FROM unnest(p_key) u(key)) THEN
        SELECT array_agg(q.reason), array_agg(q.result), array_agg(q.account), array_agg(q.same), array_agg(q.first)
          INTO c_reason, c_result, c_account, c_same, c_first
          FROM (SELECT k.reason, k.result, k.account, k.hash = c.hash AS same, c.first
                  FROM (SELECT u.key, u.hash, u.ord, min(u.ord) OVER (PARTITION BY u.key) AS first
                          FROM unnest(p_key, p_hash) WITH ORDINALITY u(key, hash, ord)) c
                  LEFT JOIN LATERAL (SELECT g.reason, g.result, g.account, g.hash FROM ledger_key g WHERE g.key = c.key LIMIT 1) k ON true
                 ORDER BY c.ord) q;
    END IF;
    IF h_id IS NOT NULL THEN
        SELECT array_agg(g.account IS NOT NULL ORDER BY k.ord), array_agg(g.account ORDER BY k.ord), array_agg(g.side = 'D' ORDER BY k.ord),
               array_agg(g.amount ORDER BY k.ord), array_agg(g.expires_at ORDER BY k.ord), array_agg(e.hold IS NOT NULL ORDER BY k.ord)
          INTO h_known, h_acct, h_debit, h_amt, h_exp, h_ended
          FROM unnest(h_id) WITH ORDINALITY k(id, ord)
          LEFT JOIN LATERAL (SELECT q.account, q.side, q.amount, q.expires_at FROM hold q WHERE q.id = k.id LIMIT 1) g ON true
          LEFT JOIN LATERAL (SELECT q.hold FROM hold_end q WHERE q.hold = k.id LIMIT 1) e ON true;
        IF EXISTS (SELECT FROM unnest(h_acct) u WHERE u IS NOT NULL AND a_id[width_bucket(u, a_id)] IS DISTINCT FROM u) THEN
            RAISE EXCEPTION 'a hold appeared while its account was not locked: repeat' USING ERRCODE = 'serialization_failure';
        END IF;
        h_placed_by := array_fill(0, ARRAY[cardinality(h_id)]); h_ended_by := h_placed_by;
        h_posted := array_fill(0::bigint, ARRAY[cardinality(h_id)]);
        c_hold := (SELECT array_agg(width_bucket(CASE WHEN c.op IN (3, 6) THEN c.id ELSE c.hold END, h_id))
                 FROM unnest(p_op, p_id, p_hold) c(op, id, hold));
    END IF;
    IF t_id IS NOT NULL THEN
        SELECT array_agg(r.id IS NOT NULL ORDER BY k.ord), bool_or(p.id IS NOT NULL AND NOT k.known) INTO t_done, v_late
          FROM unnest(t_id, t_known) WITH ORDINALITY k(id, known, ord)
          LEFT JOIN LATERAL (SELECT q.id FROM posting q WHERE q.reversal_of = k.id LIMIT 1) r ON true
          LEFT JOIN LATERAL (SELECT q.id FROM posting q WHERE q.id = k.id LIMIT 1) p ON true;
        IF v_late THEN
            RAISE EXCEPTION 'a posting appeared while its accounts were not locked: repeat' USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;

    -- 6. Decide in order, on arrays, without touching a table.
    FOR i IN 1..n LOOP
        IF c_reason[i] IS NOT NULL OR c_first[i] < i THEN                       -- known, or repeated inside this batch
            IF c_reason[i] IS NULL THEN
                j := c_first[i];
                c_reason[i] := c_reason[j]; c_account[i] := c_account[j]; c_same[i] := p_hash[i] = p_hash[j];
                c_result[i] := CASE WHEN c_old[j] THEN c_result[j] WHEN c_reason[j] = 0 THEN p_id[j] END;
            END IF;
            c_old[i] := true;
            IF NOT c_same[i] THEN
                c_reason[i] := -1; c_result[i] := NULL; c_account[i] := NULL;
            END IF;
            CONTINUE;
        END IF;
        IF v_day IS DISTINCT FROM p_booking[i] THEN                         -- the open period of a booking date
            v_day := p_booking[i];
            j := width_bucket(v_day, b_first);
            v_period := CASE WHEN v_day <= b_last[j] THEN b_first[j] END;
        END IF;
        c_period[i] := v_period;
        f := l_from[i];

        -- Most commands are like this, and take a short way: one debit and one credit of the same money on two accounts that
        -- exist, are open to it and stay within their limits. Whatever is not sure to be accepted is judged below.
        x := CASE WHEN p_debit[f] THEN f ELSE f + 1 END; y := 2 * f + 1 - x;
        a := width_bucket(p_account[x], a_id); b := width_bucket(p_account[y], a_id); m := p_amount[x];
        IF p_op[i] = 1 AND p_legs[i] = 2 AND p_debit[x] AND NOT p_debit[y] AND m = p_amount[y] AND p_hold[i] IS NULL AND v_period IS NOT NULL
           AND a <> b AND a_id[a] = p_account[x] AND a_id[b] = p_account[y] AND a_bars[a] = 0 AND a_bars[b] = 0
           AND a_cur[a] = p_currency[x] AND a_cur[b] = p_currency[y]
           AND a_dr[a] + m <= c_most AND a_cr[b] + m <= c_most
           AND (CASE WHEN a_c[a] THEN coalesce(a_cr[a] - a_dr[a] - m - a_pdr[a] >= a_floor[a], true) AND coalesce(a_cr[a] - a_dr[a] - m <= a_cap[a], true)
                    ELSE coalesce(a_dr[a] + m - a_cr[a] - a_pcr[a] >= a_floor[a], true) AND coalesce(a_dr[a] + m - a_cr[a] <= a_cap[a], true) END)
           AND (CASE WHEN a_c[b] THEN coalesce(a_cr[b] + m - a_dr[b] - a_pdr[b] >= a_floor[b], true) AND coalesce(a_cr[b] + m - a_dr[b] <= a_cap[b], true)
                    ELSE coalesce(a_dr[b] - a_cr[b] - m - a_pcr[b] >= a_floor[b], true) AND coalesce(a_dr[b] - a_cr[b] - m <= a_cap[b], true) END) THEN
            a_dr[a] := a_dr[a] + m; a_seq[a] := a_seq[a] + 1; a_touched[a] := true;
            a_cr[b] := a_cr[b] + m; a_seq[b] := a_seq[b] + 1; a_touched[b] := true;
            l_pos[x] := a; l_seq[x] := a_seq[a]; l_bal[x] := CASE WHEN a_c[a] THEN a_cr[a] - a_dr[a] ELSE a_dr[a] - a_cr[a] END; l_cmd[x] := i;
            l_pos[y] := b; l_seq[y] := a_seq[b]; l_bal[y] := CASE WHEN a_c[b] THEN a_cr[b] - a_dr[b] ELSE a_dr[b] - a_cr[b] END; l_cmd[y] := i;
            c_reason[i] := 0;
            CONTINUE;
        END IF;

        v := 0; h := 0; d := 0;
        t := l_from[i + 1] - 1; last := f - 1;
        IF p_op[i] IN (1, 2) AND v_period IS NULL THEN v := 8; END IF;
        IF v = 0 AND p_op[i] = 2 THEN                                       -- what is to be reversed
            d := c_target[i];
            IF t_done[d] THEN
                v := 14;
            ELSIF NOT t_known[d] THEN
                j := array_position(p_id, p_target[i]);
                IF j IS NULL OR j >= i OR c_reason[j] <> 0 OR c_old[j] THEN v := 13; END IF;
            END IF;
        ELSIF v = 0 AND (p_op[i] <> 1 OR p_hold[i] IS NOT NULL) THEN        -- the hold and its state
            h := c_hold[i];
            IF p_op[i] IN (3, 6) THEN
                IF h_known[h] THEN v := 16; END IF;
            ELSIF h = 0 OR NOT h_known[h] THEN
                v := 9; h := 0;
            ELSIF h_ended[h] THEN
                v := 10;
            ELSIF p_op[i] = 1 AND h_exp[h] <= p_now THEN
                v := 11;
            ELSIF p_op[i] = 5 AND coalesce(h_exp[h] > p_now, true) THEN
                v := 17;
            ELSIF p_op[i] = 1 THEN
                m := 0;
                FOR x IN f..t LOOP
                    IF p_account[x] = h_acct[h] AND p_debit[x] = h_debit[h] THEN
                        -- Above the most there is no need to count on, and it must stay above the largest hold.
                        m := CASE WHEN m + p_amount[x] > c_most THEN c_most + 1 ELSE m + p_amount[x] END;
                    END IF;
                END LOOP;
                IF m = 0 OR m > h_amt[h] THEN v := 12; c_account[i] := h_acct[h]; END IF;
            END IF;
        END IF;

        IF v = 0 THEN                                                       -- each leg by itself
            FOR x IN f..t LOOP
                -- a_id is sorted, so width_bucket finds a place in it by bisection.
                a := width_bucket(p_account[x], a_id);
                l_pos[x] := a;
                CONTINUE WHEN a_bars[a] = 0 AND a_id[a] = p_account[x] AND a_cur[a] = p_currency[x];
                v := CASE WHEN a_id[a] IS DISTINCT FROM p_account[x] THEN 6
                          WHEN a_cur[a] <> p_currency[x] THEN 7
                          WHEN a_bars[a] >= 4 THEN 5
                          WHEN CASE WHEN p_debit[x] THEN a_bars[a] IN (1, 3) WHEN NOT p_debit[x] THEN a_bars[a] IN (2, 3) END THEN 4
                          ELSE 0 END;
                -- Money that was promised before a freeze may still go the way it was promised.
                IF v = 4 AND p_op[i] = 1 AND h > 0 AND p_account[x] = h_acct[h] AND p_debit[x] = h_debit[h] THEN v := 0; END IF;
                IF v = 0 AND p_op[i] IN (3, 6) THEN
                    IF (CASE WHEN a_c[a] = (p_op[i] = 3) THEN a_bars[a] IN (1, 3) ELSE a_bars[a] IN (2, 3) END) THEN v := 4; END IF;
                END IF;
                IF v <> 0 THEN c_account[i] := p_account[x]; EXIT; END IF;
            END LOOP;
        END IF;

        IF v = 0 AND h > 0 AND p_op[i] NOT IN (3, 6) THEN                   -- the hold ends: its money is free
            a := width_bucket(h_acct[h], a_id);
            IF h_debit[h] THEN a_pdr[a] := a_pdr[a] - h_amt[h]; ELSE a_pcr[a] := a_pcr[a] - h_amt[h]; END IF;
        END IF;
        IF v = 0 AND p_op[i] IN (1, 2) THEN                                 -- apply all legs ...
            FOR x IN f..t LOOP
                a := l_pos[x];
                IF p_debit[x] THEN
                    IF a_dr[a] + p_amount[x] > c_most THEN v := 15; c_account[i] := p_account[x]; EXIT; END IF;
                    a_dr[a] := a_dr[a] + p_amount[x];
                ELSE
                    IF a_cr[a] + p_amount[x] > c_most THEN v := 15; c_account[i] := p_account[x]; EXIT; END IF;
                    a_cr[a] := a_cr[a] + p_amount[x];
                END IF;
                a_seq[a] := a_seq[a] + 1;
                l_seq[x] := a_seq[a];
                l_bal[x] := CASE WHEN a_c[a] THEN a_cr[a] - a_dr[a] ELSE a_dr[a] - a_cr[a] END;
                l_cmd[x] := i;
                last := x;
            END LOOP;
        ELSIF v = 0 AND p_op[i] IN (3, 6) THEN                              -- ... or set the money aside ...
            a := l_pos[f]; last := f;
            IF a_c[a] = (p_op[i] = 3) THEN
                IF a_pdr[a] + p_amount[f] > c_most THEN v := 15; c_account[i] := p_account[f]; last := f - 1; ELSE a_pdr[a] := a_pdr[a] + p_amount[f]; END IF;
            ELSE
                IF a_pcr[a] + p_amount[f] > c_most THEN v := 15; c_account[i] := p_account[f]; last := f - 1; ELSE a_pcr[a] := a_pcr[a] + p_amount[f]; END IF;
            END IF;
        END IF;
        IF v = 0 THEN                                                       -- ... then judge the result: an account may occur twice
            FOR x IN f..t LOOP
                a := l_pos[x];
                IF a_c[a] THEN bal := a_cr[a] - a_dr[a]; av := bal - a_pdr[a]; ELSE bal := a_dr[a] - a_cr[a]; av := bal - a_pcr[a]; END IF;
                IF av < a_floor[a] THEN
                    v := CASE WHEN a_floor[a] = 0 THEN 1 ELSE 2 END; c_account[i] := p_account[x]; EXIT;
                ELSIF bal > a_cap[a] THEN
                    v := 3; c_account[i] := p_account[x]; EXIT;
                END IF;
            END LOOP;
        END IF;
        c_reason[i] := v;

        IF v = 0 THEN
            FOR x IN f..t LOOP a_touched[l_pos[x]] := true; END LOOP;
            IF d > 0 THEN t_done[d] := true; END IF;
            IF h > 0 AND p_op[i] IN (3, 6) THEN
                h_known[h] := true; h_placed_by[h] := i;
                h_acct[h] := p_account[f]; h_amt[h] := p_amount[f]; h_exp[h] := p_expires[i];
                h_debit[h] := a_c[l_pos[f]] = (p_op[i] = 3);
            ELSIF h > 0 THEN
                h_ended[h] := true; h_ended_by[h] := i; h_posted[h] := CASE WHEN p_op[i] = 1 THEN m ELSE 0 END;
                a_touched[width_bucket(h_acct[h], a_id)] := true;
            END IF;
            CONTINUE;
        END IF;

        IF last >= f THEN                                                   -- refused after applying: take it back
            FOR x IN f..last LOOP
                a := l_pos[x];
                IF p_op[i] = 3 OR p_op[i] = 6 THEN
                    IF a_c[a] = (p_op[i] = 3) THEN a_pdr[a] := a_pdr[a] - p_amount[x]; ELSE a_pcr[a] := a_pcr[a] - p_amount[x]; END IF;
                    CONTINUE;
                END IF;
                IF p_debit[x] THEN a_dr[a] := a_dr[a] - p_amount[x]; ELSE a_cr[a] := a_cr[a] - p_amount[x]; END IF;
                a_seq[a] := a_seq[a] - 1; l_cmd[x] := NULL;
            END LOOP;
        END IF;
        IF h > 0 AND p_op[i] = 1 AND v IN (1, 2, 3, 15) THEN
            a := width_bucket(h_acct[h], a_id);
            IF h_debit[h] THEN a_pdr[a] := a_pdr[a] + h_amt[h]; ELSE a_pcr[a] := a_pcr[a] + h_amt[h]; END IF;
        END IF;
    END LOOP;

    -- 7. One statement per table, whatever the size of the batch.
    INSERT INTO ledger_key (key, result, account, reason, hash)
    SELECT p_key[i], CASE c_reason[i] WHEN 0 THEN p_id[i] END, c_account[i], c_reason[i], p_hash[i]
      FROM generate_series(1, n) s(i) WHERE c_old[i] IS NULL;
    INSERT INTO posting (id, kind, booking_date, value_date, reversal_of, actor, memo, reference_kind, reference_id, branch,
                         leg_accounts, leg_seqs)
    SELECT p_id[i], p_kind[i], p_booking[i], p_value[i], p_target[i], p_actor[i], p_memo[i], p_reference_kind[i], p_reference_id[i], p_branch[i],
           CASE WHEN l_from[i + 1] - l_from[i] = 2 THEN ARRAY[p_account[l_from[i]], p_account[l_from[i] + 1]]
                ELSE p_account[l_from[i]:l_from[i + 1] - 1] END,
           CASE WHEN l_from[i + 1] - l_from[i] = 2 THEN ARRAY[l_seq[l_from[i]], l_seq[l_from[i] + 1]]
                ELSE l_seq[l_from[i]:l_from[i + 1] - 1] END
      FROM generate_series(1, n) s(i) WHERE c_old[i] IS NULL AND c_reason[i] = 0 AND p_op[i] IN (1, 2);
    INSERT INTO entry (account, seq, amount, balance_after, posting, booking_date, value_date, side, currency)
    SELECT p_account[x], l_seq[x], p_amount[x], l_bal[x], p_id[l_cmd[x]], p_booking[l_cmd[x]], p_value[l_cmd[x]],
           CASE WHEN p_debit[x] THEN 'D' ELSE 'C' END, p_currency[x]
      FROM generate_series(1, cardinality(p_account)) s(x) WHERE l_cmd[x] > 0;
    IF h_id IS NOT NULL THEN
        INSERT INTO hold (id, account, amount, side, expires_at, actor, memo, reference_kind, reference_id)
        SELECT u.id, u.account, u.amount, CASE WHEN u.debit THEN 'D' ELSE 'C' END, u.expires,
               p_actor[u.cmd], p_memo[u.cmd], p_reference_kind[u.cmd], p_reference_id[u.cmd]
          FROM unnest(h_id, h_acct, h_amt, h_debit, h_exp, h_placed_by) u(id, account, amount, debit, expires, cmd) WHERE u.cmd > 0;
        INSERT INTO hold_end (hold, posting, posted, how, actor)
        SELECT u.id, CASE p_op[u.cmd] WHEN 1 THEN p_id[u.cmd] END, u.posted,
               CASE p_op[u.cmd] WHEN 1 THEN 'post' WHEN 4 THEN 'void' ELSE 'expire' END, p_actor[u.cmd]
          FROM unnest(h_id, h_posted, h_ended_by) u(id, posted, cmd) WHERE u.cmd > 0;
    END IF;
    -- A row that is locked stays where it is.
    UPDATE account g SET dr = a_dr[a], cr = a_cr[a], pdr = a_pdr[a], pcr = a_pcr[a], seq = a_seq[a]
      FROM generate_series(1, cardinality(a_id)) s(a) WHERE g.ctid = a_tid[a] AND g.id = a_id[a] AND a_touched[a];
    GET DIAGNOSTICS m = ROW_COUNT;
    IF m <> cardinality(array_remove(a_touched, NULL)) THEN
        RAISE EXCEPTION 'a locked account was not found where it lay';
    END IF;
    -- The general ledger moves with its accounts, once per batch and without legs of its own. It comes last: another batch
    -- of the tenant, on other accounts, waits only here, and only for a commit.
    SET LOCAL lock_timeout = '10s';
    INSERT INTO gl_total AS g (period, gl_account, currency, dr, cr)
    SELECT c_period[l_cmd[x]], a_gl[l_pos[x]], p_currency[x],
           coalesce(sum(p_amount[x]) FILTER (WHERE p_debit[x]), 0), coalesce(sum(p_amount[x]) FILTER (WHERE NOT p_debit[x]), 0)
      FROM generate_series(1, cardinality(p_account)) s(x) WHERE l_cmd[x] > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (period, gl_account, currency) DO UPDATE SET dr = g.dr + excluded.dr, cr = g.cr + excluded.cr;
    RETURN QUERY SELECT c_reason[i], CASE WHEN c_old[i] THEN c_result[i] WHEN c_reason[i] = 0 THEN p_id[i] END, c_account[i],
                        c_old[i] IS NOT NULL AND c_reason[i] >= 0 FROM generate_series(1, n) s(i);
END $$;

-- Each INSERT into entry brings whole postings, of this very transaction, in the currency of each account.
CREATE OR REPLACE FUNCTION ledger_guard_entries() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    v_broken text;
BEGIN
    WITH whole AS MATERIALIZED (
        SELECT n.posting, min(n.booking_date) AS day, max(n.booking_date) AS last_day, bool_and(n.side IN ('D', 'C')) AS sided,
               sum(CASE n.side WHEN 'D' THEN n.amount ELSE -n.amount END) AS total
          FROM new_rows n GROUP BY n.posting, n.currency)
    SELECT CASE WHEN EXISTS (SELECT FROM whole w WHERE NOT w.sided) THEN 'entry_side_ok'
                WHEN EXISTS (SELECT FROM whole w WHERE w.total <> 0 OR w.day <> w.last_day) THEN 'entry_balanced'
                WHEN EXISTS (SELECT FROM (SELECT n.currency, array_agg(DISTINCT n.account) AS ids FROM new_rows n GROUP BY n.currency) k
                              WHERE cardinality(k.ids) <> (SELECT count(*) FROM account a WHERE a.id = ANY (k.ids) AND a.currency = k.currency))
                    THEN 'entry_currency'
                WHEN EXISTS (SELECT FROM whole w
                               LEFT JOIN LATERAL (SELECT p.booked_at, p.booking_date FROM posting p WHERE p.id = w.posting LIMIT 1) p ON true
                              WHERE p.booked_at IS DISTINCT FROM transaction_timestamp() OR p.booking_date <> w.day) THEN 'entry_sealed' END
      INTO v_broken;
    IF v_broken = 'entry_side_ok' THEN
        RAISE EXCEPTION 'an entry is a debit or a credit' USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'entry_balanced' THEN
        RAISE EXCEPTION 'the entries of a posting do not sum to zero in each currency'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'entry_currency' THEN
        RAISE EXCEPTION 'an entry has another currency than its account'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken IS NOT NULL THEN
        RAISE EXCEPTION 'entries may join a posting only in the transaction that brings it'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = v_broken;
    END IF;
    RETURN NULL;
END $$;

-- A posting says what it is, carries the time of its own transaction, which is not old, lies in an open period and in no sealed day.
CREATE OR REPLACE FUNCTION ledger_guard_postings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_broken text;
BEGIN
    -- Nobody closes a period from here on until this transaction has ended.
    LOCK TABLE period IN ROW SHARE MODE;
    SELECT CASE WHEN NOT d.worded THEN 'posting_words_ok' WHEN NOT d.open THEN 'posting_period_open' ELSE 'posting_booked_now' END
      INTO v_broken
      FROM (SELECT q.own, q.worded, EXISTS (SELECT FROM period p
                                             WHERE q.booking_date BETWEEN p.first_day AND p.last_day AND p.closed_at IS NULL) AS open
              FROM (SELECT n.booking_date, bool_and(n.booked_at = transaction_timestamp()) AS own,
                           bool_and(length(n.kind) BETWEEN 1 AND 40 AND length(n.actor) BETWEEN 1 AND 200
                                    AND length(n.branch) BETWEEN 1 AND 40 AND (n.memo IS NULL OR length(n.memo) <= 280)
                                    AND (n.reference_kind IS NULL) = (n.reference_id IS NULL)
                                    AND (n.reference_kind IS NULL OR length(n.reference_kind) <= 40)) AS worded
                      FROM new_rows n GROUP BY n.booking_date) q) d
     WHERE NOT d.worded OR NOT d.open OR NOT d.own OR clock_timestamp() > transaction_timestamp() + interval '10 minutes'
        OR EXISTS (SELECT FROM day_seal s WHERE s.day >= (transaction_timestamp() AT TIME ZONE 'UTC')::date)
     LIMIT 1;
    IF v_broken = 'posting_words_ok' THEN
        RAISE EXCEPTION 'kind, actor, branch, memo or reference of a posting is missing or too long'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    ELSIF v_broken = 'posting_booked_now' THEN
        RAISE EXCEPTION 'a posting is booked at the time of its own transaction, in a day that is not sealed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = v_broken;
    ELSIF v_broken IS NOT NULL THEN
        RAISE EXCEPTION 'no open period covers the booking date'
            USING ERRCODE = 'check_violation', CONSTRAINT = v_broken;
    END IF;
    RETURN NULL;
END $$;

-- The instant of closing is read only once nobody books any more: whatever was booked, was booked before it.
CREATE OR REPLACE FUNCTION ledger_close_period(p_first date) RETURNS timestamptz LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_closed timestamptz;
BEGIN
    LOCK TABLE period IN EXCLUSIVE MODE;
    UPDATE period p SET closed_at = clock_timestamp() WHERE p.first_day = p_first AND p.closed_at IS NULL
        RETURNING p.closed_at INTO v_closed;
    RETURN v_closed;
END $$;

-- A CHECK is read, planned and compiled anew by each statement: the guards know now what these asked for, and the counters are
-- compared all at once.
ALTER TABLE posting DROP CONSTRAINT posting_kind_ok, DROP CONSTRAINT posting_actor_ok, DROP CONSTRAINT posting_branch_ok,
    DROP CONSTRAINT posting_memo_ok, DROP CONSTRAINT posting_reference_ok;
ALTER TABLE entry DROP CONSTRAINT entry_side_ok;
ALTER TABLE account DROP CONSTRAINT account_counters_ok,
    ADD CONSTRAINT account_counters_ok CHECK (least(dr, cr, pdr, pcr, seq) >= 0 AND greatest(dr, cr, pdr, pcr) <= 4000000000000000000);
