"""
Owns the load generator's process: Locust started in a private folder, bounded in time, stopped, its result read.

Importing Locust into a kernel hangs it (FACTS §6), so that it is never imported here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import StackError
from playbook.load.plan import Plan
from playbook.load.result import LoadResult, read_result

__all__ = ["LOCUSTFILE", "Generator", "generating", "run_load"]

LOCUSTFILE = Path(__file__).parent / "outside" / "locustfile.py"
START_LIMIT_S = 60.0
_PASSED = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "LANG", "LC_ALL")


class Generator:
    """
    One run of Locust.
    """

    def __init__(self, plan: Plan, folder: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self._plan = plan
        self._result = folder / "result.json"
        self._process = process
        self._log = log

    def wait_until_begun(self, pause: Callable[[float], None] = time.sleep) -> float:
        """
        Wait for the first arrival; return its time on the monotonic clock. Raises StackError.
        """
        begun = self._result.with_suffix(".begun")
        end = time.monotonic() + START_LIMIT_S
        while True:
            if begun.exists() and (text := begun.read_text(encoding="utf-8")):
                return float(text)
            if self._process.poll() is not None or time.monotonic() > end:
                raise self._silent("did not begin")
            pause(0.02)

    def stop(self) -> None:
        """
        Let no further request arrive; those in flight are waited for.
        """
        self._result.with_suffix(".stop").touch()

    def result(self) -> LoadResult:
        """
        Wait for the end of the run; read what it measured. Raises StackError when it wrote nothing.
        """
        limit = START_LIMIT_S + self._plan.duration_s + self._plan.timeout_s + 5
        try:
            self._process.wait(timeout=limit)
        except subprocess.TimeoutExpired as err:
            raise self._silent("did not end") from err
        if not self._result.exists():
            raise self._silent("ended without a result")
        return read_result(self._result.read_text(encoding="utf-8"))

    def _silent(self, what: str) -> StackError:
        tail = self._log.read_text(encoding="utf-8", errors="replace")[-1500:]
        return StackError(f"the load generator {what} (exit {self._process.poll()}):\n{tail}", hint="Is Locust there?")


@contextmanager
def generating(plan: Plan, *, environment: Mapping[str, str] | None = None) -> Iterator[Generator]:
    """
    Run Locust with a plan for the time of the block; it is gone afterwards, and so is its folder.

    Its home and working folder are its own: a `locust.conf` of the user must not change what is measured.
    """
    passed = {name: value for name, value in (environment or os.environ).items() if name in _PASSED}
    with tempfile.TemporaryDirectory(prefix="playbook-load-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        (folder / "plan.json").touch(mode=0o600)
        (folder / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
        log = folder / "locust.log"
        argv = [
            sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), "--headless", "--users", "1",
            "--spawn-rate", "1", "--host", f"http://{plan.address}:{plan.port}", "--only-summary",
            "--exit-code-on-error", "0",
        ]  # fmt: skip
        env = {
            **passed,
            "HOME": place,
            "PYTHONUTF8": "1",
            "PLAYBOOK_LOAD_PLAN": str(folder / "plan.json"),
            "PLAYBOOK_LOAD_RESULT": str(folder / "result.json"),
        }
        with log.open("wb") as out:
            process = subprocess.Popen(
                argv, cwd=place, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
        try:
            yield Generator(plan, folder, process, log)
        finally:
            _end(process)


def run_load(plan: Plan) -> LoadResult:
    """
    Run a plan to its end. Sends at most `plan.requests` requests. Raises StackError.
    """
    with generating(plan) as generator:
        return generator.result()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
