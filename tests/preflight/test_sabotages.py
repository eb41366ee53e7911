from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from playbook.places import places
from playbook.preflight import CHECKS, SABOTAGES, look_at_source, source_bench
from playbook.preflight.phase import MUTATIONS, SourceBench
from playbook.preflight.source import ADVISORIES_ENV, source_of
from playbook.proof.execute import run_checks
from playbook.proof.matrix import entries
from playbook.proof.sabotage import ProcedureFault, Sabotage
from playbook.proof.scene import Scene
from playbook.stack.protocol import Stack
from playbook.target.target import read_target

pytestmark = pytest.mark.unit


def scene() -> Scene:
    return Scene(state="hardened", target=read_target(places().data / "targets" / "reference.yaml"), seed=1)


@pytest.fixture(scope="module")
def bench() -> Iterator[SourceBench]:
    with source_bench(cast("Stack", None), scene()) as opened:
        yield opened


@contextmanager
def mutated(bench: SourceBench, sabotage: Sabotage) -> Iterator[Scene]:
    assert isinstance(sabotage.fault, ProcedureFault)
    yield bench.tried(sabotage.fault.mutation, state=f"sabotaged:{sabotage.name}")


class TestSabotages:
    """Each fault turns red exactly what it names, in a copy; the copy without one is clean."""

    def test_every_mutation_is_used(self) -> None:
        assert sorted(s.fault.mutation for s in SABOTAGES if isinstance(s.fault, ProcedureFault)) == sorted(MUTATIONS)

    @pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda one: one.name)
    def test_kills(self, bench: SourceBench, sabotage: Sabotage) -> None:
        with mutated(bench, sabotage) as broken:
            found = entries(sabotage, run_checks(CHECKS, broken))
        wanted = {(name, "killed", True) for name in sabotage.kills} or {("*", "survived", True)}
        assert {(e.check, e.result, e.declared) for e in found} == wanted

    def test_the_copy_alone_is_clean(self, bench: SourceBench) -> None:
        results = run_checks(CHECKS, bench.tried(None, state="hardened"))
        assert [(r.id, r.outcome) for r in results if r.outcome not in ("pass", "skip")] == []
        assert sum(r.outcome == "pass" for r in results) >= 2


class TestReference:
    """The reference service's own source is as clean as what it teaches."""

    def test_it_passes_and_says_what_it_lacked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(ADVISORIES_ENV, raising=False)
        seen = look_at_source(cast("Stack", None), "found", scene(), say=print)
        results = {r.id: r for r in run_checks(CHECKS, seen)}
        assert results["repository.secrets.none-tracked"].outcome == "pass"
        assert results["repository.files.none-private"].outcome == "pass"
        skipped = results["dependencies.advisories.none-known"]
        assert (skipped.outcome, skipped.code) == ("skip", "unavailable")

    def test_advisories_at_hand_are_used(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv(ADVISORIES_ENV, str(tmp_path))
        seen = look_at_source(cast("Stack", None), "found", scene(), say=print)
        assert source_of(seen).advisories == tmp_path
        results = {r.id: r.outcome for r in run_checks(CHECKS[-1:], seen)}
        assert results["dependencies.advisories.none-known"] == "pass"
