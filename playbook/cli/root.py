"""
Owns the command line's entry: the groups, and the one place where errors become exit codes.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import click

from playbook import __version__
from playbook.cli.reply import tell_error
from playbook.errors import InputError, PlaybookError
from playbook.evidence.outcome import Exit

__all__ = ["cli", "main"]

# jsonschema imports it where it is there, for a format that no notebook has; that alone costs two seconds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

COMMANDS = {
    "run": "playbook.cli.run",
    "up": "playbook.cli.stack",
    "down": "playbook.cli.stack",
    "ps": "playbook.cli.stack",
    "images": "playbook.cli.images",
    "adopt": "playbook.cli.adopt",
    "doctor": "playbook.cli.doctor",
    "verify": "playbook.cli.verify",
    "countersign": "playbook.cli.verify",
    "keys": "playbook.cli.keys",
    "compare": "playbook.cli.compare",
    "history": "playbook.cli.history",
    "due": "playbook.cli.history",
    "import": "playbook.cli.again",
    "rerun": "playbook.cli.again",
    "load": "playbook.cli.load",
    "report": "playbook.cli.evidence",
    "close": "playbook.cli.evidence",
    "limits": "playbook.cli.limits",
    "list": "playbook.cli.catalog",
    "explain": "playbook.cli.catalog",
    "switches": "playbook.cli.catalog",
    "sabotages": "playbook.cli.catalog",
}


class _Lazy(click.Group):
    """
    Imports a command's module only when it is asked for: `playbook ps` must not wait for Jupyter.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = __import__(COMMANDS[cmd_name], fromlist=["commands"])
        found: click.Command = module.commands[cmd_name]
        return found


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 pass, 1 fail, 2 bad input, 3 no stack, 4 evidence, 5 undecided, 70 our bug, 130 interrupted.",
)
@click.version_option(__version__, prog_name="playbook")
def cli() -> None:
    """
    Rehearse the hardening of a service on a disposable stack, and keep proof that can be checked.

    \b
    Examples:
      playbook run                     the whole playbook on the reference service
      playbook run --phase 30 --keep   one phase (and what it needs); leave the stack running
      playbook verify latest           recompute the evidence of the last run
    """


def main(argv: Sequence[str] | None = None) -> None:
    """
    Run the command line and exit.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    sys.exit(_exit_code(words))


def _exit_code(words: list[str]) -> int:
    as_json = "--json" in words
    command = next((word for word in words if not word.startswith("-")), "")
    try:
        code = cli.main(words, standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as err:
        known = command if command in COMMANDS else ""
        error = InputError(err.format_message(), hint=f"See `playbook {known} --help`.".replace("  ", " "))
        tell_error(error, command=command, as_json=as_json)
        return Exit.BAD_INPUT
    except PlaybookError as err:
        tell_error(err, command=command, as_json=as_json)
        return err.exit_code
    except BrokenPipeError:
        sys.stderr.close()
        return Exit.OK
    except Exception as err:  # noqa: BLE001 (the last place that can say it is ours)
        traceback.print_exc()
        told = PlaybookError(f"a defect of the playbook: {type(err).__name__}: {err}", hint="Please report it.")
        tell_error(told, command=command, as_json=as_json)
        return Exit.OUR_BUG
    return code if isinstance(code, int) else Exit.OK
