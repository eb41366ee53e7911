"""
The system under hardening, and what to do to it, as data: target.yaml and scenarios.
"""
