# ruff: noqa: E501 (a table: one manipulation a line)
"""
What can be done to a sealed run, as one table, and what gives it away. `-rA` shows the table.

`plain`: `verify` alone sees it. The others it cannot see: there everything was made anew, as anyone can who may write.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pytest

from playbook.evidence import sshsig
from playbook.evidence.canonical import canonical, digest, pretty, sha256_hex
from playbook.evidence.folder import RunFolder, list_runs
from playbook.evidence.index import IndexLine, read_index
from playbook.evidence.keys import Key, load_key, make_key
from playbook.evidence.manifest import build_manifest, manifest_bytes, read_manifest
from playbook.evidence.public_key import pack
from playbook.evidence.run import read_run, record_value
from playbook.evidence.sign import sign_run
from playbook.evidence.signers import add_signer, read_signers
from playbook.evidence.verify import Demands, Verification, verify

Seen = Literal["plain", "signature", "threshold", "anchor"]
"""What it takes to see a manipulation: `verify` alone, or one with --require-signature, --threshold 2, --anchor."""


@dataclass
class Case:
    """
    A home of three signed runs. The second is manipulated; `anchor` is the index's head as published before.
    """

    home: Path
    run: Path
    other: Path
    stranger: Key
    allowed: Path
    anchor: str


@dataclass(frozen=True)
class Manipulation:
    name: str
    code: str
    do: Callable[[Case], None]
    seen: Seen = "plain"


TABLE: list[Manipulation] = []
pytestmark = pytest.mark.unit


def add(name: str, code: str, do: Callable[[Case], object], seen: Seen = "plain") -> None:
    TABLE.append(Manipulation(name, code, lambda case: (do(case), None)[1], seen))


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    before = path.read_bytes()
    after = change(before)
    assert after != before, "the manipulation changed nothing"
    path.write_bytes(after)


def edit(path: Path, change: Callable[[Any], object]) -> None:
    def changed(data: bytes) -> bytes:
        value = json.loads(data)
        change(value)
        return pretty(value)

    rewrite(path, changed)


def edit_events(run: Path, change: Callable[[list[Any]], object], *, chain: bool) -> None:
    def changed(data: bytes) -> bytes:
        events = [json.loads(line) for line in data.splitlines()]
        change(events)
        if chain:
            prev = "0" * 64
            for seq, event in enumerate(events):
                event |= {"seq": seq, "prev": prev}
                event.pop("hash", None)
                prev = event["hash"] = digest(event)
        return b"".join(canonical(event) + b"\n" for event in events)

    rewrite(run / "events.jsonl", changed)


def manifest_anew(run: Path) -> None:
    (run / "manifest.json").write_bytes(manifest_bytes(build_manifest(run, run_id=run.name)))


def index_anew(home: Path, *, without: str | None = None) -> None:
    prev, lines = "0" * 64, []
    for run in list_runs(home):
        if run.run_id != without:
            line = IndexLine(run_id=run.run_id, manifest=read_manifest(run.manifest)[1], prev=prev)
            lines.append(canonical(line.model_dump(mode="json")))
            prev = sha256_hex(lines[-1])
    (home / "INDEX.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def unsign(run: Path) -> None:
    for name in ("statement.json", "statement.dsse.json"):
        (run / name).unlink()
    shutil.rmtree(run / "signatures")


def forge(case: Case, change: Callable[[list[Any]], object] | None, *, by: Key | None = None) -> None:
    """
    Do all that somebody without the key can do: chain, run.json, manifest and index anew.
    """
    if change:
        edit_events(case.run, change, chain=True)
        (case.run / "run.json").write_bytes(pretty(record_value(read_run(case.run).record)))
    manifest_anew(case.run)
    index_anew(case.home)
    unsign(case.run)
    if by:
        sign_run(RunFolder(case.run), by)


def result_of(events: list[Any], state: str = "hardened") -> Any:
    return next(e["result"] for e in events if e["type"] == "check" and e["result"]["state"] == state)


def of_type(events: list[Any], kind: str) -> Any:
    return next(e for e in events if e["type"] == kind)


def a_signature(case: Case) -> Path:
    return next((case.run / "signatures").iterdir())


# Files

add(
    "one byte of the report changed",
    "file-changed",
    lambda c: rewrite(c.run / "report.html", lambda d: d[:-2] + b"?\n"),
)
add("report made longer", "file-size", lambda c: rewrite(c.run / "report.html", lambda d: d + b" "))
add(
    "only the HTML replaced, by a greener one",
    "file-size",
    lambda c: (c.run / "report.html").write_text("<p>all passed"),
)
add("JUnit file removed", "file-missing", lambda c: (c.run / "junit.xml").unlink())
add("file added", "file-extra", lambda c: (c.run / "note.txt").write_text("checked by Ada"))
add("file renamed", "file-renamed", lambda c: (c.run / "checks.csv").rename(c.run / "results.csv"))
add(
    "attachment changed, manifest anew", "file-of-event-changed",
    lambda c: (rewrite(next((c.run / "attachments").iterdir()), lambda d: d.replace(b"Seq", b"Idx")), manifest_anew(c.run)),
)  # fmt: skip
add(
    "executed notebook swapped for another run's, manifest anew", "file-of-event-changed",
    lambda c: (shutil.copy(c.other / "notebooks/30_tenant_isolation.ipynb", c.run / "notebooks/30_tenant_isolation.ipynb"), manifest_anew(c.run)),
)  # fmt: skip
add(
    "notebook source removed, manifest anew", "file-of-event-missing",
    lambda c: ((c.run / "notebooks/30_tenant_isolation.source.ipynb").unlink(), manifest_anew(c.run)),
)  # fmt: skip


def link(case: Case) -> None:
    path = case.run / "checks.csv"
    path.rename(case.home / "elsewhere.csv")
    path.symlink_to(case.home / "elsewhere.csv")


add("file replaced by a link", "link", link)
add("folder replaced by a link", "link", lambda c: (shutil.move(c.run / "notebooks", c.home / "n"), (c.run / "notebooks").symlink_to(c.home / "n")))  # fmt: skip
add("named pipe added", "not-regular", lambda c: os.mkfifo(c.run / "pipe"))
add("folder added", "folder-extra", lambda c: (c.run / "more").mkdir())
add("name that differs in case only", "case-clash", lambda c: shutil.copy(c.run / "checks.csv", c.run / "CHECKS.csv"))
add(
    "name with a look-alike letter",
    "name-characters",
    lambda c: (c.run / "checks.csv").rename(c.run / "\u0441hecks.csv"),
)
add("name with a line break", "name-form", lambda c: (c.run / "a\nb").touch())
add("hidden file added", "name-form", lambda c: (c.run / ".hidden").touch())


def swap_names(case: Case) -> None:
    name, other = case.run, case.other
    shutil.rmtree(name)
    shutil.copytree(other, name)


add("another run under this run's name", "folder-name", swap_names)


# Manifest

MANIFEST: list[tuple[str, str, Callable[[Any], object]]] = [
    ("manifest of a future schema", "manifest-future", lambda m: m.update(schema="hardening-playbook/manifest/2")),
    ("manifest of a past schema", "manifest-version", lambda m: m.update(schema="hardening-playbook/manifest/0")),
    ("manifest with a field of its own", "manifest-schema", lambda m: m.update(note="fine")),
    ("manifest in another order", "manifest-order", lambda m: m["files"].reverse()),
    ("manifest lists a file twice", "manifest-duplicate", lambda m: m["files"].append(m["files"][-1])),
    ("manifest leads out with ..", "path-parent", lambda m: m["files"][0].update(path="../INDEX.jsonl")),
    ("manifest lists an absolute path", "path-absolute", lambda m: m["files"][0].update(path="/etc/hostname")),
    ("manifest lists itself", "manifest-lists-late", lambda m: m["files"][0].update(path="manifest.json")),
    ("manifest lists a look-alike name", "name-characters", lambda m: m["files"][0].update(path="\u0441hecks.csv")),
    ("manifest with half a digest", "manifest-schema", lambda m: m["files"][0].update(sha256="00")),
    ("manifest calls a notebook HTML", "media-type", lambda m: m["files"][0].update(media_type="text/html")),
    ("manifest of another run", "run-id-differs", lambda m: m.update(run_id="20261121T100000Z-other-ababab")),
    ("events taken out of the manifest", "not-listed", lambda m: m.update(files=[f for f in m["files"] if f["path"] != "events.jsonl"])),
]  # fmt: skip
for _name, _code, _change in MANIFEST:
    add(_name, _code, lambda c, change=_change: edit(c.run / "manifest.json", change))

BYTES: list[tuple[str, str, Callable[[bytes], bytes]]] = [
    ("manifest with a byte order mark", "json-bom", lambda d: b"\xef\xbb\xbf" + d),
    ("manifest with CRLF", "manifest-form", lambda d: d.replace(b"\n", b"\r\n")),
    ("manifest with a key twice", "json-duplicate-key", lambda d: d.replace(b'"files"', b'"files": [], "files"', 1)),
    ("manifest with NaN", "json-number", lambda d: d.replace(b'"size": ', b'"size": NaN, "x": ', 1)),
    ("manifest cut short", "json-syntax", lambda d: d[:-20]),
    ("manifest that is not UTF-8", "json-utf8", lambda d: d.replace(b"hardening", b"h\xff", 1)),
    ("manifest nested too deep", "json-depth", lambda _: b"[" * 500 + b"]" * 500),
]
for _name, _code, _rewrite in BYTES:
    add(_name, _code, lambda c, change=_rewrite: rewrite(c.run / "manifest.json", change))
add("manifest of 40 MB", "manifest-size", lambda c: os.truncate(c.run / "manifest.json", 40 * 1024 * 1024))
add("manifest removed", "unsealed-ended", lambda c: (c.run / "manifest.json").unlink())

# Events: not chained anew, chained anew, and rewritten as bytes; the manifest made anew each time

UNCHAINED: list[tuple[str, str, Callable[[Any], object]]] = [
    ("outcome flipped in the log", "chain-hash", lambda e: result_of(e, "found").update(outcome="pass")),
    ("event taken out of the log", "chain-seq", lambda e: e.pop(3)),
    ("event doubled in the log", "chain-seq", lambda e: e.insert(3, dict(e[3]))),
    ("events swapped in the log", "chain-seq", lambda e: e.__setitem__(slice(4, 6), [e[5], e[4]])),
    ("last event cut off", "chain-no-end", lambda e: e.pop()),
]
CHAINED: list[tuple[str, str, Callable[[Any], object]]] = [
    ("re-chained: fail turned to pass", "outcome-contradicts", lambda e: result_of(e, "found").update(outcome="pass")),
    ("re-chained: fail turned to skip", "event-schema", lambda e: result_of(e, "found").update(outcome="skip", reason="x")),
    ("re-chained: check waives itself", "event-schema", lambda e: result_of(e, "found").update(outcome="waived", reason="x")),
    ("re-chained: pass that tested nothing", "event-schema", lambda e: result_of(e).update(tested=[])),
    ("re-chained: unknown field", "event-schema", lambda e: result_of(e).update(approved=True)),
    ("re-chained: number as text", "event-coerced", lambda e: result_of(e).update(duration_s="0.25")),
    ("re-chained: time without a zone", "event-coerced", lambda e: e[-1].update(time="2026-11-21T10:00:00")),
    ("re-chained: result after the end", "chain-after-end", lambda e: e.append(dict(e[-2]))),
    ("re-chained: run started twice", "chain-second-start", lambda e: e.insert(2, dict(e[0]))),
    ("re-chained: start cut off", "run-not-started", lambda e: e.pop(0)),
    ("re-chained: result before its phase", "phase-not-running", lambda e: e.insert(1, e.pop(e.index(next(x for x in e if x["type"] == "check"))))),
    ("re-chained: result of an unknown phase", "phase-unknown", lambda e: result_of(e).update(phase="77")),
    ("re-chained: kill the results deny", "kill-contradicts", lambda e: of_type(e, "kill").update(result="survived")),
    ("re-chained: digest of an attachment", "file-of-event-changed", lambda e: of_type(e, "attachment").update(sha256="0" * 64)),
    ("re-chained: attachment that is not there", "attachment-missing", lambda e: result_of(e)["observations"][0].update(attachment="attachments/no")),
    ("re-chained: log of a future schema", "event-future", lambda e: e[0].update(schema_id="hardening-playbook/run/2")),
    ("re-chained: log of a past schema", "event-version", lambda e: e[0].update(schema_id="hardening-playbook/run/0")),
    ("re-chained: failing result taken out", "run-differs", lambda e: e.remove(next(x for x in e if x["type"] == "check" and x["result"]["state"] == "found"))),
]  # fmt: skip
LOG_BYTES: list[tuple[str, str, Callable[[bytes], bytes]]] = [
    ("log cut in the middle of a line", "chain-truncated", lambda d: d[:-40]),
    ("log without its last line break", "chain-truncated", lambda d: d[:-1]),
    ("log with CRLF", "event-form", lambda d: d.replace(b"\n", b"\r\n")),
    ("log with a byte order mark", "json-bom", lambda d: b"\xef\xbb\xbf" + d),
    ("log with a space", "event-form", lambda d: d.replace(b'{"', b'{ "', 1)),
    ("log with a key twice", "json-duplicate-key", lambda d: d.replace(b'"actor"', b'"actor":"x","actor"', 1)),
    ("log with Infinity", "json-number", lambda d: d.replace(b'"seed":1', b'"seed":Infinity', 1)),
    ("log with an integer that is not exact", "json-number", lambda d: d.replace(b'"seed":1', b'"seed":9007199254740993', 1)),
    ("log with half a surrogate pair", "json-surrogate", lambda d: d.replace(b'"actor":"', b'"actor":"\\ud800', 1)),
    ("log emptied", "run-not-started", lambda _: b""),
]  # fmt: skip
for _name, _code, _change in UNCHAINED:
    add(_name, _code, lambda c, change=_change: (edit_events(c.run, change, chain=False), manifest_anew(c.run)))
for _name, _code, _change in CHAINED:
    add(_name, _code, lambda c, change=_change: (edit_events(c.run, change, chain=True), manifest_anew(c.run)))
for _name, _code, _rewrite in LOG_BYTES:
    add(_name, _code, lambda c, change=_rewrite: (rewrite(c.run / "events.jsonl", change), manifest_anew(c.run)))
add("log of 600 MB", "events-size", lambda c: os.truncate(c.run / "events.jsonl", 600 * 1024 * 1024))
add("report of 1 TB", "file-size", lambda c: os.truncate(c.run / "report.html", 1 << 40))

# run.json, the manifest made anew

RECORD: list[tuple[str, str, Callable[[Any], object]]] = [
    ("run.json says pass was fail", "run-differs", lambda r: r.update(outcome="fail")),
    ("phase removed from run.json", "run-differs", lambda r: r["phases"].pop()),
    ("kill matrix emptied in run.json", "run-differs", lambda r: r["kill_matrix"].clear()),
    ("sources called dirty in run.json", "run-differs", lambda r: r["fingerprint"].update(dirty=True)),
    ("field taken out of run.json", "run-schema", lambda r: r.pop("chain")),
    ("flipped result in run.json", "run-schema", lambda r: r["phases"][0]["checks"][1].update(outcome="fail")),
    ("run.json of a future schema", "run-future", lambda r: r.update(schema="hardening-playbook/run/3")),
    ("run.json of a past schema", "run-version", lambda r: r.update(schema="hardening-playbook/run/0")),
]
for _name, _code, _change in RECORD:
    add(_name, _code, lambda c, change=_change: (edit(c.run / "run.json", change), manifest_anew(c.run)))

# Index

INDEX: list[tuple[str, str, Callable[[list[bytes]], list[bytes]]]] = [
    ("index in another order", "index-chain", lambda n: [n[1], n[0], n[2]]),
    ("line taken out of the index", "index-chain", lambda n: [n[0], n[2]]),
    ("index with a space", "index-form", lambda n: [n[0].replace(b",", b", "), *n[1:]]),
    ("index with an empty object", "index-schema", lambda n: [b"{}", *n]),
    ("index with an empty line", "json-syntax", lambda n: [b"", *n]),
    ("index names a run twice", "index-duplicate", lambda n: [*n, canonical(json.loads(n[1]) | {"prev": sha256_hex(n[2])})]),
]  # fmt: skip


def edit_index(case: Case, change: Callable[[list[bytes]], list[bytes]]) -> None:
    rewrite(case.home / "INDEX.jsonl", lambda d: b"".join(line + b"\n" for line in change(d.splitlines())))


for _name, _code, _lines in INDEX:
    add(_name, _code, lambda c, change=_lines: edit_index(c, change))
add("index cut short", "index-truncated", lambda c: rewrite(c.home / "INDEX.jsonl", lambda d: d[:-9]))


def index_link(case: Case) -> None:
    path = case.home / "INDEX.jsonl"
    path.rename(case.home / "elsewhere")
    path.symlink_to(case.home / "elsewhere")


add("index that is a link", "index-link", index_link)


def report_anew(case: Case) -> None:
    (case.run / "report.html").write_text("<p>all passed")
    manifest_anew(case.run)
    unsign(case.run)


add("report replaced, manifest anew, unsigned, index left", "index-digest", report_anew)

# Signatures


def late(run: Path) -> list[Path]:
    return [run / "statement.json", run / "statement.dsse.json", *(run / "signatures").iterdir()]


def put_back(kept: dict[Path, bytes]) -> None:
    for path, content in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def forge_under_old_signature(case: Case) -> None:
    kept = {path: path.read_bytes() for path in late(case.run)}
    forge(case, lambda e: e[0].update(actor="eve"))
    put_back(kept)


def forge_statement_too(case: Case) -> None:
    kept = {path: path.read_bytes() for path in late(case.run) if path.name != "statement.json"}
    forge(case, lambda e: e[0].update(actor="eve"), by=case.stranger)
    shutil.rmtree(case.run / "signatures")
    put_back(kept)


add("everything forged, the old signature left", "statement-differs", forge_under_old_signature)
add("everything forged, statement anew, the old signature left", "ssh-signature", forge_statement_too)
add(
    "signature of another run", "ssh-signature",
    lambda c: shutil.copy(next((c.other / "signatures").iterdir()), a_signature(c)),
)  # fmt: skip
add(
    "envelope of another run", "dsse-payload",
    lambda c: shutil.copy(c.other / "statement.dsse.json", c.run / "statement.dsse.json"),
)  # fmt: skip


STATEMENT: list[tuple[str, str, Callable[[Any], object]]] = [
    ("statement with another outcome", "statement-differs", lambda s: s["predicate"].update(outcome="fail")),
    ("statement of a future kind", "statement-future", lambda s: s.update(predicateType="urn:hardening-playbook:predicate:run:2")),
    ("statement of another kind", "statement-version", lambda s: s.update(predicateType="https://slsa.dev/provenance/v1")),
    ("statement that is none of in-toto", "statement-type", lambda s: s.update(_type="https://in-toto.io/Statement/v0.1")),
]  # fmt: skip
for _name, _code, _change in STATEMENT:
    add(_name, _code, lambda c, change=_change: edit(c.run / "statement.json", change))
add("statement with a key twice", "json-duplicate-key", lambda c: rewrite(c.run / "statement.json", lambda d: d.replace(b'"_type"', b'"_type": 1, "_type"', 1)))  # fmt: skip
add("statement with CRLF", "statement-differs", lambda c: rewrite(c.run / "statement.json", lambda d: d.replace(b"\n", b"\r\n")))  # fmt: skip
add("statement removed, signatures left", "statement-missing", lambda c: (c.run / "statement.json").unlink())

ENVELOPE: list[tuple[str, str, Callable[[Any], object]]] = [
    ("envelope with another payload type", "dsse-type", lambda v: v.update(payloadType="text/plain")),
    ("envelope without a signature", "dsse-unsigned", lambda v: v["signatures"].clear()),
    ("envelope with a signature twice", "dsse-form", lambda v: v["signatures"].append(v["signatures"][0])),
    ("envelope with a broken signature", "dsse-signature", lambda v: v["signatures"][0].update(sig="A" * 86 + "==")),
    ("envelope with a key that is nowhere", "dsse-key-unknown", lambda v: v["signatures"][0].update(keyid="SHA256:x")),
    ("envelope with a field of its own", "dsse-form", lambda v: v.update(approved=True)),
]
for _name, _code, _change in ENVELOPE:
    add(_name, _code, lambda c, change=_change: edit(c.run / "statement.dsse.json", change))
add("envelope that is a list", "dsse-form", lambda c: (c.run / "statement.dsse.json").write_text("[]\n"))


def resign(case: Case, change: Callable[[bytes], bytes]) -> None:
    """
    Replace the detached signature by one that another program could have made.
    """
    rewrite(a_signature(case), change)


def reblob(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: sshsig._armour(sshsig._unarmour(data).replace(old, new))


def flipped(data: bytes) -> bytes:
    blob = sshsig._unarmour(data)
    return sshsig._armour(blob[:-1] + bytes([blob[-1] ^ 1]))


add("detached signature with one bit flipped", "ssh-signature", lambda c: resign(c, flipped))
add("detached signature for another purpose", "ssh-namespace", lambda c: resign(c, reblob(pack(b"hardening-playbook"), pack(b"git"))))  # fmt: skip
add("detached signature with a weak hash", "ssh-hash", lambda c: resign(c, reblob(pack(b"sha512"), pack(b"md5"))))
add("detached signature of another kind of key", "key-type", lambda c: resign(c, reblob(b"ssh-ed25519", b"ssh-ed44819")))  # fmt: skip
add("detached signature without its armour", "ssh-form", lambda c: resign(c, sshsig._unarmour))
add("detached signature of 1 MB", "ssh-form", lambda c: resign(c, lambda d: d * 4000))
add("detached signature under two names", "signature-twice", lambda c: shutil.copy(a_signature(c), c.run / "signatures/zoe.sig"))  # fmt: skip
add("something else among the signatures", "signature-name", lambda c: (c.run / "signatures/approved.txt").write_text("yes"))  # fmt: skip

# What only a signature tells from the truth: everything is made anew, as anyone can who may write there


def waive(events: list[Any]) -> None:
    check = result_of(events, "found")
    events[0].setdefault("waivers", []).append(
        {"check": check["id"], "owner": "Ada", "reason": "known", "expires": "2099-01-01"}
    )


FORGED: list[tuple[str, Callable[[list[Any]], object] | None]] = [
    ("forged: observation and outcome of a check", lambda e: result_of(e, "found").update(outcome="pass", actual=0)),
    ("forged: failing result taken out", lambda e: e.remove(next(x for x in e if x["type"] == "check" and x["result"]["state"] == "found"))),
    ("forged: another commit, clean", lambda e: e[0]["checkout"].update(commit="d" * 40, dirty=False)),
    ("forged: another actor", lambda e: e[0].update(actor="ada")),
    ("forged: another profile", lambda e: e[0].update(profile="quarterly")),
    ("forged: a waiver slipped in", waive),
    ("forged: a control that never ran", lambda e: e.insert(-2, dict(of_type(e, "kill"), sabotage="never-tried"))),
    ("forged: dated a month back", lambda e: [x.update(time=x["time"].replace("2026-11", "2026-10")) for x in e]),
    ("forged: the report only, manifest and index anew", None),
]  # fmt: skip
for _name, _forgery in FORGED:
    if _forgery is None:
        add(_name, "signature-missing", lambda c: ((c.run / "report.html").write_text("<p>all passed"), forge(c, None)), "signature")  # fmt: skip
    else:
        add(_name, "signature-missing", lambda c, change=_forgery: forge(c, change), "signature")
add("signatures taken off", "signature-missing", lambda c: unsign(c.run), "signature")
add("signed by another key", "signature-untrusted", lambda c: (unsign(c.run), sign_run(RunFolder(c.run), c.stranger)), "signature")  # fmt: skip
add("forged and signed by another key", "signature-untrusted", lambda c: forge(c, lambda e: e[0].update(actor="eve"), by=c.stranger), "signature")  # fmt: skip


def take_off_countersignature(case: Case) -> None:
    """
    The run has two signers in this case; one is made to vanish from both forms.
    """
    second = load_key(make_key(case.home.parent / "second", "ada"))
    sign_run(RunFolder(case.run), second)
    add_signer(case.allowed, "ada", second.public)
    (case.run / "signatures" / f"ada-{second.public.short}.sig").unlink()
    edit(case.run / "statement.dsse.json", lambda v: v["signatures"].pop())


add("countersignature taken off", "signature-threshold", take_off_countersignature, "threshold")


def drop_a_run(case: Case) -> None:
    shutil.rmtree(case.other)
    index_anew(case.home)


add("another run dropped, index anew", "anchor-unknown", drop_a_run, "anchor")
add("index rolled back to before the run", "anchor-unknown", lambda c: edit_index(c, lambda n: n[:1]), "anchor")


INDISTINGUISHABLE = ["signature of another run", "detached signature with one bit flipped"]
"""A signature that does not fit does not tell what it would fit."""

DEMANDS: dict[Seen, str] = {
    "plain": "verify",
    "signature": "--require-signature",
    "threshold": "--threshold 2",
    "anchor": "--anchor HEAD",
}


def judge(case: Case, seen: Seen) -> Verification:
    allowed = read_signers(case.allowed)
    demands = {
        "plain": Demands(),
        "signature": Demands(signers=1, allowed=allowed),
        "threshold": Demands(signers=2, allowed=allowed),
        "anchor": Demands(anchor=case.anchor),
    }
    return verify(case.run, demands=demands[seen])


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, make_sealed: Callable[[Path], RunFolder]) -> Path:
    """
    A folder with three runs with notebooks, reports and an attachment, signed by the runner, and whom one trusts.
    """
    folder = tmp_path_factory.mktemp("signed")
    key = load_key(make_key(folder / "configuration", "runner"))
    for _ in range(3):
        sign_run(make_sealed(folder / "evidence"), key)
    add_signer(folder / "allowed", "runner", key.public)
    return folder


@pytest.fixture
def case(signed: Path, tmp_path: Path) -> Case:
    return a_case(signed, tmp_path / "case")


def a_case(signed: Path, folder: Path) -> Case:
    shutil.copytree(signed, folder)
    home = folder / "evidence"
    other, run, _ = list_runs(home)
    stranger = load_key(make_key(folder / "stranger", "runner"))
    return Case(home, run.path, other.path, stranger, folder / "allowed", read_index(home).head)


Judged = Callable[[Manipulation], tuple[Verification, Verification]]


@pytest.fixture(scope="module")
def judged(signed: Path, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """
    What `verify` says of a manipulation: alone, and with what it takes to see it.
    """

    @cache
    def judge_one(one: Manipulation) -> tuple[Verification, Verification]:
        folder = tmp_path_factory.mktemp("tampered") / "case"
        case = a_case(signed, folder)
        one.do(case)
        alone = judge(case, "plain")
        found = (alone, alone if one.seen == "plain" else judge(case, one.seen))
        shutil.rmtree(folder)
        return found

    return judge_one


class TestUntouched:
    """
    What nobody touched verifies, whatever is demanded.
    """

    @pytest.mark.parametrize("seen", ["plain", "signature", "anchor"])
    def test_verifies(self, case: Case, seen: Seen) -> None:
        found = judge(case, seen)
        assert found.ok, found.findings

    def test_one_signer_is_not_two(self, case: Case) -> None:
        assert [one.code for one in judge(case, "threshold").findings] == ["signature-threshold"]


class TestTamper:
    """
    Each manipulation is refused for its own reason; what only a signature or an anchor can tell passes without.
    """

    @pytest.mark.parametrize("one", TABLE, ids=lambda one: one.name)
    def test_is_refused(self, one: Manipulation, judged: Judged) -> None:
        alone, demanded = judged(one)
        codes = [finding.code for finding in demanded.findings]
        assert not demanded.ok
        assert one.code in codes, demanded.findings
        if one.seen != "plain":
            assert alone.ok, alone.findings
            assert set(codes) == {one.code}

    def test_no_two_are_the_same(self) -> None:
        assert len({one.name for one in TABLE}) == len(TABLE)
        assert len([one for one in TABLE if one.seen == "plain"]) >= 40
        assert len([one for one in TABLE if one.seen != "plain"]) >= 10

    def test_each_has_its_own_message(self, judged: Judged) -> None:
        told: dict[tuple[str, ...], list[str]] = {}
        for one in TABLE:
            if one.seen == "plain":
                messages = tuple(f"{found.file} {found.message}" for found in judged(one)[1].findings)
                told.setdefault(messages, []).append(one.name)
        assert [names for names in told.values() if len(names) > 1] == [INDISTINGUISHABLE]

    def test_table(self, judged: Judged) -> None:
        rows = [(one.name, DEMANDS[one.seen], one.code, message_of(one, judged(one)[1])) for one in TABLE]
        print("\n| manipulation | seen by | code | what it says |\n|---|---|---|---|")
        for row in rows:
            print("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |")
        assert all(message for *_, message in rows)


def message_of(one: Manipulation, found: Verification) -> str:
    return next(f"{finding.file}: {finding.message}" for finding in found.findings if finding.code == one.code)
