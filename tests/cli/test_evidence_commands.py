from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from playbook.cli.root import _exit_code
from playbook.errors import InputError
from playbook.evidence.checkout import Checkout
from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import CheckDone, PhaseEnded, PhasePlan, PhaseStarted, RunEnded, RunStarted
from playbook.evidence.folder import RunFolder, create_run
from playbook.evidence.keys import configuration_folder, find_key, load_key
from playbook.evidence.log import EventLog
from playbook.evidence.redact import Redactor
from playbook.evidence.result import CheckResult
from playbook.evidence.run import read_run
from playbook.evidence.seal import seal
from playbook.evidence.sign import sign_run
from playbook.run.again import ask_again
from playbook.run.phases import PHASES, registry

pytestmark = pytest.mark.unit

NOW = datetime.now(UTC)
CHECKS = ("rls.read.own-only", "rls.insert.denied")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYBOOK_CONFIG", str(tmp_path / "configuration"))
    monkeypatch.setenv("PLAYBOOK_EVIDENCE", str(tmp_path / "evidence"))
    for name in ("PLAYBOOK_KEY", "PLAYBOOK_ALLOWED_SIGNERS", "PLAYBOOK_KEY_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "evidence"


def sealed(home: Path, *, days_ago: float = 0, fails: tuple[str, ...] = (), **start: Any) -> RunFolder:
    """
    A sealed run with every phase, in which the checks of `fails` fail.
    """
    moment = NOW - timedelta(days=days_ago, minutes=5)
    folder = create_run(home, "reference", now=moment, token=secrets.token_hex)
    plans = tuple(PhasePlan(id=phase.id, notebook=phase.notebook) for phase in PHASES)
    checkout = Checkout(
        commit="c" * 40,
        dirty=False,
        sources_sha256="a" * 64,
        files=3,
        lock_sha256="b" * 64,
        python="CPython 3.11.7",
        packages={},
        platform="Linux",
    )
    fields: dict[str, Any] = {
        "run_id": folder.run_id, "scenario": "reference", "runner": "playbook", "profile": "quarterly", "pid": 1,
        "started": moment, "actor": "ada", "seed": 1, "target": "reference", "phases": plans, "checkout": checkout,
        "parameters": {"stack": "local", "without": []},
    }  # fmt: skip
    with EventLog(folder.events, clock=lambda: moment + timedelta(minutes=1), hold=True) as log:
        emitter = DirectEmitter(log, Redactor())
        emitter.emit(RunStarted.model_validate(fields | start))
        for plan in plans:
            parameters = {"scenario": "reference", "rounds": 3, "deep": True}
            emitter.emit(PhaseStarted(plan=plan, parameters=parameters))
            for check in CHECKS if plan.id == "30" else ():
                red = check in fails
                result = CheckResult(
                    id=check, title=check, phase="30", state="hardened", expected=0, actual=int(red),
                    outcome="fail" if red else "pass", started=moment, duration_s=0.5,
                )  # fmt: skip
                emitter.emit(CheckDone(result=result))
            emitter.emit(PhaseEnded(phase=plan.id, outcome="pass"))
        emitter.emit(RunEnded())
        seal(folder, log=log)
    return folder


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, Any]]]:
    def ask(*words: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = _exit_code([*map(str, words), "--json"])
        document = json.loads(capsys.readouterr().out)
        assert (document["schema"], document["exit_code"]) == ("hardening-playbook/cli/1", code)
        assert document["command"] == words[0]
        return code, document

    return ask


def text_of(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    capsys.readouterr()
    code = _exit_code([*map(str, words)])
    return code, capsys.readouterr().out


class TestKeys:
    """A key is made once, listed, and its public half allowed."""

    def test_new_then_list(self, answer: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        code, text = text_of(capsys, "keys", "new")
        assert code == 0
        assert "only your own key" in text
        assert "PRIVATE" not in text
        _, document = answer("keys", "list")
        assert [one["name"] for one in document["keys"]] == ["runner"]
        assert document["keys"][0]["key"] in text
        assert (tmp_path / "configuration/allowed_signers").read_text().startswith("runner namespaces=")

    def test_none(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "there is no key" in text_of(capsys, "keys", "list")[1]

    def test_second_of_that_name(self, answer: Any) -> None:
        assert answer("keys", "new")[0] == 0
        assert answer("keys", "new")[0] == 2

    def test_if_missing(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "made the key" in text_of(capsys, "keys", "new", "--if-missing")[1]
        assert text_of(capsys, "keys", "new", "--if-missing") == (0, "")


class TestVerify:
    """What is demanded must be there, else exit 4."""

    def sign(self, folder: RunFolder, tmp_path: Path, name: str = "runner") -> None:
        assert _exit_code(["keys", "new", name]) == 0
        file = find_key(configuration_folder({"PLAYBOOK_CONFIG": str(tmp_path / "configuration")}), {}, name=name)
        assert file is not None
        sign_run(folder, load_key(file))

    def test_unsigned(self, home: Path, answer: Any) -> None:
        sealed(home)
        assert answer("verify", "latest")[0] == 0
        code, document = answer("verify", "latest", "--require-signature")
        assert (code, [one["code"] for one in document["findings"]]) == (4, ["signature-missing"])

    def test_signed_by_ones_own_key(self, home: Path, answer: Any, tmp_path: Path) -> None:
        self.sign(sealed(home), tmp_path)
        code, document = answer("verify", "latest", "--require-signature", "--require-index")
        assert code == 0
        assert document["signatures"][0]["signer"] == "runner"
        assert "whose key lies on this machine" in document["sentence"]

    def test_countersigned(self, home: Path, answer: Any, tmp_path: Path) -> None:
        self.sign(sealed(home), tmp_path)
        assert answer("verify", "latest", "--threshold", 2)[0] == 4
        assert _exit_code(["keys", "new", "ada"]) == 0
        code, document = answer("countersign", "latest", "--key", "ada")
        assert (code, document["signer"]) == (0, "ada")
        assert answer("verify", "latest", "--threshold", 2)[0] == 0

    def test_allowed_signers_of_somebody_else(self, home: Path, answer: Any, tmp_path: Path) -> None:
        self.sign(sealed(home), tmp_path)
        (tmp_path / "theirs").write_text("# nobody\n")
        code, document = answer("verify", "latest", "--require-signature", "--allowed-signers", tmp_path / "theirs")
        assert (code, document["findings"][0]["code"]) == (4, "signature-untrusted")

    def test_countersigning_what_does_not_verify(self, home: Path, answer: Any) -> None:
        folder = sealed(home)
        assert _exit_code(["keys", "new"]) == 0
        (folder.path / "note.txt").write_text("x")
        assert answer("countersign", "latest")[0] == 4
        assert not (folder.path / "statement.json").exists()

    def test_countersigning_without_a_key(self, home: Path, answer: Any) -> None:
        sealed(home)
        code, document = answer("countersign", "latest")
        assert code == 2
        assert "keys new" in document["error"]["hint"]

    def test_anchor(self, home: Path, answer: Any) -> None:
        first = sealed(home, days_ago=1)
        head = answer("verify", first.run_id)[1]["index_head"]
        sealed(home)
        assert answer("verify", first.run_id, "--anchor", head)[0] == 0
        assert answer("verify", "latest", "--anchor", head)[0] == 4
        assert answer("verify", "latest", "--anchor", "abc")[0] == 2


class TestReport:
    """The report's files go where they were asked for, or the command says why not."""

    def test_writes_beside_the_run(self, home: Path, tmp_path: Path, answer: Any) -> None:
        sealed(home)
        code, document = answer("report", "latest", "--out", tmp_path / "new" / "report")
        assert (code, {Path(one).name for one in document["written"]}) == (
            0,
            {"report.html", "checks.csv", "junit.xml"},
        )
        assert all(Path(one).stat().st_size for one in document["written"])

    @pytest.mark.parametrize("below", [".", "foo", "foo/bar", "attachments"])
    def test_a_sealed_run_is_never_written_to(self, home: Path, answer: Any, below: str) -> None:
        folder = sealed(home)
        code, document = answer("report", "latest", "--out", folder.path / below)
        assert (code, "is inside the run" in document["error"]["message"]) == (2, True)
        assert answer("verify", "latest")[0] == 0

    def test_a_run_elsewhere_is_not_written_to_through_a_link(self, home: Path, tmp_path: Path, answer: Any) -> None:
        sealed(home)
        copy = tmp_path / "copy"
        shutil.copytree(sealed(home, days_ago=1).path, copy)
        (tmp_path / "link").symlink_to(copy)
        assert answer("report", "latest", "--out", tmp_path / "link" / "foo")[0] == 2
        assert not (copy / "foo").exists()
        assert answer("due", "--ics", tmp_path / "link" / "drills.ics")[0] == 2
        assert not (copy / "drills.ics").exists()

    def test_a_place_that_cannot_be_written_to_is_told(self, home: Path, answer: Any) -> None:
        sealed(home)
        code, document = answer("report", "latest", "--out", "/dev/null/x")
        assert (code, "--out /dev/null/x: cannot be written" in document["error"]["message"]) == (2, True)


class TestCompare:
    """The difference decides: exit 1 on regression."""

    def test_regression_and_back(self, home: Path, answer: Any) -> None:
        before, after = sealed(home, days_ago=1), sealed(home, fails=(CHECKS[1],))
        code, document = answer("compare", before.run_id, "latest")
        assert (code, document["outcome"], document["regression"]) == (1, "fail", True)
        assert [one["check"] for one in document["new_fails"]] == [CHECKS[1]]
        assert [one["id"] for one in document["checks"]] == [CHECKS[1]]
        assert document["a"] == {"id": before.run_id, "outcome": "pass"}
        code, document = answer("compare", after.run_id, before.run_id)
        assert (code, [one["check"] for one in document["mended"]]) == (0, [CHECKS[1]])

    def test_same_phases(self, home: Path, answer: Any) -> None:
        before, after = sealed(home, days_ago=1), sealed(home)
        code, document = answer("compare", before.run_id, after.run_id)
        assert (code, document["only_a"], document["only_b"]) == (0, [], [])
        assert document["compared"]

    def test_runs_that_do_not_verify_are_not_compared(self, home: Path, answer: Any) -> None:
        before, after = sealed(home, days_ago=1), sealed(home)
        (after.path / "note.txt").write_text("x")
        assert answer("compare", before.run_id, after.run_id)[0] == 4


class TestHistory:
    """Every run is there, verified, with each check's line."""

    def test_lines(self, home: Path, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
        sealed(home, days_ago=2)
        sealed(home, days_ago=1, fails=(CHECKS[0],))
        changed = sealed(home)
        (changed.path / "note.txt").write_text("x")
        _, document = answer("history")
        assert [one["outcome"] for one in document["runs"]] == ["pass", "fail", "pass"]
        assert [one["refused"] for one in document["runs"]] == [None, None, "it does not verify: file-extra"]
        assert document["lines"][1]["outcomes"] == ["pass", "fail", "pass"]
        text = text_of(capsys, "history", CHECKS[0])[1]
        assert "✔✖✔" in text
        assert CHECKS[1] not in text
        assert document["index_head"] in text

    def test_empty(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "there is no run" in text_of(capsys, "history")[1]

    def test_a_check_is_known_from_a_run_or_from_this_version(self, home: Path, answer: Any) -> None:
        sealed(home)
        today = "health.ready.database-down"
        with pytest.raises(InputError):
            registry().check(CHECKS[0])
        assert [(answer("history", name)[0]) for name in (CHECKS[0], today)] == [0, 0]
        code, document = answer("history", CHECKS[0], "rls.read.nope")
        assert (code, document["error"]["message"]) == (2, "check 'rls.read.nope' is unknown")


class TestDue:
    """Overdue is exit 1; the calendar is written on demand."""

    def test_held_today(self, home: Path, answer: Any, tmp_path: Path) -> None:
        sealed(home)
        code, document = answer("due", "reference", "--ics", tmp_path / "drills.ics")
        assert code == 0
        assert [one["overdue"] for one in document["due"]] == [False, False, False]
        assert (tmp_path / "drills.ics").read_bytes().count(b"BEGIN:VEVENT") == 3

    def test_held_long_ago(self, home: Path, answer: Any) -> None:
        sealed(home, days_ago=40)
        code, document = answer("due", "reference")
        assert code == 1
        assert [one["overdue"] for one in document["due"]] == [True, True, False]

    def test_never(self, answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
        assert answer("due", "reference")[0] == 1
        assert "never" in text_of(capsys, "due", "reference")[1]

    def test_signed_where_the_scenario_asks(self, home: Path, answer: Any, tmp_path: Path) -> None:
        run = sealed(home)
        scenario = tmp_path / "signed.yaml"
        scenario.write_text("version: 1\nname: reference\nsignatures: 1\n")
        code, document = answer("due", scenario)
        assert (code, document["due"][0]["ignored"][0]["reason"]) == (1, "it has 0 of 1 signers")
        assert _exit_code(["keys", "new"]) == 0
        assert _exit_code(["countersign", run.run_id]) == 0
        assert answer("due", scenario)[0] == 0

    def test_waivers_are_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        scenario = tmp_path / "waived.yaml"
        waiver = f"{{check: {CHECKS[0]}, owner: Ada, reason: known, expires: 2020-01-01}}"
        scenario.write_text(f"version: 1\nname: reference\nwaivers: [{waiver}]\n")
        assert f"waiver of {CHECKS[0]} by Ada ended on 2020-01-01" in text_of(capsys, "due", scenario)[1]


class TestImport:
    """Runs from elsewhere come into the history, or nothing does."""

    def test_comes_in(self, home: Path, answer: Any, tmp_path: Path) -> None:
        run = sealed(tmp_path / "ci")
        code, document = answer("import", tmp_path / "ci")
        assert (code, document["runs"][0]["id"], document["runs"][0]["known"]) == (0, run.run_id, False)
        assert answer("verify", run.run_id, "--require-index")[0] == 0
        assert answer("import", tmp_path / "ci")[1]["runs"][0]["known"]

    def test_refused(self, home: Path, answer: Any, tmp_path: Path) -> None:
        (sealed(tmp_path / "ci").path / "note.txt").write_text("x")
        assert answer("import", tmp_path / "ci")[0] == 4
        assert answer("history")[1]["runs"] == []


class TestRerun:
    """A run is held again as it was asked for."""

    def test_asks_for_the_same(self, home: Path) -> None:
        parameters = {"stack": "local", "without": ["tenant_from_token"]}
        run = sealed(home, seed=7, profile="standard", parameters=parameters)
        asked = ask_again(read_run(run.path).record)
        assert (asked.scenario, asked.seed, asked.profile, asked.stack) == ("reference", 7, "standard", "local")
        assert (asked.without, asked.phases) == (("tenant_from_token",), tuple(phase.id for phase in PHASES))
        assert asked.parameters == {"rounds": "3", "deep": "true"}
