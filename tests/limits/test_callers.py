from __future__ import annotations

from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.errors import Unavailable
from playbook.limits.callers import Callers, CredentialsFile
from playbook.limits.declaration import Limit

pytestmark = pytest.mark.unit


def limit(key: str) -> Limit:
    return Limit.model_validate(
        {
            "id": "one",
            "path": "/x",
            "json": {"email": "{key}@example.org"},
            "headers": {"Authorization": "Bearer {key}"},
            "key": key,
            "windows": [{"requests": 5, "seconds": 60}],
        }
    )


class TestCallers:
    """A fresh caller shares neither address nor network with any other; a neighbour shares all but the last."""

    @given(st.integers())
    def test_fresh_ones_differ(self, seed: int) -> None:
        callers = Callers(Random(seed))
        made = [ip_address(callers.fresh(limit("ip")).address) for _ in range(50)]
        assert len({ip_network((one, 24), strict=False) for one in made}) == 50
        assert all(one in ip_network("127.0.0.0/8") and one not in ip_network("127.0.0.0/24") for one in made)

    @given(st.integers())
    def test_a_neighbour_is_near_and_not_the_same(self, seed: int) -> None:
        callers = Callers(Random(seed))
        for key in ("ip", "header:X-API-Key", "json:email"):
            one = callers.fresh(limit(key))
            (other,) = callers.neighbours(limit(key), one).values()
            assert int(ip_address(other.address)) - int(ip_address(one.address)) == 1
            assert (one.value != other.value, one.value[:-1] == other.value[:-1]) == (True, True)

    def test_a_key_of_two_parts_has_a_neighbour_in_each(self) -> None:
        class Two:
            def take(self) -> str:
                return "own"

            def take_apart(self, value: str) -> str:
                return f"not {value}"

        callers = Callers(Random(1), Two())
        one = callers.fresh(limit("tenant+ip"))
        beside = callers.neighbours(limit("tenant+ip"), one)
        assert (beside["tenant"].address, beside["tenant"].value) == (one.address, "not own")
        assert (beside["ip"].address != one.address, beside["ip"].value) == (True, "own")

    def test_the_key_goes_where_it_is_declared(self) -> None:
        caller = Callers(Random(1)).fresh(limit("header:X-API-Key"))
        request = caller.request(limit("header:X-API-Key"))
        assert request.headers["X-API-Key"] == caller.value
        assert request.body == {"email": f"{caller.value}@example.org"}

    def test_users_come_from_the_file_and_run_out(self, tmp_path: Path) -> None:
        file = tmp_path / "users"
        file.write_text("ann\n\nbob\n")
        callers = Callers(Random(1), CredentialsFile(file))
        made = [callers.fresh(limit("user")).request(limit("user")).headers["Authorization"] for _ in range(2)]
        assert made == ["Bearer ann", "Bearer bob"]
        with pytest.raises(Unavailable, match="too few users"):
            callers.fresh(limit("user"))

    def test_without_users_limits_by_user_cannot_be_asked(self) -> None:
        with pytest.raises(Unavailable, match="need users"):
            Callers(Random(1)).fresh(limit("tenant"))
