from __future__ import annotations

from collections.abc import Iterator

import pytest

from playbook.errors import Unavailable
from playbook.evidence.result import NamesDigest
from playbook.proof.check import Check, Finding
from playbook.proof.execute import run_check
from playbook.proof.scene import Scene
from playbook.target.target import Target

pytestmark = pytest.mark.unit

SCENE = Scene(state="hardened", target=Target(version=1, name="t"), seed=1)


def made(probe: object, population: list[str] | None = None) -> Check:
    return Check(
        id="test.one",
        title="t",
        phase="30",
        severity="low",
        why="w",
        how="h",
        remedy="r",
        probe=probe,  # type: ignore[arg-type]
        population=(lambda _: population) if population is not None else None,
    )


class TestFindings:
    """A finding becomes a result whose outcome is computed from what was seen."""

    def test_equal_passes(self) -> None:
        (result,) = run_check(made(lambda _: [Finding(expected=1, actual=1)]), SCENE)
        assert (result.outcome, result.population, result.tested) == ("pass", ("test.one",), ("test.one",))

    def test_different_fails_and_names_the_remedy(self) -> None:
        (result,) = run_check(made(lambda _: [Finding(expected=1, actual=2)]), SCENE)
        assert (result.outcome, result.remedy) == ("fail", "r")

    def test_wrong_shape_is_neither(self) -> None:
        (result,) = run_check(made(lambda _: [Finding(expected=1, operator="lt", actual="x")]), SCENE)
        assert (result.outcome, result.code) == ("error", "crashed")


class TestPopulation:
    """What exists and was not tried is never passed over."""

    def test_subject_left_out_is_an_error(self) -> None:
        results = run_check(made(lambda _: [Finding(subject="a", actual=None)], ["a", "b"]), SCENE)
        assert {(r.subject, r.outcome) for r in results} == {("a", "pass"), ("b", "error")}

    def test_subject_beyond_the_population_is_an_error(self) -> None:
        found = [Finding(subject=name, actual=None) for name in ("a", "ghost")]
        results = run_check(made(lambda _: found, ["a"]), SCENE)
        assert ("ghost", "error") in {(r.subject, r.outcome) for r in results}

    def test_pass_of_a_part_becomes_inconclusive(self) -> None:
        (result,) = run_check(made(lambda _: [Finding(actual=None, tested=["a"])], ["a", "b"]), SCENE)
        assert (result.outcome, result.code) == ("error", "inconclusive")

    def test_fail_of_a_part_stays_a_fail(self) -> None:
        (result,) = run_check(made(lambda _: [Finding(expected=1, actual=2, tested=["a"])], ["a", "b"]), SCENE)
        assert result.outcome == "fail"

    def test_empty_population_is_an_error(self) -> None:
        (result,) = run_check(made(lambda _: [], []), SCENE)
        assert result.outcome == "error"

    def test_over_a_thousand_names_go_to_an_attachment(self) -> None:
        names = [f"n{i:04}" for i in range(1001)]
        stored: dict[str, bytes] = {}

        def attach(name: str, content: bytes) -> str:
            stored[name] = content
            return f"attachments/{name}"

        (result,) = run_check(made(lambda _: [Finding(actual=None, tested=names)], names), SCENE, attach=attach)
        assert isinstance(result.population, NamesDigest)
        assert result.population.count == 1001
        assert result.outcome == "pass"
        assert len(stored) == 2


class TestTrouble:
    """A check that could not run says so."""

    def test_missing_capability_is_a_skip(self) -> None:
        def probe(_: Scene) -> Iterator[Finding]:
            raise Unavailable("no pooler here", hint="")

        (result,) = run_check(made(probe), SCENE)
        assert (result.outcome, result.code, result.reason) == ("skip", "unavailable", "no pooler here")

    def test_missing_view_is_a_skip(self) -> None:
        (result,) = run_check(made(lambda scene: [Finding(actual=scene.database.name)]), SCENE)
        assert result.outcome == "skip"

    def test_exception_is_an_error_and_keeps_what_was_found(self) -> None:
        def probe(_: Scene) -> Iterator[Finding]:
            yield Finding(subject="a", actual=None)
            raise ValueError("boom")

        results = run_check(made(probe, ["a", "b"]), SCENE)
        assert [(r.subject, r.outcome) for r in results] == [("a", "pass"), (None, "error")]
        assert results[1].reason == "ValueError: boom"

    def test_silent_probe_is_an_error(self) -> None:
        (result,) = run_check(made(lambda _: []), SCENE)
        assert result.outcome == "error"
