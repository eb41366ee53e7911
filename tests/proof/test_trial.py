from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.matrix import KillEntry
from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SqlFault, SwitchOff
from playbook.proof.scene import Scene
from playbook.proof.trial import Trial
from playbook.service.applied import applied_beside
from playbook.service.version import read_version
from playbook.stack import LocalStack
from playbook.stack.protocol import Edit
from playbook.target.scenario import Profile
from playbook.target.target import Target

pytestmark = pytest.mark.stack

TARGET = Target(version=1, name="stand-in")
COUNT = b"SELECT count(*) FROM pg_class WHERE relname = 'trial_marker'"


@check(
    "marker.table.absent",
    title="There is no marker table",
    phase="20",
    severity="low",
    why="w",
    how="h",
    remedy="r",
    on="copy",
)
def no_marker(scene: Scene) -> Iterator[Finding]:
    with connect(scene.database, "superuser") as conn:
        row = conn.execute(COUNT).fetchone()
    assert row is not None
    yield Finding(expected=0, actual=row[0])


@check("service.switches.on", title="All is on", phase="20", severity="low", why="w", how="h", remedy="r")
def switches_on(scene: Scene) -> Iterator[Finding]:
    seen = read_version(scene.endpoints).switches
    yield Finding(expected=True, actual="ready_checks_dependencies" in seen)


MARKER = SqlFault(
    apply="CREATE TABLE public.trial_marker (n int)",
    heal="DROP TABLE public.trial_marker",
    probe="SELECT to_regclass('public.trial_marker') IS NOT NULL",
)
SABOTAGE = Sabotage(
    name="marker",
    title="A marker table is made",
    phase="20",
    protection="absence",
    mechanism="created",
    fault=MARKER,
    kills={"marker.table.absent": WHOLE},
)


def digest(scene: Scene) -> str:
    with connect(scene.database, "superuser") as conn:
        return schema_digest(conn)


@pytest.fixture(scope="module")
def hardened(local_stack: LocalStack) -> LocalStack:
    local_stack.configure("hardened", {"ready_checks_dependencies": True})
    return local_stack


@pytest.fixture
def tried(hardened: LocalStack) -> Callable[..., list[KillEntry]]:
    def run(*sabotages: Sabotage, smoke: Callable[[Scene], str | None] = lambda _: None) -> list[KillEntry]:
        trial = Trial(
            stack=hardened,
            target=TARGET,
            checks=(no_marker, switches_on),
            seed=1,
            profile="quick",
            smoke=smoke,
            applied=applied_beside(read_version(hardened.endpoints("hardened"))),
            digest=digest,
        )
        return trial.run(sabotages)

    return run


Tried = Callable[..., list[KillEntry]]


class TestKill:
    """A fault that is seen to be applied, leaves the service working and turns a named check red is a kill."""

    def test_sql(self, tried: Tried) -> None:
        (entry,) = tried(SABOTAGE)
        assert (entry.result, entry.declared) == ("killed", True)

    def test_switch(self, tried: Tried) -> None:
        off = replace(SABOTAGE, fault=SwitchOff("ready_checks_dependencies"), kills={"service.switches.on": WHOLE})
        (entry,) = tried(off)
        assert entry.result == "killed"

    def test_unnamed_red_is_collateral(self, tried: Tried) -> None:
        found = tried(replace(SABOTAGE, kills={"service.switches.on": WHOLE}))
        assert {(e.check, e.result, e.declared) for e in found} == {
            ("service.switches.on", "survived", True),
            ("marker.table.absent", "killed", False),
        }

    def test_other_profile_is_not_tried(self, tried: Tried) -> None:
        (entry,) = tried(replace(SABOTAGE, profile="standard"))
        assert entry.result == "not_tried"


class TestAsked:
    """A sabotage is asked of every check that it could turn red; a dear one only where named, in quick."""

    def asked(self, hardened: LocalStack, sabotage: Sabotage, profile: Profile, *, beside: bool = False) -> list[str]:
        dear = replace(switches_on, dear=True)
        code = replace(switches_on, id="service.code.only", reach="code")
        rows = replace(no_marker, id="marker.rows.only", reach="rows")
        trial = Trial(
            stack=hardened,
            target=TARGET,
            checks=(no_marker, dear, code, *((rows,) if beside else ())),
            seed=1,
            profile=profile,
            smoke=lambda _: None,
            applied=lambda *_: None,
            digest=digest,
        )
        return [one.id for one in trial.asked(sabotage)]

    def test_quick(self, hardened: LocalStack) -> None:
        assert self.asked(hardened, SABOTAGE, "quick") == ["marker.table.absent"]

    def test_quick_of_a_harmless_one(self, hardened: LocalStack) -> None:
        harmless = replace(SABOTAGE, kills={}, harmless=True)
        assert self.asked(hardened, harmless, "quick") == ["marker.table.absent"]
        assert self.asked(hardened, harmless, "standard") == ["marker.table.absent", "service.switches.on"]

    def test_named_ones_always(self, hardened: LocalStack) -> None:
        named = replace(SABOTAGE, kills={"service.switches.on": WHOLE})
        assert self.asked(hardened, named, "quick") == ["marker.table.absent", "service.switches.on"]

    def test_the_database_alone_is_not_asked_under_a_fault_of_the_code(self, hardened: LocalStack) -> None:
        of_code = replace(SABOTAGE, fault=SwitchOff("any"), kills={})
        assert "marker.rows.only" in self.asked(hardened, SABOTAGE, "quick", beside=True)
        assert "marker.rows.only" not in self.asked(hardened, of_code, "standard", beside=True)

    def test_standard(self, hardened: LocalStack) -> None:
        assert self.asked(hardened, SABOTAGE, "standard") == ["marker.table.absent", "service.switches.on"]

    def test_code_only_under_a_fault_of_code(self, hardened: LocalStack) -> None:
        switch = replace(SABOTAGE, fault=SwitchOff("ready_checks_dependencies"))
        assert "service.code.only" in self.asked(hardened, switch, "quick")


class TestVoid:
    """A sabotage that was not applied, not healed, or broke the service proves nothing."""

    def void(self, entries: list[KillEntry]) -> str:
        (entry,) = entries
        assert entry.result == "void"
        return entry.reason or ""

    @pytest.mark.parametrize("body", ["", "  ;; ", "-- only words\n", "/* nothing */;"])
    def test_empty_body(self, tried: Tried, body: str) -> None:
        assert "empty" in self.void(tried(replace(SABOTAGE, fault=replace(MARKER, apply=body))))

    def test_probe_does_not_see_it(self, tried: Tried) -> None:
        fault = replace(MARKER, apply="SELECT 1", heal="SELECT 1")
        assert "does not see" in self.void(tried(replace(SABOTAGE, fault=fault)))

    def test_probe_sees_it_before(self, tried: Tried) -> None:
        assert "before it is applied" in self.void(tried(replace(SABOTAGE, fault=replace(MARKER, probe="SELECT true"))))

    def test_not_healed_is_told_by_the_probe(self, tried: Tried) -> None:
        fault = replace(MARKER, heal="SELECT 1")
        (first, *_) = tried(replace(SABOTAGE, fault=fault))
        assert first.result == "void"

    def test_not_healed_is_told_by_the_catalogue(self, tried: Tried) -> None:
        fault = replace(MARKER, heal="ALTER TABLE public.trial_marker RENAME TO trial_marker_kept")
        (first, *_) = tried(replace(SABOTAGE, fault=fault))
        assert first.result == "void"

    def test_broke_the_service(self, tried: Tried) -> None:
        def smoke(scene: Scene) -> str | None:
            return "login answered 500" if scene.state.startswith("sabotaged:marker") else None

        assert "broke the service" in self.void(tried(SABOTAGE, smoke=smoke))

    def test_edit_whose_text_is_not_there(self, tried: Tried) -> None:
        edit = CodeEdit(Edit(path="standin.py", old="no such line stands here", new="x"))
        assert self.void(tried(replace(SABOTAGE, fault=edit)))

    def test_red_baseline_voids_everything(self, tried: Tried) -> None:
        found = tried(SABOTAGE, smoke=lambda _: "the service is down")
        assert "baseline" in self.void(found)
