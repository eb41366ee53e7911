SELECT
    pg_catalog.pg_get_userbyid(m.roleid)::text AS role,
    pg_catalog.pg_get_userbyid(m.member)::text AS member,
    bool_or(m.admin_option) AS admin
FROM pg_catalog.pg_auth_members m
WHERE pg_catalog.pg_get_userbyid(m.member)::text !~ '^pg_'
GROUP BY 1, 2
