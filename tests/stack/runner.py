"""A runner to be killed: brings a stack up, says so on stdout, and does what it is told to."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from playbook.stack.local import LocalStack
from playbook.stack.source import ServiceSource

name, root, run_folder, moment = sys.argv[1:5]
service = ServiceSource(
    folder=Path(__file__).parent / "stand_in",
    serve=("{python}", "standin.py", "serve", "{port}"),
    migrate=("{python}", "standin.py", "migrate"),
    seed=("{python}", "standin.py", "seed", "{profile}", "{seed}"),
    env_prefix="ST_",
    instances=2,
    switches={"least_privilege_role": "connects as the role app"},
)


def say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    if word == moment:
        time.sleep(60)


stack = LocalStack.create(name, service=service, seed=1, root=Path(root), run_folder=Path(run_folder))
say("created")
stack.up(progress=say)
say("up")
if moment == "release":
    stack.release()
    sys.exit(0)
if moment == "return":
    sys.exit(0)
with stack.scratch("hardened", instances=2, proxy=True, clock=True), stack.spare_postgres():
    say("scratch")
