"""
A multi-tenant knowledge service: tenants, users, knowledge bases and documents behind a small HTTP API.

Every hardening of its behaviour is a named switch (`knowledge.switches`), off by default. The weak and the hardened
form of one concern stand side by side in the module that owns the concern; the rest of the code knows neither.
"""
