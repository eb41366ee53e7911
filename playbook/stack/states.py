"""
Owns the states of a local stack: found made from nothing, hardened as its copy, both served; and their repair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from playbook.errors import StackError
from playbook.stack.apps import App, AppPlan, app_settings
from playbook.stack.capabilities import prove_clock
from playbook.stack.children import Order
from playbook.stack.database import LocalDatabase, seal
from playbook.stack.ensemble import Attended, Ensemble, app_name, upstreams
from playbook.stack.ground import Ground
from playbook.stack.pooler import LocalPooler
from playbook.stack.proxy import LocalProxy
from playbook.stack.servers import Servers, process_name
from playbook.stack.store import LocalStore

__all__ = ["POOLED", "STATES", "States", "both", "note_source", "serve_one"]

STATES = ("found", "hardened")
POOLED = "hardened"
_COMMAND_LIMIT_S = 900.0


class States:
    """
    The two states of one stack.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.servers = Servers(ground)

    def database(self, state: str) -> LocalDatabase:
        """
        The target's database in this state.
        """
        return LocalDatabase(self._ground, state, self._ground.record().accounts.database)

    def app(self, state: str, instance: int = 0) -> App:
        """
        One instance of this state's app.
        """
        name = app_name(instance)

        def plan() -> AppPlan:
            record = self._ground.record()
            kept = record.states[state]
            server, database = kept.served_from or (state, record.accounts.database)
            return AppPlan(
                process=f"{state}/{name}",
                code=record.service.folder,
                database=LocalDatabase(
                    self._ground, server, database, switches=lambda: self._ground.record().states[state].switches
                ),
                switches=kept.switches,
                settings=self._settings(state),
                pooler_port=self._pooler_port(state),
            )

        return App(self._ground, plan, port=self._ground.port(state, name))

    def ensemble(self, state: str) -> Ensemble:
        """
        All that serves this state.
        """
        record = self._ground.record()
        apps = tuple(self.app(state, n) for n in range(record.service.instances))
        return Ensemble(
            self._ground,
            state,
            apps,
            store=self._store(state),
            proxy=LocalProxy(self._ground, f"{state}/proxy", self._ground.port(state, "proxy"), upstreams(apps))
            if "proxy" in record.programs
            else None,
            pooler=self._pooler(state),
        )

    def _store(self, state: str) -> LocalStore | None:
        if "redis" not in self._ground.record().programs:
            return None
        return LocalStore(self._ground, f"{state}/redis", self._ground.port(state, "redis"), durable=True)

    def _pooler(self, state: str) -> LocalPooler | None:
        if "pooler" not in self._ground.record().programs or state != POOLED:
            return None
        return LocalPooler(self._ground, state, f"{state}/pooler", self._ground.port(state, "pooler"))

    def _settings(self, state: str) -> Mapping[str, str]:
        store = self._store(state)
        return app_settings(
            store_dsn=None if store is None else store.dsn("app"),
            fronted="proxy" in self._ground.record().programs,
        )

    def _pooler_port(self, state: str) -> int | None:
        pooler = self._pooler(state)
        if pooler is None or self._ground.record().states[state].served_from is not None:
            return None
        return pooler.port

    def make(self, progress: Callable[[str], None]) -> None:
        """
        Make both states from nothing, up to running servers: roles, schema, data, seals; `found` is then copied.
        """
        record = self._ground.record()
        with ThreadPoolExecutor(1) as pool:  # initdb needs one core only
            beside = pool.submit(self._make_stores)
            progress("initdb")
            self.servers.initialise("found")
            self.servers.start("found")
            self.servers.create_accounts("found")
            beside.result()
        progress("migrate")
        self._command("migrate", record.service.migrate)
        if record.service.seed:
            progress("seed")
            self._command("seed", record.service.seed)
        seal(self._ground, "found", record.accounts.database)
        progress("copy")
        self.servers.stop("found")
        self.servers.copy("found", "hardened")
        both(self.servers.start)
        seal(self._ground, "hardened", record.accounts.database)

    def serve(self, services: Sequence[str]) -> None:
        """
        Start what does not run, servers and stores before apps, proxies last; wait until all of it answers.
        """
        both(self._serve_database)
        if {"redis", "app", "proxy"} & set(services):
            both(self._serve_store)
        if {"pooler", "app", "proxy"} & set(services):
            both(self._serve_pooler)
        if {"app", "proxy"} & set(services):
            both(self.serve_app)

    def serve_app(self, state: str) -> None:
        """
        Start a state's app and proxy unless they run, wait until they answer, and note which code the app runs.
        """
        ensemble = self.ensemble(state)
        ensemble.start_apps()
        serve_one(self._ground, ensemble.proxy)
        note_source(self._ground, state, ensemble.apps[0])

    def _serve_database(self, state: str) -> None:
        if self._ground.control.running(process_name(state)):
            self.servers.wait_until_answering(state)
        else:
            self.servers.start(state)
        self.database(state).open()

    def _make_stores(self) -> None:
        both(self._serve_store)
        prove_clock(self._ground)

    def _serve_store(self, state: str) -> None:
        serve_one(self._ground, self._store(state))

    def _serve_pooler(self, state: str) -> None:
        serve_one(self._ground, self._pooler(state))

    def _command(self, name: str, template: Sequence[str]) -> None:
        record = self._ground.record()
        values: Mapping[str, object] = {"profile": record.profile, "seed": record.seed}
        order = Order(
            name=name,
            argv=record.service.words(template, **values),
            env=self.app("found").environment(),
            cwd=str(record.service.folder),
            log=str(self._ground.log(name)),
        )
        code = self._ground.control.run(order, _COMMAND_LIMIT_S)
        if code != 0:
            seen = "did not end" if code is None else f"ended with {code}"
            raise StackError(f"{name} of the service {seen}:\n{self._ground.tail(name)}", hint="See the lines above.")


def both(act: Callable[[str], None]) -> None:
    """
    Do the same for both states at once; the first that fails is raised.
    """
    pool = ThreadPoolExecutor(len(STATES))
    try:
        for done in [pool.submit(act, state) for state in STATES]:
            done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def note_source(ground: Ground, state: str, app: App) -> None:
    """
    Note which code a state's app says that it runs.
    """
    said = app.version()
    source = "" if said is None else said.source
    ground.file.update_state(state, lambda old: old.model_copy(update={"app_source": source}))


def serve_one(ground: Ground, one: Attended | None) -> None:
    """
    Start one service unless it runs, and wait until it answers.
    """
    if one is None:
        return
    if ground.control.running(one.process):
        one.wait_until_answering()
    else:
        one.start()
