"""
Owns the seeded rows of threads and posts.
"""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.seed.words import SENTENCES, TOPICS
from knowledge.seed.world import Row, World

__all__ = ["make_posts", "make_threads"]


def make_threads(world: World) -> Iterator[Row]:
    """
    Give id, knowledge_base_id, author_id, title, status, created_at, updated_at.
    """
    random = world.random("threads")
    times = world.times(random)
    users, bases = world.members("users"), world.members("knowledge_bases")
    for row_id, tenant_id in enumerate(world.owners("threads"), start=1):
        title = f"{random.choice(TOPICS)}? {world.canary(tenant_id)}"
        status = random.choice(("open", "open", "resolved"))
        yield (row_id, random.choice(bases[tenant_id]), random.choice(users[tenant_id]), title, status, *times())


def make_posts(world: World) -> Iterator[Row]:
    """
    Give id, thread_id, author_id, body, created_at, updated_at.
    """
    random = world.random("posts")
    times = world.times(random)
    users, threads = world.members("users"), world.members("threads")
    for row_id, tenant_id in enumerate(world.owners("posts"), start=1):
        body = f"{random.choice(SENTENCES)} {world.canary(tenant_id)}"
        yield (row_id, random.choice(threads[tenant_id]), random.choice(users[tenant_id]), body, *times())
