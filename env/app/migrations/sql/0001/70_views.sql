-- What is shown together.

-- As found: reads with its owner's rights, whoever asks.
CREATE VIEW document_overview AS
    SELECT d.id, d.title, k.name AS knowledge_base, u.full_name AS owner, length(d.body) AS characters, d.updated_at
      FROM documents d
      JOIN knowledge_bases k ON k.id = d.knowledge_base_id
      JOIN users u ON u.id = k.owner_id;

-- As found: the figures of all tenants, stored without any protection that the tables below it may get.
CREATE MATERIALIZED VIEW tenant_stats AS
    SELECT t.id, t.slug,
           (SELECT count(*) FROM users u WHERE u.tenant_id = t.id) AS users,
           count(d.id) AS documents,
           coalesce(sum(length(d.body)), 0)::bigint AS characters,
           coalesce((array_agg(d.title ORDER BY d.id DESC) FILTER (WHERE d.id IS NOT NULL))[1], '') AS newest_document
      FROM tenants t
      LEFT JOIN users o ON o.tenant_id = t.id
      LEFT JOIN knowledge_bases k ON k.owner_id = o.id
      LEFT JOIN documents d ON d.knowledge_base_id = k.id
     GROUP BY t.id;
CREATE UNIQUE INDEX tenant_stats_id_idx ON tenant_stats (id);
