WITH objects (kind, object, "column", acl) AS (
    SELECT 'relation', format('%I.%I', n.nspname, c.relname), '',
        coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT 'column', format('%I.%I', n.nspname, c.relname), a.attname::text, a.attacl
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT 'schema', n.nspname::text, '', coalesce(n.nspacl, acldefault('n', n.nspowner))
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT 'routine', format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), '',
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT 'database', '', '', coalesce(d.datacl, acldefault('d', d.datdba))
    FROM pg_catalog.pg_database d
    WHERE d.datname = current_database()
)
SELECT
    o.kind,
    o.object,
    o."column",
    CASE g.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END AS grantee,
    g.privilege_type AS privilege,
    bool_or(g.is_grantable) AS grantable
FROM objects o, aclexplode(o.acl) AS g
GROUP BY 1, 2, 3, 4, 5
