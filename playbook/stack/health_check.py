"""
Owns how often a proxy asks an instance whether it is ready, and what follows for an instance that wants to leave.
"""

from __future__ import annotations

__all__ = ["DRAIN_S", "FALL", "INTERVAL_S"]

INTERVAL_S = 0.25
FALL = 2
"""So many refusals in a row, and the instance gets no more requests."""

DRAIN_S = 2 * INTERVAL_S * FALL
"""How long an instance that is not ready must go on serving, so that nobody is sent to it any more."""
