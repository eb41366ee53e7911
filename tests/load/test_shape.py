from __future__ import annotations

from pathlib import Path

import pytest

from playbook.errors import GuardError, InputError
from playbook.load.shape import read_shape

pytestmark = pytest.mark.unit

SHAPE = """
rate_per_s: 30
duration_s: 2
operations: [{id: list, method: GET, path: /items, weight: 5}]
callers: [{name: a, headers: {Authorization: "Bearer ${TOKEN}"}}]
objectives: {p95_ms: 500, error_rate: 0.01}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "shape.yaml"
    path.write_text(text)
    return path


class TestShape:
    """A shape is read whole or refused with the place of the mistake."""

    def test_is_read_with_secrets_from_the_environment(self, tmp_path: Path) -> None:
        shape = read_shape(written(tmp_path, SHAPE), environment={"TOKEN": "t"})
        assert shape.callers[0].headers == {"Authorization": "Bearer t"}
        assert shape.plan("http://127.0.0.1:8000").requests == 60

    @pytest.mark.parametrize(
        ("old", "new", "word"),
        [
            ("duration_s: 2", "seconds: 2", "seconds"),
            ("rate_per_s: 30", "rate_per_s: 1e9", "rate_per_s"),
            ("path: /items", "path: items", "path"),
            ("{p95_ms: 500, error_rate: 0.01}", "{}", "neither"),
        ],
    )
    def test_a_mistake_is_told(self, tmp_path: Path, old: str, new: str, word: str) -> None:
        with pytest.raises(InputError, match=word):
            read_shape(written(tmp_path, SHAPE.replace(old, new)), environment={"TOKEN": "t"})

    def test_an_empty_file_is_told_how_a_shape_begins(self, tmp_path: Path) -> None:
        with pytest.raises(InputError) as caught:
            read_shape(written(tmp_path, ""))
        assert caught.value.hint == "Begin with `operations:`."

    def test_a_variable_that_is_not_set_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="TOKEN"):
            read_shape(written(tmp_path, SHAPE), environment={})

    def test_another_address_is_refused(self, tmp_path: Path) -> None:
        shape = read_shape(written(tmp_path, SHAPE), environment={"TOKEN": "t"})
        with pytest.raises(GuardError):
            shape.plan("http://192.0.2.1")

    @pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://[127.0.0.1"])
    def test_what_is_no_address_is_told(self, tmp_path: Path, url: str) -> None:
        shape = read_shape(written(tmp_path, SHAPE), environment={"TOKEN": "t"})
        with pytest.raises(InputError, match="is no address") as caught:
            shape.plan(url)
        assert "--url" in caught.value.hint

    def test_more_than_the_bound_is_refused(self, tmp_path: Path) -> None:
        text = SHAPE.replace("rate_per_s: 30", "rate_per_s: 900").replace("duration_s: 2", "duration_s: 800")
        with pytest.raises(InputError, match="bound"):
            read_shape(written(tmp_path, text), environment={"TOKEN": "t"}).plan("http://127.0.0.1:1")
