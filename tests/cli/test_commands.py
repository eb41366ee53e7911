from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from playbook.cli.root import COMMANDS, _exit_code, cli
from playbook.places import places
from playbook.run.phases import registry
from playbook.stack.compose.engine import Engine

README = (places().root / "README.md").read_text(encoding="utf-8")


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.fixture
def evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYBOOK_EVIDENCE", str(tmp_path))
    return tmp_path


@pytest.mark.unit
@pytest.mark.parametrize("name", COMMANDS)
class TestDocumented:
    """Every command and option is documented where a person looks."""

    def test_help_has_an_example_that_parses(self, name: str) -> None:
        text = command(name).help or ""
        assert "Example" in text
        examples = [line.split() for line in text.splitlines() if line.strip().startswith("playbook ")]
        assert examples
        for words in examples:
            assert words[1] in COMMANDS

    def test_help_shows_each_example_on_a_line_of_its_own(self, name: str) -> None:
        found = command(name)
        lines = [line.strip() for line in found.get_help(click.Context(found, info_name=name)).splitlines()]
        assert not [line for line in lines if "\\b" in line]
        examples = [line.strip() for line in (found.help or "").splitlines() if line.strip().startswith("playbook ")]
        assert [line for line in examples if line not in lines] == []

    def test_examples_name_checks_that_there_are(self, name: str) -> None:
        named = re.findall(r"playbook (?:history|explain) (\w\S+)", command(name).help or "")
        assert set(named) <= {check.id for check in registry().checks}

    def test_every_option_has_words(self, name: str) -> None:
        plain = ("seed", "profile")
        silent = [
            p.name for p in command(name).params if isinstance(p, click.Option) and not p.help and p.name not in plain
        ]
        assert silent == []

    def test_answers_with_json_too(self, name: str) -> None:
        assert any("--json" in p.opts for p in command(name).params)

    def test_stands_in_the_readme(self, name: str) -> None:
        assert f"`{name}`" in README or f"playbook {name}" in README


@pytest.mark.unit
class TestGroup:
    """The group's own help reads as well as a command's."""

    def test_help_shows_each_example_on_a_line_of_its_own(self) -> None:
        lines = [line.strip() for line in cli.get_help(click.Context(cli, info_name="playbook")).splitlines()]
        assert not [line for line in lines if "\\b" in line]
        assert sum(line.startswith("playbook ") for line in lines) == 3


@pytest.mark.unit
class TestExitCodes:
    """A mistake ends with 2 and says what is allowed; nothing is started."""

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["nope"], "No such command"),
            (["nope"], "See `playbook --help`"),
            (["run", "--nope"], "No such option"),
            (["run", "--nope"], "See `playbook run --help`"),
            (["run", "nope"], "scenario 'nope' is unknown"),
            (["run", "--phase", "99"], "phase '99' is unknown"),
            (["run", "--phase", "abc"], "phase 'abc' is unknown"),
            (["due", "--ics", "/dev/null/x"], "--ics /dev/null/x: cannot be written"),
            (["run", "--without", "nope"], "no such switch"),
            (["run", "--phase", "20", "--without", "limits_shared"], "phase 50 does"),
            (["run", "-p", "nope=1"], "'nope' is unknown"),
            (["run", "-p", "seed=1"], "has an option of its own"),
            (["run", "-p", "nonsense"], "NAME=VALUE"),
            (["run", "-p", "nonsense"], "--seed 7"),
            (["run", "--seed", "two"], "not a valid integer"),
            (["run", "--profile", "fast"], "is not one of"),
            (["explain", "no.check"], "is unknown"),
            (["down", "nope"], "there is no stack 'nope'"),
            (["down"], "name one stack, or say --all"),
            (["verify", "nope"], "there is no run 'nope'"),
            (["sabotages", "--phase", "99"], "phase '99' is unknown"),
            (["sabotages", "--phase", "abc"], "phase 'abc' is unknown"),
            (["history", "nope"], "check 'nope' is unknown"),
            (["up", "--workers", "3"], "--workers 3: only a stack with load has workers"),
            (["up", "--stack", "compose", "--with", "store", "--workers", "3"], "--workers 3: only a stack with load"),
            (["up", "Bad_Name"], "cannot name a stack"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_bad_input(self, words: list[str], told: str, evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code(words) == 2
        assert told in capsys.readouterr().err

    def test_bad_input_as_json(self, evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code(["run", "nope", "--json"]) == 2
        document = json.loads(capsys.readouterr().out)
        assert (document["command"], document["exit_code"], document["outcome"]) == ("run", 2, "error")
        assert "reference" in document["error"]["hint"]

    def test_scenario_file_with_an_unknown_key(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "s.yaml"
        path.write_text("version: 1\nname: s\nprofle: quick\n")
        assert _exit_code(["run", str(path)]) == 2
        assert f"{path}:3: unknown field 'profle'" in capsys.readouterr().err


@pytest.mark.unit
class TestReadOnly:
    """What only tells does so without starting anything."""

    def test_dry_run_starts_nothing(self, evidence: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code(["run", "--dry-run", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert [p["id"] for p in document["dry_run"][0]["phases"]] == ["00", "10", "20", "30", "50", "60", "70"]
        assert list(evidence.iterdir()) == []

    @pytest.mark.parametrize("what", ["checks", "phases"])
    def test_list(self, what: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code(["list", what]) == 0
        assert "10" in capsys.readouterr().out

    def test_explain_names_the_sabotages(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code(["explain", "health.ready.database-down"]) == 0
        assert "ready-swallows-error" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["switches", "sabotages", "ps"])
    def test_tells(self, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert _exit_code([name, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == "hardening-playbook/cli/1"
        assert document["checks"] == []


def engine_line(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    _exit_code(["doctor", "--json"])
    found = [one for one in json.loads(capsys.readouterr().out)["doctor"] if one["what"].startswith("Docker Engine")]
    assert len(found) == 1
    line: dict[str, str] = found[0]
    return line


class TestDoctor:
    """What is said to be there was asked, not only found on PATH."""

    @pytest.mark.unit
    def test_an_engine_that_does_not_answer(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
        line = engine_line(capsys)
        assert line["status"] == "absent"
        assert f"No Docker Engine answers on unix://{tmp_path}/nobody.sock" in line["seen"]

    @pytest.mark.compose
    def test_an_engine_that_answers(self, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
        line = engine_line(capsys)
        assert (line["status"], line["seen"]) == ("ok", engine.version)
