"""
Data to figure, alt text and table; used by notebooks and report alike.
"""
