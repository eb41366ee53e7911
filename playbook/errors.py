"""
Every error that the playbook raises on purpose, as one tree.

```
PlaybookError                 exit 2 unless a child says otherwise
├── InputError                a file, field or argument is wrong                          exit 2
├── GuardError                a destructive act was refused: not sealed, not ours         exit 2
├── StackError                the stack could not be brought up or reached                exit 3
├── EvidenceError             evidence does not verify, or a run folder is unusable       exit 4
├── Unavailable               a capability is missing: the check that needs it is skipped
└── VerdictError              a phase ended without passing
    ├── VerdictFailed         a check failed                                              exit 1
    └── VerdictUndecided      no check failed, but one could not be decided               exit 5
```

A message says what happened and what was seen; the hint says what to do next.
"""

from __future__ import annotations

__all__ = [
    "EvidenceError",
    "GuardError",
    "InputError",
    "PlaybookError",
    "StackError",
    "Unavailable",
    "VerdictError",
    "VerdictFailed",
    "VerdictUndecided",
]


class PlaybookError(Exception):
    """
    Base of the tree.

    `exit_code` is what the command line ends with (CONTRACTS §1).
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.hint}" if self.hint else self.message


class InputError(PlaybookError):
    """
    A file, a field or an argument is wrong.
    """


class GuardError(PlaybookError):
    """
    A destructive act was refused, because nothing marks its object as disposable.
    """


class StackError(PlaybookError):
    """
    The stack could not be brought up, reached or taken down.
    """

    exit_code = 3


class EvidenceError(PlaybookError):
    """
    Evidence does not verify, or a run folder cannot be used.

    `code` is a stable word for programs and tests, one per kind of refusal (`json-duplicate-key`, `disk-full`, …).
    """

    exit_code = 4

    def __init__(self, message: str, *, hint: str, code: str = "evidence") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class Unavailable(PlaybookError):  # noqa: N818 (it is a state of the stack, told to a check)
    """
    A capability is missing here; the check that asked for it is skipped with this reason.
    """


class VerdictError(PlaybookError):
    """
    A phase ended without passing.
    """

    exit_code = 5


class VerdictFailed(VerdictError):  # noqa: N818 (the verdict is the noun)
    """
    At least one check failed.
    """

    exit_code = 1


class VerdictUndecided(VerdictError):  # noqa: N818 (the verdict is the noun)
    """
    No check failed, but at least one could not be decided, or nothing passed.
    """
