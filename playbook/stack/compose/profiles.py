"""
Owns what can be started beside the states: the profiles of compose.yaml, what they mount, where they are reached.

They only look on or press from outside: no state, and no check of one, rests on them. They go when the stack goes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from playbook.errors import InputError
from playbook.places import places
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.images import PROFILES, ensure_images
from playbook.stack.compose.object_store import store_files
from playbook.stack.compose.project import Project
from playbook.stack.states import STATES

__all__ = ["MOST_WORKERS", "Profile", "add_profiles", "find_profile"]

MOST_WORKERS = 16


@dataclass(frozen=True, slots=True)
class Profile:
    """
    One profile: its services, and which of them are published: (name of the process, port inside, scheme).
    """

    services: tuple[str, ...]
    published: tuple[tuple[str, int, str], ...]


_PROFILES: Mapping[str, Profile] = {
    "observe": Profile(
        ("prometheus", "alertmanager", "postgres-exporter", "redis-exporter"),
        (("observe/prometheus", 9090, "http"), ("observe/alertmanager", 9093, "http")),
    ),
    "load": Profile(("locust-master", "locust-worker"), (("load/master", 8089, "http"),)),
    "store": Profile(("store",), (("store/store", 8333, "https"),)),
}


def find_profile(name: str) -> Profile:
    """
    Find a profile. Raises InputError when there is none of this name.
    """
    if name not in _PROFILES:
        raise InputError(f"There is no profile {name}", hint=f"There are: {', '.join(PROFILES)}.")
    return _PROFILES[name]


def add_profiles(
    ground: ComposeGround,
    names: Sequence[str],
    *,
    workers: int,
    traffic: Mapping[str, object],
    say: Callable[[str], None],
) -> Mapping[str, str]:
    """
    Start the services of these profiles, healthy; returns the addresses of those that are published, by process.

    Images that are missing are built. `traffic` is what the swarm's users do (`playbook.load.swarm`). Raises
    InputError, StackError.
    """
    wanted = [find_profile(name) for name in names]
    if not 1 <= workers <= MOST_WORKERS:
        raise InputError(f"{workers} workers: between 1 and {MOST_WORKERS}", hint="More would only wait for CPU here.")
    images = ensure_images(ground.engine, places().env, profiles=names, say=say)
    known = {"images": {**ground.part().images, **images.tags}}
    ground.file.update(lambda old: old.model_copy(update={"compose": ground.part().model_copy(update=known)}))
    for name, text in _files(ground, names, traffic).items():
        ground.write_secret(name, text)
    if "store" in names:
        ground.workplace("store/store")
    services = [service for profile in wanted for service in profile.services]
    scale = ("--scale", f"locust-worker={workers}") if "locust-worker" in services else ()
    say(f"profiles {', '.join(names)}")
    Project(ground).up([*scale, *services])
    return {
        process: f"{scheme}://127.0.0.1:{_port(ground, process, inner)}"
        for profile in wanted
        for process, inner, scheme in profile.published
    }


def _port(ground: ComposeGround, process: str, inner: int) -> int:
    found = ground.containers.find(process)
    return 0 if found is None else found.ports.get(inner, 0)


def _files(ground: ComposeGround, names: Sequence[str], traffic: Mapping[str, object]) -> Mapping[str, str]:
    """
    Spell what the services mount, by name. The exporters use the service's own accounts: they need no more.
    """
    record = ground.record()
    files: dict[str, str] = {}
    if "observe" in names:
        account = {"username": record.accounts.app, "password": record.secrets["app_password"]}
        module = {"type": "userpass", "userpass": account, "options": {"sslmode": "disable"}}
        files["postgres-exporter"] = json.dumps({"auth_modules": {"stack": module}})  # JSON is YAML
        password = record.secrets["redis_app_password"]
        files["redis-exporter"] = json.dumps({f"redis://app@{state}-redis:6379": password for state in STATES})
    if "load" in names:
        files["traffic"] = json.dumps(traffic)
    if "store" in names:
        access, secret = (record.secrets[name] for name in ("store_access_key", "store_secret_key"))
        files |= store_files(access, secret, now=datetime.now(UTC))
    return files
