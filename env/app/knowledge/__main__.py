"""
Owns the command line. Each command imports only what it needs, because the service is started often.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
from collections.abc import Mapping, Sequence

from knowledge.refusal import Refusal

__all__ = ["main"]

PROFILES = {"tiny": "4 tenants", "quick": "50 thousand rows", "standard": "a million rows"}


def serve(arguments: argparse.Namespace) -> None:
    """
    Serve until SIGTERM or SIGINT.
    """
    # What is made at start lives as long as the process: looking through it for garbage is a tenth of the time.
    gc.disable()
    from knowledge.settings import read_settings  # noqa: PLC0415
    from knowledge.signing_secret import choose_secret  # noqa: PLC0415

    settings = read_settings()
    choose_secret(settings)  # refuses here, before the imports that take most of the start

    from knowledge.service import make_service  # noqa: PLC0415

    # What is refused is refused here, before the larger half of the imports.
    service = make_service(settings)

    from knowledge.application import make_application  # noqa: PLC0415
    from knowledge.log_lines import start_logging  # noqa: PLC0415
    from knowledge.shutdown import make_server  # noqa: PLC0415

    start_logging(settings)
    application = make_application(service, settings)
    server = make_server(application, service, settings, host=arguments.host, port=arguments.port)
    gc.freeze()
    gc.enable()
    with contextlib.suppress(KeyboardInterrupt):
        server.run()


def migrate(_arguments: argparse.Namespace) -> None:
    """
    Upgrade the schema as its owner.
    """
    from knowledge.migrate import apply_migrations  # noqa: PLC0415
    from knowledge.settings import read_settings  # noqa: PLC0415

    sys.stdout.write(f"the schema is at revision {apply_migrations(read_settings())}\n")


def seed(arguments: argparse.Namespace) -> None:
    """
    Load deterministic data into an empty schema.
    """
    from knowledge.seed import apply_seed  # noqa: PLC0415
    from knowledge.settings import read_settings  # noqa: PLC0415

    password = os.environ.get(arguments.password_env, "")
    if not password:
        raise Refusal(arguments.password_env, "is missing; it is the password of every seeded user")
    counts = apply_seed(read_settings(), profile=arguments.profile, seed=arguments.seed, password=password)
    sys.stdout.write(json.dumps(counts) + "\n")


def show_switches(arguments: argparse.Namespace) -> None:
    """
    Show every switch and what it does.
    """
    from knowledge.switches import read_descriptions  # noqa: PLC0415

    descriptions = read_descriptions()
    if arguments.json:
        sys.stdout.write(json.dumps(descriptions, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{name}\n    {text}\n" for name, text in descriptions.items())


def _parser(profiles: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge", description="A multi-tenant knowledge service.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serving = commands.add_parser("serve", help="serve HTTP until SIGTERM")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=8000)
    serving.set_defaults(run=serve)
    migrating = commands.add_parser("migrate", help="upgrade the schema (KB_OWNER_DATABASE_URL)")
    migrating.set_defaults(run=migrate)
    seeding = commands.add_parser("seed", help="load deterministic data (KB_OWNER_DATABASE_URL)")
    seeding.add_argument("--profile", choices=tuple(profiles), default="quick", help=str(profiles))
    seeding.add_argument("--seed", type=int, required=True, help="the same number gives the same rows")
    seeding.add_argument("--password-env", default="KB_SEED_PASSWORD", help="where every user's password is read")
    seeding.set_defaults(run=seed)
    switches = commands.add_parser("switches", help="what can be hardened")
    switches.add_argument("--json", action="store_true")
    switches.set_defaults(run=show_switches)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run one command; a refusal is one line on stderr and its exit code.
    """
    arguments = _parser(PROFILES).parse_args(argv)
    try:
        arguments.run(arguments)
    except Refusal as refusal:
        sys.stderr.write(f"refused: {refusal}\n")
        return refusal.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
