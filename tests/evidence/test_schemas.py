from __future__ import annotations

import json
from pathlib import Path

import pytest

from playbook.evidence.folder import RunFolder
from playbook.evidence.schemas import schema_files, write_schemas

pytestmark = pytest.mark.unit
FOLDER = Path(__file__).resolve().parents[2] / "data" / "schema"


class TestSchemas:
    """
    The schemas in data/schema are those of the models, and real files satisfy them.
    """

    @pytest.mark.parametrize("name", sorted(schema_files()))
    def test_is_current(self, name: str) -> None:
        assert (FOLDER / name).read_bytes() == schema_files()[name], (
            "run: python -m playbook.evidence.schemas data/schema"
        )

    def test_writes_all(self, tmp_path: Path) -> None:
        assert {path.name for path in write_schemas(tmp_path)} == set(schema_files())

    def test_real_files_satisfy_them(self, sealed: RunFolder) -> None:
        jsonschema = pytest.importorskip("jsonschema")

        def check(name: str, text: str) -> None:
            schema = json.loads((FOLDER / f"{name}.schema.json").read_bytes())
            jsonschema.Draft202012Validator(schema).validate(json.loads(text))

        check("run", sealed.record.read_text())
        check("manifest", sealed.manifest.read_text())
        for line in sealed.events.read_text().splitlines():
            check("event", line)
            if json.loads(line)["type"] == "check":
                check("check-result", json.dumps(json.loads(line)["result"]))
        for line in (sealed.home / "INDEX.jsonl").read_text().splitlines():
            check("index-line", line)
