SELECT 'extension' AS kind, e.extname::text AS name, e.extversion AS definition
FROM pg_catalog.pg_extension e
UNION ALL
SELECT 'publication', p.pubname::text,
    format('all %s insert %s update %s delete %s truncate %s: %s', p.puballtables, p.pubinsert, p.pubupdate,
        p.pubdelete, p.pubtruncate, (SELECT string_agg(t.schemaname || '.' || t.tablename, ', ' ORDER BY 1)
            FROM pg_catalog.pg_publication_tables t WHERE t.pubname = p.pubname))
FROM pg_catalog.pg_publication p
UNION ALL
SELECT 'event trigger', e.evtname::text, format('%s %s %s', e.evtevent, e.evtenabled, e.evtfoid::regproc)
FROM pg_catalog.pg_event_trigger e
UNION ALL
SELECT 'large object', m.oid::text, pg_catalog.md5(pg_catalog.lo_get(m.oid))
FROM pg_catalog.pg_largeobject_metadata m
UNION ALL
SELECT 'materialized view', format('%I.%I', n.nspname, c.relname),
    CASE WHEN c.relispopulated THEN 'populated' ELSE 'not populated' END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND n.nspname <> 'playbook'
UNION ALL
SELECT 'enum', format('%I.%I', n.nspname, t.typname), (
    SELECT string_agg(l.enumlabel, ', ' ORDER BY l.enumsortorder) FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e'
UNION ALL
SELECT 'comment', pg_catalog.pg_describe_object(d.classoid, d.objoid, d.objsubid), d.description
FROM pg_catalog.pg_description d
WHERE d.objoid >= 16384
UNION ALL
SELECT 'comment', 'role ' || r.rolname::text, d.description
FROM pg_catalog.pg_shdescription d JOIN pg_catalog.pg_roles r ON r.oid = d.objoid
WHERE d.classoid = 'pg_catalog.pg_authid'::regclass AND d.objoid >= 16384
