from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from playbook.errors import GuardError, StackError
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.labels import NAME, PLACE, PROCESS, STACK, USER, place
from playbook.stack.compose.project import require_ours
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.compose.takedown import remove_forgotten
from playbook.stack.mend import destroy
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of, home
from playbook.stack.source import ServiceSource
from tests.compose.conftest import Begin

pytestmark = [pytest.mark.compose, pytest.mark.stack]
ROOT = Path(__file__).parents[2]
HOME = Path("/here/tmp/hardening-playbook-1")
RUNNER = """
import json, sys
from pydantic import TypeAdapter
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.source import ServiceSource
name, service, mark = sys.argv[1:]
source = TypeAdapter(ServiceSource).validate_json(service)
stack = ComposeStack.create(name, service=source, seed=7)
stack.up(progress=lambda step: print(step, file=sys.stderr, flush=True))
print("up", file=sys.stderr, flush=True)
input()
"""


def left_of(engine: Engine, name: str) -> list[str]:
    return [thing for found in engine.objects([f"{NAME}={name}"]).values() for thing in found.values()]


def until_nothing(engine: Engine, name: str, limit_s: float = 40.0) -> None:
    end = time.monotonic() + limit_s
    while left_of(engine, name) or folder_of(name).exists():
        assert time.monotonic() < end, left_of(engine, name)
        time.sleep(0.2)


def spelled(service: ServiceSource) -> str:
    return json.dumps(
        {
            "folder": str(service.folder),
            "serve": service.serve,
            "migrate": service.migrate,
            "seed": service.seed,
            "env_prefix": service.env_prefix,
            "switches": dict(service.switches),
        }
    )


class TestGuard:
    """What does not carry our label is never changed, whatever its name is."""

    def test_a_project_of_somebody_else_is_refused(self, engine: Engine, begin: Begin) -> None:
        stack = begin()
        record = RecordFile(folder_of(stack.name)).read()
        assert record.compose is not None
        name = f"{record.compose.project}_precious"
        engine.api.create_volume(name, labels={"com.docker.compose.project": record.compose.project})
        try:
            with pytest.raises(GuardError, match="precious"):
                require_ours(engine, record.compose.project, record.id)
            with pytest.raises(GuardError, match="precious"):
                stack.up()
            assert left_of(engine, stack.name) == []
            assert engine.api.inspect_volume(name)["Name"] == name
        finally:
            engine.api.remove_volume(name)


class TestForgotten:
    """What a stack left in the engine is found without its folder."""

    def test_objects_without_a_folder_are_removed_and_others_stay(self, engine: Engine) -> None:
        mine, user = f"gone-{random.randrange(10**9)}", random.randrange(10**6, 10**7)
        labels = {STACK: mine, NAME: mine, USER: str(user), PLACE: place(HOME), PROCESS: "x"}
        engine.api.create_volume(mine, labels=labels)
        engine.api.create_volume(f"{mine}-kept", labels={**labels, STACK: f"{mine}-kept"})
        try:
            gone = remove_forgotten(engine, user, HOME, {f"{mine}-kept"})
            assert {name: dict(one.removed) for name, one in gone.items()} == {mine: {"volumes": 1}}
            assert engine.api.inspect_volume(f"{mine}-kept")["Name"] == f"{mine}-kept"
        finally:
            engine.api.remove_volume(f"{mine}-kept")

    def test_what_another_user_has_is_not_touched(self, engine: Engine) -> None:
        theirs, mine, me = f"theirs-{random.randrange(10**9)}", f"mine-{random.randrange(10**9)}", 4_000_001
        for name, user in ((theirs, me + 1), (mine, me)):
            labels = {STACK: name, NAME: name, USER: str(user), PLACE: place(HOME), PROCESS: "x"}
            engine.api.create_volume(name, labels=labels)
        try:
            assert set(remove_forgotten(engine, me, HOME, set())) == {mine}
            assert engine.api.inspect_volume(theirs)["Name"] == theirs
        finally:
            engine.api.remove_volume(theirs)

    @pytest.mark.parametrize("elsewhere", [place(Path("/elsewhere/tmp")), f"another-machine:{HOME}"])
    def test_what_lives_elsewhere_is_not_touched(self, engine: Engine, elsewhere: str) -> None:
        theirs, me = f"theirs-{random.randrange(10**9)}", 4_000_003
        engine.api.create_volume(theirs, labels={STACK: theirs, NAME: theirs, USER: str(me), PLACE: elsewhere})
        try:
            assert remove_forgotten(engine, me, HOME, set()) == {}
            assert engine.api.inspect_volume(theirs)["Name"] == theirs
        finally:
            engine.api.remove_volume(theirs)


class TestKilled:
    """kill -9 of the runner, at any moment of `up`, leaves nothing."""

    @pytest.mark.parametrize("step", ["migrate", "services"])
    def test_runner(self, engine: Engine, service: ServiceSource, step: str) -> None:
        name = f"test-{random.randrange(10**9)}"
        words = [sys.executable, "-c", RUNNER, name, spelled(service), "x"]
        with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as runner:
            assert runner.stderr is not None
            for line in runner.stderr:
                if line.strip() == step:
                    break
            time.sleep(random.uniform(0, 2))
            runner.send_signal(signal.SIGKILL)
            runner.stderr.read()
        until_nothing(engine, name)

    @pytest.mark.soak
    @pytest.mark.parametrize("crash", range(20))
    def test_runner_at_any_moment(self, engine: Engine, service: ServiceSource, crash: int) -> None:
        name = f"test-{random.randrange(10**9)}"
        words = [sys.executable, "-c", RUNNER, name, spelled(service), "x"]
        with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as runner:
            time.sleep(random.uniform(1, 30))
            runner.send_signal(signal.SIGKILL)
        until_nothing(engine, name)

    def test_supervisor_too_and_then_the_folder(self, engine: Engine, begin: Begin) -> None:
        stack = begin()
        stack.up()
        processes = json.loads((folder_of(stack.name) / "processes.json").read_text())
        os.kill(processes["supervisor"]["pid"], signal.SIGKILL)
        shutil.rmtree(folder_of(stack.name))
        assert left_of(engine, stack.name)
        gone = remove_forgotten(engine, os.getuid(), home(), _known())
        assert gone[stack.name].removed["containers"] >= 8
        assert left_of(engine, stack.name) == []


class TestDown:
    """`down` says what it removed, by kind, and what is left."""

    def test_a_half_made_one(self, engine: Engine, begin: Begin) -> None:
        stack = begin()
        assert destroy(folder_of(stack.name)).names == ()
        assert not folder_of(stack.name).exists()

    def test_an_engine_that_is_silent_keeps_the_folder_for_another_try(
        self, engine: Engine, begin: Begin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        stack = begin()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
        left = destroy(folder_of(stack.name))
        assert "No Docker Engine answers" in left.objects[0]


class TestNeverHealthy:
    """A service that does not get healthy is named, with what it wrote last; the stack that it was to serve can go."""

    @pytest.mark.soak
    def test_its_last_words_are_shown(self, engine: Engine, service: ServiceSource) -> None:
        broken = replace(service, serve=("{python}", "-c", "import time; print('no luck', flush=True); time.sleep(99)"))
        stack = ComposeStack.create(f"test-{random.randrange(10**9)}", service=broken, seed=7)
        with pytest.raises(StackError, match=r"(?s)found/app.*unhealthy.*no luck"):
            stack.up()
        stack.down()
        assert left_of(engine, stack.name) == []


class TestBeside:
    """Two stacks live side by side; one goes, says what it removed, and leaves the other."""

    def test_one_goes(self, engine: Engine, running: ComposeStack, begin: Begin) -> None:
        other = begin()
        other.up()
        assert other.endpoints("found").url("proxy") != running.endpoints("found").url("proxy")
        there = engine.objects([f"{NAME}={other.name}"])
        gone = other.down()
        assert gone.removed_objects == {f"{kind}s": len(found) for kind, found in there.items()}
        assert gone.names == ()
        assert left_of(engine, other.name) == []
        assert running.database("hardened").sealed


def _known() -> set[str]:
    root = folder_of("x").parent
    return {RecordFile(folder).read().id for folder in root.iterdir() if (folder / "state.json").is_file()}
