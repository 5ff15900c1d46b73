-- What every schema of a tenant has: its state, its keys of idempotency, its audit, its outbox.

-- One row. A suspension or a move changes it behind a table lock, so that whoever began before is
-- waited for and whoever begins later is refused.
CREATE TABLE tenant_state (
  one boolean NOT NULL DEFAULT true,
  serving text NOT NULL,
  reason text,
  epoch bigint NOT NULL,
  CONSTRAINT tenant_state_pkey PRIMARY KEY (one),
  CONSTRAINT tenant_state_one CHECK (one),
  CONSTRAINT tenant_state_known CHECK (serving IN ('open', 'suspended', 'moved'))
);
INSERT INTO tenant_state (serving, epoch) VALUES ('open', 1);

-- The door calls it before BEGIN; its failure leaves the connection clean.
CREATE FUNCTION tenant_gate(p_writing boolean) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = {{schema}}, pg_temp AS $$
DECLARE v_serving text;
BEGIN
  SELECT serving INTO v_serving FROM tenant_state;
  IF v_serving = 'moved' THEN
    RAISE EXCEPTION 'tenant moved' USING ERRCODE = 'BL002';
  ELSIF v_serving = 'suspended' AND p_writing THEN
    RAISE EXCEPTION 'tenant suspended' USING ERRCODE = 'BL001';
  END IF;
END $$;
REVOKE ALL ON FUNCTION tenant_gate(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_gate(boolean) TO {{app}};

-- One row per key a caller used: the same key with the same content gets the same answer.
CREATE TABLE idempotency_key (
  client text NOT NULL,
  operation text NOT NULL,
  key uuid NOT NULL,
  request_hash bytea NOT NULL,
  resource_id uuid NOT NULL,
  lease_until timestamptz,
  status integer,
  answer jsonb,
  created_at timestamptz NOT NULL,
  CONSTRAINT idempotency_key_pkey PRIMARY KEY (client, operation, key),
  CONSTRAINT idempotency_key_answered CHECK ((status IS NULL) = (answer IS NULL)),
  CONSTRAINT idempotency_key_open_has_lease CHECK (status IS NOT NULL OR lease_until IS NOT NULL)
);
GRANT SELECT, INSERT, UPDATE ON idempotency_key TO {{app}};

-- Rows go in with the change they tell of; the sealer numbers and chains them afterwards.
CREATE TABLE audit_event (
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  actor text NOT NULL,
  operation text NOT NULL,
  object text,
  outcome text NOT NULL,
  request_id uuid,
  reference text,
  detail jsonb,
  CONSTRAINT audit_event_pkey PRIMARY KEY (id)
);
GRANT SELECT, INSERT ON audit_event TO {{app}};

-- Events that the sealer has still to chain.
CREATE TABLE audit_unsealed (
  event uuid NOT NULL,
  CONSTRAINT audit_unsealed_pkey PRIMARY KEY (event)
);
GRANT SELECT, INSERT, DELETE ON audit_unsealed TO {{app}};

CREATE TABLE audit_seal (
  seq bigint NOT NULL,
  event uuid NOT NULL,
  digest bytea NOT NULL,
  CONSTRAINT audit_seal_pkey PRIMARY KEY (seq),
  CONSTRAINT audit_seal_event_key UNIQUE (event),
  CONSTRAINT audit_seal_digest_length CHECK (length(digest) = 32)
);
GRANT SELECT, INSERT ON audit_seal TO {{app}};

-- Events for others, written with the change, delivered at least once, in the order of their ids.
CREATE TABLE outbox (
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  payload jsonb NOT NULL,
  sent_at timestamptz,
  CONSTRAINT outbox_pkey PRIMARY KEY (id)
);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
GRANT SELECT, INSERT, UPDATE ON outbox TO {{app}};

CREATE FUNCTION is_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = {{schema}}, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% is not allowed: rows are added and stay', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
REVOKE ALL ON FUNCTION is_append_only() FROM PUBLIC;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
