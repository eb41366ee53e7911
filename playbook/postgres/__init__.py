"""
PostgreSQL by role: connections, server tools, read-only snapshots of a schema, digests.
"""
