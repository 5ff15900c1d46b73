-- A seal reads the holds and ends of holds of its days, and no others. Rows arrive in the order of time, so the smallest kind
-- of index is enough.

CREATE INDEX hold_placed_at_brin ON hold USING brin (placed_at) WITH (pages_per_range = 32);
CREATE INDEX hold_end_ended_at_brin ON hold_end USING brin (ended_at) WITH (pages_per_range = 32);
