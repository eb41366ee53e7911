-- What the service asks by name. As found the definer functions run with their owner's rights, in whatever
-- search_path the caller brings, for everybody.

CREATE FUNCTION auth_lookup(slug text, email text)
RETURNS TABLE (user_id bigint, tenant_id bigint, password_hash text, role text, tenant_status text)
LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT u.id, u.tenant_id, u.password_hash, u.role, t.status
      FROM users u
      JOIN tenants t ON t.id = u.tenant_id
     WHERE t.slug = auth_lookup.slug
       AND u.email = auth_lookup.email
$$;

CREATE FUNCTION api_key_lookup(key_id bigint)
RETURNS TABLE (user_id bigint, tenant_id bigint, secret_hash text, role text)
LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT u.id, u.tenant_id, k.secret_hash, u.role
      FROM api_keys k
      JOIN users u ON u.id = k.user_id
     WHERE k.id = api_key_lookup.key_id
       AND k.revoked_at IS NULL
$$;

CREATE FUNCTION search_documents(words text, at_most bigint)
RETURNS TABLE (id bigint, title text, snippet text, rank real)
LANGUAGE sql STABLE SECURITY DEFINER
AS $$
    SELECT d.id, d.title, left(d.body, 200),
           ts_rank(to_tsvector('simple', d.title || ' ' || d.body), plainto_tsquery('simple', words))
      FROM documents d
     WHERE to_tsvector('simple', d.title || ' ' || d.body) @@ plainto_tsquery('simple', words)
     ORDER BY 4 DESC, 1
     LIMIT at_most
$$;

CREATE FUNCTION read_tenant_stats() RETURNS SETOF tenant_stats
LANGUAGE sql STABLE
AS $$
    SELECT * FROM tenant_stats ORDER BY id
$$;
