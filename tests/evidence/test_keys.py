from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from playbook.errors import InputError
from playbook.evidence.keys import KeyFile, configuration_folder, find_key, list_keys, load_key, make_key

pytestmark = pytest.mark.unit


class TestMaking:
    """
    A key is its owner's alone, and is never replaced.
    """

    def test_nobody_else_can_read_it(self, tmp_path: Path) -> None:
        made = make_key(tmp_path / "c", "runner")
        assert made.path.stat().st_mode & 0o777 == 0o600
        assert made.path.parent.stat().st_mode & 0o777 == 0o700
        assert made.path.read_bytes().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")

    def test_is_not_replaced(self, tmp_path: Path) -> None:
        before = make_key(tmp_path, "runner").path.read_bytes()
        with pytest.raises(InputError, match="already"):
            make_key(tmp_path, "runner")
        assert (tmp_path / "keys/runner").read_bytes() == before

    @pytest.mark.parametrize("name", ["", "../x", "A", "a b", ".hidden", "a" * 50])
    def test_odd_names(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="cannot name a key"):
            make_key(tmp_path, name)

    def test_two_keys_differ(self, tmp_path: Path) -> None:
        make_key(tmp_path, "a")
        make_key(tmp_path, "b")
        assert [key.name for key in list_keys(tmp_path)] == ["a", "b"]
        assert len({key.public.fingerprint for key in list_keys(tmp_path)}) == 2


class TestPassphrase:
    """
    A locked key opens with its passphrase alone.
    """

    def test_opens(self, tmp_path: Path) -> None:
        made = make_key(tmp_path, "ada", passphrase="geheim, é")
        assert made.locked
        assert load_key(made, passphrase="geheim, é").public == made.public

    @pytest.mark.parametrize("given", [None, "", "wrong"])
    def test_does_not_open(self, tmp_path: Path, given: str | None) -> None:
        made = make_key(tmp_path, "ada", passphrase="geheim")
        with pytest.raises(InputError, match="cannot be opened") as refused:
            load_key(made, passphrase=given)
        assert "geheim" not in str(refused.value)

    def test_unlocked_one_is_said_to_be(self, tmp_path: Path) -> None:
        assert not make_key(tmp_path, "runner").locked


class TestLoading:
    """
    A key that others can read, or of another kind, is refused.
    """

    def test_readable_by_others(self, tmp_path: Path) -> None:
        made = make_key(tmp_path, "runner")
        made.path.chmod(0o644)
        with pytest.raises(InputError, match="can be read by others"):
            load_key(made)

    def test_of_another_kind(self, tmp_path: Path) -> None:
        path = tmp_path / "id"
        path.touch(mode=0o600)
        private = generate_private_key(SECP256R1())
        path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with pytest.raises(InputError, match="no ed25519 key"):
            load_key(KeyFile(path))

    def test_never_shows_its_private_half(self, tmp_path: Path) -> None:
        key = load_key(make_key(tmp_path, "runner"))
        assert repr(key) == f"Key('runner', {key.public.fingerprint})"


class TestFinding:
    """
    Named, else PLAYBOOK_KEY, else `runner`, else none.
    """

    def test_none(self, tmp_path: Path) -> None:
        assert find_key(tmp_path, {}) is None

    def test_order(self, tmp_path: Path) -> None:
        for name in ("runner", "ada", "bo"):
            make_key(tmp_path, name)
        found = [find_key(tmp_path, {}), find_key(tmp_path, {"PLAYBOOK_KEY": "ada"})]
        found.append(find_key(tmp_path, {"PLAYBOOK_KEY": "ada"}, name="bo"))
        assert [one.name for one in found if one] == ["runner", "ada", "bo"]

    def test_by_path(self, tmp_path: Path) -> None:
        made = make_key(tmp_path / "elsewhere", "ada")
        found = find_key(tmp_path, {"PLAYBOOK_KEY": str(made.path)})
        assert found == made

    def test_named_one_that_is_not_there(self, tmp_path: Path) -> None:
        make_key(tmp_path, "runner")
        with pytest.raises(InputError, match="'ada'") as refused:
            find_key(tmp_path, {}, name="ada")
        assert "runner" in refused.value.hint

    def test_folder_is_named_by_the_environment(self, tmp_path: Path) -> None:
        assert configuration_folder({"PLAYBOOK_CONFIG": str(tmp_path)}) == tmp_path
        assert configuration_folder({}).name == "hardening-playbook"
