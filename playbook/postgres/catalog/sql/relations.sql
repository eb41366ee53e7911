SELECT
    format('%I.%I', n.nspname, c.relname) AS name,
    CASE c.relkind
        WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
        WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' ELSE c.relkind::text
    END AS kind,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    c.relrowsecurity AS row_security,
    c.relforcerowsecurity AS force_row_security,
    c.relpersistence::text AS persistence,
    coalesce((SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o), '{}') AS options,
    CASE
        WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid)
        WHEN c.relispartition THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid)
        WHEN c.relkind = 'S' THEN (
            SELECT format('%s start %s by %s from %s to %s cycle %s', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle)
            FROM pg_catalog.pg_sequence s WHERE s.seqrelid = c.oid
        )
        ELSE ''
    END AS definition
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
