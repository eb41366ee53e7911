SELECT
    r.rolname::text AS name,
    r.rolsuper AS superuser,
    r.rolinherit AS inherit,
    r.rolcreaterole AS create_role,
    r.rolcreatedb AS create_database,
    r.rolcanlogin AS login,
    r.rolreplication AS replication,
    r.rolbypassrls AS bypass_rls,
    r.rolconnlimit AS connection_limit,
    coalesce(r.rolvaliduntil::text, '') AS valid_until
FROM pg_catalog.pg_roles r
WHERE r.rolname !~ '^pg_'
