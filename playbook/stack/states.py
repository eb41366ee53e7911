"""
Owns the states of a local stack: found made from nothing, hardened as its copy, both served; and their repair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from playbook.errors import StackError
from playbook.stack.apps import App, AppPlan
from playbook.stack.children import Order
from playbook.stack.database import LocalDatabase, seal
from playbook.stack.ground import Ground
from playbook.stack.servers import Servers, process_name

__all__ = ["STATES", "States"]

STATES = ("found", "hardened")
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

    def app(self, state: str) -> App:
        """
        The app of this state.
        """

        def plan() -> AppPlan:
            record = self._ground.record()
            return AppPlan(f"{state}/app", record.service.folder, self.database(state), record.states[state].switches)

        def keep(port: int) -> None:
            self._ground.file.update_state(state, lambda old: old.model_copy(update={"app_port": port}))

        return App(self._ground, plan, port=lambda: self._ground.record().states[state].app_port, keep_port=keep)

    def make(self, progress: Callable[[str], None]) -> None:
        """
        Make both states from nothing, up to running servers: roles, schema, data, seals; `found` is then copied.
        """
        record = self._ground.record()
        progress("initdb")
        self.servers.initialise("found")
        self.servers.start("found")
        self.servers.create_accounts("found")
        progress("migrate")
        self._command("migrate", record.service.migrate)
        if record.service.seed:
            progress("seed")
            self._command("seed", record.service.seed)
        seal(self._ground, "found", record.accounts.database)
        progress("copy")
        self.servers.stop("found")
        self.servers.copy("found", "hardened")
        self._both(self.servers.start)
        seal(self._ground, "hardened", record.accounts.database)

    def serve(self, services: Sequence[str]) -> None:
        """
        Start what does not run, servers before apps, and wait until all of it answers.
        """
        self._both(self._serve_database)
        if "app" in services:
            self._both(self.serve_app)

    def serve_app(self, state: str) -> None:
        """
        Start a state's app unless it runs, wait until it answers, and note which code it runs.
        """
        app = self.app(state)
        if app.running():
            app.wait_until_answering()
        else:
            app.start()
        said = app.version()
        source = "" if said is None else said.source
        self._ground.file.update_state(state, lambda old: old.model_copy(update={"app_source": source}))

    def _serve_database(self, state: str) -> None:
        if self._ground.control.running(process_name(state)):
            self.servers.wait_until_answering(state)
        else:
            self.servers.start(state)
        self.database(state).open()

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

    @staticmethod
    def _both(act: Callable[[str], None]) -> None:
        pool = ThreadPoolExecutor(len(STATES))
        try:
            for done in [pool.submit(act, state) for state in STATES]:
                done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
