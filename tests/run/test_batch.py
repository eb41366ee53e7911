from __future__ import annotations

import pytest

from playbook.places import places
from playbook.run.batch import to_start_ahead
from playbook.run.plan import Asked, make_plan


class TestKernelsAhead:
    """Beside a phase that measures no kernel starts: its own and the next ones' are there before."""

    @pytest.mark.parametrize(
        ("phases", "count"),
        [(("50", "60", "70"), 3), (("50", "60"), 2), (("30", "50", "60", "70"), 1), (("70",), 1), ((), 0)],
    )
    def test_count(self, phases: tuple[str, ...], count: int) -> None:
        planned = make_plan(Asked(scenario="reference", phases=("20", *phases)), places()).phases
        assert to_start_ahead([one for one in planned if one.phase.id in phases]) == count
