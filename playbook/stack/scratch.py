"""
Owns throw-away copies of a state: its database copied, an app and a store of its own, on a copy of the code.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playbook.errors import InputError, StackError, Unavailable
from playbook.stack.apps import App, AppPlan, app_settings
from playbook.stack.clock import LocalClock
from playbook.stack.clock_proof import ProvenClock
from playbook.stack.database import LocalDatabase
from playbook.stack.ensemble import Ensemble, upstreams
from playbook.stack.ground import Ground
from playbook.stack.ports import LoosePort
from playbook.stack.protocol import Edit, Site, Weakness
from playbook.stack.proxy import LocalProxy
from playbook.stack.store import LocalStore

__all__ = [
    "ScratchOrder",
    "apply_edits",
    "prove_moved",
    "require_own_code",
    "scratch_site",
    "scratch_switches",
]

_FIRST_MOVE_S = 10.0

_NOT_CODE = shutil.ignore_patterns("__pycache__", ".*")


def apply_edits(code: Path, edits: Sequence[Edit]) -> None:
    """
    Apply edits to a copy of a service's code, one after another.

    Raises InputError when a file is not there, leads out of the folder, or does not hold `old` exactly once.
    """
    for edit in edits:
        path = (code / edit.path).resolve()
        if not path.is_relative_to(code.resolve()) or not path.is_file():
            raise InputError(f"The service has no file {edit.path}", hint="Paths start at its source folder.")
        text = path.read_text(encoding="utf-8")
        times = text.count(edit.old) if edit.old else 0
        if times != 1:
            raise InputError(
                f"{edit.path} holds the text to replace {times} times, not once: {edit.old!r}",
                hint="The code has changed, or the text is not unique: give it more context.",
            )
        if edit.new == edit.old:
            raise InputError(f"The edit of {edit.path} changes nothing", hint="Give it another text.")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class ScratchOrder:
    """
    What a scratch shall be: the state's switches but those in `without`, its code with `edits`, so many instances.

    `settings`: what else its app is told, by setting.
    """

    without: Sequence[str] = ()
    edits: Sequence[Edit] = ()
    instances: int = 1
    proxy: bool = False
    clock: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    weakness: Weakness | None = None


@contextmanager
def scratch_site(
    ground: Ground,
    state: str,
    database: LocalDatabase,
    site_of: Callable[[Ensemble, LocalDatabase, ProvenClock | None], Site],
    order: ScratchOrder,
) -> Iterator[Site]:
    """
    Make a throw-away copy of a state; destroy it at the end, also when that is an exception.

    Raises InputError when a switch in `without` is not on (leaving it out would change nothing), Unavailable for a
    proxy or a clock that the stack does not have.
    """
    if order.weakness is not None:
        raise Unavailable("Processes have no container to weaken", hint="Run it on the Compose stack.")
    record = ground.record()
    switches = scratch_switches(ground, state, order.without)
    for name, wanted in {"proxy": order.proxy, "clock": order.clock}.items():
        if wanted and name not in record.programs:
            raise Unavailable(f"There is no {name}: {record.absent.get(name, '')}", hint="See playbook doctor.")
    name = f"scratch_{secrets.token_hex(4)}"
    process = f"{state}/{name}"
    with ExitStack() as last:
        code = record.service.folder
        if order.edits:
            code = ground.folder / "scratch" / name
            last.callback(shutil.rmtree, code, ignore_errors=True)
            shutil.copytree(record.service.folder, code, ignore=_NOT_CODE)
            apply_edits(code, order.edits)
        clock = LocalClock(ground, name) if order.clock else None
        if clock is not None:
            last.callback(clock.close)
        store = None
        if "redis" in record.programs:
            store = LocalStore(ground, f"{process}-redis", LoosePort(), durable=False, clock=clock)
            _start_store(last, ground, store)
        copied = last.enter_context(database.copy(name))
        assert isinstance(copied, LocalDatabase)
        served = copied.serving(switches)
        told = app_settings(store_dsn=None if store is None else store.dsn("app"), fronted=order.proxy)
        settings = {**told, **order.settings}

        def app(instance: int) -> App:
            plan = AppPlan(
                process=process if instance == 0 else f"{process}-{instance}",
                code=code,
                database=served,
                switches=switches,
                settings=settings,
                surroundings={} if clock is None else clock.environment,
                litter=() if clock is None else clock.litter,
            )
            return App(ground, lambda: plan, port=LoosePort())

        apps = tuple(app(n) for n in range(order.instances))
        proxy = LocalProxy(ground, f"{process}-proxy", LoosePort(), upstreams(apps)) if order.proxy else None
        ensemble = Ensemble(ground, state, apps, store=store, proxy=proxy)
        last.callback(ensemble.stop)
        ensemble.start_apps()
        require_own_code(ground, state, apps[0], edited=bool(order.edits))
        if proxy is not None:
            last.callback(shutil.rmtree, ground.workplace(proxy.process), ignore_errors=True)
            proxy.start()
            last.callback(proxy.stop)
        proven = None if clock is None else prove_moved(ground, clock, apps, store)
        yield site_of(ensemble, served, proven)


def scratch_switches(ground: Ground, state: str, without: Sequence[str]) -> dict[str, bool]:
    """
    Leave switches out of those of a state. Raises InputError for one that is not on.
    """
    record = ground.record()
    record.service.checked(without)
    switches = dict(record.states[state].switches)
    idle = sorted(name for name in without if not switches[name])
    if idle:
        raise InputError(f"{', '.join(idle)} is not on in {state}", hint="Leaving it out would change nothing.")
    return {**switches, **dict.fromkeys(without, False)}


def _start_store(last: ExitStack, ground: Ground, store: LocalStore) -> None:
    last.callback(shutil.rmtree, ground.workplace(store.process), ignore_errors=True)
    last.callback(store.stop)
    store.start()


def prove_moved(ground: Ground, clock: LocalClock, apps: Sequence[App], store: LocalStore | None) -> ProvenClock:
    """
    Move a scratch's clock for the first time, and require that its apps and its store follow.
    """
    proven = ProvenClock(
        clock,
        app_ports=tuple((lambda a=app: a.port) for app in apps),  # type: ignore[misc]
        path=ground.record().service.live,
        store_dsn=None if store is None else partial(store.dsn, "admin"),
    )
    proven.advance(_FIRST_MOVE_S)
    return proven


def require_own_code(ground: Ground, state: str, app: App, *, edited: bool) -> None:
    """
    Require that a scratch's app says that it runs the state's code, or another one if that was edited.
    """
    own, original = app.version(), ground.record().states[state].app_source
    if own is None or (own.source != original) is not edited:
        seen = "nothing" if own is None else f"source {own.source[:12]}, the state's app {original[:12]}"
        raise StackError(
            f"The scratch app does not run {'the edited' if edited else 'the same'} code: it says {seen}",
            hint="Does /version compute its digest over the code that it runs?",
        )
