from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from playbook.report.wording import count_of, plain, spell_duration, spell_time, spell_value

pytestmark = pytest.mark.unit


class TestWording:
    """Evidence is spelt so that it neither steers nor floods the reader."""

    def test_control_and_direction_marks_become_visible(self) -> None:
        assert plain("a\x1b[2J\u202eb\u2066") == "a\\u001b[2J\\u202eb\\u2066"

    def test_scripts_and_emoji_stay(self) -> None:
        assert plain("Ωмега 東京 👩‍🔬\n\t") == "Ωмега 東京 👩‍🔬\n\t"

    def test_long_values_are_cut_and_say_so(self) -> None:
        assert spell_value("x" * 1000, limit=10) == '"xxxxxxxxx… (1002 characters in all)'

    @pytest.mark.parametrize(("seconds", "words"), [(0.0512, "51 ms"), (12.34, "12.3 s"), (125, "2 min 5 s")])
    def test_durations(self, seconds: float, words: str) -> None:
        assert spell_duration(seconds) == words

    def test_times_are_in_utc(self) -> None:
        assert spell_time(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2025-12-31 23:00:00 UTC"
        assert spell_time(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01 00:00:00 UTC"

    def test_nouns_follow_their_number(self) -> None:
        assert (count_of(1, "check"), count_of(0, "check")) == ("1 check", "0 checks")
