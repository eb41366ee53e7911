from __future__ import annotations

import base64
import html
import json
import secrets as random
import string
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.evidence.redact import MARK, Redactor

pytestmark = pytest.mark.unit

few = settings(max_examples=40, deadline=None)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=24).filter(
    lambda secret: secret not in MARK and MARK not in secret
)
AROUND = st.text(string.ascii_lowercase + " \n\"'/=&:", max_size=12)
FORMS = {
    "plain": lambda s: s,
    "url": lambda s: quote(s, safe=""),
    "form": quote_plus,
    "json": lambda s: json.dumps(s)[1:-1],
    "json, unicode": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "html": html.escape,
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, url": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
}


class TestKnownSecrets:
    """
    A known secret is found in every form it travels in.
    """

    @pytest.mark.parametrize("form", FORMS)
    @few
    @given(secret=SECRETS, before=AROUND, after=AROUND)
    def test_no_form_survives(self, form: str, secret: str, before: str, after: str) -> None:
        written = FORMS[form](secret)
        assert written not in Redactor([secret]).text(before + " " + written + " " + after)

    @few
    @given(secret=SECRETS, prefix=st.binary(max_size=5), suffix=st.binary(max_size=5))
    def test_found_within_base64_of_more(self, secret: str, prefix: bytes, suffix: bytes) -> None:
        text = base64.b64encode(prefix + secret.encode() + suffix).decode()
        clean = Redactor([secret]).text(text)
        assert MARK in clean
        assert len(clean.replace(MARK, "")) <= len(prefix + suffix) * 4 / 3 + 6

    @few
    @given(secret=SECRETS, text=st.text(max_size=60))
    def test_doing_it_twice_changes_nothing(self, secret: str, text: str) -> None:
        redactor = Redactor([secret])
        once = redactor.text(f"{text}{secret} password={secret}; {text}")
        assert redactor.text(once) == once

    def test_keys_numbers_and_depth(self) -> None:
        redactor = Redactor(["31415926", "deep-secret"])
        assert redactor.value({"deep-secret": [{"a": 31415926}, True, None]}) == {MARK: [{"a": MARK}, True, None]}

    def test_secrets_may_come_later(self) -> None:
        redactor = Redactor()
        assert redactor.text("tulip-4711") == "tulip-4711"
        redactor.add(["tulip-4711"])
        assert redactor.text("tulip-4711") == MARK

    def test_longer_secret_wins(self) -> None:
        assert Redactor(["abcdef", "abcdefgh"]).text("abcdefgh") == MARK

    def test_short_ones_are_left_out_and_counted(self) -> None:
        redactor = Redactor(["abc", "redacted"])
        assert (redactor.text("abc"), redactor.too_short) == ("abc", 1)


class TestPatterns:
    """
    What looks like a secret goes, although nobody named it; what does not, stays.
    """

    @pytest.mark.parametrize(
        ("text", "gone"),
        [
            ("postgresql://app:s%40lt@127.0.0.1:5432/db", "s%40lt"),
            ("host=h password='two words' dbname=d", "two words"),
            ("PGPASSWORD=tulip psql", "tulip"),
            ("?user=a&password=tulip&x=1", "tulip"),
            ("CREATE ROLE app PASSWORD 'tulip'", "tulip"),
            ('{"password": "tu\\"lip"}', "lip"),
            ('"{\\"password\\": \\"tulip\\"}"', "tulip"),
            ("Authorization: Bearer abcdef", "abcdef"),
            ("authorization: Basic dTpw", "dTpw"),
            ("bearer abcdefghijklmnopqrst", "abcdefghijklmnopqrst"),
            ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl end", "eyJzdWIiOiIx"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----\ncut off", "cut off"),
        ],
    )
    def test_goes(self, text: str, gone: str) -> None:
        clean = Redactor().text(text)
        assert gone not in clean
        assert MARK in clean

    @pytest.mark.parametrize(
        "text",
        [
            "http://127.0.0.1:8080/health",
            "the password is too short",
            "secret_required=True",
            "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::bigint)",
            "-----BEGIN PUBLIC KEY-----",
            "ada@example.org",
            "password == other",
        ],
    )
    def test_stays(self, text: str) -> None:
        assert Redactor().text(text) == text

    def test_value_under_a_telling_key_goes(self) -> None:
        assert Redactor().value({"api_key": "x1", "DB_PASSWORD": "y2", "keys": 2}) == {
            "api_key": MARK,
            "DB_PASSWORD": MARK,
            "keys": 2,
        }


class TestContent:
    """
    Files stay what they are.
    """

    def test_notebook_stays_json_and_a_key_over_several_lines_goes(self) -> None:
        lines = ["-----BEGIN PRIVATE KEY-----\n", "MIIEvQ\n", "-----END PRIVATE KEY-----\n", "done"]
        data = json.dumps({"cells": [{"source": lines}], "n": 'password="x y"\n'}).encode()
        clean = Redactor().content(data, name="30_x.ipynb")
        assert b"MIIEvQ" not in clean
        assert json.loads(clean)["cells"][0]["source"] == f"{MARK}\ndone"

    def test_clean_json_is_not_touched(self) -> None:
        data = b'{ "a":1.50 }'
        assert Redactor(["unrelated"]).content(data, name="a.json") is data

    def test_binary_content_is_searched_bytewise(self) -> None:
        secret = random.token_hex(8) + "ü"
        data = b"\x89PNG\xff" + secret.encode() + b"\xff" + secret.encode("utf-16-le") + b"\xfe"
        assert Redactor([secret]).content(data, name="a.png") == b"\x89PNG\xff[redacted]\xff[redacted]\xfe"
