from __future__ import annotations

import io
from pathlib import Path

import pytest

from playbook.cli.trust import PASSPHRASE, find_allowed, signing_key
from playbook.errors import InputError
from playbook.evidence.keys import make_key

pytestmark = pytest.mark.unit


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"PLAYBOOK_CONFIG": str(tmp_path)}


class TestSigningKey:
    """A locked key is opened by the environment or a person, and its passphrase goes no further."""

    def test_there_is_none(self, environ: dict[str, str]) -> None:
        assert signing_key(environ=environ) is None

    def test_passphrase_is_not_inherited(self, environ: dict[str, str], tmp_path: Path) -> None:
        make_key(tmp_path, "runner", passphrase="geheim")
        environ[PASSPHRASE] = "geheim"
        key = signing_key(environ=environ)
        assert key is not None
        assert PASSPHRASE not in environ

    def test_not_even_when_nothing_is_signed(self, environ: dict[str, str]) -> None:
        environ[PASSPHRASE] = "geheim"
        assert signing_key(wanted=False, environ=environ) is None
        assert PASSPHRASE not in environ

    def test_nobody_to_ask(self, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make_key(tmp_path, "runner", passphrase="geheim")
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(InputError, match="no terminal to ask on") as refused:
            signing_key(environ=environ)
        assert "--no-sign" in refused.value.hint


class TestAllowedSigners:
    """The file named goes before the user's own; a named one must be there."""

    def test_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("PLAYBOOK_CONFIG", str(tmp_path))
        monkeypatch.delenv("PLAYBOOK_ALLOWED_SIGNERS", raising=False)
        assert find_allowed(None) is None
        with pytest.raises(InputError):
            find_allowed(tmp_path / "none")
        (tmp_path / "team").write_text("")
        monkeypatch.setenv("PLAYBOOK_ALLOWED_SIGNERS", str(tmp_path / "team"))
        found = find_allowed(None)
        assert found is not None
        assert found.source == str(tmp_path / "team")
