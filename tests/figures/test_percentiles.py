from __future__ import annotations

import io

import pytest
from PIL import Image

from playbook.figures.percentiles import LatencyLine, latency_percentiles

pytestmark = pytest.mark.unit

LINES = [
    LatencyLine("found", [(0, 8.0), (50, 40.0), (95, 820.0), (99, 1900.0), (100, 2100.0)]),
    LatencyLine("hardened", [(0, 6.0), (50, 21.0), (95, 48.0), (99, 77.0), (100, 90.0)]),
]


class TestLatencyPercentiles:
    """Latency is drawn with its objective, and told in words and figures."""

    def test_is_a_white_card_with_a_table(self) -> None:
        figure = latency_percentiles(LINES, p95_ms=500)
        image = Image.open(io.BytesIO(figure.png)).convert("RGB")
        assert image.getpixel((0, 0)) == (255, 255, 255)
        assert figure.table.rows[0] == ("found", "40.0", "820.0", "1900.0", "2100.0", "500")
        assert "hardened: p50 21 ms, p95 48 ms" in figure.alt
        assert "500 ms" in figure.alt

    def test_is_the_same_for_the_same_data(self) -> None:
        assert latency_percentiles(LINES, p95_ms=500).png == latency_percentiles(LINES, p95_ms=500).png

    @pytest.mark.parametrize("lines", [[], [LatencyLine("empty", [])]])
    def test_nothing_measured_is_refused(self, lines: list[LatencyLine]) -> None:
        with pytest.raises(ValueError, match="nothing was measured"):
            latency_percentiles(lines)
