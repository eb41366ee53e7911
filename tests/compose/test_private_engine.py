"""An engine of the tests' own, in a network of its own that has four ports to give away."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from playbook.errors import StackError
from playbook.places import places
from playbook.stack.compose.cli import compose
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.images import read_images

pytestmark = [pytest.mark.compose, pytest.mark.stack]
START = """
ip link set lo up
echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range
exec dockerd --host "unix://$1/socket" --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" --iptables=false
"""
PROJECT = """
services:
  one:
    image: ${IMAGE}
    command: [sleep, "60"]
    init: true
    ports: ["127.0.0.1::80"]
    stop_grace_period: 0s
"""


@pytest.fixture
def private(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The image of that engine; DOCKER_HOST leads to it."""
    if os.getuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("only root can start an engine of its own")
    images, _ = read_images(engine, places().env)
    assert images is not None
    saved = subprocess.run(["docker", "save", images.base], stdout=subprocess.PIPE, check=True).stdout
    words = ["unshare", "--net", "sh", "-euc", START, "sh", str(tmp_path)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/socket")
            end = time.monotonic() + 30
            while subprocess.run(["docker", "version"], capture_output=True, check=False).returncode != 0:
                assert process.poll() is None, (tmp_path / "log").read_text()[-2000:]
                assert time.monotonic() < end, (tmp_path / "log").read_text()[-2000:]
                time.sleep(0.2)
            subprocess.run(["docker", "load"], input=saved, capture_output=True, check=True)
            yield images.base
        finally:
            process.terminate()
            process.wait(timeout=30)


class TestPorts:
    """When there is no port left to publish on, that is said, and what to do."""

    @pytest.mark.soak
    def test_none_is_left(self, private: str, tmp_path: Path) -> None:
        file = tmp_path / "compose.yaml"
        file.write_text(PROJECT, encoding="utf-8")
        variables = {"IMAGE": private}
        try:
            with pytest.raises(StackError, match="ports") as caught:
                compose([file], ["up", "--detach", "--pull", "never", "--scale", "one=5"], variables=variables)
            assert "ip_local_port_range" in caught.value.hint
        finally:
            compose([file], ["down", "-t", "0"], variables=variables)
