"""
Owns the checks of phase 00: what a repository must not track, and what must not run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.preflight.advisories import known_vulnerabilities
from playbook.preflight.private_files import private_names
from playbook.preflight.secret_scan import find_secrets
from playbook.preflight.source import ADVISORIES_ENV, Source, source_of, tracked_files
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene

__all__ = ["CHECKS"]


def _tracked(scene: Scene) -> Sequence[str]:
    return tracked_files(source_of(scene).folder)


def _installed(scene: Scene) -> Sequence[str]:
    return sorted(_with_advisories(scene).installed)


def _with_advisories(scene: Scene) -> Source:
    source = source_of(scene)
    if source.advisories is None:
        raise Unavailable(
            "no advisories are at hand", hint=f"Set {ADVISORIES_ENV} to a folder of OSV records, or to OSV's zip."
        )
    return source


@check(
    "repository.secrets.none-tracked",
    title="No file that the repository tracks holds a secret",
    phase="00",
    severity="critical",
    why="What was once committed is in every clone; a secret there is known to all who ever had one.",
    how="Scan each tracked file of the target's source by detect-secrets; a line may say that it is no secret.",
    remedy="Take the secret out, and replace it where it is used: history keeps it.",
    population=_tracked,
)
def no_secret_tracked(scene: Scene) -> Iterator[Finding]:
    """Scan every tracked file."""
    source = source_of(scene)
    names = tracked_files(source.folder)
    hits = find_secrets(source.folder, names)
    yield Finding(
        expected=[],
        actual=[*hits],
        tested=names,
        observations=(Observation(role="reader", request="detect-secrets", value=len(names), unit="files"),),
    )


@check(
    "repository.files.none-private",
    title="The repository tracks no environment file, dump, log or private key",
    phase="00",
    severity="high",
    why="Dumps and logs hold people's data, environment files and keys open doors; a repository is read by many.",
    how="Compare the names of all tracked files of the target's source with the names that such files have.",
    remedy="Untrack the file, ignore its name, and treat what it held as known.",
    population=_tracked,
)
def no_private_file_tracked(scene: Scene) -> Iterator[Finding]:
    """Look at the name of every tracked file."""
    names = tracked_files(source_of(scene).folder)
    yield Finding(
        expected=[],
        actual=[*private_names(names)],
        tested=names,
        observations=(Observation(role="reader", request="git ls-files", value=len(names), unit="files"),),
    )


@check(
    "dependencies.advisories.none-known",
    title="No installed package has a known vulnerability",
    phase="00",
    severity="high",
    why="A published weakness of a library is a published weakness of the service.",
    how="Match the version of each installed package with the OSV records at hand. No network is used.",
    remedy="Take the fixed version, or waive it with an owner, a reason and a date.",
    population=_installed,
)
def no_known_vulnerability(scene: Scene) -> Iterator[Finding]:
    """Match every installed package."""
    source = _with_advisories(scene)
    assert source.advisories is not None
    yield Finding(
        expected=[],
        actual=[*known_vulnerabilities(source.advisories, source.installed)],
        tested=sorted(source.installed),
        observations=(Observation(role="reader", request="OSV records", value=str(source.advisories)),),
    )


CHECKS = (no_secret_tracked, no_private_file_tracked, no_known_vulnerability)
