"""
The process: what it takes to start, what it says of itself.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from knowledge.build import digest_source

from tests.app.postgres_server import Postgres
from tests.app.service_process import APP, App, run_knowledge


@pytest.mark.stack
class TestStart:
    """A setting that cannot be used is refused in one line, without its value."""

    @pytest.mark.parametrize(
        ("env", "message"),
        [
            ({}, "refused: KB_DATABASE_URL: field required\n"),
            (
                {"KB_DATABASE_URL": "s3cret"},
                "refused: KB_DATABASE_URL: is neither a libpq connection string nor a postgresql:// URL\n",
            ),
            (
                {"KB_DATABASE_URL": "dbname=x", "KB_POOL_SIZE": "0"},
                "refused: KB_POOL_SIZE: input should be greater than or equal to 1\n",
            ),
            (
                {"KB_DATABASE_URL": "dbname=x", "KB_TENANT_FROM_TOKEN": "perhaps"},
                "refused: KB_TENANT_FROM_TOKEN: input should be a valid boolean, unable to interpret input\n",
            ),
        ],
    )
    def test_a_bad_setting(self, env: dict[str, str], message: str) -> None:
        done = run_knowledge("serve", "--port", "1", env=env)
        assert (done.returncode, done.stderr) == (78, message)

    def test_migrating_twice_changes_nothing(self, postgres: Postgres) -> None:
        postgres.create_database("twice")
        for _ in range(2):
            env = {"KB_OWNER_DATABASE_URL": postgres.dsn("twice", "kb_owner"), "KB_DATABASE_URL": "dbname=unused"}
            done = run_knowledge("migrate", env=env)
            assert (done.returncode, done.stdout) == (0, "the schema is at revision 0001\n")

    def test_migrating_a_database_that_is_down(self) -> None:
        done = run_knowledge("migrate", env={"KB_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"})
        assert done.returncode == 69
        assert done.stderr.startswith("refused: KB_OWNER_DATABASE_URL: cannot be used: ")


class TestSourceDigest:
    """The digest follows the code that runs: any edit of any file, and nothing else."""

    @pytest.mark.stack
    def test_the_running_service_tells_the_digest_of_this_checkout(self, found_app: App) -> None:
        assert found_app.http.get("/version").json()["source"] == digest_source(APP / "knowledge")

    @pytest.mark.unit
    def test_an_edited_copy_has_another_digest_and_a_plain_copy_the_same(self, tmp_path: Path) -> None:
        copy = tmp_path / "ein Ort" / "knowledge"
        shutil.copytree(APP / "knowledge", copy, ignore=shutil.ignore_patterns("__pycache__"))
        assert digest_source(copy) == digest_source(APP / "knowledge")
        (copy / "api" / "paging.py").open("a").write("\n")
        assert digest_source(copy) != digest_source(APP / "knowledge")
