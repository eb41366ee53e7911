from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playbook.evidence.canonical import pretty, same_json
from playbook.evidence.folder import RunFolder, list_runs
from playbook.evidence.manifest import build_manifest, manifest_bytes
from playbook.evidence.run import read_run
from playbook.evidence.signers import read_signers
from playbook.evidence.verify import Demands, verify
from playbook.evidence.versions import as_old_as, judge_version

pytestmark = pytest.mark.unit

FIXTURES = Path(__file__).parent / "fixtures"
KEPT = sorted(path.name for path in FIXTURES.iterdir() if path.is_dir())


class TestKeptEvidence:
    """
    Evidence of every schema version that was released stays readable, and its signatures stay good.
    """

    def test_each_version_has_a_fixture(self) -> None:
        assert KEPT == ["v1"]

    @pytest.mark.parametrize("version", KEPT)
    def test_verifies(self, version: str) -> None:
        home = FIXTURES / version
        allowed = read_signers(home / "allowed_signers")
        (run,) = list_runs(home)
        found = verify(run.path, demands=Demands(index=True, signers=1, allowed=allowed))
        assert found.ok, found.findings
        assert found.outcome == "pass"

    @pytest.mark.parametrize("version", KEPT)
    def test_reads(self, version: str) -> None:
        (run,) = list_runs(FIXTURES / version)
        record = read_run(run.path).record
        assert record.phases[0].id == "10"
        assert {result.state for result in record.results} > {"found", "hardened"}


class TestNewer:
    """
    A file of a newer playbook is told from a damaged one; the sentence does not call it tampered with.
    """

    @pytest.mark.parametrize(
        ("stated", "known", "kind"),
        [
            ("hardening-playbook/run/1", "hardening-playbook/run/1", None),
            ("hardening-playbook/run/2", "hardening-playbook/run/1", "future"),
            ("hardening-playbook/run/10", "hardening-playbook/run/9", "future"),
            ("hardening-playbook/run/0", "hardening-playbook/run/1", "version"),
            ("hardening-playbook/run/02", "hardening-playbook/run/1", "version"),
            ("hardening-playbook/manifest/2", "hardening-playbook/run/1", "version"),
            ("urn:hardening-playbook:predicate:run:2", "urn:hardening-playbook:predicate:run:1", "future"),
            (2, "hardening-playbook/run/1", "version"),
            (None, "hardening-playbook/run/1", "version"),
        ],
    )
    def test_kinds(self, stated: Any, known: str, kind: str | None) -> None:
        judged = judge_version(stated, known)
        assert (judged[0] if judged else None) == kind

    def test_sentence(self, sealed: RunFolder) -> None:
        value = json.loads(sealed.manifest.read_bytes())
        sealed.manifest.write_bytes(pretty(value | {"schema": "hardening-playbook/manifest/2"}))
        found = verify(sealed.path)
        assert not found.ok
        assert "cannot be judged here: manifest.json was made by a newer playbook" in found.sentence


class TestOlder:
    """
    What an older playbook did not have may be absent, as long as it would say nothing.
    """

    @pytest.mark.parametrize(
        ("stored", "computed", "same"),
        [
            ({"a": 1}, {"a": 1, "new": None}, True),
            ({"a": 1}, {"a": 1, "new": [], "more": {}, "flag": False, "n": 0}, True),
            ({"a": 1}, {"a": 1, "new": 2}, False),
            ({"a": 1, "old": None}, {"a": 1}, False),
            ({"a": [{"b": 1}]}, {"a": [{"b": 1, "new": ""}]}, True),
            ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {}]}, False),
            ({"a": 2}, {"a": 1}, False),
        ],
    )
    def test_absent(self, stored: Any, computed: Any, *, same: bool) -> None:
        assert same_json(stored, as_old_as(stored, computed)) is same

    @pytest.mark.parametrize(("field", "ok"), [("leftovers", True), ("kill_matrix", False), ("outcome", False)])
    def test_in_a_run(self, sealed: RunFolder, field: str, *, ok: bool) -> None:
        value = json.loads(sealed.record.read_bytes())
        del value[field]
        sealed.record.write_bytes(pretty(value))
        sealed.manifest.write_bytes(manifest_bytes(build_manifest(sealed.path, run_id=sealed.run_id)))
        (sealed.home / "INDEX.jsonl").unlink()
        assert verify(sealed.path).ok is ok
