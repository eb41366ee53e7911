"""
What a run leaves behind: results, the chained log, the manifest, and their verification.
"""
