"""
A read-only, frozen snapshot of a schema, and its digest.
"""

from playbook.postgres.catalog.model import Catalog
from playbook.postgres.catalog.read import read_catalog, schema_digest

__all__ = ["Catalog", "read_catalog", "schema_digest"]
