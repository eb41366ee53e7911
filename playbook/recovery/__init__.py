"""
Phase 70: backups that are proved by restoring them.
"""
