from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbook.errors import InputError
from playbook.evidence.keys import Key, load_key, make_key
from playbook.evidence.signers import add_signer, read_signers

pytestmark = pytest.mark.unit
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def name_of(tmp_path: Path, key: Key):  # noqa: ANN201
    def name(text: str, *, at: datetime = NOON) -> str | None:
        path = tmp_path / "allowed"
        path.write_text(text.replace("KEY", key.public.openssh))
        return read_signers(path).name_of(key.public, at=at)

    return name


class TestReading:
    """
    The file is OpenSSH's; a line vouches for its key, its namespaces and its time only.
    """

    @pytest.mark.parametrize(
        ("line", "name"),
        [
            ("ada KEY", "ada"),
            ("ada@example.org KEY of the second shift\n", "ada@example.org"),
            ('"ada l" KEY', "ada l"),
            ("# ada KEY\n\n  \n", None),
            ('ada namespaces="hardening-playbook" KEY', "ada"),
            ('ada namespaces="git,hardening-*" KEY', "ada"),
            ('ada namespaces="git" KEY', None),
            ("ada cert-authority KEY", None),
            ('ada valid-before="20261121" KEY', None),
            ('ada valid-before="20261121120000Z" KEY', "ada"),
            ('ada valid-after="202611211201Z" KEY', None),
            ('ada valid-after="20261101Z",valid-before="20261201Z" KEY', "ada"),
            ("bo ssh-rsa AAAA\nada KEY", "ada"),
            ("ada KEY\nbo KEY", "ada"),
        ],
    )
    def test_line(self, name_of, line: str, name: str | None) -> None:  # noqa: ANN001
        assert name_of(line) == name

    @pytest.mark.parametrize(
        "line", ["ada", "KEY", 'ada zulu="1" KEY', "ada ssh-ed25519 AAAA", 'ada valid-after="soon" KEY', "ada  KE Y"]
    )
    def test_line_that_does_not_read(self, name_of, line: str) -> None:  # noqa: ANN001
        with pytest.raises(InputError, match=r"allowed:2: "):
            name_of(f"# first\n{line}\n")

    def test_another_key_is_nobodys(self, tmp_path: Path, key: Key) -> None:
        other = load_key(make_key(tmp_path / "other", "runner"))
        add_signer(tmp_path / "allowed", "ada", key.public)
        assert read_signers(tmp_path / "allowed").name_of(other.public, at=NOON) is None

    def test_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            read_signers(tmp_path / "none")


class TestAdding:
    """
    A line is added once, on a line of its own.
    """

    def test_twice(self, tmp_path: Path, key: Key) -> None:
        path = tmp_path / "allowed"
        path.write_text("# ours")
        for _ in range(2):
            add_signer(path, "ada", key.public)
        assert path.read_text() == f'# ours\nada namespaces="hardening-playbook" {key.public.openssh}\n'
