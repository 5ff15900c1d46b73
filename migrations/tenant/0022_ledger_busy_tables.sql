-- What each posting writes. The server analyzes a table after fifty changed rows and vacuums it after fifty dead ones, and each
-- time makes every connection look through all plans it keeps: with a thousand tenants that is a stop of seconds, every minute.
-- Nothing that is asked of these tables needs statistics, because each question has its index, and what is dead after an update in
-- place is tidied up by the next one. A tenth or a fifth of the rows still counts besides.
DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['account', 'posting', 'entry', 'hold', 'hold_end', 'ledger_key', 'gl_total',
                                   'idempotency_key', 'audit_event', 'audit_unsealed', 'audit_seal', 'outbox'] LOOP
        EXECUTE format('ALTER TABLE {{schema}}.%I SET (autovacuum_analyze_threshold = 10000, '
                       'autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_insert_threshold = 10000)', v_table);
    END LOOP;
END $$;
