from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from playbook.errors import InputError
from playbook.stack.source import ServiceSource

pytestmark = pytest.mark.unit

SOURCE = ServiceSource(
    folder=Path("/srv/an app"),
    serve=("{python}", "-m", "app", "--port", "{port}"),
    migrate=("true",),
    seed=(),
    env_prefix="AP_",
    switches={"least_privilege_role": "x", "other": "y"},
)


class TestServiceSource:
    """A service is words to start it, and names to switch it."""

    def test_words_are_filled(self) -> None:
        assert SOURCE.words(SOURCE.serve, port=77) == (sys.executable, "-m", "app", "--port", "77")

    def test_variables(self) -> None:
        assert SOURCE.variable("jwt_secret") == "AP_JWT_SECRET"

    def test_app_role_follows_its_switch(self) -> None:
        assert SOURCE.uses_app_role({"least_privilege_role": True})
        assert not SOURCE.uses_app_role({"other": True})

    def test_unknown_switch(self) -> None:
        with pytest.raises(InputError, match="no switch a, b"):
            SOURCE.checked(["b", "other", "a"])

    def test_it_survives_the_state_file(self) -> None:
        adapter = TypeAdapter(ServiceSource)
        assert adapter.validate_json(adapter.dump_json(SOURCE)) == SOURCE

    def test_unknown_field_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            TypeAdapter(ServiceSource).validate_python({"folder": "/", "serv": ()})
