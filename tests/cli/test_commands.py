from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from playbook.cli.root import COMMANDS, _exit_code, cli
from playbook.places import places

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
class TestExitCodes:
    """A mistake ends with 2 and says what is allowed; nothing is started."""

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["nope"], "No such command"),
            (["run", "--nope"], "No such option"),
            (["run", "nope"], "scenario 'nope' is unknown"),
            (["run", "--phase", "99"], "phase '99' is unknown"),
            (["run", "--without", "nope"], "no such switch"),
            (["run", "--phase", "20", "--without", "limits_shared"], "phase 50 does"),
            (["run", "-p", "nope=1"], "'nope' is unknown"),
            (["run", "-p", "seed=1"], "has an option of its own"),
            (["run", "-p", "nonsense"], "NAME=VALUE"),
            (["run", "--seed", "two"], "not a valid integer"),
            (["run", "--profile", "fast"], "is not one of"),
            (["explain", "no.check"], "is unknown"),
            (["down", "nope"], "there is no stack 'nope'"),
            (["down"], "name one stack, or say --all"),
            (["verify", "nope"], "there is no run 'nope'"),
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
