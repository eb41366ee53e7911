"""
The shapes that cross the wire, by domain: what may come in, and what goes out.
"""
