from __future__ import annotations

import pytest

from playbook.postgres.connect import connect

pytestmark = pytest.mark.stack


class TestServer:
    """A disposable server is quick, asks for a password and listens nowhere but on loopback."""

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("listen_addresses", "127.0.0.1"),
            ("unix_socket_directories", ""),
            ("fsync", "off"),
            ("synchronous_commit", "on"),
            ("data_checksums", "on"),
            ("server_encoding", "UTF8"),
            ("TimeZone", "UTC"),
        ],
    )
    def test_setting(self, server: str, setting: str, value: str) -> None:
        with connect(server, "superuser") as connection:
            assert connection.execute("SELECT current_setting(%s)", (setting,)).fetchone() == (value,)

    def test_only_passwords_count(self, server: str) -> None:
        with connect(server, "superuser") as connection:
            rows = connection.execute("SELECT DISTINCT auth_method, address FROM pg_hba_file_rules").fetchall()
        assert rows == [("scram-sha-256", "127.0.0.1")]

    def test_letters_beyond_ascii_have_case(self, server: str) -> None:
        with connect(server, "superuser") as connection:
            assert connection.execute("SELECT lower('ÄÖÜ') = 'äöü', 'Ж' ILIKE 'ж'").fetchone() == (True, True)
