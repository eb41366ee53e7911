from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from playbook import isolation
from playbook.errors import GuardError, StackError
from playbook.evidence.result import CheckResult
from playbook.places import places
from playbook.postgres.connect import connect
from playbook.proof.execute import run_checks
from playbook.recovery.checks import CHECKS
from playbook.recovery.drill import rehearse
from playbook.recovery.procedure import found_procedure, our_procedure
from playbook.recovery.rehearsal import Rehearsal, staged
from playbook.recovery.traffic import Touch, Traffic
from playbook.recovery.yard import yard_of
from playbook.service.smoke import smoke
from playbook.stack.local import LocalStack
from playbook.target.target import Target
from tests.recovery.conftest import scene_of

pytestmark = pytest.mark.stack

Asked = tuple[Rehearsal, Mapping[tuple[str, str | None], CheckResult]]
READING = [one for one in isolation.CHECKS if one.id.startswith("rows.read")]


def asked(rehearsal: Rehearsal, stack: LocalStack, target: Target, state: str) -> Asked:
    scene = staged(scene_of(stack, state, target), rehearsal)  # type: ignore[arg-type]
    return rehearsal, {(r.id, r.subject): r for r in run_checks(CHECKS, scene)}


@pytest.fixture(scope="module")
def hardened_drill(hardened: LocalStack, target: Target) -> Asked:
    with yard_of(hardened, "hardened") as yard:
        rehearsal = rehearse(scene_of(hardened, "hardened", target), yard, our_procedure(), isolation=READING)
    return asked(rehearsal, hardened, target, "hardened")


@pytest.fixture(scope="module")
def found_drill(hardened: LocalStack, target: Target) -> Asked:
    with yard_of(hardened, "found") as yard:
        rehearsal = rehearse(scene_of(hardened, "found", target), yard, found_procedure(places()))
    return asked(rehearsal, hardened, target, "found")


class TestTraffic:
    """A drill whose markers nobody may write does not look like one whose markers all came back."""

    def test_a_writer_that_is_refused_is_told(self, hardened: LocalStack) -> None:
        nowhere = Touch(("public", "no_such_table"), "updated_at", "app.current_tenant", "1")
        with (
            Traffic(hardened.database("hardened").dsn("app"), nowhere, clock=time.monotonic) as traffic,
            pytest.raises(StackError, match=r"0 of 5 markers: .*no_such_table"),
        ):
            traffic.wait_for(5)


class TestHardened:
    """By our procedure everything comes back, both ways, and is served from."""

    def test_every_check_passes(self, hardened_drill: Asked) -> None:
        assert {key: r.reason or r.actual for key, r in hardened_drill[1].items() if r.outcome != "pass"} == {}

    def test_both_ways_give_back_the_same_moment(self, hardened_drill: Asked) -> None:
        rehearsal = hardened_drill[0]
        assert rehearsal.routes["logical"].markers == rehearsal.routes["physical"].markers == rehearsal.truth.markers

    def test_the_archive_gives_back_more_than_the_point(self, hardened_drill: Asked) -> None:
        rehearsal = hardened_drill[0]
        assert rehearsal.routes["physical"].recovered >= rehearsal.truth.markers
        assert rehearsal.lost("physical") <= rehearsal.lost("logical")

    def test_the_recovery_time_has_its_parts(self, hardened_drill: Asked) -> None:
        rehearsal = hardened_drill[0]
        assert set(rehearsal.rto_s("physical")) == {"detect", "fetch", "restore", "replay", "verify", "switch"}
        assert set(rehearsal.rto_s("logical")) == {"detect", "fetch", "restore", "verify", "switch"}

    def test_objectives_are_met_partially_for_the_subject_is_smaller_than_declared(self, hardened_drill: Asked) -> None:
        result = hardened_drill[1]["restore.rto.met", "physical"]
        assert result.strength == "partial"
        assert "declares 2000 MB" in (result.strength_reason or "")

    def test_no_password_stands_in_a_command_line(self, hardened_drill: Asked, hardened: LocalStack) -> None:
        words = " ".join(word for one in hardened_drill[0].commands for word in one.argv)
        assert not [name for name, secret in hardened.secrets.items() if secret in words]

    def test_the_state_itself_is_served_from_its_own_database_again(
        self, hardened_drill: Asked, hardened: LocalStack, target: Target
    ) -> None:
        assert smoke(scene_of(hardened, "hardened", target)) is None
        with connect(hardened.database("hardened"), "superuser", read_only=True) as connection:
            row = connection.execute("SELECT to_regnamespace('playbook_drill')").fetchone()
        assert row == (None,)

    def test_nothing_is_left_of_the_rehearsal(self, hardened_drill: Asked, hardened: LocalStack) -> None:
        assert not list(hardened.repository.glob("rehearsal-*"))


class TestFound:
    """The plan's own script ends with 0 and looks well, and what it restores does not serve."""

    def test_every_naive_check_is_well(self, found_drill: Asked) -> None:
        assert {one.name: one.well for one in found_drill[0].routes["logical"].naive} == {
            "backup exit code": True,
            "restore exit code": True,
            "size": True,
            "gzip -t": True,
        }

    def test_it_fails_by_name(self, found_drill: Asked) -> None:
        red = {check for (check, _), result in found_drill[1].items() if result.outcome == "fail"}
        assert red >= {
            "backup.failure.told",
            "backup.archive.complete",
            "restore.point.exact",
            "restore.roles.equal",
            "restore.database.equal",
            "restore.grants.equal",
            "restore.service.green",
            "restore.rto.met",
            "restore.rpo.met",
        }

    def test_its_rows_did_come_back(self, found_drill: Asked) -> None:
        assert found_drill[1]["restore.rows.equal", "logical"].outcome == "pass"


class TestGuard:
    """What is not sealed is not touched."""

    def test_an_unsealed_state_is_refused(self, hardened: LocalStack, target: Target) -> None:
        database = hardened.database("hardened")
        with connect(database, "superuser") as connection:
            token = connection.execute("DELETE FROM playbook.seal RETURNING token").fetchone()
        try:
            with yard_of(hardened, "hardened") as yard, pytest.raises(GuardError, match="not sealed"):
                rehearse(scene_of(hardened, "hardened", target), yard, our_procedure())
        finally:
            with connect(database, "superuser") as connection:
                connection.execute("INSERT INTO playbook.seal (token) VALUES (%s)", token)
