"""
Owns throw-away copies of a state: its database copied, an app of its own on a copy of the code.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playbook.errors import InputError, StackError
from playbook.stack.apps import App, AppPlan
from playbook.stack.database import LocalDatabase
from playbook.stack.ground import Ground
from playbook.stack.protocol import Edit, Site

__all__ = ["apply_edits", "scratch_site"]

_NOT_CODE = shutil.ignore_patterns("__pycache__", ".*")


def apply_edits(code: Path, edits: Sequence[Edit]) -> None:
    """
    Apply edits to a copy of a service's code, one after another.

    Raises InputError when a file is not there, leads out of the folder, or does not hold `old` exactly once.
    """
    for edit in edits:
        path = (code / edit.path).resolve()
        if not path.is_relative_to(code.resolve()) or not path.is_file():
            raise InputError(f"The service has no file {edit.path}", hint="Paths start at its source folder.")
        text = path.read_text(encoding="utf-8")
        times = text.count(edit.old) if edit.old else 0
        if times != 1:
            raise InputError(
                f"{edit.path} holds the text to replace {times} times, not once: {edit.old!r}",
                hint="The code has changed, or the text is not unique: give it more context.",
            )
        if edit.new == edit.old:
            raise InputError(f"The edit of {edit.path} changes nothing", hint="Give it another text.")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


@contextmanager
def scratch_site(
    ground: Ground,
    state: str,
    database: LocalDatabase,
    site_of: Callable[[App, LocalDatabase], Site],
    *,
    without: Sequence[str] = (),
    edits: Sequence[Edit] = (),
) -> Iterator[Site]:
    """
    Make a throw-away copy of a state; destroy it at the end, also when that is an exception.

    Raises InputError when a switch in `without` is not on (leaving it out would change nothing).
    """
    record = ground.record()
    record.service.checked(without)
    switches = dict(record.states[state].switches)
    idle = sorted(name for name in without if not switches[name])
    if idle:
        raise InputError(f"{', '.join(idle)} is not on in {state}", hint="Leaving it out would change nothing.")
    switches.update(dict.fromkeys(without, False))
    name = f"scratch_{secrets.token_hex(4)}"
    with ExitStack() as last:
        code = record.service.folder
        if edits:
            code = ground.folder / "scratch" / name
            last.callback(shutil.rmtree, code, ignore_errors=True)
            shutil.copytree(record.service.folder, code, ignore=_NOT_CODE)
            apply_edits(code, edits)
        copied = last.enter_context(database.copy(name))
        assert isinstance(copied, LocalDatabase)
        plan = AppPlan(f"{state}/{name}", code, copied.serving(switches), switches)
        port = _Port()
        app = App(ground, lambda: plan, port=lambda: port.number, keep_port=port.keep)
        last.callback(app.stop)
        app.start()
        _require_own_code(ground, state, app, edited=bool(edits))
        yield site_of(app, plan.database)


class _Port:
    number = 0

    def keep(self, number: int) -> None:
        self.number = number


def _require_own_code(ground: Ground, state: str, app: App, *, edited: bool) -> None:
    own, original = app.version(), ground.record().states[state].app_source
    if own is None or (own.source != original) is not edited:
        seen = "nothing" if own is None else f"source {own.source[:12]}, the state's app {original[:12]}"
        raise StackError(
            f"The scratch app does not run {'the edited' if edited else 'the same'} code: it says {seen}",
            hint="Does /version compute its digest over the code that it runs?",
        )
