"""
Owns writing the JSON Schemas of evidence files: `python -m playbook.evidence.schemas data/schema`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, JsonValue

from playbook.evidence.canonical import pretty
from playbook.evidence.events import EVENT
from playbook.evidence.index import IndexLine
from playbook.evidence.manifest import Manifest
from playbook.evidence.record import RunRecord
from playbook.evidence.result import CheckResult
from playbook.evidence.statement import Statement

__all__ = ["schema_files", "write_schemas"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_HEX = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


def schema_files() -> dict[str, bytes]:
    """
    Give each schema file by its name.
    """
    models: dict[str, type[BaseModel]] = {
        "check-result": CheckResult,
        "index-line": IndexLine,
        "manifest": Manifest,
        "run": RunRecord,
        "statement": Statement,
    }
    schemas = {name: model.model_json_schema(mode="serialization") for name, model in models.items()}
    schemas["event"] = _chained(EVENT.json_schema(mode="serialization"))
    return {
        f"{name}.schema.json": pretty({"$schema": _DIALECT, "$id": f"hardening-playbook/{name}/1", **schema})
        for name, schema in schemas.items()
    }


def write_schemas(folder: Path) -> list[Path]:
    """
    Write all schemas into a folder; leave other files there alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, content in schema_files().items():
        (folder / name).write_bytes(content)
        written.append(folder / name)
    return written


def _chained(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """
    Add what the log adds to each event: its number, the hash before, its own, and the time.
    """
    definitions, variants = schema["$defs"], schema["oneOf"]
    assert isinstance(definitions, dict)
    assert isinstance(variants, list)
    for variant in variants:
        assert isinstance(variant, dict)
        body = definitions[str(variant["$ref"]).rsplit("/", 1)[-1]]
        assert isinstance(body, dict)
        properties, required = body["properties"], body.setdefault("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        properties |= {
            "seq": {"type": "integer", "minimum": 0},
            "prev": dict(_HEX),
            "hash": dict(_HEX),
            "time": {"type": "string", "format": "date-time"},
        }
        required += [name for name in ("seq", "prev", "hash", "time", "type") if name not in required]
    return schema


def main(argv: Sequence[str]) -> int:
    """
    Write the schemas into the folder that the one argument names.
    """
    if len(argv) != 1:
        sys.stderr.write("usage: python -m playbook.evidence.schemas DIR\n")
        return 2
    for path in write_schemas(Path(argv[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
