from __future__ import annotations

import pytest

from playbook.figures.timeline import RecoveryBar, Span, recovery_timeline

pytestmark = pytest.mark.unit

SERVED = RecoveryBar("hardened, physical", 0.6, (Span("fetch", 0, 0.5, "50.0 MB, 100.0 MB/s"), Span("switch", 0.5, 3)))
BROKEN = RecoveryBar("found, logical", None, (Span("fetch", 0, 0.1),), failed="nobody can log in")


class TestRecoveryTimeline:
    """The picture says what its table says, also to who cannot see it."""

    def test_alt_text_tells_ways_parts_and_objectives(self) -> None:
        alt = recovery_timeline([SERVED, BROKEN], rto_target_s=7200, rpo_target_s=3600).alt
        assert "RTO 7200 s and RPO 3600 s" in alt
        assert "hardened, physical: 0.60 s of writes lost; fetch 0.50 s, switch 2.50 s; serving after 3.00 s" in alt
        assert "found, logical: nothing came back; fetch 0.10 s; not serving (nobody can log in)" in alt

    def test_the_table_has_each_part_with_what_it_moved(self) -> None:
        rows = recovery_timeline([SERVED], rto_target_s=2, rpo_target_s=0.3).table.rows
        assert ("hardened, physical", "fetch", "0.00", "0.50", "0.50", "50.0 MB, 100.0 MB/s") in rows
        assert ("hardened, physical", "lost", "-0.60", "0.00", "0.60", "") in rows

    def test_the_same_data_gives_the_same_picture(self) -> None:
        first = recovery_timeline([SERVED, BROKEN], rto_target_s=2, rpo_target_s=0.3)
        assert first.png == recovery_timeline([SERVED, BROKEN], rto_target_s=2, rpo_target_s=0.3).png

    def test_nothing_restored_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="nothing was restored"):
            recovery_timeline([], rto_target_s=None, rpo_target_s=None)
