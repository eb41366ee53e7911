"""
Owns throw-away copies of a state in containers: its database copied, a store and an app of its own.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from playbook.errors import Unavailable
from playbook.stack.apps import AppPlan, app_settings
from playbook.stack.clock import LocalClock
from playbook.stack.clock_proof import ProvenClock
from playbook.stack.compose.apps import ComposeApp
from playbook.stack.compose.containers import copy_code
from playbook.stack.compose.database import ComposeDatabase
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.proxy import ComposeProxy
from playbook.stack.compose.servers import ComposeServers
from playbook.stack.compose.store import ComposeStore
from playbook.stack.database import LocalDatabase
from playbook.stack.ensemble import Ensemble, app_name, upstreams
from playbook.stack.protocol import Site
from playbook.stack.scratch import ScratchOrder, apply_edits, prove_moved, require_own_code, scratch_switches

__all__ = ["scratch_site"]


@contextmanager
def scratch_site(
    ground: ComposeGround,
    state: str,
    database: ComposeDatabase,
    site_of: Callable[[Ensemble, LocalDatabase, ProvenClock | None], Site],
    order: ScratchOrder,
) -> Iterator[Site]:
    """
    Make a throw-away copy of a state; destroy it at the end, also when that is an exception.

    Raises InputError when a switch in `without` is not on, Unavailable for a clock that the stack does not have.
    """
    record = ground.record()
    switches = scratch_switches(ground, state, order.without)
    if order.clock and "clock" not in record.programs:
        raise Unavailable(f"There is no clock: {record.absent.get('clock', '')}", hint="See playbook doctor.")
    name = f"scratch_{secrets.token_hex(4)}"
    host = name.replace("_", "-")
    process = f"{state}/{name}"
    with ExitStack() as last:
        code = record.service.folder
        if order.edits:
            code = ground.folder / "scratch" / name
            last.callback(shutil.rmtree, code, ignore_errors=True)
            copy_code(record.service.folder, code)
            apply_edits(code, order.edits)
        clock = LocalClock(ground, name) if order.clock else None
        if clock is not None:
            last.callback(clock.close)
        store = ComposeStore(ground, state, f"{process}-redis", durable=False, alias=f"{host}-redis", clock=clock)
        last.callback(shutil.rmtree, ground.workplace(store.process), ignore_errors=True)
        last.callback(store.remove)
        store.start()
        copied = last.enter_context(database.copy(name))
        assert isinstance(copied, ComposeDatabase)
        served = copied.serving(switches)
        told = app_settings(store_dsn=store.inner_dsn("app"), fronted=order.proxy, trusted=ground.part().subnets[state])
        settings = {**told, **order.settings}

        def app(instance: int) -> ComposeApp:
            name = process if instance == 0 else f"{process}-{instance}"
            plan = AppPlan(
                process=name,
                code=code,
                database=served,
                switches=switches,
                settings=settings,
                surroundings={} if clock is None else clock.environment,
            )
            return ComposeApp(
                ground,
                state,
                lambda: plan,
                process=name,
                alias=f"{host}-{instance}",
                composed=False,
                weakness=order.weakness if instance == 0 else None,
            )

        apps = tuple(app(n) for n in range(order.instances))
        for one in apps:
            last.callback(one.remove)
        proxy = None
        if order.proxy:
            hosts = {app_name(n): f"{host}-{n}" for n in range(len(apps))}
            proxy = ComposeProxy(ground, state, f"{process}-proxy", upstreams(apps), hosts, alias=f"{host}-proxy")
            last.callback(shutil.rmtree, ground.workplace(proxy.process), ignore_errors=True)
            last.callback(proxy.remove)
        ensemble = Ensemble(ground, state, apps, store=store, proxy=proxy, servers=ComposeServers(ground))
        ensemble.start_apps()
        require_own_code(ground, state, apps[0], edited=bool(order.edits))
        if proxy is not None:
            proxy.start()
        proven = None if clock is None else prove_moved(ground, clock, apps, store)
        yield site_of(ensemble, served, proven)
