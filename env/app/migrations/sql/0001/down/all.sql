-- Destroys what the revision created, in the reverse order.

DROP FUNCTION read_tenant_stats();
DROP FUNCTION search_documents(text, bigint);
DROP FUNCTION api_key_lookup(bigint);
DROP FUNCTION auth_lookup(text, text);
DROP MATERIALIZED VIEW tenant_stats;
DROP VIEW document_overview;
DROP TABLE events, audit_log, invoices, ai_usage, workflow_runs, workflows, posts, threads, uploads, documents,
    knowledge_bases, api_keys, users, tenants, plans;
DROP FUNCTION touch_updated_at();
