from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.run.conftest import playbook

pytestmark = pytest.mark.notebook


def tell(run: dict[str, Any]) -> dict[str, Any]:
    """Say of a run that was made what `--dry-run` says of one that was not."""
    return {
        "seed": run["parameters"]["seed"],
        "target": run["target"],
        "phases": {one["id"]: (one["mode"], {check["id"] for check in one["checks"]}) for one in run["phases"]},
        "tried": {one["sabotage"] for one in run["kill_matrix"] if one["result"] != "not_tried"},
    }


def announce(document: dict[str, Any]) -> dict[str, Any]:
    (told,) = document["dry_run"]
    return {
        "seed": told["seed"],
        "target": told["target"],
        "phases": {one["id"]: (one["mode"], set(one["checks"])) for one in told["phases"]},
        "tried": {name for one in told["phases"] for name in one["sabotages"]},
    }


@pytest.fixture(scope="module")
def announced(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = playbook(tmp_path_factory.mktemp("dry"), "run", "--profile", "quick", "--dry-run", "--json")
    assert done.exit_code == 0, done.stderr
    return done.json


class TestItTellsTheTruth:
    """What a dry run announced is what a run then did: no phase, check or sabotage more, and none less."""

    def test_phases_checks_and_sabotages(self, announced: dict[str, Any], drill_run: Path) -> None:
        made = tell(json.loads((drill_run / "run.json").read_text(encoding="utf-8")))
        told = announce(announced)
        assert told["phases"] == made["phases"]
        assert told["tried"] == made["tried"]
        assert (told["seed"], told["target"]) == (made["seed"], made["target"])

    def test_what_is_touched_stands_in_each_notebook(self, announced: dict[str, Any], drill_run: Path) -> None:
        (told,) = announced["dry_run"]
        for phase in told["phases"]:
            (notebook,) = [
                p for p in (drill_run / "notebooks").glob(f"{phase['id']}_*.ipynb") if ".source" not in p.name
            ]
            shown = notebook.read_text(encoding="utf-8")
            missing = [line for line in phase["touches"] if json.dumps(line, ensure_ascii=False)[1:-1] not in shown]
            assert missing == [], notebook.name
