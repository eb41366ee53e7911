"""
The running, disposable services of a target, behind one protocol.
"""
