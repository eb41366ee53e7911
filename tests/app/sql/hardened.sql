-- The shape that the schema has after its migration, in the shortest form: what these tests need of it, not a model
-- of how to get there on a live database.

ALTER TABLE knowledge_bases ADD COLUMN tenant_id bigint;
ALTER TABLE documents ADD COLUMN tenant_id bigint;
UPDATE knowledge_bases k SET tenant_id = u.tenant_id FROM users u WHERE u.id = k.owner_id;
UPDATE documents d SET tenant_id = k.tenant_id FROM knowledge_bases k WHERE k.id = d.knowledge_base_id;

ALTER TABLE users ALTER COLUMN tenant_id SET DEFAULT nullif(current_setting('app.tenant_id', true), '')::bigint;
ALTER TABLE knowledge_bases
    ALTER COLUMN tenant_id SET DEFAULT nullif(current_setting('app.tenant_id', true), '')::bigint,
    ALTER COLUMN tenant_id SET NOT NULL;
ALTER TABLE documents
    ALTER COLUMN tenant_id SET DEFAULT nullif(current_setting('app.tenant_id', true), '')::bigint,
    ALTER COLUMN tenant_id SET NOT NULL;

ALTER TABLE users
    DROP CONSTRAINT users_email_key,
    ADD CONSTRAINT users_tenant_id_email_key UNIQUE (tenant_id, email),
    ADD CONSTRAINT users_tenant_id_id_key UNIQUE (tenant_id, id);
ALTER TABLE knowledge_bases
    ADD CONSTRAINT knowledge_bases_tenant_id_id_key UNIQUE (tenant_id, id),
    DROP CONSTRAINT knowledge_bases_owner_id_fkey,
    ADD CONSTRAINT knowledge_bases_tenant_id_owner_id_fkey
        FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id);
ALTER TABLE documents
    DROP CONSTRAINT documents_knowledge_base_id_fkey,
    ADD CONSTRAINT documents_tenant_id_knowledge_base_id_fkey
        FOREIGN KEY (tenant_id, knowledge_base_id) REFERENCES knowledge_bases (tenant_id, id);

CREATE POLICY tenant ON tenants FOR ALL
    USING (id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
    WITH CHECK (id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY tenant ON users FOR ALL
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY tenant ON knowledge_bases FOR ALL
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
CREATE POLICY tenant ON documents FOR ALL
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE knowledge_bases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA public TO kb_app, kb_lookup;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, users, knowledge_bases, documents TO kb_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO kb_app;

GRANT SELECT ON tenants, users TO kb_lookup;
ALTER FUNCTION auth_lookup(text, text) SET search_path = pg_catalog, public, pg_temp;
REVOKE EXECUTE ON FUNCTION auth_lookup(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth_lookup(text, text) TO kb_app;
ALTER FUNCTION auth_lookup(text, text) OWNER TO kb_lookup;
