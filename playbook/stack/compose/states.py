"""
Owns the states of a stack of containers: found made from nothing, hardened as its copy, both served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from playbook.errors import StackError
from playbook.places import places
from playbook.stack.apps import AppPlan, app_settings
from playbook.stack.compose.apps import ComposeApp
from playbook.stack.compose.containers import CODE, Plan, copy_code, make_container
from playbook.stack.compose.database import ComposeDatabase
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.compose.images import ensure_images
from playbook.stack.compose.labels import STACK, labels_of
from playbook.stack.compose.pooler import ComposePooler
from playbook.stack.compose.project import Project, require_ours
from playbook.stack.compose.proxy import ComposeProxy
from playbook.stack.compose.servers import ComposeServers
from playbook.stack.compose.start_order import keep_ports
from playbook.stack.compose.store import ComposeStore
from playbook.stack.database import seal
from playbook.stack.ensemble import Ensemble, app_name, upstreams
from playbook.stack.states import POOLED, STATES, States, both

__all__ = ["ComposeStates"]

_COMMAND_LIMIT_S = 900.0
_CHOICES = 5
_TAKEN = ("Pool overlaps with other one", "networks have overlapping IPv4")
"""What engines say of a network whose addresses another one has."""


class ComposeStates(States):
    """
    The two states of one stack. How they are served again, once made, is as for processes.
    """

    def __init__(self, ground: ComposeGround) -> None:
        super().__init__(ground)
        self._place = ground
        self._project = Project(ground)
        self.servers = ComposeServers(ground)

    def database(self, state: str) -> ComposeDatabase:
        """
        The target's database in this state.
        """
        return ComposeDatabase(self._place, state, self._place.record().accounts.database)

    def app(self, state: str, instance: int = 0) -> ComposeApp:
        """
        One instance of this state's app.
        """
        name = app_name(instance)

        def plan() -> AppPlan:
            record = self._place.record()
            kept = record.states[state]
            server, database = kept.served_from or (state, record.accounts.database)
            served = ComposeDatabase(
                self._place, server, database, switches=lambda: self._place.record().states[state].switches
            )
            pooled = state == POOLED and kept.served_from is None
            store = self._store(state).inner_dsn("app")
            return AppPlan(
                process=f"{state}/{name}",
                code=record.service.folder,
                database=served,
                switches=kept.switches,
                settings=app_settings(store_dsn=store, fronted=True, trusted=self._place.address(state, "proxy")),
                pooler_port=PORTS["pooler"] if pooled else None,
            )

        return ComposeApp(self._place, state, plan, process=f"{state}/{name}", alias=name, composed=True)

    def ensemble(self, state: str) -> Ensemble:
        """
        All that serves this state.
        """
        return Ensemble(
            self._place,
            state,
            self._apps(state),
            store=self._store(state),
            proxy=self._proxy(state),
            pooler=self._pooler(state),
            servers=self.servers,
        )

    def make(self, progress: Callable[[str], None]) -> None:
        """
        Make both states from nothing, up to services that are healthy; `found` is made first and then copied.
        """
        self._begin(progress)
        record = self._place.record()
        progress("initdb")
        self.servers.initialise("found")
        progress("servers")
        self._start_first()
        self.servers.wait_until_answering("found")
        self.servers.create_accounts("found")
        progress("migrate")
        self._command("migrate", record.service.migrate)
        if record.service.seed:
            progress("seed")
            self._command("seed", record.service.seed)
        seal(self._place, "found", record.accounts.database)
        progress("copy")
        self.servers.stop("found")
        self.servers.copy("found", "hardened")
        progress("services")
        self._prepare_services()
        self._project.up(self._services())
        both(self.servers.wait_until_answering)
        seal(self._place, "hardened", record.accounts.database)

    def serve(self, services: Sequence[str]) -> None:
        """
        Start what does not run, servers and stores before apps, proxies last; wait until all of it answers.
        """
        super().serve(services)
        keep_ports(self._place, STATES)

    def _begin(self, progress: Callable[[str], None]) -> None:
        """
        See to images and to everything that compose.yaml mounts.
        """
        record, part, env = self._place.record(), self._place.part(), places().env
        require_ours(self._place.engine, part.project, record.id)
        images = ensure_images(self._place.engine, env, say=progress)
        baked = record.service.folder.resolve() == (env / "app").resolve()
        code = None if baked else copy_code(record.service.folder, self._place.folder / "scratch" / "code")
        known = {"base": images.base, "images": dict(images.tags), "code": code}
        self._place.file.update(lambda old: old.model_copy(update={"compose": part.model_copy(update=known)}))
        self._choose_subnets()
        self._project.prepare(env / "compose.yaml")
        for state in STATES:
            self._place.file.keep_port(state, "postgres", 0)
            self._store(state).prepare()
            self._place.workplace(f"{state}/proxy")
        self._place.workplace(f"{POOLED}/pooler")

    def _choose_subnets(self) -> None:
        """
        Choose the networks' subnets; networks that were made of others go first.
        """
        record, part, engine = self._place.record(), self._place.part(), self._place.engine
        for network in engine.objects([f"{STACK}={record.id}"])["network"]:
            engine.remove("network", network)
        labels = labels_of(record, self._place.folder)
        known = {"subnets": dict(engine.free_subnets(part.project, STATES, labels))}
        self._place.file.update(lambda old: old.model_copy(update={"compose": part.model_copy(update=known)}))

    def _start_first(self) -> None:
        """
        Make the networks, and start what needs nothing else; choose other subnets where somebody was faster.
        """
        for left in reversed(range(_CHOICES)):
            try:
                self._project.up(["found-postgres", "found-redis", "hardened-redis"], wait=False)
            except StackError as error:
                if not left or not any(words in error.message for words in _TAKEN):
                    raise
                self._choose_subnets()
            else:
                return

    def _prepare_services(self) -> None:
        for state in STATES:
            for app in self._apps(state):
                app.prepare()
            self._proxy(state).prepare()
            pooler = self._pooler(state)
            if pooler is not None:
                pooler.prepare()

    def _services(self) -> list[str]:
        apps = [f"{state}-{app_name(n)}" for state in STATES for n in range(self._place.record().service.instances)]
        return [*(f"{state}-{name}" for state in STATES for name in ("postgres", "redis", "proxy")), *apps]

    def _apps(self, state: str) -> tuple[ComposeApp, ...]:
        return tuple(self.app(state, n) for n in range(self._place.record().service.instances))

    def _store(self, state: str) -> ComposeStore:
        return ComposeStore(self._place, state, f"{state}/redis", durable=True)

    def _pooler(self, state: str) -> ComposePooler | None:
        return ComposePooler(self._place, state) if state == POOLED else None

    def _proxy(self, state: str) -> ComposeProxy:
        apps = self._apps(state)
        hosts = {app_name(n): app_name(n) for n in range(len(apps))}
        return ComposeProxy(self._place, state, f"{state}/proxy", upstreams(apps), hosts)

    def _command(self, name: str, template: Sequence[str]) -> None:
        record = self._place.record()
        values: Mapping[str, object] = {"profile": record.profile, "seed": record.seed}
        words = record.service.words(template, python="python3", folder=CODE, **values)
        app = self.app("found")
        mounts = app.container(name, self._place.write_settings(name, app.environment())).mounts
        plan = Plan(name, "app", words, networks=("found",), mounts=mounts)
        container = make_container(self._place, plan)
        try:
            self._place.engine.start(container)
            ended = self._place.containers.wait(name, _COMMAND_LIMIT_S)
            if ended.running or ended.exit_code != 0:
                seen = "did not end" if ended.running else f"ended with {ended.exit_code}"
                raise StackError(
                    f"{name} of the service {seen}:\n{self._place.tail(name)}", hint="See the lines above."
                )
        finally:
            self._place.keep_log(name)
            self._place.engine.remove("container", container)
            self._place.secret(name).unlink()
