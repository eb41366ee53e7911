from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from playbook.bringup import containers, survival
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

SWITCHES = [(phase.id, phase.switches[0]) for phase in PHASES if phase.id in ("10", "20", "30")]
"""One switch of each phase that does not measure; what the others alone turn red is shown by their sabotages."""


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

    def test_every_check_was_seen_to_fail(self, drill: Done) -> None:
        alive = {c["id"] for c in drill.json["checks"] if c["state"] == "hardened" and not c["control"]["killed_by"]}
        # A subject is killed where a sabotage names it; a check must be killed for at least one of its subjects.
        killed = {c["id"] for c in drill.json["checks"] if c["state"] == "hardened" and c["control"]["killed_by"]}
        assert alive - killed == ONLY_CONTAINERS

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

    @pytest.mark.parametrize(("phase", "switch"), SWITCHES, ids=[s for _, s in SWITCHES])
    def test_exactly_the_named_checks_are_red(self, phase: str, switch: str, tmp_path: Path) -> None:
        (named,) = [s for s in registry().sabotages if isinstance(s.fault, SwitchOff) and s.fault.switch == switch]
        wanted = {(check, subject) for check, subjects in named.kills.items() for subject in (subjects or (None,))}
        done = playbook(tmp_path, "run", "--phase", phase, "--without", switch, "--json")
        assert done.exit_code == 1, done.stderr
        results = done.results("hardened")
        assert {name for name, outcome in results.items() if outcome == "fail"} == wanted
