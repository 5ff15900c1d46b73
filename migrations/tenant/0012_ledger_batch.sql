-- The one function that writes balances, and the one that finds out what stands in its way.

-- The batch ---------------------------------------------------------------------------------------------------------

-- Decides commands in their order and writes what they cause, one statement per table. One array element per command:
--   p_op      1 post, 2 reverse, 3 hold outgoing money, 4 void, 5 expire, 6 announce incoming money
--   p_id      the new posting (1, 2) or hold (3, 6)      p_hold    the hold to post (1), void (4) or expire (5)
--   p_target  the posting to reverse (2)                  p_legs    how many legs the command has: 2..100, for 3 and 6 one
-- and one per leg. A hold's leg has no side: it follows from the account and the direction.
--
-- Reasons: -1 the key was used for another request (never stored), 0 posted, 1 funds, 2 floor, 3 cap, 4 frozen, 5 closed,
-- 6 unknown account, 7 currency, 8 no open period, 9 unknown hold, 10 hold ended, 11 hold expired, 12 not within the hold,
-- 13 unknown posting, 14 already reversed, 15 too large, 16 hold exists, 17 hold not yet expired.
-- The first that applies counts, in the order: period, hold or reversed posting, each leg by itself, size, limits.
--
-- 40001 is raised when something that was looked up before the locks changed meanwhile; 23505 on ledger_key_pkey when
-- another batch decided the same key first. Both times the batch is to be repeated as it is.
CREATE FUNCTION post_batch(
    p_now timestamptz,
    p_key uuid[], p_hash bytea[], p_op smallint[], p_id uuid[], p_kind text[], p_booking date[], p_value date[],
    p_actor text[], p_memo text[], p_reference_kind text[], p_reference_id uuid[], p_branch text[],
    p_hold uuid[], p_target uuid[], p_expires timestamptz[], p_legs integer[],
    p_account bigint[], p_debit boolean[], p_amount bigint[], p_currency text[])
RETURNS TABLE (reason smallint, result uuid, account bigint, replayed boolean) LANGUAGE plpgsql SECURITY DEFINER
-- The plans must stay index look-ups even when they were made while the tables were empty. A row that somebody else has
-- locked makes the batch give up soon: the caller then leaves out what meets such rows (ledger_busy_commands).
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off SET enable_mergejoin = off SET enable_hashjoin = off
SET lock_timeout = '1s' AS $$
#variable_conflict use_column
DECLARE
    c_most CONSTANT bigint := 4000000000000000000;
    n  integer := cardinality(p_key);
    f  integer; t integer; x integer; a integer; h integer; d integer; j integer; last integer;
    v  smallint; bal bigint; av bigint; m bigint; v_late boolean;
    -- periods that are open and locked
    b_first date[]; b_last date[]; v_day date; v_period date; c_period date[] := array_fill(NULL::date, ARRAY[n]);
    -- legs, reversals spelled out
    l_from integer[] := array_fill(1, ARRAY[n + 1]);
    l_acct bigint[] := p_account; l_debit boolean[] := p_debit; l_amt bigint[] := p_amount; l_cur text[] := p_currency;
    l_pos integer[]; l_bad smallint[]; l_cmd integer[]; l_seq bigint[]; l_bal bigint[];
    -- accounts, locked, by id
    a_id bigint[]; a_c boolean[]; a_dr bigint[]; a_cr bigint[]; a_pdr bigint[]; a_pcr bigint[]; a_seq bigint[]; a_touched boolean[];
    a_floor bigint[]; a_cap bigint[]; a_cur text[]; a_gl text[]; a_nod boolean[]; a_noc boolean[]; a_shut boolean[];
    -- commands
    c_reason smallint[]; c_result uuid[]; c_account bigint[]; c_same boolean[]; c_first integer[];
    c_replay boolean[] := array_fill(false, ARRAY[n]); c_stored boolean[] := c_replay;
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
        x := x + p_legs[i];
        IF NOT coalesce(CASE p_op[i]
                        WHEN 1 THEN p_legs[i] BETWEEN 2 AND 100 AND p_id[i] IS NOT NULL
                        WHEN 2 THEN p_legs[i] = 0 AND p_id[i] IS NOT NULL AND p_target[i] IS NOT NULL
                        WHEN 3 THEN p_legs[i] = 1 AND p_id[i] IS NOT NULL
                        WHEN 4 THEN p_legs[i] = 0 AND p_hold[i] IS NOT NULL
                        WHEN 5 THEN p_legs[i] = 0 AND p_hold[i] IS NOT NULL
                        WHEN 6 THEN p_legs[i] = 1 AND p_id[i] IS NOT NULL END, false) THEN
            RAISE EXCEPTION 'command % of the batch is malformed', i USING ERRCODE = 'invalid_parameter_value';
        END IF;
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
        c_target := array_fill(NULL::integer, ARRAY[n]);
        l_acct := '{}'; l_debit := '{}'; l_amt := '{}'; l_cur := '{}';
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
    END IF;
    m := cardinality(l_acct);
    l_cmd := array_fill(0, ARRAY[m::integer]); l_seq := array_fill(0::bigint, ARRAY[m::integer]); l_bal := l_seq;

    -- 3. Holds that are named: where they lie.
    h_id := (SELECT array_agg(DISTINCT u.id ORDER BY u.id)
             FROM (SELECT CASE WHEN c.op IN (3, 6) THEN c.id ELSE c.hold END AS id FROM unnest(p_op, p_id, p_hold) c(op, id, hold)) u
            WHERE u.id IS NOT NULL);
    IF h_id IS NOT NULL THEN
        h_acct := (SELECT array_agg(g.account) FROM hold g WHERE g.id = ANY (h_id));
    END IF;

    -- 4. Locks: open periods, then every account once, by id. A lock that had to wait reads the newest row.
    SELECT array_agg(q.first_day), array_agg(q.last_day) INTO b_first, b_last
      FROM (SELECT p.first_day, p.last_day FROM period p
             WHERE p.closed_at IS NULL AND EXISTS (SELECT FROM unnest(p_booking) b WHERE b BETWEEN p.first_day AND p.last_day)
             ORDER BY p.first_day FOR SHARE) q;
    SELECT array_agg(q.id), array_agg(q.normal_side = 'C'), array_agg(q.dr), array_agg(q.cr), array_agg(q.pdr), array_agg(q.pcr),
           array_agg(q.seq), array_agg(q.floor_available), array_agg(q.cap_booked), array_agg(q.currency), array_agg(q.gl_account),
           array_agg(q.no_debit), array_agg(q.no_credit), array_agg(q.closed_on IS NOT NULL), array_agg(false)
      INTO a_id, a_c, a_dr, a_cr, a_pdr, a_pcr, a_seq, a_floor, a_cap, a_cur, a_gl, a_nod, a_noc, a_shut, a_touched
      FROM (SELECT g.* FROM account g WHERE g.id = ANY (l_acct || h_acct) ORDER BY g.id FOR NO KEY UPDATE) q;

    -- 5. What each leg says by itself. a_id is sorted, so width_bucket finds a place in it by bisection.
    SELECT array_agg(k.pos),
           array_agg((CASE WHEN k.pos IS NULL THEN 6 WHEN a_cur[k.pos] <> k.cur THEN 7 WHEN a_shut[k.pos] THEN 5
                           WHEN (k.debit AND a_nod[k.pos]) OR (NOT k.debit AND a_noc[k.pos]) THEN 4 ELSE 0 END)::smallint)
      INTO l_pos, l_bad
      FROM (SELECT CASE WHEN a_id[w.pos] = w.id THEN w.pos END AS pos, w.debit, w.cur
              FROM (SELECT u.id, u.debit, u.cur, width_bucket(u.id, a_id) AS pos FROM unnest(l_acct, l_debit, l_cur) u(id, debit, cur)) w) k;

    -- 6. Only now look for known keys, ends of holds and reversals: later statements, hence later snapshots.
    SELECT array_agg(q.reason), array_agg(q.result), array_agg(q.account), array_agg(q.same), array_agg(q.first)
      INTO c_reason, c_result, c_account, c_same, c_first
      FROM (SELECT k.reason, k.result, k.account, k.hash = c.hash AS same, c.first
              FROM (SELECT u.key, u.hash, u.ord, min(u.ord) OVER (PARTITION BY u.key) AS first
                      FROM unnest(p_key, p_hash) WITH ORDINALITY u(key, hash, ord)) c
              LEFT JOIN LATERAL (SELECT g.reason, g.result, g.account, g.hash FROM ledger_key g WHERE g.key = c.key LIMIT 1) k ON true
             ORDER BY c.ord) q;
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

    -- 7. Decide in order, on arrays, without touching a table.
    FOR i IN 1..n LOOP
        IF c_reason[i] IS NOT NULL OR c_first[i] < i THEN                       -- known, or repeated inside this batch
            IF c_reason[i] IS NULL THEN
                j := c_first[i];
                c_reason[i] := c_reason[j]; c_result[i] := c_result[j]; c_account[i] := c_account[j]; c_same[i] := p_hash[i] = p_hash[j];
            END IF;
            IF c_same[i] THEN
                c_replay[i] := true;
            ELSE
                c_reason[i] := -1; c_result[i] := NULL; c_account[i] := NULL;
            END IF;
            CONTINUE;
        END IF;
        c_stored[i] := true;
        v := 0;
        f := l_from[i]; t := l_from[i + 1] - 1; last := f - 1;
        h := 0; d := 0;

        IF p_op[i] IN (1, 2) THEN                                           -- a booking date in an open period
            IF v_day IS DISTINCT FROM p_booking[i] THEN
                v_day := p_booking[i]; v_period := NULL;
                FOR k IN 1..coalesce(cardinality(b_first), 0) LOOP
                    IF v_day BETWEEN b_first[k] AND b_last[k] THEN v_period := b_first[k]; END IF;
                END LOOP;
            END IF;
            c_period[i] := v_period;
            IF v_period IS NULL THEN v := 8; END IF;
        END IF;

        IF v = 0 AND p_op[i] = 2 THEN                                       -- what is to be reversed
            d := c_target[i];
            IF t_done[d] THEN
                v := 14;
            ELSIF NOT t_known[d] THEN
                j := array_position(p_id, p_target[i]);
                IF j IS NULL OR j >= i OR c_reason[j] <> 0 OR c_replay[j] THEN v := 13; END IF;
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
                    IF l_acct[x] = h_acct[h] AND l_debit[x] = h_debit[h] THEN
                        m := CASE WHEN m + l_amt[x] > c_most THEN c_most ELSE m + l_amt[x] END;
                    END IF;
                END LOOP;
                IF m = 0 OR m > h_amt[h] THEN v := 12; c_account[i] := h_acct[h]; END IF;
            END IF;
        END IF;

        IF v = 0 THEN                                                       -- each leg by itself
            FOR x IN f..t LOOP
                v := l_bad[x];
                -- Money that was promised before a freeze may still go the way it was promised.
                IF v = 4 AND p_op[i] = 1 AND h > 0 AND l_acct[x] = h_acct[h] AND l_debit[x] = h_debit[h] THEN v := 0; END IF;
                IF v = 0 AND p_op[i] IN (3, 6) THEN
                    a := l_pos[x];
                    IF (CASE WHEN a_c[a] = (p_op[i] = 3) THEN a_nod[a] ELSE a_noc[a] END) THEN v := 4; END IF;
                END IF;
                IF v <> 0 THEN c_account[i] := l_acct[x]; EXIT; END IF;
            END LOOP;
        END IF;

        IF v = 0 AND h > 0 AND p_op[i] NOT IN (3, 6) THEN                   -- the hold ends: its money is free
            a := width_bucket(h_acct[h], a_id);
            IF h_debit[h] THEN a_pdr[a] := a_pdr[a] - h_amt[h]; ELSE a_pcr[a] := a_pcr[a] - h_amt[h]; END IF;
        END IF;
        IF v = 0 AND p_op[i] IN (1, 2) THEN                                 -- apply all legs ...
            FOR x IN f..t LOOP
                a := l_pos[x];
                IF l_debit[x] THEN
                    IF a_dr[a] + l_amt[x] > c_most THEN v := 15; c_account[i] := l_acct[x]; EXIT; END IF;
                    a_dr[a] := a_dr[a] + l_amt[x];
                ELSE
                    IF a_cr[a] + l_amt[x] > c_most THEN v := 15; c_account[i] := l_acct[x]; EXIT; END IF;
                    a_cr[a] := a_cr[a] + l_amt[x];
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
                IF a_pdr[a] + l_amt[f] > c_most THEN v := 15; c_account[i] := l_acct[f]; last := f - 1; ELSE a_pdr[a] := a_pdr[a] + l_amt[f]; END IF;
            ELSE
                IF a_pcr[a] + l_amt[f] > c_most THEN v := 15; c_account[i] := l_acct[f]; last := f - 1; ELSE a_pcr[a] := a_pcr[a] + l_amt[f]; END IF;
            END IF;
        END IF;
        IF v = 0 THEN                                                       -- ... then judge the result: an account may occur twice
            FOR x IN f..t LOOP
                a := l_pos[x];
                IF a_c[a] THEN bal := a_cr[a] - a_dr[a]; av := bal - a_pdr[a]; ELSE bal := a_dr[a] - a_cr[a]; av := bal - a_pcr[a]; END IF;
                IF av < a_floor[a] THEN
                    v := CASE WHEN a_floor[a] = 0 THEN 1 ELSE 2 END; c_account[i] := l_acct[x]; EXIT;
                ELSIF bal > a_cap[a] THEN
                    v := 3; c_account[i] := l_acct[x]; EXIT;
                END IF;
            END LOOP;
        END IF;
        c_reason[i] := v;

        IF v = 0 THEN
            c_result[i] := p_id[i];
            FOR x IN f..t LOOP a_touched[l_pos[x]] := true; END LOOP;
            IF d > 0 THEN t_done[d] := true; END IF;
            IF h > 0 AND p_op[i] IN (3, 6) THEN
                h_known[h] := true; h_placed_by[h] := i;
                h_acct[h] := l_acct[f]; h_amt[h] := l_amt[f]; h_exp[h] := p_expires[i];
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
                    IF a_c[a] = (p_op[i] = 3) THEN a_pdr[a] := a_pdr[a] - l_amt[x]; ELSE a_pcr[a] := a_pcr[a] - l_amt[x]; END IF;
                    CONTINUE;
                END IF;
                IF l_debit[x] THEN a_dr[a] := a_dr[a] - l_amt[x]; ELSE a_cr[a] := a_cr[a] - l_amt[x]; END IF;
                a_seq[a] := a_seq[a] - 1; l_cmd[x] := 0;
            END LOOP;
        END IF;
        IF h > 0 AND p_op[i] = 1 AND v IN (1, 2, 3, 15) THEN
            a := width_bucket(h_acct[h], a_id);
            IF h_debit[h] THEN a_pdr[a] := a_pdr[a] + h_amt[h]; ELSE a_pcr[a] := a_pcr[a] + h_amt[h]; END IF;
        END IF;
    END LOOP;

    -- 8. One statement per table, whatever the size of the batch.
    INSERT INTO ledger_key (key, result, account, reason, hash)
    SELECT u.key, u.result, u.account, u.reason, u.hash
      FROM unnest(p_key, c_result, c_account, c_reason, p_hash, c_stored) u(key, result, account, reason, hash, stored) WHERE u.stored;
    INSERT INTO posting (id, kind, booking_date, value_date, reversal_of, actor, memo, reference_kind, reference_id, branch,
                         leg_accounts, leg_seqs)
    SELECT u.id, u.kind, u.booking, u.value, u.target, u.actor, u.memo, u.reference_kind, u.reference_id, u.branch,
           l_acct[u.f:l_from[u.ord + 1] - 1], l_seq[u.f:l_from[u.ord + 1] - 1]
      FROM unnest(p_id, p_kind, p_booking, p_value, p_target, p_actor, p_memo, p_reference_kind, p_reference_id, p_branch,
                  l_from, c_reason, c_stored, p_op)
           WITH ORDINALITY u(id, kind, booking, value, target, actor, memo, reference_kind, reference_id, branch, f, reason, stored, op, ord)
     WHERE u.stored AND u.reason = 0 AND u.op IN (1, 2);
    INSERT INTO entry (account, seq, amount, balance_after, posting, booking_date, value_date, side, currency)
    SELECT u.account, u.seq, u.amount, u.balance, p_id[u.cmd], p_booking[u.cmd], p_value[u.cmd],
           CASE WHEN u.debit THEN 'D' ELSE 'C' END, u.currency
      FROM unnest(l_acct, l_seq, l_amt, l_bal, l_cmd, l_debit, l_cur) u(account, seq, amount, balance, cmd, debit, currency)
     WHERE u.cmd > 0;
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
    -- The general ledger moves with its accounts, once per batch and without legs of its own.
    INSERT INTO gl_total AS g (period, gl_account, currency, dr, cr)
    SELECT c_period[u.cmd], a_gl[u.pos], u.currency,
           coalesce(sum(u.amount) FILTER (WHERE u.debit), 0), coalesce(sum(u.amount) FILTER (WHERE NOT u.debit), 0)
      FROM unnest(l_cmd, l_pos, l_cur, l_debit, l_amt) u(cmd, pos, currency, debit, amount)
     WHERE u.cmd > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (period, gl_account, currency) DO UPDATE SET dr = g.dr + excluded.dr, cr = g.cr + excluded.cr;
    UPDATE account g SET dr = u.dr, cr = u.cr, pdr = u.pdr, pcr = u.pcr, seq = u.seq
      FROM unnest(a_id, a_dr, a_cr, a_pdr, a_pcr, a_seq, a_touched) u(id, dr, cr, pdr, pcr, seq, touched)
     WHERE g.id = u.id AND u.touched;
    RETURN QUERY SELECT u.reason, u.result, u.account, u.replayed FROM unnest(c_reason, c_result, c_account, c_replay) u(reason, result, account, replayed);
END $$;

-- Locks what is free of the accounts that the commands name, and gives the places of those commands that meet an account
-- somebody else has locked. Per pair: the place of a command, and the account, hold or posting that it names.
CREATE FUNCTION ledger_busy_commands(p_place integer[], p_account bigint[], p_hold uuid[], p_target uuid[])
RETURNS integer[] LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_place   integer[];
    v_account bigint[];
    v_free    bigint[];
BEGIN
    SELECT array_agg(q.place), array_agg(q.account) INTO v_place, v_account
      FROM (SELECT u.place, u.account FROM unnest(p_place, p_account) u(place, account) WHERE u.account IS NOT NULL
            UNION ALL
            SELECT u.place, h.account FROM unnest(p_place, p_hold) u(place, hold)
              CROSS JOIN LATERAL (SELECT g.account FROM hold g WHERE g.id = u.hold LIMIT 1) h
            UNION ALL
            SELECT u.place, k.account FROM unnest(p_place, p_target) u(place, target)
              CROSS JOIN LATERAL (SELECT g.leg_accounts FROM posting g WHERE g.id = u.target LIMIT 1) p
              CROSS JOIN LATERAL unnest(p.leg_accounts) k(account)) q;
    v_free := (SELECT array_agg(q.id) FROM (SELECT a.id FROM account a WHERE a.id = ANY (v_account)
                ORDER BY a.id FOR NO KEY UPDATE SKIP LOCKED) q);
    RETURN (SELECT coalesce(array_agg(DISTINCT u.place), '{}') FROM unnest(v_place, v_account) u(place, account)
             WHERE u.account <> ALL (coalesce(v_free, '{}')) AND EXISTS (SELECT FROM account a WHERE a.id = u.account));
END $$;

REVOKE ALL ON FUNCTION post_batch(timestamptz, uuid[], bytea[], smallint[], uuid[], text[], date[], date[], text[], text[], text[],
    uuid[], text[], uuid[], uuid[], timestamptz[], integer[], bigint[], boolean[], bigint[], text[]),
    ledger_busy_commands(integer[], bigint[], uuid[], uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION post_batch(timestamptz, uuid[], bytea[], smallint[], uuid[], text[], date[], date[], text[], text[], text[],
    uuid[], text[], uuid[], uuid[], timestamptz[], integer[], bigint[], boolean[], bigint[], text[]),
    ledger_busy_commands(integer[], bigint[], uuid[], uuid[]) TO {{app}};
