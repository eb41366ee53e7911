from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from playbook.errors import EvidenceError
from playbook.evidence.folder import RunFolder
from playbook.evidence.index import read_index
from playbook.evidence.keys import Key, load_key, make_key
from playbook.evidence.sign import sign_run
from playbook.evidence.signers import add_signer, read_signers
from playbook.evidence.verify import Demands, Verification, verify

pytestmark = pytest.mark.unit


@pytest.fixture
def run(make_sealed: Callable[[Path], RunFolder], home: Path) -> RunFolder:
    return make_sealed(home)


@pytest.fixture
def ada(tmp_path: Path) -> Key:
    return load_key(make_key(tmp_path / "ada", "ada"))


def judged(run: RunFolder, signers: int, *keys: tuple[str, Key], own: frozenset[str] = frozenset()) -> Verification:
    path = run.home.parent / "allowed"
    path.write_text("")
    for name, key in keys:
        add_signer(path, name, key.public)
    return verify(run.path, demands=Demands(signers=signers, allowed=read_signers(path), own=own))


class TestSigning:
    """
    Signing adds the statement, an envelope and a detached signature, and changes nothing that was sealed.
    """

    def test_signing_twice_changes_nothing(self, run: RunFolder, key: Key) -> None:
        def late() -> dict[str, bytes]:
            return {str(p): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}

        sign_run(run, key)
        before = late()
        sign_run(run, key)
        assert late() == before

    def test_statement_names_every_file_and_what_is_claimed(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        statement = json.loads((run.path / "statement.json").read_bytes())
        names = [one["name"] for one in statement["subject"]]
        listed = [one["path"] for one in json.loads(run.manifest.read_bytes())["files"]]
        assert names == ["manifest.json", *listed]
        assert statement["predicate"]["outcome"] == "pass"
        assert statement["predicate"]["counted"] == {"pass": 2}
        assert statement["predicate"]["commit"] == "c" * 40

    def test_unsealed_run_is_not_signed(self, write_run: Callable[..., RunFolder], book, key: Key) -> None:  # noqa: ANN001
        with pytest.raises(EvidenceError, match="is not sealed"):
            sign_run(write_run(book.whole()), key)

    def test_statement_that_does_not_follow_is_not_signed(self, run: RunFolder, key: Key, ada: Key) -> None:
        sign_run(run, key)
        path = run.path / "statement.json"
        path.write_bytes(path.read_bytes().replace(b'"pass"', b'"fail"'))
        with pytest.raises(EvidenceError, match="does not follow"):
            sign_run(run, ada)

    def test_name_of_a_key_elsewhere_becomes_a_plain_file_name(self, run: RunFolder, key: Key) -> None:
        path = sign_run(run, Key("my key é", key.public, key.private))
        assert path.name == f"my-key---{key.public.short}.sig"
        assert verify(run.path).ok


class TestThreshold:
    """
    Signers are counted, not keys, and only those who are allowed.
    """

    def test_two_signers(self, run: RunFolder, key: Key, ada: Key) -> None:
        for one in (key, ada):
            sign_run(run, one)
        found = judged(run, 2, ("runner", key), ("ada", ada))
        assert found.ok
        assert found.signers == ("ada", "runner")

    def test_two_keys_of_one_signer_are_one(self, run: RunFolder, key: Key, ada: Key) -> None:
        for one in (key, ada):
            sign_run(run, one)
        found = judged(run, 2, ("ada", key), ("ada", ada))
        assert [one.code for one in found.findings] == ["signature-threshold"]

    def test_one_key_under_two_names_is_one(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        assert not judged(run, 2, ("runner", key), ("ada", key)).ok

    def test_stranger_does_not_count_and_is_named(self, run: RunFolder, key: Key, ada: Key) -> None:
        for one in (key, ada):
            sign_run(run, one)
        found = judged(run, 2, ("runner", key))
        assert not found.ok
        assert ada.public.fingerprint in found.sentence

    def test_without_any_allowed_signers_nobody_is(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        found = verify(run.path, demands=Demands(signers=1))
        assert [one.code for one in found.findings] == ["signature-untrusted"]

    def test_envelope_alone_is_enough_for_a_known_key(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key).unlink()
        (run.path / "signatures").rmdir()
        found = judged(run, 1, ("runner", key))
        assert found.ok
        assert found.signatures[0].forms == ("dsse",)

    def test_detached_signature_alone_is_enough(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        (run.path / "statement.dsse.json").unlink()
        assert judged(run, 1, ("runner", key)).signatures[0].forms == ("ssh",)


class TestSentence:
    """
    The sentence says what is guaranteed, by whom, and what not.
    """

    def test_unsigned(self, run: RunFolder) -> None:
        assert "not signed: anyone who can write here" in verify(run.path).sentence

    def test_by_a_stranger(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        assert "whose key that is, it does not say" in verify(run.path).sentence

    def test_by_ones_own_key(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        found = judged(run, 1, ("runner", key), own=frozenset({key.public.fingerprint}))
        assert "whose key lies on this machine" in found.sentence
        assert "whoever holds the key could have made it" in found.sentence

    def test_by_somebody_else(self, run: RunFolder, key: Key) -> None:
        sign_run(run, key)
        sentence = judged(run, 1, ("ci", key)).sentence
        assert f"signed by ci ({key.public.fingerprint})" in sentence
        assert "the signer vouches, not we" in sentence


class TestAnchor:
    """
    A head published elsewhere shows that a run stood there then.
    """

    def test_run_that_stood_there(self, make_sealed: Callable[[Path], RunFolder], home: Path) -> None:
        run = make_sealed(home)
        head = read_index(home).head
        make_sealed(home)
        found = verify(run.path, demands=Demands(anchor=head))
        assert found.ok
        assert "when the given head was published" in found.sentence

    def test_run_that_came_later(self, make_sealed: Callable[[Path], RunFolder], home: Path) -> None:
        make_sealed(home)
        head = read_index(home).head
        later = make_sealed(home)
        assert [one.code for one in verify(later.path, demands=Demands(anchor=head)).findings] == ["anchor-before-run"]

    def test_head_that_never_was(self, run: RunFolder) -> None:
        assert [one.code for one in verify(run.path, demands=Demands(anchor="f" * 64)).findings] == ["anchor-unknown"]
