from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook.errors import InputError
from playbook.run.parameters import Value, parse_assignment, parse_parameters, read_declared

pytestmark = pytest.mark.unit

DECLARED: dict[str, Value] = {"seed": 1, "rate": 1.5, "profile": "quick", "deep": False, "without": []}


def notebook(path: Path, *cells: tuple[str, list[str]]) -> Path:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(text, metadata={"tags": tags}) for text, tags in cells]
    nbformat.write(made, path)
    return path


class TestDeclared:
    """A notebook's own cell says what it takes."""

    def test_reads_names_and_defaults(self, tmp_path: Path) -> None:
        path = notebook(tmp_path / "n.ipynb", ('a: int = 1  # one\nb: str = "x"  # two', ["parameters"]))
        assert read_declared(path) == {"a": 1, "b": "x"}

    def test_no_cell_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="0 cells are tagged"):
            read_declared(notebook(tmp_path / "n.ipynb", ("a: int = 1", [])))

    def test_untyped_line_is_refused_with_its_number(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="line 2"):
            read_declared(notebook(tmp_path / "n.ipynb", ("a: int = 1\nb = 2", ["parameters"])))


class TestParsed:
    """Values are checked before any kernel starts."""

    def test_gives_all_effective_values(self) -> None:
        assert parse_parameters(DECLARED, {"seed": "7"}, origin="t") == {**DECLARED, "seed": 7}

    @pytest.mark.parametrize(("name", "value"), [("seed", "two"), ("seed", "-1"), ("profile", "fast"), ("rate", "x")])
    def test_wrong_type_names_field_and_value(self, name: str, value: str) -> None:
        with pytest.raises(InputError) as caught:
            parse_parameters(DECLARED, {name: value}, origin="phase 10")
        assert name in caught.value.message
        assert repr(value) in caught.value.message

    def test_unknown_name_is_refused_with_a_guess(self) -> None:
        with pytest.raises(InputError, match="did you mean 'seed'"):
            parse_parameters(DECLARED, {"sede": 1}, origin="t")

    @given(st.integers(min_value=0), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
    def test_right_values_come_back_as_they_were(self, seed: int, rate: float, deep: bool) -> None:
        parsed = parse_parameters(DECLARED, {"seed": seed, "rate": rate, "deep": deep}, origin="t")
        assert (parsed["seed"], parsed["rate"], parsed["deep"]) == (seed, rate, deep)


class TestAssignment:
    """-p takes NAME=VALUE."""

    def test_value_may_hold_equals(self) -> None:
        assert parse_assignment("a=b=c") == ("a", "b=c")

    @pytest.mark.parametrize("text", ["a", "=1", "a b=1", ""])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(InputError, match="NAME=VALUE"):
            parse_assignment(text)
