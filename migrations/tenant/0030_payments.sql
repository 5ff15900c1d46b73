-- Payments that leave this institution's accounts, and credits that came in from others.

CREATE TABLE payment (
  id uuid NOT NULL,
  version bigint NOT NULL,
  state text NOT NULL,
  initiated_by text NOT NULL,
  debtor_account uuid NOT NULL,
  debtor_iban text NOT NULL,
  debtor_name text NOT NULL,
  creditor_iban text NOT NULL,
  creditor_name text NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  end_to_end_id text NOT NULL,
  remittance text,
  hold uuid,
  payee_tenant text,
  credit_posting uuid,
  posting uuid,
  reason_code text,
  reason_text text,
  attempts integer NOT NULL DEFAULT 0,
  next_action_at timestamptz,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  CONSTRAINT payment_pkey PRIMARY KEY (id),
  CONSTRAINT payment_state_known CHECK (state IN ('RECEIVED', 'AUTHORISED', 'RESERVED', 'DISPATCHING',
    'UNKNOWN', 'COMPLETED', 'REJECTED', 'CANCELLED')),
  CONSTRAINT payment_amount_positive CHECK (amount_minor > 0),
  CONSTRAINT payment_attempts_rise CHECK (attempts >= 0),
  CONSTRAINT payment_debtor_account_fkey FOREIGN KEY (debtor_account) REFERENCES deposit_account (id),
  CONSTRAINT payment_held CHECK (state NOT IN ('RESERVED', 'DISPATCHING', 'UNKNOWN', 'COMPLETED') OR hold IS NOT NULL),
  CONSTRAINT payment_routed CHECK (state NOT IN ('DISPATCHING', 'UNKNOWN', 'COMPLETED') OR payee_tenant IS NOT NULL),
  CONSTRAINT payment_booked CHECK ((state = 'COMPLETED') = (posting IS NOT NULL AND credit_posting IS NOT NULL)),
  CONSTRAINT payment_reasoned CHECK ((state = 'REJECTED') = (reason_code IS NOT NULL AND reason_text IS NOT NULL)),
  -- Whatever is under way has a time at which somebody looks at it again.
  CONSTRAINT payment_is_looked_after CHECK (
    (state IN ('AUTHORISED', 'RESERVED', 'DISPATCHING', 'UNKNOWN')) = (next_action_at IS NOT NULL))
);
-- The sweep asks for what is due, and nothing that has ended is in here.
CREATE INDEX payment_due ON payment (next_action_at) WHERE next_action_at IS NOT NULL;
CREATE INDEX payment_debtor_account ON payment (debtor_account, id);
GRANT SELECT, INSERT, UPDATE ON payment TO {{app}};

CREATE TABLE payment_transition (
  payment uuid NOT NULL,
  version bigint NOT NULL,
  from_state text,
  to_state text NOT NULL,
  cause text NOT NULL,
  actor text NOT NULL,
  attempt integer NOT NULL,
  at timestamptz NOT NULL,
  CONSTRAINT payment_transition_pkey PRIMARY KEY (payment, version),
  CONSTRAINT payment_transition_payment_fkey FOREIGN KEY (payment) REFERENCES payment (id)
);
CREATE TRIGGER payment_transition_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_transition
  FOR EACH STATEMENT EXECUTE FUNCTION is_append_only();
GRANT SELECT, INSERT ON payment_transition TO {{app}};

-- One row per credit that another institution asked for: its answer is given once and repeated.
CREATE TABLE incoming_credit (
  payer_tenant text NOT NULL,
  payment uuid NOT NULL,
  debtor_iban text NOT NULL,
  debtor_name text NOT NULL,
  creditor_iban text NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  end_to_end_id text NOT NULL,
  remittance text,
  outcome text NOT NULL,
  account uuid,
  posting uuid,
  reason_code text,
  reason_text text,
  received_at timestamptz NOT NULL,
  CONSTRAINT incoming_credit_pkey PRIMARY KEY (payer_tenant, payment),
  CONSTRAINT incoming_credit_amount_positive CHECK (amount_minor > 0),
  CONSTRAINT incoming_credit_outcome_known CHECK (outcome IN ('credited', 'refused')),
  CONSTRAINT incoming_credit_posted CHECK ((outcome = 'credited') = (posting IS NOT NULL AND account IS NOT NULL)),
  CONSTRAINT incoming_credit_reasoned CHECK ((outcome = 'refused') = (reason_code IS NOT NULL AND reason_text IS NOT NULL))
);
-- A statement shows who is behind a credit: it looks up by the posting's payment.
CREATE INDEX incoming_credit_payment ON incoming_credit (payment);
GRANT SELECT, INSERT, UPDATE ON incoming_credit TO {{app}};

-- What this institution may owe on a rail and what is on its way there but not yet booked.
-- Whoever sends locks the row, so that the cap is judged one payment after the other.
CREATE TABLE clearing_position (
  rail text NOT NULL,
  currency text NOT NULL,
  cap_minor bigint,
  in_flight_minor bigint NOT NULL DEFAULT 0,
  CONSTRAINT clearing_position_pkey PRIMARY KEY (rail, currency),
  CONSTRAINT clearing_position_rail_known CHECK (rail IN ('internal')),
  CONSTRAINT clearing_position_cap CHECK (cap_minor >= 0),
  CONSTRAINT clearing_position_in_flight CHECK (in_flight_minor >= 0)
);
GRANT SELECT, INSERT, UPDATE ON clearing_position TO {{app}};
