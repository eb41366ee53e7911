"""
The HTTP surface. Routers say what a request does; who may and in which tenant is asked in `access` alone.
"""
