SELECT
    CASE s.setdatabase WHEN 0 THEN 'server' ELSE 'database' END AS scope,
    CASE s.setrole WHEN 0 THEN '' ELSE pg_catalog.pg_get_userbyid(s.setrole)::text END AS role,
    unnest(s.setconfig) AS value
FROM pg_catalog.pg_db_role_setting s
LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
WHERE s.setdatabase = 0 OR d.datname = current_database()
