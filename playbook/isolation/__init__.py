"""
Phase 30: no tenant reads, writes or learns of another's rows.
"""
