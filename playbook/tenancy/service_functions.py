"""
Owns the bodies that the reference service's functions get, and had: each must name the tenant, or answer for one.
"""

from __future__ import annotations

from psycopg import sql

__all__ = ["search_documents", "tenant_stats"]

# @@ is not leakproof, so under a policy no index serves it: a bypassing role with the tenant spelt out does.
SEARCH = """CREATE OR REPLACE FUNCTION {schema}.search_documents(words text, at_most bigint)
RETURNS TABLE (id bigint, title text, snippet text, rank real)
LANGUAGE sql STABLE SECURITY DEFINER
AS $body$
    SELECT d.id, d.title, left(d.body, 200),
           ts_rank(to_tsvector('simple', d.title || ' ' || d.body), plainto_tsquery('simple', words))
      FROM {schema}.documents d
     WHERE {condition}to_tsvector('simple', d.title || ' ' || d.body) @@ plainto_tsquery('simple', words)
     ORDER BY 4 DESC, 1
     LIMIT at_most
$body$"""
STATS = """CREATE OR REPLACE FUNCTION {schema}.read_tenant_stats() RETURNS SETOF {schema}.tenant_stats
LANGUAGE sql STABLE {security}
AS $body$
    SELECT * FROM {schema}.tenant_stats {condition}ORDER BY id
$body$"""


def search_documents(schema: str, bound: sql.Composed | None) -> sql.Composed:
    """
    Spell the search by words: for the bound tenant, or as found over all.
    """
    own = sql.SQL("") if bound is None else sql.SQL("d.tenant_id = (SELECT {}) AND ").format(bound)
    return sql.SQL(SEARCH).format(schema=sql.Identifier(schema), condition=own)


def tenant_stats(schema: str, bound: sql.Composed | None) -> sql.Composed:
    """
    Spell the reading of the stored figures: of the bound tenant with the rights of its owner, or as found all.
    """
    own = sql.SQL("") if bound is None else sql.SQL("WHERE id = (SELECT {}) ").format(bound)
    security = sql.SQL("SECURITY INVOKER" if bound is None else "SECURITY DEFINER")
    return sql.SQL(STATS).format(schema=sql.Identifier(schema), condition=own, security=security)
