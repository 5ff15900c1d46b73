-- Members, their accounts, and what the institution itself is.

-- One row, written at provisioning. Its counter numbers the accounts; whoever opens an account of
-- the institution itself locks it, so that each is opened once.
CREATE TABLE institution (
  one boolean NOT NULL DEFAULT true,
  country text NOT NULL,
  bank_code text NOT NULL,
  currency text NOT NULL,
  last_account_number bigint NOT NULL DEFAULT 0,
  CONSTRAINT institution_pkey PRIMARY KEY (one),
  CONSTRAINT institution_one CHECK (one),
  CONSTRAINT institution_country_shape CHECK (country ~ '^[A-Z]{2}$'),
  CONSTRAINT institution_bank_code_shape CHECK (bank_code ~ '^[A-Z0-9]{1,12}$'),
  CONSTRAINT institution_currency_shape CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT institution_counter_rises CHECK (last_account_number >= 0)
);
GRANT SELECT, INSERT, UPDATE ON institution TO {{app}};

CREATE TABLE member (
  id uuid NOT NULL,
  name text NOT NULL,
  enrolled_at timestamptz NOT NULL,
  CONSTRAINT member_pkey PRIMARY KEY (id),
  CONSTRAINT member_name_length CHECK (length(name) BETWEEN 1 AND 140)
);
GRANT SELECT, INSERT ON member TO {{app}};

-- Who signs in as which member: the pair is what a token says.
CREATE TABLE member_login (
  issuer text NOT NULL,
  subject text NOT NULL,
  member uuid NOT NULL,
  CONSTRAINT member_login_pkey PRIMARY KEY (issuer, subject),
  CONSTRAINT member_login_member_fkey FOREIGN KEY (member) REFERENCES member (id)
);
CREATE INDEX member_login_member ON member_login (member);
GRANT SELECT, INSERT ON member_login TO {{app}};

-- Balances, freezes and the end of an account are the ledger's; here is who owns it and its name.
CREATE TABLE deposit_account (
  id uuid NOT NULL,
  member uuid NOT NULL,
  iban text NOT NULL,
  currency text NOT NULL,
  product text NOT NULL,
  ledger_account bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  CONSTRAINT deposit_account_pkey PRIMARY KEY (id),
  CONSTRAINT deposit_account_iban_key UNIQUE (iban),
  CONSTRAINT deposit_account_ledger_account_key UNIQUE (ledger_account),
  CONSTRAINT deposit_account_member_fkey FOREIGN KEY (member) REFERENCES member (id),
  CONSTRAINT deposit_account_product_known CHECK (product IN ('current'))
);
-- Lists show a member's accounts in the order of their ids, which is the order of their opening.
CREATE INDEX deposit_account_member ON deposit_account (member, id);
GRANT SELECT, INSERT ON deposit_account TO {{app}};
