"""
Owns an app in a container: its settings in a mounted file, its start gated by live, ready and version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from playbook.stack.apps import App, AppPlan
from playbook.stack.compose.containers import CODE, SETTINGS, Plan, door_of, remove_container, start_container
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.protocol import Weakness

__all__ = ["ComposeApp", "app_command", "seen_inside"]

GIVEN = "/run/given"


def app_command(ground: ComposeGround) -> tuple[str, ...]:
    """
    Spell how the service is served inside of its container.
    """
    service = ground.record().service
    return service.words(service.serve, python="python3", host="0.0.0.0", port=PORTS["app"], folder=CODE)  # noqa: S104


def _named_files(settings: Iterable[str]) -> tuple[Path, ...]:
    """
    Find files of this machine among the settings: the container must see them too.
    """
    paths = [Path(value) for value in settings if value.startswith("/")]
    return tuple(path for path in paths if path.is_file())


def seen_inside(value: str) -> str:
    """
    Spell a setting as a container reads it: a file of this machine lies at a place of its own there.

    At the same path its account might not pass the folders above: /root is closed in the image, too.
    """
    files = _named_files([value])
    return f"{GIVEN}/{_digest(value)}-{files[0].name}" if files else value


def _digest(path: str) -> str:
    return hashlib.sha256(path.encode()).hexdigest()[:12]


class ComposeApp(App):
    """
    An app that can be started again, with what its plan says by then.

    `alias` is its name in the state's network. Those of compose.yaml exist; others are made at their first start. An
    app's settings are a file that its container reads at each start, so that it is never made anew.
    """

    def __init__(
        self,
        ground: ComposeGround,
        state: str,
        plan: Callable[[], AppPlan],
        *,
        process: str,
        alias: str,
        composed: bool,
        weakness: Weakness | None = None,
    ) -> None:
        self._place = ground
        self._state = state
        self._alias = alias
        self._composed = composed
        self._weakness = weakness
        recorded = (state, alias) if composed else None
        super().__init__(ground, plan, port=ground.published(process, "app", recorded=recorded))

    def environment(self) -> dict[str, str]:
        """
        Spell the settings that the app is started with.
        """
        plan = self._plan()
        variable = self._place.record().service.variable
        return {variable(name): seen_inside(value) for name, value in self.settings(plan).items()}

    def prepare(self) -> Path:
        """
        Write its settings where its container finds them.
        """
        return self._place.write_settings(self._plan().process, self.environment())

    def container(self, process: str, settings: Path, told: Iterable[str] = ()) -> Plan:
        """
        Plan a container that runs what this app runs, with other settings; `told` are those that differ.
        """
        plan = self._plan()
        mounts = [(settings, SETTINGS, False)]
        edited = plan.code != self._place.record().service.folder
        code = plan.code if edited else self._place.part().code
        if code is not None:
            mounts.append((code, CODE, False))
        files = dict.fromkeys(_named_files([*plan.settings.values(), *told]))
        mounts += [(self._readable(file), seen_inside(str(file)), False) for file in files]
        surroundings: Mapping[str, str] = plan.surroundings
        if "FAKETIME_TIMESTAMP_FILE" in surroundings:
            folder = Path(surroundings["FAKETIME_TIMESTAMP_FILE"]).parent
            mounts.append((folder, str(folder), False))
        return Plan(
            process,
            "app",
            app_command(self._place),
            networks=(self._state,),
            aliases=(self._alias if process == plan.process else process.rpartition("/")[2],),
            ports=(PORTS["app"],),
            mounts=mounts,
            environment=surroundings,
            health=["/usr/local/bin/health", str(PORTS["app"]), self._place.record().service.ready],
            restart=True,
            weakness=self._weakness,
        )

    def _readable(self, file: Path) -> Path:
        """
        Copy a file of this machine to where any account may read it.
        """
        return self._place.write_secret(f"{self.process}-{_digest(str(file))}", file.read_text(encoding="utf-8"))

    def start(self) -> None:
        """
        Start the app and wait until it is what the plan says.
        """
        plan = self._plan()
        settings = self.prepare()
        own = None if self._composed else partial(self.container, plan.process, settings)
        start_container(self._place, plan.process, own)
        port = self._port.number()
        self._port.keep(port)
        self._wait(plan, port)

    def remove(self) -> None:
        """
        Remove its container and its settings, if there are any.
        """
        process = self._plan().process
        remove_container(self._place, process)
        remove_container(self._place, door_of(process))
        for file in self._place.secret(process).parent.glob(f"{process.replace('/', '-')}*"):
            file.unlink()
