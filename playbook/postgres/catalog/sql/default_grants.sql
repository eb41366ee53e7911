SELECT
    pg_catalog.pg_get_userbyid(d.defaclrole)::text AS creator,
    coalesce(n.nspname::text, '') AS schema,
    d.defaclobjtype::text AS kind,
    CASE g.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(g.grantee)::text END AS grantee,
    g.privilege_type AS privilege,
    g.is_grantable AS grantable
FROM pg_catalog.pg_default_acl d
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace,
    aclexplode(d.defaclacl) AS g
