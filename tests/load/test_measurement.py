from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.load import CHECKS
from playbook.load.measurement import Once
from playbook.load.sabotages import SABOTAGES
from playbook.load.volume import VOLUMES, volume_of
from playbook.places import places
from playbook.proof.apply import edits_of
from playbook.proof.sabotage import CodeEdit, Sabotage
from playbook.proof.scene import Scene
from playbook.service.measuring import LOCK_NAME, measuring
from playbook.target.scenario import Profile
from playbook.target.target import Target

pytestmark = pytest.mark.unit


def scene() -> Scene:
    return Scene(state="found", target=Target(version=1, name="t"), seed=1)


class TestOnce:
    """Checks share a measurement, but no check is ever answered with an old one."""

    def test_is_measured_once_for_several_readers(self) -> None:
        numbers = itertools.count()
        once, seen = Once("m", lambda _: next(numbers)), scene()
        assert [once.read(seen, "a"), once.read(seen, "b"), once.read(seen, "c")] == [0, 0, 0]

    def test_is_measured_anew_for_the_same_reader(self) -> None:
        numbers = itertools.count()
        once, seen = Once("m", lambda _: next(numbers)), scene()
        assert [once.read(seen, reader) for reader in "abab"] == [0, 0, 1, 1]

    def test_another_scene_is_another_measurement(self) -> None:
        numbers = itertools.count()
        once = Once("m", lambda _: next(numbers))
        assert [once.read(scene(), "a"), once.read(scene(), "b")] == [0, 1]

    def test_a_measurement_that_failed_is_not_kept(self) -> None:
        answers = iter([ValueError("no"), 7])

        def measure(_scene: Scene) -> int:
            answer = next(answers)
            if isinstance(answer, ValueError):
                raise answer
            return answer

        once, seen = Once("m", measure), scene()
        with pytest.raises(ValueError, match="no"):
            once.read(seen, "a")
        assert once.read(seen, "b") == 7


class TestLock:
    """One measurement at a time on one machine, whoever runs it."""

    HOLDER = (
        "import sys, time; from pathlib import Path; from playbook.service.measuring import measuring\n"
        "with measuring(folder=Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )

    def test_waits_for_another_process_and_gets_it_when_that_is_killed(self, tmp_path: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(places().root)}
        holder = subprocess.Popen(
            [sys.executable, "-c", self.HOLDER, str(tmp_path)], env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StackError, match="another measurement"), measuring(folder=tmp_path, limit_s=0.3):
                pass
        finally:
            holder.kill()
            holder.communicate()
        began = time.monotonic()
        with measuring(folder=tmp_path, limit_s=5):
            assert time.monotonic() - began < 2
        assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o644


class TestSabotages:
    """An edit whose text does not occur exactly once would break nothing and stay green."""

    @pytest.mark.parametrize("sabotage", [s for s in SABOTAGES if edits_of(s)], ids=lambda s: s.name)
    def test_edits_fit_the_code(self, sabotage: Sabotage) -> None:
        for edit in edits_of(sabotage):
            path = places().env / "app" / edit.path
            assert path.read_text(encoding="utf-8").count(edit.old) == 1

    def test_protections_are_distinct(self) -> None:
        pairs = [one.pair for one in SABOTAGES if not one.harmless]
        assert len(set(pairs)) == len(pairs) >= 7
        assert sum(one.blind for one in SABOTAGES) == 5

    def test_every_check_is_killed(self) -> None:
        assert {name for one in SABOTAGES for name in one.kills} == {c.id for c in CHECKS}

    def test_quick_tries_one_edit_of_the_code(self) -> None:
        (one,) = [one for one in SABOTAGES if one.profile == "quick"]
        assert isinstance(one.fault, CodeEdit)


class TestVolume:
    """How much is sent follows from the profile; under a fault no more than shows it."""

    def scene(self, state: str, profile: Profile) -> Scene:
        return Scene(state=state, target=Target(version=1, name="t"), seed=1, profile=profile)

    def test_a_state_gets_its_profiles(self) -> None:
        assert volume_of(self.scene("hardened", "standard")).restart_requests == 3000
        assert volume_of(self.scene("found", "quarterly")) == VOLUMES["quarterly"]

    def test_a_fault_gets_less_but_never_more(self) -> None:
        assert volume_of(self.scene("sabotaged:x", "standard")).requests < VOLUMES["standard"].requests
        assert volume_of(self.scene("sabotaged:x", "quick")) == VOLUMES["quick"]
