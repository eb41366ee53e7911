"""
Phase 10: a clean, ordered, health-gated start that can be told from a broken one.
"""
