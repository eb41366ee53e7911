from __future__ import annotations

from pathlib import Path

import pytest

from playbook.limits import CHECKS
from playbook.limits.declaration import Window
from playbook.limits.exhausting import doubt_of
from playbook.limits.judging import Asked, Trace
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.target.target import Limits, Target
from tests.limits.processes import Addresses, free_port

pytestmark = pytest.mark.unit

WINDOW = Window(requests=5, seconds=10)
DECLARATION = """\
limits:
  - {id: items, path: /items, key: ip, windows: [{requests: 3, seconds: 40}], counted_status: [200]}
"""


def spent(*statuses: int) -> Trace:
    return Trace(tuple(Asked(0.0, status, status == 200, reason="timed out" * (not status)) for status in statuses))


class TestDoubt:
    """Exhausted is who was let through first and refused then, by an answer."""

    @pytest.mark.parametrize(
        "traces",
        [
            (spent(200, 200, 200, 200, 200, 429),),
            (spent(*[200] * 5, 500),),
            (spent(*[200] * 5, 429), spent(429)),
            (spent(*[200] * 15),),
        ],
    )
    def test_who_was_refused_in_the_end_is_exhausted(self, traces: tuple[Trace, ...]) -> None:
        assert doubt_of(traces, WINDOW) is None

    @pytest.mark.parametrize(
        ("traces", "words"),
        [
            ((spent(200, 200, 0),), "not answered: timed out"),
            ((spent(0), spent(200, 429)), "not answered"),
            ((spent(404),), "first request was answered 404"),
            ((spent(429), spent(429)), "first request was answered 429"),
            ((spent(200, 503),), "failed with 503 before"),
        ],
    )
    def test_who_was_not_answered_or_never_let_through_is_not(self, traces: tuple[Trace, ...], words: str) -> None:
        assert words in (doubt_of(traces, WINDOW) or "")


class TestDeadService:
    """Where nobody answers no check of a limit passes, and none says what the limiter does wrong."""

    def test_decides_nothing(self, tmp_path: Path) -> None:
        file = tmp_path / "limits.yaml"
        file.write_text(DECLARATION)
        scene = Scene(
            state="found",
            target=Target(version=1, name="dead", limits=Limits(file=file)),
            seed=0,
            site_endpoints=Addresses((f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}")),
            capabilities=frozenset({"two_instances"}),
        )
        results = run_checks(CHECKS, scene)
        seen = {one.id: one.outcome for one in results if one.subject == "items"}
        assert set(seen.values()) == {"error"}
        assert {"limits.key.unspoofable", "limits.key.neighbour-unaffected", "limits.refusal.status"} <= set(seen)
        assert "limits.retry-after.truthful" in seen
        assert {one.outcome for one in results} <= {"error", "skip"}
