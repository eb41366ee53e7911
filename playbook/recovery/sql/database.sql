SELECT 'database' AS kind, v.name, v.definition
FROM pg_catalog.pg_database d,
    LATERAL (VALUES
        ('owner', pg_catalog.pg_get_userbyid(d.datdba)::text),
        ('encoding', pg_catalog.pg_encoding_to_char(d.encoding)::text),
        ('collation', format('%s %s', d.datcollate, d.datctype)),
        ('connection limit', d.datconnlimit::text),
        ('comment', coalesce((SELECT s.description FROM pg_catalog.pg_shdescription s
            WHERE s.objoid = d.oid AND s.classoid = 'pg_catalog.pg_database'::regclass), ''))
    ) AS v (name, definition)
WHERE d.datname = current_database()
