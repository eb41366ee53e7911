from __future__ import annotations

import re
import shutil
from pathlib import Path

import click
import pytest
import yaml

from playbook.cli.stack import up
from playbook.errors import InputError, StackError
from playbook.places import places
from playbook.stack.compose.carrying import load, save
from playbook.stack.compose.images import IMAGES, PROFILES, image_tag
from playbook.stack.compose.profiles import MOST_WORKERS, find_profile

pytestmark = pytest.mark.unit
ENV = places().env


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


class TestTags:
    """An image's tag says what it is built from."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return Path(shutil.copytree(ENV / "redis", tmp_path / "redis"))

    def test_same_content_same_tag(self, folder: Path) -> None:
        assert image_tag("redis", folder, "sha256:1") == image_tag("redis", ENV / "redis", "sha256:1")

    def test_another_base_another_tag(self, folder: Path) -> None:
        assert image_tag("redis", folder, "sha256:1") != image_tag("redis", folder, "sha256:2")

    @pytest.mark.parametrize("name", ["Dockerfile", "new"])
    def test_another_file_another_tag(self, folder: Path, name: str) -> None:
        before = image_tag("redis", folder, "sha256:1")
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write("\n# more\n")
        assert image_tag("redis", folder, "sha256:1") != before

    def test_bytecode_is_no_content(self, folder: Path) -> None:
        before = image_tag("redis", folder, "sha256:1")
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
        assert image_tag("redis", folder, "sha256:1") == before


class TestLock:
    """The app runs in its image with the versions that it was tested with."""

    def test_its_versions_are_the_projects(self) -> None:
        ours, projects = pins(ENV / "app" / "requirements.lock"), pins(ENV / "requirements.lock")
        assert ours
        assert {name: version for name, version in ours.items() if projects.get(name, version) != version} == {}


class TestDescription:
    """compose.yaml keeps its promises for every service, also for the next one."""

    @pytest.fixture
    def description(self) -> dict[str, dict[str, object]]:
        return dict(yaml.safe_load((ENV / "compose.yaml").read_text(encoding="utf-8")))

    @pytest.mark.parametrize("field", ["read_only", "cap_drop", "security_opt", "pids_limit", "mem_limit", "logging"])
    def test_every_service_is_limited(self, description: dict[str, dict[str, object]], field: str) -> None:
        assert [name for name, one in description["services"].items() if not one.get(field)] == []  # type: ignore[attr-defined]

    def test_every_service_has_a_health_check_a_user_and_our_label(
        self, description: dict[str, dict[str, object]]
    ) -> None:
        for name, one in description["services"].items():
            assert one["healthcheck"]["test"], name  # type: ignore[index]
            assert one["user"], name  # type: ignore[index]
            assert one["labels"]["org.hardening-playbook.stack"], name  # type: ignore[index]

    def test_every_port_is_on_loopback_and_free_when_chosen(self, description: dict[str, dict[str, object]]) -> None:
        ports = [port for one in description["services"].values() for port in one.get("ports", [])]  # type: ignore[attr-defined]
        assert ports
        assert [port for port in ports if not port.startswith("127.0.0.1::")] == []

    def test_nothing_has_a_name_that_a_second_stack_would_want_too(
        self, description: dict[str, dict[str, object]]
    ) -> None:
        assert [name for name, one in description["services"].items() if "container_name" in one] == []  # type: ignore[operator]

    def test_every_image_is_built_here(self, description: dict[str, dict[str, object]]) -> None:
        assert {one.service for one in IMAGES.values()} <= set(description["services"])
        for one in IMAGES.values():
            assert one.variable in str(description["services"][one.service]["image"])  # type: ignore[index]

    def test_the_command_line_knows_the_profiles(self, description: dict[str, dict[str, object]]) -> None:
        options = {one.name: one.type for one in up.params}
        assert isinstance(options["beside"], click.Choice)
        assert set(options["beside"].choices) == set(PROFILES)
        assert isinstance(options["workers"], click.IntRange)
        assert options["workers"].max == MOST_WORKERS
        known = {profile for one in description["services"].values() for profile in one.get("profiles", [])}  # type: ignore[attr-defined]
        assert known == set(PROFILES)
        assert {one for name in PROFILES for one in find_profile(name).services} <= set(description["services"])

    def test_no_dockerfile_asks_for_what_the_engine_of_debian_12_cannot_do(self) -> None:
        for file in ENV.glob("*/Dockerfile"):
            text = file.read_text(encoding="utf-8")
            assert "<<" not in text, file
            assert "# syntax=" not in text, file


class TestCarrying:
    """What cannot be packed or read is said before anything is left lying about."""

    def test_unknown_packing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="how is it packed"):
            save(["x"], tmp_path / "images.rar")
        assert list(tmp_path.iterdir()) == []

    def test_a_file_without_images_is_refused(self, tmp_path: Path) -> None:
        if shutil.which("docker") is None:
            pytest.skip("no docker command")
        (tmp_path / "images.tar").write_bytes(b"nothing")
        with pytest.raises(StackError, match="cannot be loaded"):
            load(tmp_path / "images.tar")
