from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from playbook.cli.root import cli
from playbook.intake.secrets_of import Replacements, find_secrets
from playbook.target.target import read_target

pytestmark = pytest.mark.unit
PROJECTS = Path(__file__).parent / "projects"
FILES = {"django": "compose.yaml", "traefik": "compose.yaml", "node": "docker-compose.yml"}
SECRETS = {
    "django": ["s3cr3t-of-shop", "django-insecure-abcdefgh", "redis-pass-1"],
    "traefik": ["the-real-one", "change-me-please"],
    "node": ["word-of-node", "sk_live_0123456789"],
}
KINDS = {
    "django": {"web": "app", "celery": "worker", "db": "postgres", "redis": "redis"},
    "traefik": {"traefik": "proxy", "api": "app", "database": "postgres"},
    "node": {"server": "worker", "postgres": "postgres", "cache": "redis"},
}


class Adopted:
    """One project, adopted: what was said, and what Compose makes of the twin."""

    def __init__(self, name: str, folder: Path) -> None:
        self.source = folder / name
        shutil.copytree(PROJECTS / name, self.source)
        self.out = folder / "out"
        self.out.mkdir()
        self.file = self.source / FILES[name]
        self.before = digest(self.source)
        words = ["adopt", "--compose", str(self.file), "--out", str(self.out / "target.yaml"), "--json"]
        done = CliRunner().invoke(cli, words, standalone_mode=False)
        assert done.exception is None, done.output
        self.said = json.loads(done.output)
        self.twin = self.resolve(self.file, self.out / "twin.yaml")

    def resolve(self, *files: Path) -> Mapping[str, Any]:
        named = [word for file in files for word in ("-f", str(file))]
        words = ["docker", "compose", *named, "config", "--format", "json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(f"{path.relative_to(folder)} {path.stat().st_mode} {path.stat().st_mtime_ns}".encode())
        if path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()


@pytest.fixture(scope="module", params=list(FILES))
def adopted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Adopted]:
    done = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if not done or done.returncode != 0:
        pytest.skip("no engine: Compose v2 is not there")
    return request.param, Adopted(request.param, tmp_path_factory.mktemp(request.param))


class TestTwin:
    """A twin validates, and shares nothing with the original that either could change."""

    def test_original_is_untouched(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        assert digest(one.source) == one.before

    def test_it_is_another_project_with_our_label(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        assert one.twin["name"] == one.said["twin"] != one.said["project"]
        for kind in ("services", "networks", "volumes"):
            for name, what in one.twin.get(kind, {}).items():
                if name != "default":
                    assert what["labels"]["org.hardening-playbook.stack"], name

    def test_no_volume_or_network_of_somebody_else(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        for kind in ("networks", "volumes"):
            for what in one.twin.get(kind, {}).values():
                assert not what.get("external")
                assert what["name"].startswith(one.twin["name"])

    def test_every_port_is_free_and_on_loopback(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        ports = [port for what in one.twin["services"].values() for port in what.get("ports", [])]
        assert {port["host_ip"] for port in ports} <= {"127.0.0.1"}
        assert [port for port in ports if port.get("published")] == []

    def test_nothing_of_the_host_is_writable_or_in_reach(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        for name, what in one.twin["services"].items():
            binds = [mount for mount in what.get("volumes", []) if mount["type"] == "bind"]
            assert all(mount.get("read_only") for mount in binds), name
            assert all(Path(mount["source"]).is_relative_to(one.source) for mount in binds), name
            assert not {"privileged", "pid", "container_name"} & what.keys(), name
            assert what.get("network_mode") != "host", name

    def test_no_secret_of_the_original_is_in_it(self, adopted: tuple[str, Adopted]) -> None:
        name, one = adopted
        texts = json.dumps(one.twin) + "".join(path.read_text() for path in one.out.rglob("*") if path.is_file())
        assert [secret for secret in SECRETS[name] if secret in texts] == []
        assert (one.out / "twin.yaml").stat().st_mode & 0o077 == 0

    def test_settings_that_are_no_secrets_stay(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        before = one.resolve(one.file)
        for name, what in one.twin["services"].items():
            assert set(what.get("environment") or {}) == set(before["services"][name].get("environment") or {})

    def test_everything_that_was_changed_is_said(self, adopted: tuple[str, Adopted]) -> None:
        name, one = adopted
        told = "\n".join(one.said["changes"])
        wanted = {
            "django": ["8000→8000", "init.sql is mounted read-only", "secret values"],
            "traefik": ["docker.sock is not mounted", "/srv/postgres", "syslog", "network edge: external"],
            "node": ["container_name", "network_mode host", "privileged", "volume data: external", "/ is not mounted"],
        }
        assert [words for words in wanted[name] if words not in told] == []


class TestTarget:
    """The target names what was recognised, and leaves open what was not."""

    def test_services_are_recognised(self, adopted: tuple[str, Adopted]) -> None:
        name, one = adopted
        assert one.said["services"] == KINDS[name]

    def test_it_reads_as_a_target_and_says_what_is_open(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        target = read_target(one.out / "target.yaml")
        assert target.service is not None
        assert target.service.found.compose == one.file
        assert "# open: which column holds the tenant" in (one.out / "target.yaml").read_text(encoding="utf-8")

    def test_a_second_time_is_refused(self, adopted: tuple[str, Adopted]) -> None:
        _, one = adopted
        words = ["adopt", "--compose", str(one.file), "--out", str(one.out / "target.yaml")]
        assert "exists" in str(CliRunner().invoke(cli, words, standalone_mode=False).exception)


class TestSecrets:
    """The same old value becomes the same new one; what only looks like it stays."""

    def test_urls_and_settings_agree(self) -> None:
        before = {"POSTGRES_PASSWORD": "postgres", "URL": "postgresql://postgres:postgres@postgres:5432/postgres"}
        new = Replacements(find_secrets([before]), token=lambda _: "new")
        assert new.setting("POSTGRES_PASSWORD", "postgres") == "new"
        assert new.setting("URL", before["URL"]) == "postgresql://postgres:new@postgres:5432/postgres"
        assert new.setting("POSTGRES_USER", "postgres") == "postgres"

    @pytest.mark.parametrize(
        ("name", "value"),
        [("TOKEN_LIFETIME", "3600"), ("SECRET_FILE", "/run/x"), ("USE_TOKEN", "true"), ("HOST", "db")],
    )
    def test_what_is_no_secret_stays(self, name: str, value: str) -> None:
        assert find_secrets([{name: value}]) == set()
