from __future__ import annotations

import os
from pathlib import Path

import pytest

from playbook.errors import InputError, StackError
from playbook.stack.compose.cli import compose, require_compose
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.listing import list_stacks
from playbook.stack.source import ServiceSource

pytestmark = pytest.mark.unit


def program(folder: Path, text: str) -> str:
    file = folder / "docker"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(folder)


class TestEngine:
    """Who cannot work says why, and what to do; nothing is left."""

    def test_no_engine_is_said(self, service: ServiceSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        with pytest.raises(StackError, match="No Docker Engine answers") as caught:
            ComposeStack.create("never", service=service, seed=1, root=tmp_path)
        assert "env/engine/start" in caught.value.hint
        assert list_stacks(tmp_path) == ()

    def test_socket_without_permission_is_said(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        if os.getuid() == 0:
            pytest.skip("root may write everywhere")
        socket = tmp_path / "docker.sock"
        socket.touch(mode=0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{socket}")
        with pytest.raises(StackError, match="may not be used by this account"):
            Engine.open()


class TestCompose:
    """An old Compose, none at all, and a failure are told apart."""

    def test_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(StackError, match="no docker command"):
            require_compose()

    def test_version_1_only(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        words = "echo \"docker: 'compose' is not a docker command.\" >&2; exit 1"
        monkeypatch.setenv("PATH", program(tmp_path, words))
        with pytest.raises(StackError, match="Compose v2 is not there"):
            require_compose()

    def test_too_old(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PATH", program(tmp_path, "echo 2.3.1"))
        with pytest.raises(StackError, match=r"2\.3\.1 is too old"):
            require_compose()

    @pytest.mark.parametrize(
        ("said", "hint"),
        [
            ("write /var/lib/x: no space left on device", "disk is full"),
            (
                "could not find an available, non-overlapping IPv4 address pool: all predefined address pools",
                "networks",
            ),
            ("dial tcp: lookup registry: no such host", "images load"),
        ],
    )
    def test_what_it_says_last_is_shown_and_explained(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, hint: str
    ) -> None:
        monkeypatch.setenv("PATH", program(tmp_path, f"echo '{said}'; exit 17") + ":/usr/bin:/bin")
        with pytest.raises(StackError, match="ended with 17") as caught:
            compose([], ["up"], variables={})
        assert said in caught.value.message
        assert hint in caught.value.hint


class TestService:
    """A service that the Compose stack cannot carry is refused before anything is made."""

    def test_too_many_instances(self, service: ServiceSource, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="at most 2"):
            ComposeStack.create("never", service=_with(service, instances=3), seed=1, root=tmp_path)

    def test_parts_of_this_machine(self, service: ServiceSource, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no parts of wheel"):
            ComposeStack.create("never", service=service, seed=1, parts="wheel", root=tmp_path)


def _with(service: ServiceSource, *, instances: int) -> ServiceSource:
    return ServiceSource(
        folder=service.folder,
        serve=service.serve,
        migrate=service.migrate,
        seed=service.seed,
        env_prefix=service.env_prefix,
        switches=service.switches,
        instances=instances,
    )
