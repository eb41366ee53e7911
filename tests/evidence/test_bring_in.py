from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from playbook.errors import EvidenceError, InputError
from playbook.evidence.bring_in import bring_in
from playbook.evidence.folder import RunFolder, list_runs
from playbook.evidence.index import read_index
from playbook.evidence.keys import Key
from playbook.evidence.sign import sign_run
from playbook.evidence.verify import Demands, verify

pytestmark = pytest.mark.unit


@pytest.fixture
def artifact(make_sealed: Callable[[Path], RunFolder], tmp_path: Path, key: Key) -> Path:
    """
    Two signed runs, with their index, as CI leaves them.
    """
    folder = tmp_path / "ci" / "evidence"
    for _ in range(2):
        sign_run(make_sealed(folder), key)
    return folder


def packed(artifact: Path, how: str) -> Path:
    if how == "folder":
        return artifact
    if how == "run":
        return list_runs(artifact)[0].path
    return Path(shutil.make_archive(str(artifact.parent / "artifact"), how, artifact.parent, "evidence"))


class TestBringingIn:
    """
    Sealed runs come in as they are, once, and stand in the index.
    """

    @pytest.mark.parametrize(("how", "number"), [("folder", 2), ("run", 1), ("zip", 2), ("gztar", 2), ("tar", 2)])
    def test_comes_in(self, artifact: Path, home: Path, how: str, number: int) -> None:
        found = bring_in(packed(artifact, how), home, demands=Demands())
        assert [one.known for one in found] == [False] * number
        assert [one.run_id for one in list_runs(home)] == [one.folder.run_id for one in found]
        for run in list_runs(home):
            verified = verify(run.path, demands=Demands(index=True))
            assert verified.ok, verified.findings
            assert len(verified.signatures) == 1
        assert not [path for path in home.iterdir() if path.name.startswith(".")]

    def test_again_changes_nothing(self, artifact: Path, home: Path) -> None:
        bring_in(artifact, home, demands=Demands())
        head = read_index(home).head
        assert [one.known for one in bring_in(artifact, home, demands=Demands())] == [True, True]
        assert read_index(home).head == head

    def test_beside_runs_of_ones_own(
        self, artifact: Path, home: Path, make_sealed: Callable[[Path], RunFolder]
    ) -> None:
        own = make_sealed(home)
        bring_in(artifact, home, demands=Demands())
        assert len(read_index(home).lines) == 3
        assert verify(own.path, demands=Demands(index=True)).ok


class TestRefusing:
    """
    When one run is not to be believed, none of that source comes in.
    """

    def refused(self, source: Path, home: Path, code: str, demands: Demands | None = None) -> None:
        with pytest.raises(EvidenceError) as refused:
            bring_in(source, home, demands=demands or Demands())
        assert refused.value.code == code
        assert list_runs(home) == []

    def test_changed_run(self, artifact: Path, home: Path) -> None:
        (list_runs(artifact)[1].path / "report.html").write_text("<p>all passed")
        self.refused(artifact, home, "not-verified")

    def test_its_own_index_denies_it(self, artifact: Path, home: Path) -> None:
        path = artifact / "INDEX.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"manifest":"', b'"manifest":"0', 1))
        self.refused(artifact, home, "not-verified")

    def test_unsigned_where_signatures_are_wanted(self, artifact: Path, home: Path) -> None:
        self.refused(artifact, home, "not-verified", Demands(signers=1))

    def test_unsealed_run(self, artifact: Path, home: Path) -> None:
        for run in list_runs(artifact):
            run.manifest.unlink()
        with pytest.raises(InputError, match="no sealed run"):
            bring_in(artifact, home, demands=Demands())

    def test_another_run_of_that_name(self, artifact: Path, home: Path) -> None:
        run = list_runs(artifact)[0]
        shutil.copytree(run.path, home / run.run_id)
        (home / run.run_id / "manifest.json").write_text("{}")
        with pytest.raises(EvidenceError) as refused:
            bring_in(artifact, home, demands=Demands())
        assert refused.value.code == "import-conflict"
        assert len(list_runs(home)) == 1

    def test_link_in_a_folder(self, artifact: Path, home: Path) -> None:
        (list_runs(artifact)[0].path / "attachments" / "x").symlink_to("/etc/passwd")
        self.refused(artifact, home, "not-verified")

    def test_no_archive(self, home: Path, tmp_path: Path) -> None:
        (tmp_path / "x.bin").write_bytes(b"x")
        with pytest.raises(InputError, match="no folder and no archive"):
            bring_in(tmp_path / "x.bin", home, demands=Demands())

    def test_tar_that_leads_out(self, home: Path, tmp_path: Path) -> None:
        path = tmp_path / "evil.tar"
        with tarfile.open(path, "w") as archive:
            entry = tarfile.TarInfo("../../escaped")
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
        self.refused(path, home, "archive")
        assert not (tmp_path / "escaped").exists()

    def test_zip_with_a_link(self, home: Path, tmp_path: Path) -> None:
        path = tmp_path / "evil.zip"
        with zipfile.ZipFile(path, "w") as archive:
            entry = zipfile.ZipInfo("manifest.json")
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
        self.refused(path, home, "archive")
