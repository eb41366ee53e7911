"""
Checks and sabotages: how they run, apply, heal, and make up the kill matrix. Knows no domain.
"""
