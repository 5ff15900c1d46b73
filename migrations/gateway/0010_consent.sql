-- What members let third parties do, how they proved that it was them, and what was given out for
-- it. Secrets (tokens, codes, cookies) are kept as SHA-256 only.

CREATE TABLE consent (
  id uuid NOT NULL,
  tpp uuid NOT NULL,
  status text NOT NULL,
  access jsonb NOT NULL,
  recurring boolean NOT NULL,
  valid_until date NOT NULL,
  frequency_per_day integer NOT NULL,
  psu_issuer text,
  psu_subject text,
  created_at timestamptz NOT NULL,
  confirm_by timestamptz NOT NULL,
  approved_at timestamptz,
  ended_at timestamptz,
  last_action_on date NOT NULL,
  CONSTRAINT consent_pkey PRIMARY KEY (id),
  CONSTRAINT consent_status_known CHECK (status IN ('received', 'rejected', 'valid', 'revokedByPsu', 'expired', 'terminatedByTpp')),
  CONSTRAINT consent_frequency_positive CHECK (frequency_per_day BETWEEN 1 AND 4),
  CONSTRAINT consent_approved_by CHECK ((approved_at IS NULL) = (psu_issuer IS NULL)
    AND (approved_at IS NULL) = (psu_subject IS NULL)),
  CONSTRAINT consent_valid_is_approved CHECK (status <> 'valid' OR approved_at IS NOT NULL),
  CONSTRAINT consent_ended_at CHECK ((ended_at IS NULL) = (status IN ('received', 'valid')))
);
CREATE INDEX consent_psu ON consent (psu_issuer, psu_subject, id) WHERE psu_subject IS NOT NULL;

-- The accounts a member chose. The id that the third party sees is minted here, per consent.
CREATE TABLE consent_account (
  resource_id uuid NOT NULL,
  consent uuid NOT NULL,
  core_account uuid NOT NULL,
  iban text NOT NULL,
  currency text NOT NULL,
  balances boolean NOT NULL,
  transactions boolean NOT NULL,
  CONSTRAINT consent_account_pkey PRIMARY KEY (resource_id),
  CONSTRAINT consent_account_once UNIQUE (consent, core_account),
  CONSTRAINT consent_account_consent_fkey FOREIGN KEY (consent) REFERENCES consent (id)
);

-- Reads without the member at hand, per consent, day and endpoint (the account is part of it).
CREATE TABLE consent_access (
  consent uuid NOT NULL,
  day date NOT NULL,
  endpoint text NOT NULL,
  reads integer NOT NULL,
  CONSTRAINT consent_access_pkey PRIMARY KEY (consent, day, endpoint),
  CONSTRAINT consent_access_consent_fkey FOREIGN KEY (consent) REFERENCES consent (id)
);

-- Payments belong to the core; here is only which client started which, and for how long it waits.
CREATE TABLE payment_initiation (
  payment uuid NOT NULL,
  tpp uuid NOT NULL,
  product text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT payment_initiation_pkey PRIMARY KEY (payment)
);

-- One run of strong customer authentication. `content` is the hash of what the code is bound to,
-- `shown` the sentence in the message to the member, `choice` the accounts she chose on the page.
CREATE TABLE authorisation (
  id uuid NOT NULL,
  consent uuid,
  payment uuid,
  status text NOT NULL,
  psu_issuer text,
  psu_subject text,
  content text,
  round integer NOT NULL,
  wrong_attempts integer NOT NULL,
  code_expires_at timestamptz,
  shown text,
  choice jsonb,
  why text,
  ended_at timestamptz,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  CONSTRAINT authorisation_pkey PRIMARY KEY (id),
  CONSTRAINT authorisation_consent_key UNIQUE (consent),
  CONSTRAINT authorisation_payment_key UNIQUE (payment),
  CONSTRAINT authorisation_one_object CHECK ((consent IS NULL) <> (payment IS NULL)),
  CONSTRAINT authorisation_status_known CHECK (status IN ('received', 'psuIdentified', 'psuAuthenticated', 'started', 'finalised', 'failed', 'exempted')),
  CONSTRAINT authorisation_code_bound CHECK (status <> 'started'
    OR (content IS NOT NULL AND shown IS NOT NULL AND code_expires_at IS NOT NULL)),
  CONSTRAINT authorisation_failed_why CHECK ((status = 'failed') = (why IS NOT NULL)),
  CONSTRAINT authorisation_attempts_bounded CHECK (wrong_attempts BETWEEN 0 AND 3)
);

-- What the core still has to be told about a payment; told at once, and by the sweep if that failed.
CREATE TABLE core_call (
  payment uuid NOT NULL,
  kind text NOT NULL,
  fingerprint text,
  psu_issuer text NOT NULL,
  psu_subject text NOT NULL,
  created_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  tries integer NOT NULL,
  done_at timestamptz,
  outcome text,
  CONSTRAINT core_call_pkey PRIMARY KEY (payment),
  CONSTRAINT core_call_kind_known CHECK (kind IN ('authorise', 'cancel')),
  CONSTRAINT core_call_bound CHECK (kind <> 'authorise' OR fingerprint IS NOT NULL)
);
CREATE INDEX core_call_due ON core_call (due_at) WHERE done_at IS NULL;

-- Authorization requests as their clients pushed them (RFC 9126).
CREATE TABLE pushed_request (
  hash bytea NOT NULL,
  tpp uuid NOT NULL,
  redirect_uri text NOT NULL,
  scope text NOT NULL,
  state text,
  code_challenge text NOT NULL,
  expires_at timestamptz NOT NULL,
  completed_at timestamptz,
  CONSTRAINT pushed_request_pkey PRIMARY KEY (hash),
  CONSTRAINT pushed_request_hash_length CHECK (length(hash) = 32)
);
CREATE INDEX pushed_request_expiry ON pushed_request (expires_at);

-- A member signed in at the institution's issuer; the cookie holds the secret behind the hash.
CREATE TABLE member_session (
  hash bytea NOT NULL,
  psu_issuer text NOT NULL,
  psu_subject text NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT member_session_pkey PRIMARY KEY (hash),
  CONSTRAINT member_session_hash_length CHECK (length(hash) = 32)
);
CREATE INDEX member_session_expiry ON member_session (expires_at);
CREATE INDEX member_session_psu ON member_session (psu_issuer, psu_subject);

-- One browser working through one pushed request.
CREATE TABLE interaction (
  id uuid NOT NULL,
  pushed bytea NOT NULL,
  session bytea,
  opened_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  CONSTRAINT interaction_pkey PRIMARY KEY (id),
  CONSTRAINT interaction_pushed_fkey FOREIGN KEY (pushed) REFERENCES pushed_request (hash),
  CONSTRAINT interaction_session_fkey FOREIGN KEY (session) REFERENCES member_session (hash)
);
CREATE INDEX interaction_expiry ON interaction (expires_at);
CREATE INDEX interaction_pushed ON interaction (pushed);
CREATE INDEX interaction_session ON interaction (session) WHERE session IS NOT NULL;

-- A sign-in under way at the institution's issuer, bound to the browser that began it.
CREATE TABLE login_attempt (
  hash bytea NOT NULL,
  browser bytea NOT NULL,
  nonce text NOT NULL,
  verifier text NOT NULL,
  destination text NOT NULL,
  interaction uuid,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT login_attempt_pkey PRIMARY KEY (hash),
  CONSTRAINT login_attempt_destination_known CHECK (destination IN ('approve', 'me')),
  CONSTRAINT login_attempt_whole CHECK ((destination = 'approve') = (interaction IS NOT NULL)),
  CONSTRAINT login_attempt_interaction_fkey FOREIGN KEY (interaction) REFERENCES interaction (id)
);
CREATE INDEX login_attempt_expiry ON login_attempt (expires_at);
CREATE INDEX login_attempt_interaction ON login_attempt (interaction) WHERE interaction IS NOT NULL;

-- What a member granted: one consent or payment to one client. Codes and tokens hang on it.
CREATE TABLE oauth_grant (
  id uuid NOT NULL,
  tpp uuid NOT NULL,
  scope text NOT NULL,
  created_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT oauth_grant_pkey PRIMARY KEY (id)
);

CREATE TABLE authorization_code (
  hash bytea NOT NULL,
  oauth_grant uuid NOT NULL,
  tpp uuid NOT NULL,
  redirect_uri text NOT NULL,
  code_challenge text NOT NULL,
  expires_at timestamptz NOT NULL,
  redeemed_at timestamptz,
  CONSTRAINT authorization_code_pkey PRIMARY KEY (hash),
  CONSTRAINT authorization_code_hash_length CHECK (length(hash) = 32),
  CONSTRAINT authorization_code_grant_fkey FOREIGN KEY (oauth_grant) REFERENCES oauth_grant (id)
);
CREATE INDEX authorization_code_expiry ON authorization_code (expires_at);

-- Without a grant it is the client's own (client credentials).
CREATE TABLE access_token (
  hash bytea NOT NULL,
  tpp uuid NOT NULL,
  oauth_grant uuid,
  scope text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CONSTRAINT access_token_pkey PRIMARY KEY (hash),
  CONSTRAINT access_token_hash_length CHECK (length(hash) = 32),
  CONSTRAINT access_token_grant_fkey FOREIGN KEY (oauth_grant) REFERENCES oauth_grant (id)
);
CREATE INDEX access_token_expiry ON access_token (expires_at);
CREATE INDEX access_token_grant ON access_token (oauth_grant) WHERE oauth_grant IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON consent, consent_access, authorisation, core_call, pushed_request,
  member_session, interaction, login_attempt, oauth_grant, authorization_code, access_token TO {{app}};
GRANT SELECT, INSERT ON consent_account, payment_initiation TO {{app}};
-- What has run out is forgotten; all else above is evidence and stays.
GRANT DELETE ON pushed_request, member_session, interaction, login_attempt, authorization_code,
  access_token TO {{app}};
