-- Keys of the tenant, wrapped by the installation's master key.
CREATE TABLE tenant_key (
  purpose text NOT NULL,
  wrapped bytea NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT tenant_key_pkey PRIMARY KEY (purpose)
);
GRANT SELECT, INSERT ON tenant_key TO {{app}};
