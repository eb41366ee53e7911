"""
Owns the seeded rows of knowledge bases, documents and uploads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from knowledge.seed.words import SENTENCES, TOPICS
from knowledge.seed.world import Row, World

__all__ = ["make_documents", "make_knowledge_bases", "make_uploads"]

TAGS = ("draft", "hr", "法務", "🔥")


def make_knowledge_bases(world: World) -> Iterator[Row]:
    """
    Give id, owner_id, name, description, created_at, updated_at.
    """
    random = world.random("knowledge_bases")
    times = world.times(random)
    users = world.members("users")
    for row_id, tenant_id in enumerate(world.owners("knowledge_bases"), start=1):
        description = f"{random.choice(SENTENCES)} {world.canary(tenant_id)}"
        yield (row_id, random.choice(users[tenant_id]), random.choice(TOPICS), description, *times())


def make_documents(world: World) -> Iterator[Row]:
    """
    Give id, knowledge_base_id, title, body, metadata, created_at, updated_at.
    """
    random = world.random("documents")
    times = world.times(random)
    bases = world.members("knowledge_bases")
    for row_id, tenant_id in enumerate(world.owners("documents"), start=1):
        canary = world.canary(tenant_id)
        title = f"{random.choice(TOPICS)} · {canary}"
        body = " ".join((*random.choices(SENTENCES, k=1 + int(random.random() * 6)), canary))
        metadata = json.dumps({"tags": random.choices(TAGS, k=2), "pages": 1 + int(random.random() * 99)})
        yield (row_id, random.choice(bases[tenant_id]), title, body, metadata, *times())


def make_uploads(world: World) -> Iterator[Row]:
    """
    Give id, uploaded_by, document_id, filename, content_type, size_bytes, content, created_at, updated_at.
    """
    random = world.random("uploads")
    times = world.times(random)
    users, documents = world.members("users"), world.members("documents")
    for row_id, tenant_id in enumerate(world.owners("uploads"), start=1):
        document_id = random.choice((None, random.choice(documents[tenant_id])))
        content = f"{random.choice(SENTENCES)}\n{world.canary(tenant_id)}\n".encode()
        filename = f"{random.choice(TOPICS)} {world.canary(tenant_id)}.txt"
        uploaded_by = random.choice(users[tenant_id])
        yield (row_id, uploaded_by, document_id, filename, "text/plain", len(content), content, *times())
