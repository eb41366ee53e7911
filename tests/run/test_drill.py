from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from playbook.bringup import containers, survival
from playbook.evidence.run import read_run
from playbook.proof.sabotage import SwitchOff
from playbook.run.phases import PHASES, registry
from playbook.stack import list_stacks
from tests.run.conftest import Done, playbook

pytestmark = pytest.mark.notebook

MUST_PASS = tomllib.loads((Path(__file__).parents[1] / "must_run.toml").read_text(encoding="utf-8"))["checks"]

FOUND_RED = {
    "config.secret.refused",
    "health.ready.database-down",
}
"""Checks of phase 10 that the service as found must fail; the other phases' stand beside their checks."""

ONLY_CONTAINERS = {one.id for one in (*containers.CHECKS, *survival.CHECKS)}
"""Checks that a stack of processes cannot answer; tests/compose sees them pass, and fail."""

SKIPPED = {"dependencies.advisories.none-known", *ONLY_CONTAINERS}
"""Checks that need what is not there: they say so, and are counted."""

SWITCHES = [
    pytest.param(phase.id, switch, id=switch, marks=[] if phase.id == "30" and not place else [pytest.mark.soak])
    for phase in PHASES
    for place, switch in enumerate(phase.switches)
]
"""Every switch; one of phase 30 in every test run, the others by `make soak`. test_again leaves one of phase 10 out."""


class TestDrill:
    """found is red, hardened is green, and each sabotage turns red what it names."""

    def test_exits_0(self, drill: Done) -> None:
        assert drill.exit_code == 0, drill.stderr
        assert drill.json["outcome"] == "pass"

    def test_every_check_passes_when_hardened(self, drill: Done) -> None:
        results = drill.results("hardened")
        assert {check for check, _ in results} == {c.id for c in registry().checks}
        assert {name: o for (name, _), o in results.items() if o != "pass"} == dict.fromkeys(SKIPPED, "skip")

    def test_what_ci_must_see_pass_passed(self, drill: Done) -> None:
        assert set(MUST_PASS) == {check for check, _ in drill.results("hardened")} - SKIPPED

    def test_found_is_red_by_name(self, drill: Done) -> None:
        red = {check for (check, _), o in drill.results("found").items() if o == "fail"}
        assert red >= FOUND_RED

    def test_every_check_that_a_sabotage_of_this_profile_names_was_seen_to_fail(self, drill: Done) -> None:
        # A subject is killed where a sabotage names it; a check must be killed for at least one of its subjects.
        killed = {c["id"] for c in drill.json["checks"] if c["state"] == "hardened" and c["control"]["killed_by"]}
        named = {check for s in registry().sabotages if s.profile == "quick" for check in s.kills}
        assert killed == named - ONLY_CONTAINERS
        assert named & ONLY_CONTAINERS  # what is not asked here is not seen to fail

    def test_what_this_profile_does_not_try_is_told(self, drill_run: Path) -> None:
        left = {s.name for s in registry().sabotages if s.profile != "quick"}
        rows = read_run(drill_run).record.kill_matrix
        assert left <= {one.sabotage for one in rows if one.result == "not_tried"}

    def test_leaves_no_stack(self, drill_run: Path) -> None:
        assert [s.name for s in list_stacks() if s.run_folder == drill_run] == []
        assert f"run-{drill_run.name[-6:]}" not in [s.name for s in list_stacks()]

    def test_verifies(self, drill_run: Path, drill_evidence: Path) -> None:
        done = playbook(drill_evidence, "verify", str(drill_run), "--require-index")
        assert done.exit_code == 0, done.stdout

    def test_executed_notebooks_are_kept_with_their_sources(self, drill_run: Path) -> None:
        names = {path.name for path in (drill_run / "notebooks").iterdir()}
        wanted = [*(phase.notebook for phase in PHASES), "90_report"]
        assert names == {f"{name}{end}" for name in wanted for end in (".ipynb", ".source.ipynb")}


class TestWithout:
    """Leaving one hardening out turns exactly the checks red that its sabotage names."""

    @pytest.mark.parametrize(("phase", "switch"), SWITCHES)
    def test_exactly_the_named_checks_are_red(self, phase: str, switch: str, tmp_path: Path) -> None:
        (named,) = [s for s in registry().sabotages if isinstance(s.fault, SwitchOff) and s.fault.switch == switch]
        wanted = {(check, subject) for check, subjects in named.kills.items() for subject in (subjects or (None,))}
        done = playbook(tmp_path, "run", "--phase", phase, "--without", switch, "--json")
        assert done.exit_code == 1, done.stderr
        results = done.results("hardened")
        assert {name for name, outcome in results.items() if outcome == "fail"} == wanted
