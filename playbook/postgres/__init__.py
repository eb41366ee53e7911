"""
PostgreSQL itself: its programs, a server's life, connections by role, digests of data, snapshots of a schema.
"""
