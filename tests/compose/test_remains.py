from __future__ import annotations

from pathlib import Path

import pytest

from playbook.bringup.remains import CHECKS, SABOTAGES
from playbook.places import places
from playbook.proof.execute import run_checks
from playbook.proof.sabotage import LeftBehind, Sabotage
from playbook.proof.scene import Scene
from playbook.stack.compose.stack import ComposeStack
from playbook.stack.mend import destroy
from playbook.stack.record import RecordFile
from playbook.stack.registry import folder_of
from playbook.stack.remains import Remains
from playbook.target.target import read_target
from tests.compose.conftest import Begin

pytestmark = [pytest.mark.compose, pytest.mark.stack]


@pytest.fixture
def gone(running: ComposeStack, begin: Begin) -> Remains:
    """A stack that was begun and taken down; it knows the images of one that runs."""
    folder = folder_of(begin().name)
    seen = Remains.of(folder)
    assert destroy(folder).names == ()
    known, own = RecordFile(folder_of(running.name)).read().compose, seen.record.compose
    assert known is not None
    assert own is not None
    part = own.model_copy(update={"images": known.images})
    return Remains(folder, seen.record.model_copy(update={"compose": part}))


def asked(remains: Remains) -> dict[str | None, str]:
    target = read_target(places().data / "targets" / "reference.yaml")
    scene = Scene(state="hardened", target=target, seed=1, site_remains=remains)
    return {one.subject: one.outcome for one in run_checks(CHECKS, scene)}


class TestRemains:
    """Of a stack that was taken down nothing is found; whatever is left is, and by its kind."""

    def test_nothing(self, gone: Remains) -> None:
        assert asked(gone) == dict.fromkeys(("processes", "directories", "containers", "networks", "volumes"), "pass")

    @pytest.mark.parametrize("sabotage", SABOTAGES, ids=[one.name for one in SABOTAGES])
    def test_what_is_left(self, gone: Remains, sabotage: Sabotage) -> None:
        assert isinstance(sabotage.fault, LeftBehind)
        with gone.left_behind(sabotage.fault.kind):
            red = {subject for subject, outcome in asked(gone).items() if outcome == "fail"}
        assert red == {sabotage.fault.kind}
        assert set(asked(gone).values()) == {"pass"}

    def test_one_that_is_there(self, running: ComposeStack) -> None:
        found = asked(Remains.of(folder_of(running.name)))
        assert set(found.values()) == {"fail"}
        assert Path(folder_of(running.name)).is_dir()
