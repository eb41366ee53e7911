"""
Owns `keys`: making and listing the keys that sign runs.
"""

from __future__ import annotations

import os

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.cli.trust import signers_file
from playbook.errors import InputError
from playbook.evidence.keys import RUNNER, configuration_folder, find_key, list_keys, make_key
from playbook.evidence.signers import add_signer

__all__ = ["commands"]


@click.command()
@click.argument("what", type=click.Choice(["new", "list"]))
@click.argument("name", default=RUNNER)
@click.option("--passphrase", "ask", is_flag=True, help="Lock the key; asks for the passphrase twice.")
@click.option("--if-missing", is_flag=True, help="Make it only when there is none of that name; say nothing otherwise.")
@answering
def keys(what: str, name: str, ask: bool, if_missing: bool) -> Reply:  # noqa: FBT001 (click gives them by name)
    """
    Make an ed25519 key in your configuration folder, or list those there are.

    `run` signs with the key `runner` when there is one. Such a key is only the runner's own: it shows that nobody
    without it changed a run, not that the runner told the truth. For that, have somebody else countersign.

    \b
    Examples:
      playbook keys new
      playbook keys new ada --passphrase
      playbook keys list --json
    """
    folder = configuration_folder(os.environ)
    if what == "list":
        return _listed()
    if if_missing and find_key(folder, {}, name=None if name == RUNNER else name):
        return Reply(show=lambda _: None, data={"made": None})
    secret = click.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True) if ask else None
    if secret == "":
        raise InputError("the passphrase is empty", hint="Leave --passphrase out for a key without.")
    made = make_key(folder, name, passphrase=secret)
    add_signer(signers_file(), name, made.public)

    def show(console: Console) -> None:
        console.print(f"made the key {name} ({made.public.fingerprint}): {made.path}", markup=False)
        console.print(
            f"its public half stands in {signers_file()}; give that line to whoever shall verify", markup=False
        )
        console.print("it is only your own key: it shows that nobody without it changed a run, not who told the truth")

    return Reply(show=show, data={"made": name, "key": made.public.fingerprint, "path": str(made.path)})


def _listed() -> Reply:
    found = list_keys(configuration_folder(os.environ))
    rows = [(one.name, one.public.fingerprint, "passphrase" if one.locked else "open", str(one.path)) for one in found]

    def show(console: Console) -> None:
        if rows:
            console.print(table("", ("key", "fingerprint", "", "where"), rows))
        else:
            console.print("there is no key; make one: playbook keys new")

    told: list[JsonValue] = [
        {"name": one.name, "key": one.public.fingerprint, "locked": one.locked, "path": str(one.path)} for one in found
    ]
    return Reply(show=show, data={"keys": told, "allowed_signers": str(signers_file())})


commands = {"keys": keys}
