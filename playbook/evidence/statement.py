"""
Owns statement.json: what a signer signs. An in-toto Statement v1 whose subjects are the manifest and all its files.

It holds nothing that does not follow from the manifest and the events, so `verify` makes it anew and compares bytes.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from playbook.evidence.canonical import pretty
from playbook.evidence.events import Mode, Part, PhaseId, Previous, RunId, Runner, Sha256
from playbook.evidence.manifest import Manifest
from playbook.evidence.outcome import Code, Outcome
from playbook.evidence.record import ChainHead, RunRecord
from playbook.evidence.result import Frozen

__all__ = ["PREDICATE_TYPE", "STATEMENT_TYPE", "Predicate", "Statement", "make_statement", "statement_bytes"]

STATEMENT_TYPE: Literal["https://in-toto.io/Statement/v1"] = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Literal["urn:hardening-playbook:predicate:run:1"] = "urn:hardening-playbook:predicate:run:1"


class Sha256Set(Frozen):
    """
    The digests of a subject.
    """

    sha256: Sha256


class Subject(Frozen):
    """
    One file of the run folder.
    """

    name: str
    digest: Sha256Set


class PhaseSummary(Frozen):
    """
    How one phase ended, and whether its notebook was the committed one.
    """

    id: PhaseId
    mode: Mode
    outcome: Outcome
    edited: bool


class Predicate(Frozen):
    """
    What is claimed of the run. `counted` counts the results that made the outcome, by outcome.
    """

    run_id: RunId
    scenario: str
    runner: Runner
    profile: str | None
    outcome: Outcome
    code: Code | None
    started: datetime
    ended: datetime | None
    actor: str
    target: str
    target_sha256: Sha256 | None
    backend: str | None
    parts: dict[str, Part]
    commit: str | None
    dirty: bool | None
    sources_sha256: Sha256
    lock_sha256: str | None
    phases: tuple[PhaseSummary, ...]
    counted: dict[str, int]
    previous: Previous | None
    chain: ChainHead


class Statement(Frozen):
    """
    The statement (in-toto attestation framework, spec/v1/statement.md).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(default=STATEMENT_TYPE, alias="_type")
    subject: tuple[Subject, ...]
    predicate_type: Literal["urn:hardening-playbook:predicate:run:1"] = Field(
        default=PREDICATE_TYPE, alias="predicateType"
    )
    predicate: Predicate


def make_statement(manifest: Manifest, manifest_sha256: str, record: RunRecord) -> Statement:
    """
    Say what a signature of this run vouches for. Read-only; the same run gives the same statement.
    """
    files = {"manifest.json": manifest_sha256} | {file.path: file.sha256 for file in manifest.files}
    counted = Counter(result.outcome for phase in record.phases for result in phase.counted)
    print_ = record.fingerprint
    return Statement(
        subject=tuple(Subject(name=name, digest=Sha256Set(sha256=sha256)) for name, sha256 in files.items()),
        predicate=Predicate(
            run_id=record.run_id,
            scenario=record.scenario,
            runner=record.runner,
            profile=record.profile,
            outcome=record.outcome,
            code=record.code,
            started=record.started,
            ended=record.ended,
            actor=record.actor,
            target=record.target,
            target_sha256=record.target_sha256,
            backend=record.backend,
            parts=print_.parts,
            commit=print_.commit,
            dirty=print_.dirty,
            sources_sha256=print_.sources_sha256,
            lock_sha256=print_.lock_sha256,
            phases=tuple(
                PhaseSummary(id=one.id, mode=one.mode, outcome=one.outcome, edited=one.edited) for one in record.phases
            ),
            counted=dict(sorted(counted.items())),
            previous=record.previous,
            chain=record.chain,
        ),
    )


def statement_bytes(statement: Statement) -> bytes:
    """
    Write a statement in its only form, which is what is signed.
    """
    value: JsonValue = statement.model_dump(mode="json")
    return pretty(value)
