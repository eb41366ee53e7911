"""
Owns the faults of views, stored figures, partitions, functions, numbers and the quarantine that were written blind.

From issue text and requirements MT-1 to MT-5, without a look at the checks of what is no plain table. They stay as
they were first written; what each turns red was filled in after its first try.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["BLIND_OBJECTS"]

NEW = ("public.events_2035_01",)
FIND = ("public.find_documents(title_part text)",)

BLIND_OBJECTS: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-report-view-by-superuser",
        title="Somebody made a view for a report as superuser and granted it to the service",
        phase="20",
        protection="view",
        mechanism="a new one that reads with a superuser's rights",
        fault=SqlFault(
            apply="""
                CREATE VIEW public.document_report AS SELECT id, title, updated_at FROM public.documents;
                GRANT SELECT ON public.document_report TO kb_app
            """,
            heal="DROP VIEW public.document_report",
            probe="SELECT to_regclass('public.document_report') IS NOT NULL",
        ),
        kills={"rls.view.own-rows": ("public.document_report",)},
        blind=True,
    ),
    Sabotage(
        name="blind-stored-figures-unfiltered",
        title="The function before the stored figures answers for all tenants again",
        phase="20",
        protection="materialized view",
        mechanism="the function before it without the tenant",
        fault=SqlFault(
            apply="""
                CREATE TABLE playbook.reviewed AS
                SELECT pg_get_functiondef('public.read_tenant_stats()'::regprocedure) AS body;
                CREATE OR REPLACE FUNCTION public.read_tenant_stats() RETURNS SETOF public.tenant_stats
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
                AS 'SELECT * FROM public.tenant_stats ORDER BY id'
            """,
            heal="""
                DO 'BEGIN EXECUTE (SELECT body FROM playbook.reviewed); END';
                DROP TABLE playbook.reviewed
            """,
            probe=(
                "SELECT strpos(prosrc, 'app.tenant_id') = 0 FROM pg_proc"
                " WHERE oid = 'public.read_tenant_stats()'::regprocedure"
            ),
        ),
        kills={"rls.definer.own-rows": ("public.read_tenant_stats()",)},
        blind=True,
    ),
    Sabotage(
        name="blind-next-partition-bare",
        title="The job that makes partitions made one as it always did: without row security",
        phase="20",
        protection="row security",
        mechanism="a new partition without it",
        fault=SqlFault(
            apply="""
                CREATE TABLE public.events_2035_01 PARTITION OF public.events
                    FOR VALUES FROM ('2035-01-01 00:00:00+00') TO ('2035-02-01 00:00:00+00');
                ALTER TABLE public.events_2035_01 OWNER TO kb_owner;
                GRANT SELECT, INSERT ON public.events_2035_01 TO kb_app
            """,
            heal="DROP TABLE public.events_2035_01",
            probe="SELECT to_regclass('public.events_2035_01') IS NOT NULL",
        ),
        kills={"rls.table.enabled": NEW, "rls.table.forced": NEW, "rls.policy.every-command": NEW},
        blind=True,
    ),
    Sabotage(
        name="blind-second-search",
        title="A second search runs with a superuser's rights and forgets the tenant, pinned and closed to PUBLIC",
        phase="20",
        protection="definer function",
        mechanism="a new one that nobody reviewed",
        fault=SqlFault(
            apply="""
                CREATE FUNCTION public.find_documents(title_part text) RETURNS TABLE (id bigint, title text)
                LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
                AS 'SELECT d.id, d.title FROM public.documents d WHERE d.title ILIKE ''%'' || title_part || ''%''';
                REVOKE ALL ON FUNCTION public.find_documents(text) FROM PUBLIC;
                GRANT EXECUTE ON FUNCTION public.find_documents(text) TO kb_app
            """,
            heal="DROP FUNCTION public.find_documents(text)",
            probe="SELECT to_regprocedure('public.find_documents(text)') IS NOT NULL",
        ),
        kills={"rls.definer.bounded-owner": FIND, "rls.definer.own-rows": FIND},
        blind=True,
    ),
    Sabotage(
        name="blind-one-number-for-all",
        title="Invoices of all tenants draw their numbers from one sequence again",
        phase="20",
        protection="numbers per tenant",
        mechanism="shared sequence",
        fault=SqlFault(
            apply="""
                DROP TRIGGER invoices_number ON public.invoices;
                CREATE SEQUENCE public.invoices_number_seq;
                ALTER SEQUENCE public.invoices_number_seq OWNER TO kb_owner;
                SELECT setval('public.invoices_number_seq', max(number)) FROM public.invoices;
                GRANT USAGE ON SEQUENCE public.invoices_number_seq TO kb_app;
                ALTER TABLE public.invoices ALTER COLUMN number SET DEFAULT nextval('public.invoices_number_seq')
            """,
            heal="""
                ALTER TABLE public.invoices ALTER COLUMN number DROP DEFAULT;
                DROP SEQUENCE public.invoices_number_seq;
                CREATE TRIGGER invoices_number BEFORE INSERT ON public.invoices
                    FOR EACH ROW EXECUTE FUNCTION public.number_invoice()
            """,
            probe="SELECT to_regclass('public.invoices_number_seq') IS NOT NULL",
        ),
        kills={"schema.numbers.per-tenant": ("public.invoices",)},
        blind=True,
    ),
    Sabotage(
        name="blind-quarantine-emptied",
        title="Somebody tidied up: the rows of nobody are gone",
        phase="20",
        protection="rows of nobody kept apart",
        mechanism="deleted",
        fault=SqlFault(
            apply="""
                CREATE TABLE playbook.tidied AS SELECT * FROM quarantine.audit_log;
                DELETE FROM quarantine.audit_log
            """,
            heal="INSERT INTO quarantine.audit_log SELECT * FROM playbook.tidied; DROP TABLE playbook.tidied",
            probe="SELECT to_regclass('playbook.tidied') IS NOT NULL",
        ),
        kills={"schema.rows.kept": ("public.audit_log",)},
        blind=True,
    ),
)
