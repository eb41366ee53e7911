from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from playbook.evidence.canonical import pretty
from playbook.evidence.folder import RunFolder
from playbook.evidence.keys import Key, KeyFile, load_key, make_key
from playbook.evidence.run import read_run
from playbook.evidence.sign import sign_run
from playbook.evidence.signers import add_signer, read_signers
from playbook.evidence.verify import Demands, verify
from playbook.report.html import render_html

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen: apt install openssh-client"),
]


def ssh_keygen(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ssh-keygen", *map(str, words)], input=stdin, capture_output=True, check=False)


@pytest.fixture
def signed(make_sealed: Callable[[Path], RunFolder], home: Path, key: Key) -> RunFolder:
    folder = make_sealed(home)
    sign_run(folder, key)
    add_signer(home / "allowed_signers", "runner", key.public)
    return folder


def documented(folder: RunFolder) -> str:
    """
    The lines that the report gives, as a shell runs them.
    """
    page = render_html(read_run(folder.path)).decode()
    found = re.search(r'<pre id="verify-openssh">(.*?)</pre>', page, re.DOTALL)
    assert found
    return html.unescape(found[1])


def run_documented(folder: RunFolder) -> subprocess.CompletedProcess[str]:
    words = ["sh", "-ec", documented(folder)]
    return subprocess.run(words, cwd=folder.home, capture_output=True, text=True, check=False)


class TestDocumentedCommand:
    """
    What the report says verifies a signed run without Python, and refuses a changed one.
    """

    def test_verifies(self, signed: RunFolder, key: Key) -> None:
        done = run_documented(signed)
        assert done.returncode == 0, done.stderr
        assert (
            done.stdout == f'Good "hardening-playbook" signature for runner with ED25519 key {key.public.fingerprint}\n'
        )

    def test_refuses_a_changed_statement(self, signed: RunFolder) -> None:
        path = signed.path / "statement.json"
        path.write_bytes(path.read_bytes().replace(b'"pass"', b'"fail"'))
        done = run_documented(signed)
        assert done.returncode != 0
        assert "incorrect signature" in done.stdout + done.stderr

    def test_refuses_a_changed_file(self, signed: RunFolder) -> None:
        (signed.path / "report.html").write_text("<p>all passed")
        done = run_documented(signed)
        assert done.returncode != 0
        assert "report.html: FAILED" in done.stdout

    def test_refuses_a_stranger(self, signed: RunFolder, tmp_path: Path) -> None:
        stranger = make_key(tmp_path / "stranger", "runner")
        (signed.home / "allowed_signers").unlink()
        add_signer(signed.home / "allowed_signers", "runner", stranger.public)
        assert run_documented(signed).returncode != 0


class TestBothWays:
    """
    What OpenSSH makes we read, and what we make OpenSSH reads.
    """

    def test_our_signature_is_the_one_it_makes(self, signed: RunFolder, tmp_path: Path) -> None:
        statement = (signed.path / "statement.json").read_bytes()
        key = tmp_path / "configuration/keys/runner"
        done = ssh_keygen("-Y", "sign", "-f", key, "-n", "hardening-playbook", "-", stdin=statement)
        ours = next((signed.path / "signatures").iterdir()).read_bytes()
        assert done.stdout == ours

    def test_its_signature_counts_as_a_second_signer(self, signed: RunFolder, tmp_path: Path) -> None:
        key = tmp_path / "id"
        assert ssh_keygen("-q", "-t", "ed25519", "-N", "", "-f", key).returncode == 0
        statement = (signed.path / "statement.json").read_bytes()
        made = ssh_keygen("-Y", "sign", "-f", key, "-n", "hardening-playbook", "-", stdin=statement)
        (signed.path / "signatures" / "ada.sig").write_bytes(made.stdout)
        add_signer(signed.home / "allowed_signers", "ada@example.org", KeyFile(key).public)
        allowed = read_signers(signed.home / "allowed_signers")
        found = verify(signed.path, demands=Demands(signers=2, allowed=allowed))
        assert found.ok, found.findings
        assert found.signers == ("ada@example.org", "runner")

    def test_its_key_signs_for_us(self, signed: RunFolder, tmp_path: Path) -> None:
        path = tmp_path / "id"
        assert ssh_keygen("-q", "-t", "ed25519", "-N", "", "-f", path).returncode == 0
        sign_run(signed, load_key(KeyFile(path)))
        assert len(verify(signed.path).signatures) == 2

    def test_it_knows_our_keys_fingerprint(self, key: Key, tmp_path: Path) -> None:
        done = ssh_keygen("-l", "-f", tmp_path / "configuration/keys/runner")
        assert key.public.fingerprint in done.stdout.decode()

    def test_signature_of_another_kind_of_key_is_told(self, signed: RunFolder, tmp_path: Path) -> None:
        path = tmp_path / "id"
        assert ssh_keygen("-q", "-t", "ecdsa", "-N", "", "-f", path).returncode == 0
        statement = (signed.path / "statement.json").read_bytes()
        made = ssh_keygen("-Y", "sign", "-f", path, "-n", "hardening-playbook", "-", stdin=statement)
        (signed.path / "signatures" / "ada.sig").write_bytes(made.stdout)
        assert [one.code for one in verify(signed.path).findings] == ["key-type"]

    def test_another_statement_is_not_covered(self, signed: RunFolder, tmp_path: Path) -> None:
        key = tmp_path / "configuration/keys/runner"
        made = ssh_keygen("-Y", "sign", "-f", key, "-n", "hardening-playbook", "-", stdin=pretty({}))
        next((signed.path / "signatures").iterdir()).write_bytes(made.stdout)
        assert "ssh-signature" in {one.code for one in verify(signed.path).findings}
