from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.errors import InputError
from playbook.preflight.advisories import _within, known_vulnerabilities

pytestmark = pytest.mark.unit


def advisory(**affected: object) -> dict[str, object]:
    return {"id": "OSV-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "Some_Package"}, **affected}]}


def ranged(*events: dict[str, str]) -> dict[str, object]:
    return advisory(ranges=[{"type": "ECOSYSTEM", "events": list(events)}])


class TestMatching:
    """A package is hit when a record names its version, or a range holds it."""

    @pytest.mark.parametrize(
        ("record", "hit"),
        [
            (advisory(versions=["1.4.0"]), True),
            (advisory(versions=["1.4.1"]), False),
            (ranged({"introduced": "0"}, {"fixed": "1.4.1"}), True),
            (ranged({"introduced": "0"}, {"fixed": "1.4.0"}), False),
            (ranged({"introduced": "1.5"}), False),
            (ranged({"introduced": "0"}, {"last_affected": "1.4.0"}), True),
            (ranged({"introduced": "0"}, {"fixed": "1.0"}, {"introduced": "1.3"}), True),
            ({**advisory(versions=["1.4.0"]), "withdrawn": "2026-01-01T00:00:00Z"}, False),
            (
                {"id": "OSV-1", "affected": [{"package": {"ecosystem": "npm", "name": "some-package"}}]},
                False,
            ),
        ],
    )  # fmt: skip
    def test_one_record(self, tmp_path: Path, record: dict[str, object], hit: bool) -> None:
        (tmp_path / "one.json").write_text(json.dumps(record))
        found = known_vulnerabilities(tmp_path, {"some-package": "1.4.0", "another": "1.4.0"})
        assert found == (["some-package 1.4.0: OSV-1"] if hit else [])

    def test_a_zip_reads_like_a_folder(self, tmp_path: Path) -> None:
        place = tmp_path / "all.zip"
        with zipfile.ZipFile(place, "w") as archive:
            archive.writestr("OSV-1.json", json.dumps(advisory(versions=["1.4.0"])))
        assert known_vulnerabilities(place, {"some-package": "1.4.0"})

    def test_a_record_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "bad.json").write_text("{")
        with pytest.raises(InputError, match=r"bad\.json: not an OSV record"):
            known_vulnerabilities(tmp_path, {})

    def test_a_place_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            known_vulnerabilities(tmp_path / "no.zip", {})

    @given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
    def test_a_range_holds_what_lies_between(self, introduced: int, fixed: int, version: int) -> None:
        events = [{"fixed": f"1.{fixed}"}, {"introduced": f"1.{introduced}"}]
        if introduced < fixed:
            assert _within(events, f"1.{version}") == (introduced <= version < fixed)
