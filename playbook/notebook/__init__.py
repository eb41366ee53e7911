"""
Display only.
"""
