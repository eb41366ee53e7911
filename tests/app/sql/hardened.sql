-- The shape that the schema has after its migration, relation by relation: what the service's own tests need, and the
-- blueprint of what a migration has to reach. Not a model of how to get there on a live database.
-- Applied by a superuser; the roles kb_owner, kb_app and kb_lookup (NOLOGIN BYPASSRLS) exist.

-- ---------------------------------------------------------------- keys
-- Triggers would touch updated_at of every row that the backfill fills: it must change nothing that a digest sees.
SET session_replication_role = replica;

-- Two steps, because a default given in ADD COLUMN is written into every old row.
ALTER TABLE api_keys ADD COLUMN tenant_id bigint;
ALTER TABLE knowledge_bases ADD COLUMN tenant_id bigint;
ALTER TABLE documents ADD COLUMN tenant_id bigint;
ALTER TABLE uploads ADD COLUMN tenant_id bigint;
ALTER TABLE threads ADD COLUMN tenant_id bigint;
ALTER TABLE posts ADD COLUMN tenant_id bigint;
ALTER TABLE workflows ADD COLUMN tenant_id bigint;
ALTER TABLE workflow_runs ADD COLUMN tenant_id bigint;
ALTER TABLE ai_usage ADD COLUMN tenant_id bigint;
ALTER TABLE invoices ADD COLUMN tenant_id bigint;
ALTER TABLE audit_log ADD COLUMN tenant_id bigint;
-- A column of a partitioned table is added to each partition with it.
ALTER TABLE events ADD COLUMN tenant_id bigint;

-- Parents before children: each takes the tenant of the row it hangs on, so no row lands in a default tenant.
UPDATE api_keys t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.user_id;
UPDATE knowledge_bases t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.owner_id;
UPDATE documents t SET tenant_id = p.tenant_id FROM knowledge_bases p WHERE p.id = t.knowledge_base_id;
-- Of two ways to a tenant the one that is never NULL: the uploader's, not the document's.
UPDATE uploads t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.uploaded_by;
-- Of two ways the place, not the author: who may see a thread is decided by the knowledge base it is about.
UPDATE threads t SET tenant_id = p.tenant_id FROM knowledge_bases p WHERE p.id = t.knowledge_base_id;
UPDATE posts t SET tenant_id = p.tenant_id FROM threads p WHERE p.id = t.thread_id;
UPDATE workflows t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.owner_id;
UPDATE workflow_runs t SET tenant_id = p.tenant_id FROM workflows p WHERE p.id = t.workflow_id;
UPDATE ai_usage t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.user_id;
UPDATE invoices t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.billed_to;
UPDATE audit_log t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.actor_id;
UPDATE events t SET tenant_id = p.tenant_id FROM users p WHERE p.id = t.user_id;

-- Rows that reach no tenant are nobody's: moved where they can be seen and counted, and where the service cannot look.
CREATE SCHEMA quarantine AUTHORIZATION kb_owner;
CREATE TABLE quarantine.audit_log AS SELECT *, 'no actor'::text AS reason FROM audit_log WHERE tenant_id IS NULL;
CREATE TABLE quarantine.events AS SELECT *, 'no user'::text AS reason FROM events WHERE tenant_id IS NULL;
ALTER TABLE quarantine.audit_log OWNER TO kb_owner;
ALTER TABLE quarantine.events OWNER TO kb_owner;
DELETE FROM audit_log WHERE tenant_id IS NULL;
DELETE FROM events WHERE tenant_id IS NULL;

SET session_replication_role = origin;

-- The default from the context lets one code base run on both schemas: it never names the key.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['users', 'api_keys', 'knowledge_bases', 'documents', 'uploads', 'threads', 'posts',
                               'workflows', 'workflow_runs', 'ai_usage', 'invoices', 'audit_log', 'events'] LOOP
        EXECUTE format(
            'ALTER TABLE %I ALTER COLUMN tenant_id'
            ' SET DEFAULT nullif(current_setting(''app.tenant_id'', true), '''')::bigint,'
            ' ALTER COLUMN tenant_id SET NOT NULL', one);
    END LOOP;
END
$$;

-- ---------------------------------------------------------------- unique keys
ALTER TABLE users
    DROP CONSTRAINT users_email_key,
    ADD CONSTRAINT users_tenant_id_email_key UNIQUE (tenant_id, email);
-- With the key in front, a collision with another tenant's user cannot be told from a free month.
ALTER TABLE ai_usage
    DROP CONSTRAINT ai_usage_user_id_month_key,
    ADD CONSTRAINT ai_usage_tenant_id_user_id_month_key UNIQUE (tenant_id, user_id, month);
ALTER TABLE invoices
    DROP CONSTRAINT invoices_number_key,
    ADD CONSTRAINT invoices_tenant_id_number_key UNIQUE (tenant_id, number);
-- tenants.slug stays unique over all: it is the name that a login starts from. Primary keys stay, drawn by sequences.

-- ---------------------------------------------------------------- references
-- What others reference must be unique together with its tenant.
ALTER TABLE users ADD CONSTRAINT users_tenant_id_id_key UNIQUE (tenant_id, id);
ALTER TABLE knowledge_bases ADD CONSTRAINT knowledge_bases_tenant_id_id_key UNIQUE (tenant_id, id);
ALTER TABLE documents ADD CONSTRAINT documents_tenant_id_id_key UNIQUE (tenant_id, id);
ALTER TABLE threads ADD CONSTRAINT threads_tenant_id_id_key UNIQUE (tenant_id, id);
ALTER TABLE workflows ADD CONSTRAINT workflows_tenant_id_id_key UNIQUE (tenant_id, id);

-- Every reference carries the tenant, so that no row can hang on another tenant's; also the second ways.
ALTER TABLE api_keys
    ADD CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT api_keys_user_id_fkey,
    ADD CONSTRAINT api_keys_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id);
ALTER TABLE knowledge_bases
    ADD CONSTRAINT knowledge_bases_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT knowledge_bases_owner_id_fkey,
    ADD CONSTRAINT knowledge_bases_tenant_id_owner_id_fkey
        FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id);
ALTER TABLE documents
    ADD CONSTRAINT documents_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT documents_knowledge_base_id_fkey,
    ADD CONSTRAINT documents_tenant_id_knowledge_base_id_fkey
        FOREIGN KEY (tenant_id, knowledge_base_id) REFERENCES knowledge_bases (tenant_id, id);
-- SET NULL must name its column, or it would set the tenant NULL too (PostgreSQL 15).
ALTER TABLE uploads
    ADD CONSTRAINT uploads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT uploads_uploaded_by_fkey,
    ADD CONSTRAINT uploads_tenant_id_uploaded_by_fkey
        FOREIGN KEY (tenant_id, uploaded_by) REFERENCES users (tenant_id, id),
    DROP CONSTRAINT uploads_document_id_fkey,
    ADD CONSTRAINT uploads_tenant_id_document_id_fkey
        FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id) ON DELETE SET NULL (document_id);
ALTER TABLE threads
    ADD CONSTRAINT threads_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT threads_knowledge_base_id_fkey,
    ADD CONSTRAINT threads_tenant_id_knowledge_base_id_fkey
        FOREIGN KEY (tenant_id, knowledge_base_id) REFERENCES knowledge_bases (tenant_id, id),
    DROP CONSTRAINT threads_author_id_fkey,
    ADD CONSTRAINT threads_tenant_id_author_id_fkey
        FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id);
-- CASCADE is kept as it was: a migration of keys changes no behaviour.
ALTER TABLE posts
    ADD CONSTRAINT posts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT posts_thread_id_fkey,
    ADD CONSTRAINT posts_tenant_id_thread_id_fkey
        FOREIGN KEY (tenant_id, thread_id) REFERENCES threads (tenant_id, id) ON DELETE CASCADE,
    DROP CONSTRAINT posts_author_id_fkey,
    ADD CONSTRAINT posts_tenant_id_author_id_fkey
        FOREIGN KEY (tenant_id, author_id) REFERENCES users (tenant_id, id);
ALTER TABLE workflows
    ADD CONSTRAINT workflows_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT workflows_owner_id_fkey,
    ADD CONSTRAINT workflows_tenant_id_owner_id_fkey
        FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id);
ALTER TABLE workflow_runs
    ADD CONSTRAINT workflow_runs_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT workflow_runs_workflow_id_fkey,
    ADD CONSTRAINT workflow_runs_tenant_id_workflow_id_fkey
        FOREIGN KEY (tenant_id, workflow_id) REFERENCES workflows (tenant_id, id);
ALTER TABLE ai_usage
    ADD CONSTRAINT ai_usage_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT ai_usage_user_id_fkey,
    ADD CONSTRAINT ai_usage_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id);
ALTER TABLE invoices
    ADD CONSTRAINT invoices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT invoices_billed_to_fkey,
    ADD CONSTRAINT invoices_tenant_id_billed_to_fkey
        FOREIGN KEY (tenant_id, billed_to) REFERENCES users (tenant_id, id);
-- An actor may still be missing: the system acts inside a tenant too, and then the context says which.
ALTER TABLE audit_log
    ADD CONSTRAINT audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT audit_log_actor_id_fkey,
    ADD CONSTRAINT audit_log_tenant_id_actor_id_fkey
        FOREIGN KEY (tenant_id, actor_id) REFERENCES users (tenant_id, id);
ALTER TABLE events
    ADD CONSTRAINT events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id),
    DROP CONSTRAINT events_user_id_fkey,
    ADD CONSTRAINT events_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id);
-- tenants.plan references plans alone: what is shared has no tenant.

-- ---------------------------------------------------------------- indexes
-- The tenant in front of each, as every query now asks for it; users_tenant_id_idx is covered by the unique keys.
DROP INDEX users_tenant_id_idx, api_keys_user_id_idx, knowledge_bases_owner_id_idx, documents_knowledge_base_id_idx,
    uploads_uploaded_by_idx, uploads_document_id_idx, threads_knowledge_base_id_idx, threads_author_id_idx,
    posts_thread_id_idx, posts_author_id_idx, workflows_owner_id_idx, workflow_runs_workflow_id_idx,
    invoices_billed_to_idx, audit_log_actor_id_idx, events_user_id_idx;
CREATE INDEX api_keys_tenant_id_user_id_idx ON api_keys (tenant_id, user_id);
CREATE INDEX knowledge_bases_tenant_id_owner_id_idx ON knowledge_bases (tenant_id, owner_id);
CREATE INDEX documents_tenant_id_knowledge_base_id_idx ON documents (tenant_id, knowledge_base_id);
CREATE INDEX uploads_tenant_id_uploaded_by_idx ON uploads (tenant_id, uploaded_by);
CREATE INDEX uploads_tenant_id_document_id_idx ON uploads (tenant_id, document_id);
CREATE INDEX threads_tenant_id_knowledge_base_id_idx ON threads (tenant_id, knowledge_base_id);
CREATE INDEX threads_tenant_id_author_id_idx ON threads (tenant_id, author_id);
CREATE INDEX posts_tenant_id_thread_id_idx ON posts (tenant_id, thread_id);
CREATE INDEX posts_tenant_id_author_id_idx ON posts (tenant_id, author_id);
CREATE INDEX workflows_tenant_id_owner_id_idx ON workflows (tenant_id, owner_id);
CREATE INDEX workflow_runs_tenant_id_workflow_id_idx ON workflow_runs (tenant_id, workflow_id);
CREATE INDEX invoices_tenant_id_billed_to_idx ON invoices (tenant_id, billed_to);
CREATE INDEX audit_log_tenant_id_actor_id_idx ON audit_log (tenant_id, actor_id);
CREATE INDEX events_tenant_id_user_id_idx ON events (tenant_id, user_id);

-- ---------------------------------------------------------------- numbers
-- A number per tenant without gaps: the counter's row lock puts concurrent invoices in a row, where max() + 1 races.
CREATE TABLE invoice_counters (
    tenant_id   bigint NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::bigint,
    last_number bigint NOT NULL,
    CONSTRAINT invoice_counters_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT invoice_counters_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
ALTER TABLE invoice_counters OWNER TO kb_owner;
-- Numbers that were given stay: each tenant goes on after its highest.
INSERT INTO invoice_counters (tenant_id, last_number) SELECT tenant_id, max(number) FROM invoices GROUP BY tenant_id;
CREATE FUNCTION number_invoice() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp
AS $$
BEGIN
    INSERT INTO public.invoice_counters AS c (tenant_id, last_number) VALUES (NEW.tenant_id, 1)
        ON CONFLICT (tenant_id) DO UPDATE SET last_number = c.last_number + 1
        RETURNING c.last_number INTO NEW.number;
    RETURN NEW;
END
$$;
ALTER FUNCTION number_invoice() OWNER TO kb_owner;
CREATE TRIGGER invoices_number BEFORE INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION number_invoice();
ALTER TABLE invoices ALTER COLUMN number DROP DEFAULT;
-- A sequence that all share tells each how much the others do.
DROP SEQUENCE invoices_number_seq;

-- ---------------------------------------------------------------- row security
-- One scalar policy for all commands, closed where the context is unset or empty; FORCE, for the owner is no exception.
DO $$
DECLARE
    one text;
    key text;
BEGIN
    FOREACH one IN ARRAY ARRAY['tenants', 'users', 'api_keys', 'knowledge_bases', 'documents', 'uploads', 'threads',
                               'posts', 'workflows', 'workflow_runs', 'ai_usage', 'invoices', 'invoice_counters',
                               'audit_log', 'events',
                               -- A partition that is asked by its own name has its own policy or none.
                               'events_2025_01', 'events_2025_02', 'events_2025_03', 'events_default'] LOOP
        key := CASE one WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END;
        EXECUTE format(
            'CREATE POLICY tenant ON %1$I FOR ALL'
            ' USING (%2$I = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::bigint))'
            ' WITH CHECK (%2$I = (SELECT nullif(current_setting(''app.tenant_id'', true), '''')::bigint))', one, key);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', one);
    END LOOP;
END
$$;

-- ---------------------------------------------------------------- views
-- With the rights, and the policies, of whoever asks.
ALTER VIEW document_overview SET (security_invoker = true);
-- A materialized view can have no policy: the service reads it through a function, which asks the context.
-- Its owner must bypass row security, else the next refresh finds nothing.
ALTER MATERIALIZED VIEW tenant_stats OWNER TO kb_lookup;

-- ---------------------------------------------------------------- functions
-- Replaced first, owned after. Each has a pinned search_path, and names its schema.
CREATE OR REPLACE FUNCTION search_documents(words text, at_most bigint)
RETURNS TABLE (id bigint, title text, snippet text, rank real)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    -- @@ is not leakproof, so under a policy no index serves it: a bypassing role with the tenant spelt out does.
    SELECT d.id, d.title, left(d.body, 200),
           ts_rank(to_tsvector('simple', d.title || ' ' || d.body), plainto_tsquery('simple', words))
      FROM public.documents d
     WHERE d.tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)
       AND to_tsvector('simple', d.title || ' ' || d.body) @@ plainto_tsquery('simple', words)
     ORDER BY 4 DESC, 1
     LIMIT at_most
$$;
CREATE OR REPLACE FUNCTION read_tenant_stats() RETURNS SETOF tenant_stats
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT * FROM public.tenant_stats
     WHERE id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)
$$;
-- The two lookups stay blind to the tenant, since they come before it is known: each answers for one name or id only.
ALTER FUNCTION auth_lookup(text, text) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION api_key_lookup(bigint) SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION touch_updated_at() SET search_path = pg_catalog, pg_temp;
REVOKE EXECUTE ON FUNCTION auth_lookup(text, text), api_key_lookup(bigint), search_documents(text, bigint),
    read_tenant_stats(), touch_updated_at(), number_invoice() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth_lookup(text, text), api_key_lookup(bigint), search_documents(text, bigint),
    read_tenant_stats() TO kb_app;
ALTER FUNCTION auth_lookup(text, text) OWNER TO kb_lookup;
ALTER FUNCTION api_key_lookup(bigint) OWNER TO kb_lookup;
ALTER FUNCTION search_documents(text, bigint) OWNER TO kb_lookup;
ALTER FUNCTION read_tenant_stats() OWNER TO kb_lookup;

-- ---------------------------------------------------------------- grants
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO kb_app, kb_lookup;
-- Nobody logs in as kb_lookup: it reads what its functions and the materialized view read.
GRANT SELECT ON tenants, users, api_keys, knowledge_bases, documents TO kb_lookup;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, users, api_keys, knowledge_bases, documents, uploads, threads, posts,
    workflows, workflow_runs, ai_usage, invoices TO kb_app;
-- Counted up by the trigger, which runs as whoever inserts.
GRANT SELECT, INSERT, UPDATE ON invoice_counters TO kb_app;
-- What happened is added to, never changed.
GRANT SELECT, INSERT ON audit_log, events TO kb_app;
-- Shared: read by all, changed by migrations.
GRANT SELECT ON plans, document_overview TO kb_app;
-- None on the partitions, the materialized view and the quarantine: they are not for the service.
-- USAGE without SELECT draws numbers and reads no state.
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO kb_app;
