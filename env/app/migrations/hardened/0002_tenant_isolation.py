"""
Tenant isolation of the reference service.

Rendered from the plan that phase 20 applies; a test holds the two together. Needs a superuser: it makes roles and
gives a function to one of them. It lies beside the revisions as found, which `migrate` brings a database to.
"""
# ruff: noqa: E501

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# How each statement runs: in the transaction, alone outside of one, or in batches until it changes no row.
# fmt: off
UPGRADE = (
    ("transaction", 'ALTER TABLE "public"."users" ALTER COLUMN "tenant_id" SET DEFAULT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."users_tenant_id_id_key"'),
    ("alone", 'CREATE UNIQUE INDEX CONCURRENTLY "users_tenant_id_id_key" ON "public"."users" ("tenant_id", "id")'),
    ("transaction", 'ALTER TABLE "public"."users" ADD CONSTRAINT "users_tenant_id_id_key" UNIQUE USING INDEX "users_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."users_tenant_id_email_key"'),
    ("alone", 'CREATE UNIQUE INDEX CONCURRENTLY "users_tenant_id_email_key" ON "public"."users" ("tenant_id", "email")'),
    ("transaction", 'ALTER TABLE "public"."users" ADD CONSTRAINT "users_tenant_id_email_key" UNIQUE USING INDEX "users_tenant_id_email_key"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD COLUMN "tenant_id" bigint'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ALTER COLUMN "tenant_id" SET DEFAULT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint'),
    ("batches", 'WITH batch AS (SELECT c.id, p."tenant_id" AS owner FROM "public"."knowledge_bases" c JOIN "public"."users" p ON p.id = c."owner_id" WHERE c."tenant_id" IS NULL AND p."tenant_id" IS NOT NULL ORDER BY c.id LIMIT 2000) UPDATE "public"."knowledge_bases" t SET "tenant_id" = batch.owner FROM batch WHERE t.id = batch.id'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD CONSTRAINT "knowledge_bases_tenant_id_not_null" NOT NULL "tenant_id" NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" VALIDATE CONSTRAINT "knowledge_bases_tenant_id_not_null"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."knowledge_bases_tenant_id_id_key"'),
    ("alone", 'CREATE UNIQUE INDEX CONCURRENTLY "knowledge_bases_tenant_id_id_key" ON "public"."knowledge_bases" ("tenant_id", "id")'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD CONSTRAINT "knowledge_bases_tenant_id_id_key" UNIQUE USING INDEX "knowledge_bases_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."knowledge_bases_tenant_id_owner_id_idx"'),
    ("alone", 'CREATE INDEX CONCURRENTLY "knowledge_bases_tenant_id_owner_id_idx" ON "public"."knowledge_bases" ("tenant_id", "owner_id")'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD CONSTRAINT "knowledge_bases_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants" ("id") NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" VALIDATE CONSTRAINT "knowledge_bases_tenant_id_fkey"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD CONSTRAINT "knowledge_bases_tenant_id_owner_id_fkey" FOREIGN KEY ("tenant_id", "owner_id") REFERENCES "public"."users" ("tenant_id", "id") NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" VALIDATE CONSTRAINT "knowledge_bases_tenant_id_owner_id_fkey"'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD COLUMN "tenant_id" bigint'),
    ("transaction", 'ALTER TABLE "public"."documents" ALTER COLUMN "tenant_id" SET DEFAULT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint'),
    ("batches", 'WITH batch AS (SELECT c.id, p."tenant_id" AS owner FROM "public"."documents" c JOIN "public"."knowledge_bases" p ON p.id = c."knowledge_base_id" WHERE c."tenant_id" IS NULL AND p."tenant_id" IS NOT NULL ORDER BY c.id LIMIT 2000) UPDATE "public"."documents" t SET "tenant_id" = batch.owner FROM batch WHERE t.id = batch.id'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD CONSTRAINT "documents_tenant_id_not_null" NOT NULL "tenant_id" NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."documents" VALIDATE CONSTRAINT "documents_tenant_id_not_null"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."documents_tenant_id_id_key"'),
    ("alone", 'CREATE UNIQUE INDEX CONCURRENTLY "documents_tenant_id_id_key" ON "public"."documents" ("tenant_id", "id")'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD CONSTRAINT "documents_tenant_id_id_key" UNIQUE USING INDEX "documents_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."documents_tenant_id_knowledge_base_id_idx"'),
    ("alone", 'CREATE INDEX CONCURRENTLY "documents_tenant_id_knowledge_base_id_idx" ON "public"."documents" ("tenant_id", "knowledge_base_id")'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD CONSTRAINT "documents_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "public"."tenants" ("id") NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."documents" VALIDATE CONSTRAINT "documents_tenant_id_fkey"'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD CONSTRAINT "documents_tenant_id_knowledge_base_id_fkey" FOREIGN KEY ("tenant_id", "knowledge_base_id") REFERENCES "public"."knowledge_bases" ("tenant_id", "id") NOT VALID'),
    ("transaction", 'ALTER TABLE "public"."documents" VALIDATE CONSTRAINT "documents_tenant_id_knowledge_base_id_fkey"'),
    ("transaction", 'DO $make$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \'kb_app\') THEN CREATE ROLE "kb_app"; END IF; END $make$'),
    ("transaction", 'ALTER ROLE "kb_app" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'),
    ("transaction", 'DO $make$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \'kb_backup\') THEN CREATE ROLE "kb_backup"; END IF; END $make$'),
    ("transaction", 'ALTER ROLE "kb_backup" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS'),
    ("transaction", 'DO $make$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = \'kb_lookup\') THEN CREATE ROLE "kb_lookup"; END IF; END $make$'),
    ("transaction", 'ALTER ROLE "kb_lookup" NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS'),
    ("transaction", 'REVOKE "kb_owner" FROM "kb_app"'),
    ("transaction", 'CREATE POLICY "tenant_isolation" ON "public"."tenants" FOR ALL TO "kb_app", "kb_owner" USING ("id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint)) WITH CHECK ("id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint))'),
    ("transaction", 'ALTER TABLE "public"."tenants" ENABLE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."tenants" FORCE ROW LEVEL SECURITY'),
    ("transaction", 'CREATE POLICY "tenant_isolation" ON "public"."users" FOR ALL TO "kb_app", "kb_owner" USING ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint))'),
    ("transaction", 'ALTER TABLE "public"."users" ENABLE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."users" FORCE ROW LEVEL SECURITY'),
    ("transaction", 'CREATE POLICY "tenant_isolation" ON "public"."knowledge_bases" FOR ALL TO "kb_app", "kb_owner" USING ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint))'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ENABLE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" FORCE ROW LEVEL SECURITY'),
    ("transaction", 'CREATE POLICY "tenant_isolation" ON "public"."documents" FOR ALL TO "kb_app", "kb_owner" USING ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint)) WITH CHECK ("tenant_id" = (SELECT nullif(current_setting(\'app.tenant_id\', true), \'\')::bigint))'),
    ("transaction", 'ALTER TABLE "public"."documents" ENABLE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."documents" FORCE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER FUNCTION "public"."auth_lookup"(text, text) SET search_path = pg_catalog, "public", pg_temp'),
    ("transaction", 'GRANT USAGE ON SCHEMA "public" TO "kb_lookup"'),
    ("transaction", 'GRANT SELECT ON "public".users, "public".tenants TO "kb_lookup"'),
    ("transaction", 'ALTER FUNCTION "public"."auth_lookup"(text, text) OWNER TO "kb_lookup"'),
    ("transaction", 'REVOKE ALL ON FUNCTION "public"."auth_lookup"(text, text) FROM PUBLIC'),
    ("transaction", 'GRANT EXECUTE ON FUNCTION "public"."auth_lookup"(text, text) TO "kb_app", "kb_owner"'),
    ("transaction", 'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC'),
    ("transaction", 'REVOKE ALL ON "public"."tenants", "public"."users", "public"."knowledge_bases", "public"."documents" FROM PUBLIC'),
    ("transaction", 'GRANT USAGE ON SCHEMA "public" TO "kb_app"'),
    ("transaction", 'GRANT SELECT, INSERT, UPDATE, DELETE ON "public"."tenants", "public"."users", "public"."knowledge_bases", "public"."documents" TO "kb_app"'),
    ("transaction", 'GRANT USAGE ON ALL SEQUENCES IN SCHEMA "public" TO "kb_app"'),
    ("transaction", 'GRANT USAGE ON SCHEMA "public" TO "kb_backup"'),
    ("transaction", 'GRANT SELECT ON ALL TABLES IN SCHEMA "public" TO "kb_backup"'),
    ("transaction", 'GRANT SELECT ON ALL SEQUENCES IN SCHEMA "public" TO "kb_backup"'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" IN SCHEMA "public" GRANT SELECT ON TABLES TO "kb_backup"'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" IN SCHEMA "public" GRANT SELECT ON SEQUENCES TO "kb_backup"'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC'),
    ("transaction", 'ALTER TABLE "public"."users" DROP CONSTRAINT "users_email_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."users_tenant_id_idx"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP CONSTRAINT "knowledge_bases_owner_id_fkey"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."knowledge_bases_owner_id_idx"'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP CONSTRAINT "documents_knowledge_base_id_fkey"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."documents_knowledge_base_id_idx"'),
    ("transaction", 'ANALYZE "public"."users"'),
    ("transaction", 'ANALYZE "public"."knowledge_bases"'),
    ("transaction", 'ANALYZE "public"."documents"'),
)

DOWNGRADE = (
    ("alone", 'CREATE INDEX CONCURRENTLY "documents_knowledge_base_id_idx" ON "public"."documents" ("knowledge_base_id")'),
    ("transaction", 'ALTER TABLE "public"."documents" ADD CONSTRAINT "documents_knowledge_base_id_fkey" FOREIGN KEY ("knowledge_base_id") REFERENCES "public"."knowledge_bases" (id)'),
    ("alone", 'CREATE INDEX CONCURRENTLY "knowledge_bases_owner_id_idx" ON "public"."knowledge_bases" ("owner_id")'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ADD CONSTRAINT "knowledge_bases_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users" (id)'),
    ("alone", 'CREATE INDEX CONCURRENTLY "users_tenant_id_idx" ON "public"."users" ("tenant_id")'),
    ("transaction", 'ALTER TABLE "public"."users" ADD CONSTRAINT "users_email_key" UNIQUE (email)'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" GRANT EXECUTE ON FUNCTIONS TO PUBLIC'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" IN SCHEMA "public" REVOKE SELECT ON SEQUENCES FROM "kb_backup"'),
    ("transaction", 'ALTER DEFAULT PRIVILEGES FOR ROLE "kb_owner" IN SCHEMA "public" REVOKE SELECT ON TABLES FROM "kb_backup"'),
    ("transaction", 'REVOKE ALL ON ALL TABLES IN SCHEMA "public" FROM "kb_backup"'),
    ("transaction", 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "public" FROM "kb_backup"'),
    ("transaction", 'REVOKE ALL ON "public"."tenants", "public"."users", "public"."knowledge_bases", "public"."documents" FROM "kb_app"'),
    ("transaction", 'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "public" FROM "kb_app"'),
    ("transaction", 'GRANT EXECUTE ON FUNCTION "public"."auth_lookup"(text, text) TO PUBLIC'),
    ("transaction", 'ALTER FUNCTION "public"."auth_lookup"(text, text) OWNER TO "kb_owner"'),
    ("transaction", 'REVOKE SELECT ON "public".users, "public".tenants FROM "kb_lookup"'),
    ("transaction", 'ALTER FUNCTION "public"."auth_lookup"(text, text) RESET search_path'),
    ("transaction", 'ALTER TABLE "public"."documents" NO FORCE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."documents" DISABLE ROW LEVEL SECURITY'),
    ("transaction", 'DROP POLICY "tenant_isolation" ON "public"."documents"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" NO FORCE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DISABLE ROW LEVEL SECURITY'),
    ("transaction", 'DROP POLICY "tenant_isolation" ON "public"."knowledge_bases"'),
    ("transaction", 'ALTER TABLE "public"."users" NO FORCE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."users" DISABLE ROW LEVEL SECURITY'),
    ("transaction", 'DROP POLICY "tenant_isolation" ON "public"."users"'),
    ("transaction", 'ALTER TABLE "public"."tenants" NO FORCE ROW LEVEL SECURITY'),
    ("transaction", 'ALTER TABLE "public"."tenants" DISABLE ROW LEVEL SECURITY'),
    ("transaction", 'DROP POLICY "tenant_isolation" ON "public"."tenants"'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP CONSTRAINT "documents_tenant_id_knowledge_base_id_fkey"'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP CONSTRAINT "documents_tenant_id_fkey"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."documents_tenant_id_knowledge_base_id_idx"'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP CONSTRAINT "documents_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."documents_tenant_id_id_key"'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP CONSTRAINT "documents_tenant_id_not_null"'),
    ("transaction", 'ALTER TABLE "public"."documents" ALTER COLUMN "tenant_id" DROP DEFAULT'),
    ("transaction", 'ALTER TABLE "public"."documents" DROP COLUMN "tenant_id"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP CONSTRAINT "knowledge_bases_tenant_id_owner_id_fkey"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP CONSTRAINT "knowledge_bases_tenant_id_fkey"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."knowledge_bases_tenant_id_owner_id_idx"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP CONSTRAINT "knowledge_bases_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."knowledge_bases_tenant_id_id_key"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP CONSTRAINT "knowledge_bases_tenant_id_not_null"'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" ALTER COLUMN "tenant_id" DROP DEFAULT'),
    ("transaction", 'ALTER TABLE "public"."knowledge_bases" DROP COLUMN "tenant_id"'),
    ("transaction", 'ALTER TABLE "public"."users" DROP CONSTRAINT "users_tenant_id_email_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."users_tenant_id_email_key"'),
    ("transaction", 'ALTER TABLE "public"."users" DROP CONSTRAINT "users_tenant_id_id_key"'),
    ("alone", 'DROP INDEX CONCURRENTLY IF EXISTS "public"."users_tenant_id_id_key"'),
    ("transaction", 'ALTER TABLE "public"."users" ALTER COLUMN "tenant_id" DROP DEFAULT'),
)
# fmt: on


def upgrade() -> None:
    """
    Isolate the tenants.
    """
    _run(UPGRADE)


def downgrade() -> None:
    """
    Destroy the isolation, and the tenant keys with it.
    """
    _run(DOWNGRADE)


def _run(statements: tuple[tuple[str, str], ...]) -> None:
    for form, statement in statements:
        if form == "transaction":
            op.get_bind().exec_driver_sql(statement)
            continue
        with op.get_context().autocommit_block():
            while op.get_bind().exec_driver_sql(statement).rowcount > 0 and form == "batches":
                pass
