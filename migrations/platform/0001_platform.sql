-- The register of the installation: which tenants there are, where each lives, who signs its
-- people in, and which bank codes are its own. Tenants' data is elsewhere.

CREATE TABLE tenant (
  id text NOT NULL CONSTRAINT tenant_id_shape CHECK (id ~ '^[a-z][a-z0-9_]{1,39}$'),
  slug text NOT NULL CONSTRAINT tenant_slug_shape CHECK (slug ~ '^[a-z][a-z0-9-]{1,39}$'),
  name text NOT NULL CONSTRAINT tenant_name_length CHECK (length(name) BETWEEN 1 AND 200),
  country text NOT NULL CONSTRAINT tenant_country_shape CHECK (country ~ '^[A-Z]{2}$'),
  currency text NOT NULL CONSTRAINT tenant_currency_shape CHECK (currency ~ '^[A-Z]{3}$'),
  isolation text NOT NULL CONSTRAINT tenant_isolation_known CHECK (isolation IN ('pooled', 'dedicated')),
  created_at timestamptz NOT NULL,
  CONSTRAINT tenant_pkey PRIMARY KEY (id),
  CONSTRAINT tenant_slug_key UNIQUE (slug)
);

-- What `Placement` reads. The epoch grows with each move, so that a stale look-up shows.
CREATE TABLE tenant_placement (
  tenant text NOT NULL,
  cell text NOT NULL,
  epoch bigint NOT NULL,
  CONSTRAINT tenant_placement_pkey PRIMARY KEY (tenant),
  CONSTRAINT tenant_placement_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant (id)
);

-- Who may sign in people of which tenant: a token's issuer names the tenant.
CREATE TABLE tenant_issuer (
  issuer text NOT NULL,
  tenant text NOT NULL,
  jwks_uri text NOT NULL,
  client_id text NOT NULL,
  CONSTRAINT tenant_issuer_pkey PRIMARY KEY (issuer),
  CONSTRAINT tenant_issuer_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant (id)
);
CREATE INDEX tenant_issuer_tenant ON tenant_issuer (tenant);

-- Routing on the internal rail: the bank code inside an IBAN names the tenant.
CREATE TABLE bank_code (
  country text NOT NULL,
  code text NOT NULL,
  tenant text NOT NULL,
  CONSTRAINT bank_code_pkey PRIMARY KEY (country, code),
  CONSTRAINT bank_code_shape CHECK (country ~ '^[A-Z]{2}$' AND code ~ '^[A-Z0-9]{1,12}$'),
  CONSTRAINT bank_code_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant (id)
);
CREATE INDEX bank_code_tenant ON bank_code (tenant);

GRANT SELECT ON tenant, tenant_placement, tenant_issuer, bank_code TO {{core}}, {{gateway}};
