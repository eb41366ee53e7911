from __future__ import annotations

import sys
from pathlib import Path

import pytest

from playbook.errors import InputError
from playbook.limits import read_declaration
from playbook.limits.declaration import Declaration
from playbook.places import places
from tests.app.service_process import APP

pytestmark = pytest.mark.unit

FILES = sorted((places().data / "limits").glob("*.yaml"))
ONE = "limits:\n  - {id: login, path: /login, key: ip, windows: [{requests: 5, seconds: 60}]}\n"


def read(tmp_path: Path, text: str) -> Declaration:
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    return read_declaration(file)


class TestForm:
    """A declaration says what is limited; a mistake is told with its line."""

    def test_the_smallest(self, tmp_path: Path) -> None:
        limit = read(tmp_path, ONE).limits[0]
        assert (limit.method, limit.binding.requests, limit.applies("GET", "/login")) == ("GET", 5, True)

    def test_the_form_of_issue_ten(self, tmp_path: Path) -> None:
        declaration = read(
            tmp_path,
            """\
limits:
  - {id: login, method: POST, path: /login, json: {email: "{key}@example.org", password: wrong}, key: ip,
     windows: [{requests: 5, seconds: 60}], counted_status: [200, 401]}
  - {id: read, method: GET, path: /items, key: "header:X-API-Key", windows: [{requests: 100, seconds: 60}]}
exempt: [/health]
trusted_proxies: []
store: {kind: redis, url: "redis://127.0.0.1:1", when_down: closed, disposable: true}
""",
        )
        assert [limit.admits(status) for limit in declaration.limits for status in (200, 401, 404, 429, 500)] == [
            True, True, False, False, False, True, True, True, False, False,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (ONE.replace("key: ip", "key: address"), "limits.yaml:2: field 'limits.0.key'"),
            (ONE.replace("path: /login", "path: login"), "a path begins with /"),
            (ONE.replace("requests: 5", "request: 5"), "unknown field 'limits.0.windows.0.request'"),
            (ONE.replace("requests: 5", "requests: 0"), "greater than or equal to 1"),
            (ONE + ONE.removeprefix("limits:\n"), "'login' stands twice"),
            (ONE + "exempted: [/health]\n", "did you mean 'exempt'?"),
            (ONE + "store: {url: 'redis://10.0.0.1:6379', disposable: true}\n", "only a store on loopback"),
            ("limits: []\n", "at least 1 item"),
        ],
    )
    def test_a_mistake_is_told(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(InputError, match=r"limits\.yaml:") as seen:
            read(tmp_path, text)
        assert words in str(seen.value)

    def test_covers_by_method_and_pattern(self, tmp_path: Path) -> None:
        limit = read(tmp_path, ONE.replace("key: ip", 'key: ip, covers: ["GET /*", "* /a"]')).limits[0]
        assert [limit.applies(*one) for one in (("GET", "/x/y"), ("POST", "/a"), ("POST", "/x"))] == [True, True, False]


class TestPlans:
    """The limits of the five plans ship, and the service reads each file as the prober does."""

    def test_there_is_one_file_per_plan(self) -> None:
        assert [file.stem for file in FILES] == ["plan-a", "plan-b", "plan-c", "plan-d", "plan-e", "reference"]

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    @pytest.mark.parametrize("factor", [1.0, 1 / 60, 1 / 1800])
    def test_service_and_prober_agree(self, file: Path, factor: float) -> None:
        sys.path.insert(0, str(APP))
        from knowledge.rate_limits.declared import read_declared  # noqa: PLC0415

        ours, theirs = read_declaration(file).scaled(factor), read_declared(file).scaled(factor)
        assert [(one.id, {(w.requests, w.seconds) for w in one.windows}) for one in ours.limits] == [
            (one.id, {(w.requests, w.seconds) for w in one.windows}) for one in theirs.limits
        ]
        routes = [(m, p) for m in ("GET", "POST", "DELETE") for p in ("/", "/questions", "/documents/7", "/health")]
        assert [[one.applies(*r) for r in routes] for one in ours.limits] == [
            [one.applies(*r) for r in routes] for one in theirs.limits
        ]
        assert (ours.exempt, ours.trusted_proxies) == (theirs.exempt, theirs.trusted_proxies)

    def test_the_plans_numbers_are_there(self) -> None:
        seen = {
            (limit.id, window.requests, window.seconds)
            for file in FILES
            for limit in read_declaration(file).limits
            for window in limit.windows
        }
        assert {
            ("login", 5, 60), ("login", 20, 3600), ("register", 3, 60), ("register", 10, 3600), ("refresh", 10, 60),
            ("refresh", 50, 3600), ("webhook", 100, 60), ("checkout", 5, 60), ("checkout", 20, 3600),
            ("portal", 10, 60), ("portal", 50, 3600), ("subscription", 30, 60), ("subscription", 300, 3600),
            ("trial", 3, 3600), ("health", 300, 60), ("version", 100, 60), ("strict", 5, 60), ("moderate", 20, 60),
            ("relaxed", 60, 60), ("address", 100, 900), ("auth", 5, 900), ("ai", 10, 3600), ("read", 100, 60),
            ("write", 20, 60), ("api", 10, 1), ("api", 60, 60), ("api", 1000, 3600),
        } <= seen  # fmt: skip
