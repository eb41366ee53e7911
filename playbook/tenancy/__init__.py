"""
Phase 20: from a schema without tenants to row-level security.
"""
