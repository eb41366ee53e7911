"""
Owns `import` and `rerun`: runs from elsewhere, and a run held again.
"""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering
from playbook.cli.runs import evidence_option, find_home, find_run
from playbook.cli.trust import find_allowed, own_keys, signers_option, signing_key
from playbook.evidence.bring_in import bring_in
from playbook.evidence.run import read_run
from playbook.evidence.verify import Demands
from playbook.places import places

__all__ = ["commands"]


@click.command("import")
@click.argument("sources", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path, exists=True))
@click.option("--threshold", type=click.IntRange(min=0), default=0, help="How many allowed signers must have signed.")
@signers_option
@evidence_option
@answering
def import_(sources: tuple[Path, ...], threshold: int, allowed_signers: Path | None, evidence: Path | None) -> Reply:
    """
    Bring sealed runs from elsewhere into this history: a run folder, a folder of runs, a CI artifact (.zip, .tar.gz).

    Each is verified first; when one does not verify, none of that source comes in.

    \b
    Examples:
      playbook import artifact.zip
      playbook import /mnt/ci/evidence --threshold 1 --allowed-signers ci.signers
    """
    demands = Demands(signers=threshold, allowed=find_allowed(allowed_signers), own=own_keys())
    home = find_home(evidence)
    found = [one for source in sources for one in bring_in(source, home, demands=demands)]

    def show(console: Console) -> None:
        for one in found:
            console.print(f"{one.folder.run_id}: {'was there already' if one.known else 'imported'}", markup=False)

    rows: list[JsonValue] = [
        {"id": one.folder.run_id, "path": str(one.folder.path), "known": one.known} for one in found
    ]
    return Reply(show=show, data={"runs": rows})


@click.command()
@click.argument("ref", metavar="RUN")
@click.option("--keep", is_flag=True, help="Leave the stack running afterwards.")
@click.option("--no-sign", is_flag=True, help="Do not sign, though there is a key.")
@evidence_option
@answering
def rerun(ref: str, keep: bool, no_sign: bool, evidence: Path | None) -> Reply:  # noqa: FBT001 (click gives them by name)
    """
    Hold a run again: same scenario, phases, parameters, seed and profile, with the sources of this checkout.

    \b
    Example:
      playbook rerun latest
      playbook compare latest~1 latest
    """
    from playbook.cli.run import execute_plans  # noqa: PLC0415 (it imports every domain)
    from playbook.evidence.checkout import fingerprint_checkout  # noqa: PLC0415
    from playbook.run.again import ask_again  # noqa: PLC0415
    from playbook.run.plan import make_plan  # noqa: PLC0415

    record = read_run(find_run(ref, evidence).path).record
    plan = make_plan(ask_again(record), places())
    sources = fingerprint_checkout(places().root, lock=places().env / "requirements.lock").sources_sha256
    if sources != record.fingerprint.sources_sha256:
        was = record.fingerprint.commit or f"sources {record.fingerprint.sources_sha256[:10]}"
        click.echo(f"not the same sources: {record.run_id} ran {was}", err=True)
    reply = execute_plans([plan], find_home(evidence), keep=keep, key=signing_key(wanted=not no_sign))

    def show(console: Console) -> None:
        reply.show(console)
        console.print(f"what changed: playbook compare {record.run_id} latest", markup=False)

    return Reply(show, reply.outcome, reply.checks, {**reply.data, "rerun_of": record.run_id}, reply.exit_code)


commands = {"import": import_, "rerun": rerun}
