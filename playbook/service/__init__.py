"""
The service as its clients see it: API client, login, smoke test, traffic.
"""
