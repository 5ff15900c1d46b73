-- Third parties: registered once for the installation, enabled by each tenant for itself.

-- A registration costs an invitation: shown once when it is minted, kept as a hash, used once.
CREATE TABLE tpp_invitation (
  hash bytea NOT NULL CONSTRAINT tpp_invitation_hash_length CHECK (length(hash) = 32),
  note text NOT NULL CONSTRAINT tpp_invitation_note_length CHECK (length(note) <= 200),
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  tpp uuid,
  CONSTRAINT tpp_invitation_pkey PRIMARY KEY (hash),
  CONSTRAINT tpp_invitation_used_by CHECK ((used_at IS NULL) = (tpp IS NULL))
);

CREATE TABLE tpp (
  id uuid NOT NULL,
  name text NOT NULL CONSTRAINT tpp_name_length CHECK (length(name) BETWEEN 1 AND 70),
  registration jsonb NOT NULL,
  registered_at timestamptz NOT NULL,
  blocked_at timestamptz,
  CONSTRAINT tpp_pkey PRIMARY KEY (id)
);

-- Which institution lets which third party in.
CREATE TABLE tenant_tpp (
  tenant text NOT NULL,
  tpp uuid NOT NULL,
  enabled_at timestamptz NOT NULL,
  blocked_at timestamptz,
  CONSTRAINT tenant_tpp_pkey PRIMARY KEY (tenant, tpp),
  CONSTRAINT tenant_tpp_tenant_fkey FOREIGN KEY (tenant) REFERENCES tenant (id),
  CONSTRAINT tenant_tpp_tpp_fkey FOREIGN KEY (tpp) REFERENCES tpp (id)
);
CREATE INDEX tenant_tpp_tpp ON tenant_tpp (tpp);

GRANT SELECT, INSERT ON tpp TO {{gateway}};
GRANT SELECT, INSERT, UPDATE ON tpp_invitation, tenant_tpp TO {{gateway}};
