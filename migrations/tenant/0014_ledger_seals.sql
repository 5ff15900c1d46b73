-- Day seals: what was booked until the end of a day, as one link of a hash chain.
--
-- A posting is refused ten minutes after its transaction began (booked_now), and a day is sealed fifteen minutes after its
-- end at the earliest: by then nothing can be booked into it any more. Whoever changes a sealed row later is found by
-- the verifier; whoever rewrites the whole chain as well, by comparing its head with one that was taken away before.

-- What a seal of p_day says when the seal before it is of p_before (null: there is none) with the hash p_previous.
CREATE FUNCTION ledger_seal_content(p_before date, p_day date, p_previous bytea)
RETURNS TABLE (postings bigint, entries bigint, hash bytea) LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = {{schema}}, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
    WITH span AS (
        SELECT coalesce((p_before + 1)::timestamp AT TIME ZONE 'UTC', '-infinity') AS first,
               (p_day + 1)::timestamp AT TIME ZONE 'UTC' AS past
    ), booked AS (
        SELECT p.id, cardinality(p.leg_accounts) AS legs, sha256(convert_to(jsonb_build_array(
                   p.id, p.booked_at, p.booking_date, p.value_date, p.reversal_of, p.reference_kind, p.reference_id, p.kind,
                   p.actor, p.branch, p.memo, p.leg_accounts, p.leg_seqs,
                   (SELECT jsonb_agg(jsonb_build_array(e.account, e.seq, e.posting, e.amount, e.balance_after, e.side, e.currency,
                                                       e.booking_date, e.value_date) ORDER BY k.ord)
                      FROM unnest(p.leg_accounts, p.leg_seqs) WITH ORDINALITY k(account, seq, ord)
                      JOIN entry e ON e.account = k.account AND e.seq = k.seq))::text, 'UTF8')) AS digest
          FROM posting p, span s WHERE p.booked_at >= s.first AND p.booked_at < s.past
    ), held AS (
        SELECT h.id, sha256(convert_to(jsonb_build_array(h.id, h.account, h.amount, h.placed_at, h.expires_at, h.side, h.actor,
                   h.memo, h.reference_kind, h.reference_id)::text, 'UTF8')) AS digest
          FROM hold h, span s WHERE h.placed_at >= s.first AND h.placed_at < s.past
    ), ended AS (
        SELECT d.hold, sha256(convert_to(jsonb_build_array(d.hold, d.posting, d.posted, d.ended_at, d.how, d.actor)::text,
                   'UTF8')) AS digest
          FROM hold_end d, span s WHERE d.ended_at >= s.first AND d.ended_at < s.past
    )
    SELECT b.n, b.legs, sha256(p_previous || convert_to(p_day::text, 'UTF8') || sha256(b.digest) || sha256(h.digest) || sha256(d.digest))
      FROM (SELECT count(*) AS n, coalesce(sum(q.legs), 0) AS legs, coalesce(string_agg(q.digest, '' ORDER BY q.id), '') AS digest
              FROM booked q) b,
           (SELECT coalesce(string_agg(q.digest, '' ORDER BY q.id), '') AS digest FROM held q) h,
           (SELECT coalesce(string_agg(q.digest, '' ORDER BY q.hold), '') AS digest FROM ended q) d
$$;

-- Seals everything up to the end of p_day that is not sealed yet, and gives the new head of the chain.
CREATE FUNCTION ledger_seal_day(p_day date) RETURNS bytea LANGUAGE plpgsql SECURITY DEFINER
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
    v_before   date;
    v_previous bytea;
    v_hash     bytea;
BEGIN
    IF (p_day + 1)::timestamp AT TIME ZONE 'UTC' + interval '15 minutes' > clock_timestamp() THEN
        RAISE EXCEPTION 'the day is not over long enough to be sealed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'day_seal_day_over';
    END IF;
    LOCK TABLE day_seal IN SHARE ROW EXCLUSIVE MODE;
    SELECT s.day, s.hash INTO v_before, v_previous FROM day_seal s ORDER BY s.day DESC LIMIT 1;
    IF v_before >= p_day THEN
        RAISE EXCEPTION 'the day is sealed already' USING ERRCODE = 'unique_violation', CONSTRAINT = 'day_seal_pkey';
    END IF;
    INSERT INTO day_seal (day, postings, entries, previous, hash)
    SELECT p_day, c.postings, c.entries, coalesce(v_previous, decode(repeat('00', 32), 'hex')), c.hash
      FROM ledger_seal_content(v_before, p_day, coalesce(v_previous, decode(repeat('00', 32), 'hex'))) c
    RETURNING hash INTO v_hash;
    RETURN v_hash;
END $$;

REVOKE ALL ON FUNCTION ledger_seal_content(date, date, bytea), ledger_seal_day(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger_seal_content(date, date, bytea), ledger_seal_day(date) TO {{app}};
