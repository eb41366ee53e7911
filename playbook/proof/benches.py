"""
Owns the copies on which faults of SQL are tried and healed: several at once, but for what the whole server sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from playbook.proof.apply import reaches_server
from playbook.proof.matrix import KillEntry
from playbook.proof.sabotage import Sabotage
from playbook.proof.scene import Scene

__all__ = ["Benches", "open_benches"]


@dataclass(frozen=True, slots=True)
class Benches:
    """
    The copies, each for one fault at a time.
    """

    made: Sequence[Future[Scene]]
    pool: ThreadPoolExecutor

    @property
    def scenes(self) -> list[Scene]:
        """
        The copies, once all of them are made.
        """
        return [one.result() for one in self.made]

    def each(self, act: Callable[[Sabotage, Scene], list[KillEntry]], wanted: Sequence[Sabotage]) -> list[KillEntry]:
        """
        Try faults of a database side by side, each on the copy that is free; then those of the server one by one.
        """
        free: SimpleQueue[Scene] = SimpleQueue()
        for scene in self.scenes:
            free.put(scene)

        def on_free(sabotage: Sabotage) -> list[KillEntry]:
            scene = free.get()
            try:
                return act(sabotage, scene)
            finally:
                free.put(scene)

        of_server = [one for one in wanted if reaches_server(one)]
        of_database = [one for one in wanted if one not in of_server]
        found = [entry for entries in self.pool.map(on_free, of_database) for entry in entries]
        return found + [entry for one in of_server for entry in on_free(one)]


@contextmanager
def open_benches(
    make: Callable[[], AbstractContextManager[Scene]], pool: ThreadPoolExecutor, *, count: int
) -> Iterator[Benches]:
    """
    Begin to make so many copies at once; destroy them at the end.
    """
    # The makers end before the copies do: what is made after the block's end nobody would destroy.
    with ExitStack() as copies, ThreadPoolExecutor(count) as makers:
        yield Benches([makers.submit(lambda: copies.enter_context(make())) for _ in range(count)], pool)
