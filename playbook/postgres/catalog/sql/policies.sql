SELECT
    format('%I.%I', n.nspname, c.relname) AS relation,
    p.polname::text AS name,
    CASE p.polcmd
        WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all'
    END AS command,
    p.polpermissive AS permissive,
    ARRAY(
        SELECT CASE r WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(r)::text END FROM unnest(p.polroles) AS r ORDER BY 1
    ) AS roles,
    coalesce(pg_catalog.pg_get_expr(p.polqual, p.polrelid), '') AS "using",
    coalesce(pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), '') AS "check"
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
