from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playbook.evidence.canonical import canonical, digest, pretty, read_json, sha256_hex
from playbook.evidence.folder import RunFolder
from playbook.evidence.keys import Key
from playbook.evidence.manifest import build_manifest, manifest_bytes
from playbook.evidence.run import read_run, record_value
from playbook.evidence.sign import sign_run
from playbook.evidence.verify import Demands, verify

pytestmark = pytest.mark.unit


def codes(folder: Path, **options: Any) -> set[str]:
    return {finding.code for finding in verify(folder, **options).findings}


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def edit(path: Path, change: Callable[[dict], None]) -> None:
    value = read_json(path.read_bytes(), source="x")
    change(value)
    path.write_bytes(pretty(value))


def edit_events(folder: Path, change: Callable[[list[dict]], None], *, chain_anew: bool) -> None:
    path = folder / "events.jsonl"
    events = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(events)
    if chain_anew:
        prev = "0" * 64
        for seq, event in enumerate(events):
            event |= {"seq": seq, "prev": prev}
            event.pop("hash", None)
            prev = event["hash"] = digest(event)
    path.write_bytes(b"".join(canonical(event) + b"\n" for event in events))


def manifest_anew(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(manifest_bytes(build_manifest(folder, run_id=folder.name)))


def result_of(events: list[dict], state: str = "hardened") -> dict:
    return next(e["result"] for e in events if e["type"] == "check" and e["result"]["state"] == state)


@pytest.fixture
def run(sealed: RunFolder, tmp_path: Path) -> Path:
    """
    A copy of a sealed run, elsewhere, without an index.
    """
    return Path(shutil.copytree(sealed.path, tmp_path / "copy" / sealed.run_id))


FILES = [
    "events.jsonl",
    "run.json",
    "manifest.json",
    "report.html",
    "checks.csv",
    "junit.xml",
    "notebooks/30_tenant_isolation.ipynb",
]


class TestUntouched:
    """
    A sealed run verifies, also elsewhere, and the sentence says what that is worth.
    """

    def test_copy_without_index(self, run: Path) -> None:
        found = verify(run)
        assert found.ok, found
        assert (found.outcome, found.indexed) == ("pass", None)
        assert "not signed: anyone who can write here could have made it" in found.sentence
        assert "no index" in found.sentence

    def test_missing_index_fails_only_on_demand(self, run: Path) -> None:
        assert codes(run, demands=Demands(index=True)) == {"index-missing"}

    def test_what_may_come_after_the_manifest(self, run: Path, key: Key) -> None:
        sign_run(RunFolder(run), key)
        assert {path.name for path in run.iterdir()} > {"statement.json", "statement.dsse.json", "signatures"}
        assert verify(run).ok

    @pytest.mark.parametrize("name", ["signatures/a b.sig", "signatures/deep/a.sig", "statement.txt"])
    def test_what_may_not(self, run: Path, name: str) -> None:
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("{}")
        assert not verify(run).ok

    def test_unsealed_run_has_its_own_message(self, write_run: Callable[..., RunFolder], book: Any) -> None:
        found = verify(write_run(book.whole(runner="interactive")[:-1]).path)
        assert [finding.code for finding in found.findings] == ["unsealed-open"]
        assert "playbook close" in found.sentence


class TestFiles:
    """
    Any file that is changed, added, missing, renamed or not a plain file is told by name.
    """

    @pytest.mark.parametrize("name", FILES)
    def test_one_byte_changed(self, run: Path, name: str) -> None:
        flip(run / name)
        found = verify(run)
        assert not found.ok
        # A digit of a digest in the manifest is told at the file that it no longer fits.
        assert name == "manifest.json" or any(finding.file == name for finding in found.findings)

    def test_one_byte_changed_in_an_attachment(self, run: Path) -> None:
        flip(next((run / "attachments").iterdir()))
        assert codes(run) == {"file-changed", "file-of-event-changed"}

    @pytest.mark.parametrize("name", [name for name in FILES if name != "manifest.json"])
    def test_removed(self, run: Path, name: str) -> None:
        (run / name).unlink()
        assert "file-missing" in codes(run)

    def test_manifest_removed(self, run: Path) -> None:
        (run / "manifest.json").unlink()
        assert codes(run) == {"unsealed-ended"}

    @pytest.mark.parametrize("name", ["note.txt", "attachments/x.txt", "notebooks/40_x.ipynb", "INTERRUPTED"])
    def test_added(self, run: Path, name: str) -> None:
        (run / name).write_text("x")
        assert codes(run) == {"file-extra"}

    def test_renamed(self, run: Path) -> None:
        (run / "checks.csv").rename(run / "results.csv")
        assert codes(run) == {"file-renamed"}

    def test_longer(self, run: Path) -> None:
        with (run / "report.html").open("ab") as file:
            file.write(b" ")
        assert codes(run) == {"file-size"}

    def spoil(self, run: Path, how: str) -> None:
        path = run / "checks.csv"
        match how:
            case "link":
                path.rename(run.parent / "elsewhere.csv")
                path.symlink_to(run.parent / "elsewhere.csv")
            case "not-regular":
                os.mkfifo(run / "pipe")
            case "folder-extra":
                (run / "more").mkdir()
            case "case-clash":
                (run / "CHECKS.csv").write_bytes(path.read_bytes())
            case "name-characters":
                path.rename(run / "\u0441hecks.csv")
            case "name-form":
                (run / "a\nb").touch()

    @pytest.mark.parametrize(
        "how", ["link", "not-regular", "folder-extra", "case-clash", "name-characters", "name-form"]
    )
    def test_odd(self, run: Path, how: str) -> None:
        self.spoil(run, how)
        assert how in codes(run)


class TestManifest:
    """
    The manifest has one form; everything else is refused with its own code.
    """

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda m: m.update(schema="hardening-playbook/manifest/9"), "manifest-future"),
            (lambda m: m.update(schema="hardening-playbook/manifest/0"), "manifest-version"),
            (lambda m: m.update(extra=1), "manifest-schema"),
            (lambda m: m["files"].reverse(), "manifest-order"),
            (lambda m: m["files"].append(m["files"][-1]), "manifest-duplicate"),
            (lambda m: m["files"][0].update(path="../outside"), "path-parent"),
            (lambda m: m["files"][0].update(path="/etc/passwd"), "path-absolute"),
            (lambda m: m["files"][0].update(path="manifest.json"), "manifest-lists-late"),
            (lambda m: m["files"][0].update(path="\u0441hecks.csv"), "name-characters"),
            (lambda m: m["files"][0].update(sha256="0"), "manifest-schema"),
            (lambda m: m["files"][0].update(media_type="text/html"), "media-type"),
            (lambda m: m.update(run_id="20261121T100000Z-other-ababab"), "run-id-differs"),
            (lambda m: m["files"].pop(0), "file-extra"),
        ],
    )
    def test_changed(self, run: Path, change: Any, code: str) -> None:
        edit(run / "manifest.json", change)
        assert code in codes(run)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda data: b"\xef\xbb\xbf" + data, "json-bom"),
            (lambda data: data.replace(b"\n", b"\r\n"), "manifest-form"),
            (lambda data: data + b" ", "manifest-form"),
            (lambda data: data.replace(b'"files"', b'"files": [], "files"', 1), "json-duplicate-key"),
            (lambda data: data.replace(b'"size": ', b'"size": NaN, "x": ', 1), "json-number"),
            (lambda data: data[:-20], "json-syntax"),
            (lambda data: data.replace(b"hardening", b"h\xff", 1), "json-utf8"),
        ],
    )
    def test_rewritten(self, run: Path, change: Any, code: str) -> None:
        path = run / "manifest.json"
        path.write_bytes(change(path.read_bytes()))
        assert code in codes(run)

    def test_absurdly_large(self, run: Path) -> None:
        with (run / "manifest.json").open("ab") as file:
            file.truncate(40 * 1024 * 1024)
        assert "manifest-size" in codes(run)


class TestEvents:
    """
    The log is refused at the first line that does not follow, and what a re-chained log claims is recomputed.
    """

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda e: result_of(e).update(outcome="fail"), "chain-hash"),
            (lambda e: e.pop(3), "chain-seq"),
            (lambda e: e.insert(3, dict(e[3])), "chain-seq"),
            (lambda e: e.__setitem__(slice(3, 5), [e[4], e[3]]), "chain-seq"),
            (lambda e: e.pop(), "chain-no-end"),
        ],
    )
    def test_not_chained_anew(self, run: Path, change: Any, code: str) -> None:
        edit_events(run, change, chain_anew=False)
        manifest_anew(run)
        assert code in codes(run)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda e: result_of(e, "found").update(outcome="pass"), "outcome-contradicts"),
            (lambda e: result_of(e).update(outcome="fail"), "outcome-contradicts"),
            (lambda e: result_of(e, "found").update(outcome="waived", reason="fine"), "event-schema"),
            (lambda e: result_of(e, "found").update(outcome="skip", reason="fine"), "event-schema"),
            (lambda e: result_of(e).update(tested=[]), "event-schema"),
            (lambda e: result_of(e).update(duration_s="0.25"), "event-coerced"),
            (lambda e: result_of(e).update(surprise=1), "event-schema"),
            (lambda e: e[-1].update(time="2026-11-21T10:00:00"), "event-coerced"),
            (lambda e: e.pop(), "chain-no-end"),
            (lambda e: e.append(dict(e[3])), "chain-after-end"),
            (lambda e: e.insert(2, dict(e[0])), "chain-second-start"),
            (lambda e: e.pop(0), "run-not-started"),
            (lambda e: e[0].update(schema_id="hardening-playbook/run/2"), "event-future"),
            (lambda e: next(x for x in e if x["type"] == "kill").update(result="survived"), "kill-contradicts"),
            (
                lambda e: next(x for x in e if x["type"] == "attachment").update(sha256="0" * 64),
                "file-of-event-changed",
            ),
            (
                lambda e: next(x for x in e if x["type"] == "attachment").update(path="attachments/x"),
                "file-of-event-missing",
            ),
            (lambda e: result_of(e)["observations"][0].update(attachment="attachments/none"), "attachment-missing"),
        ],
    )
    def test_chained_and_manifested_anew(self, run: Path, change: Any, code: str) -> None:
        edit_events(run, change, chain_anew=True)
        manifest_anew(run)
        assert code in codes(run)

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda data: data[:-1], "chain-truncated"),
            (lambda data: data[:-40], "chain-truncated"),
            (lambda data: data.replace(b"\n", b"\r\n"), "event-form"),
            (lambda data: b"\xef\xbb\xbf" + data, "json-bom"),
            (lambda data: data.replace(b'{"', b'{ "', 1), "event-form"),
            (lambda _: b"", "run-not-started"),
        ],
    )
    def test_rewritten(self, run: Path, change: Any, code: str) -> None:
        path = run / "events.jsonl"
        path.write_bytes(change(path.read_bytes()))
        manifest_anew(run)
        assert code in codes(run)

    def test_wholly_forged_run_is_what_only_a_signature_shows(self, run: Path) -> None:
        def forge(events: list[dict]) -> None:
            result_of(events, "found").update(outcome="pass", actual=0)

        edit_events(run, forge, chain_anew=True)
        (run / "run.json").write_bytes(pretty(record_value(read_run(run).record)))
        manifest_anew(run)
        assert verify(run).ok
        assert "not signed" in verify(run).sentence


class TestRecord:
    """
    run.json is what follows from the events, or it is refused.
    """

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda r: r.update(outcome="fail"), "run-differs"),
            (lambda r: r["phases"].pop(), "run-differs"),
            (lambda r: r["kill_matrix"].clear(), "run-differs"),
            (lambda r: r["fingerprint"].update(dirty=True), "run-differs"),
            (lambda r: r.update(ended="2026-11-22T00:00:00Z"), "run-differs"),
            (lambda r: r["phases"][0]["checks"][1].update(outcome="fail"), "run-schema"),
            (lambda r: r.update(schema="hardening-playbook/run/2"), "run-future"),
            (lambda r: r.pop("outcome"), "run-schema"),
        ],
    )
    def test_changed_and_manifested_anew(self, run: Path, change: Any, code: str) -> None:
        edit(run / "run.json", change)
        manifest_anew(run)
        assert codes(run) == {code}


class TestIndex:
    """
    An index beside the run must agree with it and follow from its own first line.
    """

    def rewrite(self, home: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
        path = home / "INDEX.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in change(path.read_bytes().splitlines())))

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            (lambda lines: [lines[1], lines[0], lines[2]], "index-chain"),
            (lambda lines: [lines[0], lines[2]], "index-chain"),
            (
                lambda lines: [lines[0].replace(b'"manifest":"', b'"manifest":"f')[:-1] + b"}", *lines[1:]],
                "index-schema",
            ),
            (lambda lines: [lines[0].replace(b",", b", "), *lines[1:]], "index-form"),
            (lambda lines: [b"{}", *lines], "index-schema"),
            (lambda lines: [b"", *lines], "json-syntax"),
        ],
    )
    def test_changed(self, indexed: RunFolder, change: Any, code: str) -> None:
        self.rewrite(indexed.home, change)
        assert codes(indexed.path) == {code}

    def test_run_twice(self, indexed: RunFolder) -> None:
        def again(lines: list[bytes]) -> list[bytes]:
            value = json.loads(lines[0]) | {"prev": sha256_hex(lines[2])}
            return [*lines, canonical(value)]

        self.rewrite(indexed.home, again)
        assert codes(indexed.path) == {"index-duplicate"}

    def test_run_made_anew_with_a_new_manifest(self, indexed: RunFolder) -> None:
        (indexed.path / "report.html").write_text("<p>all is well</p>")
        manifest_anew(indexed.path)
        assert codes(indexed.path) == {"index-digest"}

    def test_last_line_cut(self, indexed: RunFolder) -> None:
        path = indexed.home / "INDEX.jsonl"
        path.write_bytes(path.read_bytes()[:-9])
        assert codes(indexed.path) == {"index-truncated"}

    def test_index_that_is_a_link(self, indexed: RunFolder, tmp_path: Path) -> None:
        path = indexed.home / "INDEX.jsonl"
        path.rename(tmp_path / "i")
        path.symlink_to(tmp_path / "i")
        assert codes(indexed.path) == {"index-link"}
