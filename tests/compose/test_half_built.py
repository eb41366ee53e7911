from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.places import places
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.images import ensure_images, read_images

pytestmark = [pytest.mark.compose, pytest.mark.stack]


@pytest.fixture
def env(tmp_path: Path, engine: Engine) -> Path:
    """A copy of env/ in which one image breaks off half-way; all others are there."""
    ensure_images(engine, places().env)
    env = Path(shutil.copytree(places().env, tmp_path / "env"))
    file = env / "redis" / "Dockerfile"
    steps = file.read_text(encoding="utf-8").replace(
        "LABEL ", "RUN touch /half && echo no further >&2 && exit 7\nLABEL "
    )
    file.write_text(steps, encoding="utf-8")
    return env


class TestHalfBuilt:
    """A build that breaks off says where; nothing of it is taken for an image, and the next one goes through."""

    def test_it_is_said_and_the_next_build_works(self, engine: Engine, env: Path) -> None:
        before = {one["Id"] for one in engine.api.images()}
        with pytest.raises(StackError, match=r"(?s)no further.*exit code: 7"):
            ensure_images(engine, env)
        images, missing = read_images(engine, env)
        assert images is not None
        assert missing == ("redis",)
        assert {one["Id"] for one in engine.api.images()} == before
        assert list(Path(tempfile.gettempdir()).glob("hardening-playbook-build-*")) == []

        file = env / "redis" / "Dockerfile"
        file.write_text(file.read_text(encoding="utf-8").replace(" && exit 7", ""), encoding="utf-8")
        made = ensure_images(engine, env)
        try:
            assert read_images(engine, env)[1] == ()
        finally:
            engine.api.remove_image(made.tags["redis"])
