"""
Limiters that are not the service's, as small real services: sound ones and broken ones, told apart.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from playbook.evidence.result import CheckResult
from playbook.limits import CHECKS
from playbook.places import places
from playbook.proof.check import Check
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.target.target import Limits, Target
from tests.limits.processes import Addresses, Valkey, all_of, free_port, serving

pytestmark = pytest.mark.stack

DECLARATION = Path(__file__).parent / "zoo" / "declaration.yaml"
SECONDS = int(os.environ.get("ZOO_SECONDS", "8"))
"""Their windows; more where the machine is busy, because a burst may take no more than a tenth."""
BOTH = ("items", "login")


@dataclass(frozen=True)
class Animal:
    """One limiter, and every red that it deserves: check → subjects."""

    name: str
    module: str
    red: Mapping[str, tuple[str, ...]]
    fault: str = ""


FOREIGN = (
    Animal("moving-window", "moving_window", {}),
    # With 4.4 s left it says 4: the store's TTL comes in whole seconds, rounded to the nearest.
    Animal(
        "slowapi",
        "slowapi_service",
        {"limits.retry-after.truthful": BOTH, "limits.store.dead": BOTH, "limits.store.hung": BOTH},
    ),
    Animal(
        "get-then-set",
        "get_then_set",
        {"limits.burst.exact": BOTH, "limits.store.dead": BOTH, "limits.store.hung": BOTH},
    ),
)

FAULTY = (
    Animal(
        "per-process",
        "moving_window",
        {"limits.instances.shared": BOTH, "limits.store.dead": BOTH, "limits.store.hung": BOTH},
        "per-process",
    ),
    Animal("answers-500", "moving_window", {"limits.refusal.status": BOTH}, "answers-500"),
    Animal("trusts-header", "moving_window", {"limits.key.unspoofable": ("login",)}, "trusts-header"),
    Animal("fails-open", "moving_window", {"limits.store.dead": BOTH, "limits.store.hung": BOTH}, "fails-open"),
    Animal("skips-prefix", "moving_window", {"limits.exempt.exact": ("GET /health-report",)}, "skips-prefix"),
    Animal("rounds-down", "moving_window", {"limits.retry-after.truthful": BOTH}, "rounds-down"),
)


def instance(animal: Animal, valkey: Valkey) -> AbstractContextManager[str]:
    port = free_port()
    argv = [sys.executable, "-m", "uvicorn", f"tests.limits.zoo.{animal.module}:app", "--port", str(port)]
    env = {
        "PYTHONPATH": str(places().root),
        "ZOO_REDIS": valkey.url,
        "ZOO_FAULT": animal.fault,
        "ZOO_SECONDS": str(SECONDS),
    }
    return serving(argv, env, port=port, path="/health")


CHEAP = ("limits.count.exact", "limits.refusal.status", "limits.burst.exact", "limits.instances.shared")
NOT_TRIED = {
    ("limits.plans.enforced", None): "the target names no further files of limits",
    ("limits.windows.kept", None): "the windows are the declared ones, and were counted in",
    ("limits.cost.capped", None): "no cap on spending is declared",
}


def told(animal: Animal, valkey: Valkey, folder: Path, asked: Sequence[Check]) -> list[CheckResult]:
    declaration = folder / "declaration.yaml"
    declaration.write_text(DECLARATION.read_text().replace("seconds: 5", f"seconds: {SECONDS}"))
    with all_of([instance(animal, valkey) for _ in range(2)]) as urls:
        scene = Scene(
            state="found",
            target=Target(version=1, name="zoo", limits=Limits(file=declaration)),
            seed=0,
            site_endpoints=Addresses(urls),
            site_faults=valkey,
            capabilities=frozenset({"two_instances", "redis", "faults"}),
        )
        return run_checks(asked, scene)


def wrong(animal: Animal, results: Sequence[CheckResult]) -> list[tuple[object, ...]]:
    red = {(check, subject) for check, subjects in animal.red.items() for subject in subjects}
    return [
        (r.id, r.subject, r.outcome, r.actual, r.reason)
        for r in results
        if r.outcome not in ("skip", "fail" if (r.id, r.subject) in red else "pass")
    ]


class TestForeign:
    """Each limiter that is not the service's gets the reds that it deserves, and no other; nothing stays undecided."""

    @pytest.mark.parametrize("animal", FOREIGN, ids=lambda one: one.name)
    def test_is_told_right(self, valkey: Valkey, tmp_path: Path, animal: Animal) -> None:
        results = told(animal, valkey, tmp_path, CHECKS)
        assert wrong(animal, results) == []
        assert {(r.id, r.subject): r.reason for r in results if r.outcome == "skip"} == NOT_TRIED


class TestFaults:
    """A sound limiter with one fault gets the red of that fault, and none of the cheap ones besides."""

    @pytest.mark.parametrize("animal", FAULTY, ids=lambda one: one.name)
    def test_is_told_right(self, valkey: Valkey, tmp_path: Path, animal: Animal) -> None:
        results = told(animal, valkey, tmp_path, [one for one in CHECKS if one.id in (*CHEAP, *animal.red)])
        assert {r.id for r in results} == {*CHEAP, *animal.red}
        assert wrong(animal, results) == []
