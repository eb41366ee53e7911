"""
Owns what is logged: one JSON object a line on stdout, with the request, tenant and user that it is about.

The weak form writes whatever it is given. The hardened one writes fields that are known to hold nothing personal, and
masks what looks like an address or a secret in all the others' texts.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType

from knowledge.request_record import current_record
from knowledge.switches import Switches

__all__ = ["Fields", "choose_fields", "log_event", "start_logging"]

Fields = Mapping[str, object]

KNOWN = frozenset({
    "constraint", "drain_s", "duration_ms", "error_type", "event", "frames", "locations", "method", "reason", "route",
    "sqlstate", "statements", "status",
})  # fmt: skip
"""An allow list: a name that nobody thought of is left out, not let through."""

PERSONAL = re.compile(
    r"[^\s@\"'=:,;<>()]+@[^\s@\"'=:,;<>()]+"  # an e-mail address
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # a token (RFC 7519)
    r"|kb_\d+_[\w-]+"  # an API key of ours
    r"|\$argon2\w*\$[^\s\"'()]+"  # a password hash
)

log = logging.getLogger("knowledge")


def log_event(name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """
    Log what happened under a constant name; what varies goes into the fields.
    """
    log.log(level, name, extra={"fields": fields})


def keep_all(fields: Fields) -> Fields:
    """
    Weak: write what was given.
    """
    return fields


def keep_impersonal(fields: Fields) -> Fields:
    """
    Keep the known fields, their texts masked.
    """
    return {name: _mask(value) for name, value in fields.items() if name in KNOWN}


def _mask(value: object) -> object:
    if isinstance(value, str):
        return PERSONAL.sub("[masked]", value)
    if isinstance(value, (list, tuple)):
        return [_mask(item) for item in value]
    return value


def choose_fields(switches: Switches) -> Callable[[Fields], Fields]:
    """
    Choose the form by `logs_redacted`.
    """
    return keep_impersonal if switches.logs_redacted else keep_all


def _frames(trace: TracebackType | None) -> list[str]:
    """Where it happened, without the source lines, whose values a message may hold."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


class Lines(logging.Formatter):
    """
    Formats records as JSON lines.
    """

    def __init__(self, choose: Callable[[Fields], Fields]) -> None:
        super().__init__()
        self.choose = choose

    def format(self, record: logging.LogRecord) -> str:
        """
        Format one record: when, how grave, what, for whom, then the fields that may be written.
        """
        request = current_record()
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "request_id": request.request_id if request else None,
            "tenant_id": request.tenant_id if request else None,
            "user_id": request.user_id if request else None,
        }
        return json.dumps({**line, **self.choose(self._read_fields(record))}, ensure_ascii=False, default=str)

    def _read_fields(self, record: logging.LogRecord) -> Fields:
        fields = {"event": record.getMessage(), **getattr(record, "fields", {})}
        if record.exc_info and record.exc_info[0] is not None:
            fields |= {
                "error_type": record.exc_info[0].__name__,
                "frames": _frames(record.exc_info[2]),
                "traceback": self.formatException(record.exc_info),
            }
        return fields


def start_logging(switches: Switches) -> None:
    """
    Send every logger's records, the server's too, to stdout in the form that the switches choose.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Lines(choose_fields(switches)))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
