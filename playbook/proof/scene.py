"""
Owns Scene: what a check may look at. It must not start, stop or change anything itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

from playbook.errors import Unavailable
from playbook.stack.protocol import (
    Capability,
    Clock,
    Containers,
    Database,
    Doors,
    Endpoints,
    Faults,
    Launcher,
    Logs,
    Site,
    Store,
)
from playbook.stack.remains import Remains
from playbook.target.scenario import Profile
from playbook.target.target import Target

__all__ = ["Scene"]

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Scene:
    """
    One state, a throw-away copy of it, or a bare DSN, seen through the narrow views.

    A view that is missing here raises Unavailable when a check asks for it, so that the check is skipped with
    the reason and never passes.
    """

    state: str
    target: Target
    seed: int
    profile: Profile = "quick"
    site_database: Database | None = None
    site_endpoints: Endpoints | None = None
    site_faults: Faults | None = None
    site_launcher: Launcher | None = None
    site_store: Store | None = None
    site_clock: Clock | None = None
    site_logs: Logs | None = None
    site_containers: Containers | None = None
    site_doors: Doors | None = None
    site_remains: Remains | None = None
    capabilities: frozenset[Capability] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict)
    memo: dict[str, object] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, site: Site, *, state: str, target: Target, seed: int, profile: Profile = "quick") -> Scene:
        """
        Look at a site of a stack.
        """
        return cls(
            state=state,
            target=target,
            seed=seed,
            profile=profile,
            site_database=site.database,
            site_endpoints=site.endpoints,
            site_faults=site.faults,
            site_launcher=site.launcher,
            site_store=site.store,
            site_clock=site.clock,
            site_logs=site.logs,
            site_containers=site.containers,
            site_doors=site.doors,
            capabilities=site.capabilities,
            secrets=site.secrets,
        )

    @property
    def database(self) -> Database:
        return _need(self.site_database, "a database")

    @property
    def endpoints(self) -> Endpoints:
        return _need(self.site_endpoints, "the service's addresses")

    @property
    def faults(self) -> Faults:
        return _need(self.site_faults, "faults that heal")

    @property
    def launcher(self) -> Launcher:
        return _need(self.site_launcher, "a way to start the service once more")

    @property
    def store(self) -> Store:
        return _need(self.site_store, "the shared store")

    @property
    def clock(self) -> Clock:
        return _need(self.site_clock, "a clock that moves")

    @property
    def logs(self) -> Logs:
        return _need(self.site_logs, "the service's log")

    @property
    def containers(self) -> Containers:
        return _need(self.site_containers, "a container")

    @property
    def remains(self) -> Remains:
        return _need(self.site_remains, "a stack that was taken down")

    @property
    def under_fault(self) -> bool:
        """
        Whether this is a copy with a sabotage: the question there is whether that shows, not how well all else holds.
        """
        return self.state.startswith("sabotaged:")

    def setting(self, name: str) -> str:
        """
        Name the environment variable that a setting of the service is read from.
        """
        source = self.target.service.found.source if self.target.service else None
        return f"{source.env_prefix if source else ''}{name}"

    def door(self, url: str) -> str:
        """
        Give the address at which the service of an http address tells clients apart: mostly that very address.
        """
        return url if self.site_doors is None else self.site_doors.door(url)

    def once(self, name: str, make: Callable[[], Part]) -> Part:
        """
        Give what `make` gave the first time in this scene: for facts that no check changes, such as who owns what.
        """
        if name not in self.memo:
            self.memo[name] = make()
        return cast("Part", self.memo[name])

    def need(self, capability: Capability) -> None:
        """
        Raise Unavailable unless the stack has this capability.
        """
        if capability not in self.capabilities:
            raise Unavailable(f"this stack has no {capability}", hint="Run it on a stack that has it.")


def _need(part: Part | None, what: str) -> Part:
    if part is None:
        raise Unavailable(f"{what} is not available here", hint="Run it on a stack.")
    return part
