from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import InputError
from playbook.places import places
from playbook.target.scenario import Scenario, find_scenario, read_scenario
from playbook.target.target import read_target

pytestmark = pytest.mark.unit


def scenario(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return path


class TestMistakes:
    """A mistake is told with file, line, field, what was seen and what is allowed."""

    def test_unknown_key(self, tmp_path: Path) -> None:
        path = scenario(tmp_path, "version: 1\nname: x\nprofle: quick\n")
        with pytest.raises(InputError) as caught:
            read_scenario(path)
        assert f"{path}:3: unknown field 'profle'" in caught.value.message
        assert "did you mean 'profile'" in caught.value.message

    def test_wrong_type(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"s\.yaml:3: field 'seed': .* saw 'two'"):
            read_scenario(scenario(tmp_path, "version: 1\nname: x\nseed: two\n"))

    def test_nested_field_has_its_own_line(self, tmp_path: Path) -> None:
        text = "version: 1\nname: x\nwaivers:\n  - check: a.b\n    owner: o\n    reason: r\n    expires: soon\n"
        with pytest.raises(InputError, match=r"s\.yaml:7: field 'waivers\.0\.expires'"):
            read_scenario(scenario(tmp_path, text))

    def test_missing_field(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="field 'name' is missing"):
            read_scenario(scenario(tmp_path, "version: 1\n"))

    def test_key_written_twice(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r":3: .*written twice"):
            read_scenario(scenario(tmp_path, "version: 1\nname: x\nname: y\n"))

    @pytest.mark.parametrize("text", ["- a\n", "just words\n", ""])
    def test_not_a_mapping(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(InputError, match="a mapping is needed"):
            read_scenario(scenario(tmp_path, text))

    def test_broken_yaml(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r":3: not valid YAML"):
            read_scenario(scenario(tmp_path, "version: 1\nname: [x\n"))

    def test_not_utf8(self, tmp_path: Path) -> None:
        path = tmp_path / "s.yaml"
        path.write_bytes(b"name: \xff\n")
        with pytest.raises(InputError, match="cannot be read"):
            read_scenario(path)


class TestShipped:
    """What the repository ships can be read."""

    @pytest.mark.parametrize("path", sorted(places().data.glob("targets/*.yaml")), ids=lambda p: p.stem)
    def test_target(self, path: Path) -> None:
        target = read_target(path)
        assert (
            target.service is None or target.service.found.source is None or target.service.found.source.folder.is_dir()
        )

    @pytest.mark.parametrize("path", sorted(places().data.glob("scenarios/*.yaml")), ids=lambda p: p.stem)
    def test_scenario(self, path: Path) -> None:
        assert read_scenario(path).name == path.stem

    def test_unknown_scenario_lists_those_there_are(self) -> None:
        with pytest.raises(InputError) as caught:
            find_scenario("nope", places().data / "scenarios")
        assert "reference" in caught.value.hint


class TestMode:
    """The reference service is hardened, every other target audited, unless the scenario says otherwise."""

    def test_defaults(self) -> None:
        assert Scenario(name="x").mode_of("10") == "harden"
        assert Scenario(name="x", target="acme").mode_of("10") == "audit"

    def test_per_phase(self) -> None:
        mixed = Scenario(name="x", target="acme", mode={"10": "harden"})
        assert (mixed.mode_of("10"), mixed.mode_of("20")) == ("harden", "audit")


class TestSecrets:
    """No secret stands in a target."""

    def test_plain_dsn_is_refused(self, tmp_path: Path) -> None:
        text = "version: 1\nname: t\ndatabase:\n  dsn: postgresql://u:pw@h/db\n  roles: {owner: o, app: a}\n"
        path = tmp_path / "t.yaml"
        path.write_text(text)
        with pytest.raises(InputError, match=r"t\.yaml:4: field 'database\.dsn'"):
            read_target(path)
