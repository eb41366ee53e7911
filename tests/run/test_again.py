from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from playbook.evidence.keys import make_key
from playbook.evidence.signers import add_signer
from tests.run.conftest import Done, playbook

pytestmark = pytest.mark.notebook

Run = Callable[..., Done]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Run:
    """
    Run the command line of somebody whose key has a passphrase.
    """
    configuration = tmp_path_factory.mktemp("configuration")
    made = make_key(configuration, "runner", passphrase="open sesame")
    add_signer(configuration / "allowed_signers", "runner", made.public)

    def run(*argv: str, **environ: str) -> Done:
        return playbook(home, *argv, PLAYBOOK_CONFIG=str(configuration), **environ)

    return run


@pytest.fixture(scope="module")
def twice(locked: Run) -> tuple[Done, Done]:
    """
    One short run, and the same again.
    """
    known = {"PLAYBOOK_KEY_PASSPHRASE": "open sesame"}
    return locked("run", "--phase", "00", "--json", **known), locked("rerun", "latest", "--json", **known)


class TestRerun:
    """A run is held again as it was asked for, and what changed is told."""

    def test_both_pass(self, twice: tuple[Done, Done]) -> None:
        assert [done.exit_code for done in twice] == [0, 0], twice

    def test_the_same_is_asked(self, twice: tuple[Done, Done], locked: Run) -> None:
        first, second = (done.json["runs"][0]["path"] for done in twice)
        assert first != second
        compared = locked("compare", "latest~1", "latest")
        assert compared.exit_code == 0, compared.stdout
        assert "asked for differently" not in compared.stdout

    def test_one_hardening_left_out_is_named(self, twice: tuple[Done, Done], locked: Run) -> None:
        del twice
        environ = {"PLAYBOOK_KEY_PASSPHRASE": "open sesame"}
        assert locked("run", "--phase", "10", **environ).exit_code == 0
        assert locked("run", "--phase", "10", "--without", "secret_required", **environ).exit_code == 1
        compared = locked("compare", "latest~1", "latest", "--json")
        assert compared.exit_code == 1
        assert {(c["check"], c["subject"]) for c in compared.json["new_fails"]} == {
            ("config.secret.refused", kind) for kind in ("missing", "default", "short")
        }


class TestLockedKey:
    """A key with a passphrase signs when it is opened, and stops a run before it begins when it is not."""

    def test_it_signs(self, twice: tuple[Done, Done], locked: Run) -> None:
        path = twice[0].json["runs"][0]["path"]
        verified = locked("verify", path, "--require-signature")
        assert verified.exit_code == 0, verified.stdout

    @pytest.mark.parametrize("environ", [{}, {"PLAYBOOK_KEY_PASSPHRASE": "wrong"}], ids=["none", "wrong"])
    def test_a_passphrase_that_does_not_open_it(self, locked: Run, home: Path, environ: dict[str, str]) -> None:
        before = sorted(home.iterdir())
        refused = locked("run", "--phase", "00", **environ)
        assert refused.exit_code == 2
        assert "passphrase" in refused.stderr
        assert sorted(home.iterdir()) == before
