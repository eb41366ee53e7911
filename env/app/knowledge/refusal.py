"""
Owns Refusal: why the service will not start, in one line that names the setting.
"""

from __future__ import annotations

__all__ = ["EXIT_CONFIGURATION", "EXIT_UNAVAILABLE", "Refusal"]

EXIT_CONFIGURATION = 78
"""Exit code when a setting is refused (EX_CONFIG of sysexits.h)."""

EXIT_UNAVAILABLE = 69
"""Exit code when something that start-up needs cannot be reached (EX_UNAVAILABLE of sysexits.h)."""


class Refusal(Exception):  # noqa: N818 (it is a decision, not a fault of ours)
    """
    The service refuses to start; `setting` is the environment variable to look at. Never carries its value.
    """

    def __init__(self, setting: str, reason: str, *, exit_code: int = EXIT_CONFIGURATION) -> None:
        super().__init__(f"{setting}: {reason}")
        self.setting = setting
        self.reason = reason
        self.exit_code = exit_code
