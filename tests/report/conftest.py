"""
Fixtures of the report's tests.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Tests are imported by path, so that their folders are no packages; what they share is found here.
sys.path.insert(0, str(Path(__file__).parent))

from report_fixtures import events_of_a_rich_run, run_of

from playbook.evidence.run import Run


@pytest.fixture
def rich_run() -> Run:
    """
    A run in which everything happened.
    """
    return run_of(events_of_a_rich_run())


@pytest.fixture
def make_run() -> Callable[..., Run]:
    """
    Make a run of events.
    """
    return run_of
