"""
Owns the copies on which limits are tried: two instances that were told the declared file. No state ever is.
"""

from __future__ import annotations

from playbook.proof.copies import CopyForm
from playbook.target.scenario import Profile
from playbook.target.target import Target

__all__ = ["limited_copies"]

TOKENS_LAST_S = 30 * 86400
"""Where the clock is moved by hours, users must not have to log in anew."""


def limited_copies(target: Target, profile: Profile) -> CopyForm:
    """
    Make the form of phase 50's copies: a pair that enforces the declared limits, with a moving clock beyond `quick`.
    """
    if target.limits is None:
        return CopyForm(pair=True)
    settings = {"limits_file": str(target.limits.file), "limits_scale": repr(target.limits.scale)}
    clock = profile != "quick"
    if clock:
        settings["token_lifetime_s"] = str(TOKENS_LAST_S)
    return CopyForm(pair=True, settings=settings, clock=clock)
