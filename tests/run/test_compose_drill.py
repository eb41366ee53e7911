from __future__ import annotations

from pathlib import Path

import pytest

from playbook.stack import list_stacks
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.labels import NAME
from tests.run.conftest import Done, playbook

pytestmark = [pytest.mark.compose, pytest.mark.notebook]

PHASES = ("20", "50", "60", "70")
"""Of the seven, those in which containers or PostgreSQL 17 show: another server's rules, clients and restarts behind
published ports, another pg_dump. Phase 10's checks are asked in tests/compose; the soak drills all."""


def drilled(evidence: Path, *argv: str, limit_s: float) -> Done:
    return playbook(evidence, "run", "--profile", "quick", "--stack", "compose", "--json", *argv, limit_s=limit_s)


@pytest.fixture(scope="session")
def composed(engine: Engine, drill_evidence: Path) -> Done:
    phases = [word for phase in PHASES for word in ("--phase", phase)]
    return drilled(drill_evidence, *phases, limit_s=1200)


def assert_alike(local: Path, composed: Done, evidence: Path) -> None:
    done = playbook(evidence, "compare", str(local), composed.json["runs"][0]["path"], "--json")
    assert done.json["undeclared"] == []
    assert done.exit_code == 0, done.stdout


class TestComposeDrill:
    """The same phases on containers: green when hardened, and no outcome differs that is not listed."""

    def test_exits_0(self, composed: Done) -> None:
        assert composed.exit_code == 0, composed.stderr
        assert composed.json["outcome"] == "pass"

    def test_nothing_is_skipped(self, composed: Done) -> None:
        assert set(composed.results("hardened").values()) == {"pass"}

    def test_shows_what_processes_show(self, drill_run: Path, composed: Done, drill_evidence: Path) -> None:
        assert_alike(drill_run, composed, drill_evidence)

    def test_leaves_nothing(self, composed: Done, engine: Engine) -> None:
        name = f"run-{composed.json['runs'][0]['id'][-6:]}"
        assert name not in [one.name for one in list_stacks()]
        assert [row for row in engine.stacks([]) if row.get(NAME) == name] == []


@pytest.mark.soak
class TestWholeComposeDrill:
    """All phases of profile quick on containers."""

    def test_exits_0_and_shows_what_processes_show(self, engine: Engine, drill_run: Path, drill_evidence: Path) -> None:
        done = drilled(drill_evidence, limit_s=3600)
        assert done.exit_code == 0, done.stderr
        assert_alike(drill_run, done, drill_evidence)
