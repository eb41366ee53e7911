from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from playbook.cli.root import cli
from playbook.errors import InputError

pytestmark = pytest.mark.unit
COMPOSE = """
name: acme
services:
  web:
    build: {context: ., tags: ["acme/web:latest"]}
    image: acme/web:1
    labels: {traefik.enable: "true", traefik.http.routers.web.rule: "Host(`acme.example.com`)", team: a,
      backup.password: of-the-backup-label}
    environment:
      STRIPE_SK: sk_live_abc
      ADMIN_PW: hunter2
      SLACK_WEBHOOK_URL: https://hooks.slack.com/services/T0/B0/of-slack
      SENTRY_DSN: https://0123of-sentry@o1.ingest.sentry.io/42
      GCP_CREDENTIALS: '{"key": "of-gcp", "uri": "https://oauth2.example.com/token"}'
      TLS_KEY: /certs/server.key
      CACHE_KEY_PREFIX: acme
      SMTP_HOST: smtp.sendgrid.net
      BILLING_URL: https://billing.example.com/v1
      SEARCH_URL: http://search:9200
      LIBPQ_DSN: host=db user=acme password=of-acme dbname=acme
      DATABASE_URL: postgresql://acme:of-acme@db:5432/acme
    extra_hosts: ["ledger:10.1.2.3"]
    configs: [settings]
    networks: {back: {ipv4_address: 10.99.0.5, aliases: [site]}}
  worker: {image: "acme/web:1", networks: [back]}
  db:
    image: postgres:16
    environment: {POSTGRES_PASSWORD: of-acme, POSTGRES_USER: acme}
    networks: {back: {ipv4_address: 10.99.0.6}}
  search: {image: "opensearch:2", networks: [back]}
networks:
  back:
    driver_opts: {com.docker.network.bridge.name: br-acme}
    ipam: {config: [{subnet: 10.99.0.0/24}]}
configs:
  settings:
    content: |
      listen = 8080
      db_password = of-acme
      admin_token: "of-the-config"
"""


class Acme:
    """A project that looks like one in production, adopted, and what Compose makes of the printed command."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "compose.yaml"
        self.file.write_text(COMPOSE, encoding="utf-8")
        (folder / ".env").write_text("COMPOSE_PROJECT_NAME=ncacme\n", encoding="utf-8")
        words = ["adopt", "--compose", str(self.file), "--out", str(folder / "target.yaml")]
        done = CliRunner().invoke(cli, [*words, "--json"], standalone_mode=False)
        assert done.exception is None, done.output
        self.said = json.loads(done.output)
        self.text = (folder / "twin.yaml").read_text(encoding="utf-8")
        self.twin = self.as_config(self.said["up"], ["up", "--wait"])

    @property
    def web(self) -> Mapping[str, Any]:
        return dict(self.twin["services"]["web"])

    @staticmethod
    def as_config(command: str, end: list[str]) -> Mapping[str, Any]:
        words = shlex.split(command)
        assert words[-len(end) :] == end
        words[-len(end) :] = ["config", "--format", "json"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Acme:
    done = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if not done or done.returncode != 0:
        pytest.skip("no engine: Compose v2 is not there")
    return Acme(tmp_path_factory.mktemp("acme"))


class TestCommands:
    """The commands that are told never mean the original, whatever COMPOSE_PROJECT_NAME says."""

    def test_what_starts_it_names_the_twin(self, acme: Acme) -> None:
        assert acme.said["project"] == "ncacme"
        assert acme.twin["name"] == acme.said["twin"] == "twin-ncacme"

    def test_what_ends_it_names_the_twin_and_both_files(self, acme: Acme) -> None:
        ended = acme.as_config(acme.said["down"], ["down", "-v"])
        assert ended == acme.twin

    def test_the_override_says_them_too(self, acme: Acme) -> None:
        told = [line for line in acme.text.splitlines() if line.startswith("#") and "docker compose" in line]
        assert len(told) == 2
        assert all(" -p twin-ncacme " in line for line in told)


class TestBesideTheOriginal:
    """A twin can run while the original does."""

    def test_no_address_is_fixed(self, acme: Acme) -> None:
        assert "10.99.0." not in json.dumps(acme.twin)
        assert "br-acme" not in json.dumps(acme.twin)
        assert acme.web["networks"]["back"]["aliases"] == ["site"]
        told = "\n".join(acme.said["changes"])
        assert "network back: fixed addresses" in told
        assert "web: ipv4_address 10.99.0.5 dropped" in told

    def test_building_it_moves_no_tag(self, acme: Acme) -> None:
        assert acme.web["image"] == acme.twin["services"]["worker"]["image"] == "twin-ncacme-web"
        assert "tags" not in acme.web["build"]
        assert acme.twin["services"]["db"]["image"] == "postgres:16"

    def test_no_route_leads_to_it(self, acme: Acme) -> None:
        routes = {key: value for key, value in acme.web["labels"].items() if key.startswith("traefik.")}
        assert routes == {"traefik.enable": "false"}
        assert acme.web["labels"]["team"] == "a"
        assert "web: labels traefik.*" in "\n".join(acme.said["changes"])


class TestSecrets:
    """No live credential stays, and what the twin needs to reach its own database agrees."""

    @pytest.mark.parametrize(
        "secret",
        [
            "sk_live_abc",
            "hunter2",
            "of-slack",
            "of-sentry",
            "of-gcp",
            "of-acme",
            "of-the-config",
            "of-the-backup-label",
        ],
    )
    def test_it_is_gone(self, acme: Acme, secret: str) -> None:
        assert secret not in json.dumps(acme.twin)
        assert secret not in acme.text

    def test_the_database_is_reached_by_the_same_new_word(self, acme: Acme) -> None:
        new = acme.twin["services"]["db"]["environment"]["POSTGRES_PASSWORD"]
        assert acme.web["environment"]["DATABASE_URL"] == f"postgresql://acme:{new}@db:5432/acme"
        assert acme.web["environment"]["LIBPQ_DSN"] == f"host=db user=acme password={new} dbname=acme"
        assert f"listen = 8080\ndb_password = {new}\n" in acme.twin["configs"]["settings"]["content"]

    def test_addresses_that_are_secrets_are_emptied(self, acme: Acme) -> None:
        assert acme.web["environment"]["SENTRY_DSN"] == acme.web["environment"]["SLACK_WEBHOOK_URL"] == ""

    def test_what_only_looks_like_one_stays(self, acme: Acme) -> None:
        assert acme.web["environment"]["TLS_KEY"] == "/certs/server.key"
        assert acme.web["environment"]["CACHE_KEY_PREFIX"] == "acme"


class TestLeft:
    """Whatever leads out of the project and was left is said, by its host only."""

    def test_exactly_what_leads_outward_is_listed(self, acme: Acme) -> None:
        assert sorted(acme.said["left"]) == [
            "web: BILLING_URL leads to billing.example.com",
            "web: SMTP_HOST leads to smtp.sendgrid.net",
            "web: extra_hosts ledger=10.1.2.3",
        ]


class TestPlaces:
    """A place that cannot be written is refused by its option's name, before anything is written."""

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--out", "gone/d/t.yaml"], "--out: gone/d is no folder"),
            (["--override", "gone/d.yaml"], "--override: gone is no folder"),
            (["--out", "same.yaml", "--override", "./same.yaml"], "--out and --override are both same.yaml"),
            (["--out", "twin.yaml"], "--out and --override are both twin.yaml"),
        ],
    )
    def test_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str) -> None:
        monkeypatch.chdir(tmp_path)
        Path("compose.yaml").write_text("services: {web: {image: nginx}}\n", encoding="utf-8")
        done = CliRunner().invoke(cli, ["adopt", "--compose", "compose.yaml", *words])
        assert isinstance(done.exception, InputError), done.exception
        assert told in str(done.exception)
        assert [path.name for path in tmp_path.iterdir()] == ["compose.yaml"]
