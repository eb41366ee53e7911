"""
Owns the faults of phase 00, each in a copy of the target's source.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, ProcedureFault, Sabotage

__all__ = ["SABOTAGES"]

_SECRETS = {"repository.secrets.none-tracked": WHOLE}
_FILES = {"repository.files.none-private": WHOLE}
_ADVISORIES = {"dependencies.advisories.none-known": WHOLE}


def _sabotage(
    name: str, title: str, mutation: str, pair: tuple[str, str], kills: dict[str, tuple[str, ...]]
) -> Sabotage:
    protection, mechanism = pair
    return Sabotage(
        name=name,
        title=title,
        phase="00",
        protection=protection,
        mechanism=mechanism,
        fault=ProcedureFault(mutation),
        kills=kills,
        harmless=not kills,
    )


SABOTAGES = (
    _sabotage(
        "cloud-key-committed",
        "A cloud access key stands in a settings module",
        "secret",
        ("repository", "secret in code"),
        _SECRETS,
    ),
    _sabotage(
        "environment-file-committed",
        "The environment file of production is tracked",
        "environment-file",
        ("repository", "environment file"),
        _FILES,
    ),
    _sabotage("dump-committed", "A dump of the database is tracked", "dump", ("repository", "dump"), _FILES),
    _sabotage("log-committed", "A log file is tracked", "log", ("repository", "log"), _FILES),
    _sabotage(
        "private-key-committed",
        "A private key is tracked, its name in capitals",
        "private-key",
        ("repository", "private key"),
        _FILES,
    ),
    _sabotage(
        "vulnerable-package-installed",
        "An advisory names an installed package in its version",
        "advisory",
        ("dependencies", "known vulnerability"),
        _ADVISORIES,
    ),
    _sabotage(
        "example-environment-file",
        "An example of an environment file is tracked",
        "example-file",
        ("repository", "example file"),
        {},
    ),
    _sabotage(
        "environment-file-untracked",
        "An environment file lies there, untracked",
        "untracked-file",
        ("repository", "untracked file"),
        {},
    ),
)
