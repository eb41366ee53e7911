"""
Owns what is said about an input that does not fit its model: to the client, and in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

from fastapi import FastAPI, Request, Response, status
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import JsonValue

from knowledge.log_lines import log_event
from knowledge.switches import Switches

__all__ = ["add_input_handler"]


class Problem(TypedDict, total=False):
    """
    One thing that is wrong; `input` only in the weak form.
    """

    type: str
    loc: Sequence[str | int]
    msg: str
    input: JsonValue


def tell_place(error: RequestValidationError) -> list[Problem]:
    """
    Tell what is wrong and where, without the value that was there.
    """
    return [{"type": problem["type"], "loc": problem["loc"], "msg": problem["msg"]} for problem in error.errors()]


def tell_input(error: RequestValidationError) -> list[Problem]:
    """
    Weak: tell the value too; where a field is missing that is the whole body.
    """
    found: list[Problem] = jsonable_encoder(error.errors())
    return found


def _log_place(problems: list[Problem], _body: object) -> None:
    log_event("input.refused", locations=[".".join(map(str, problem["loc"])) for problem in problems])


def _log_body(problems: list[Problem], body: object) -> None:
    """Weak: log the body as it came."""
    log_event("input.refused", locations=[".".join(map(str, problem["loc"])) for problem in problems], body=body)


def add_input_handler(app: FastAPI, switches: Switches) -> None:
    """
    Add the handler in the form that `validation_hides_input` chooses.
    """
    hides = switches.validation_hides_input
    tell: Callable[[RequestValidationError], list[Problem]] = tell_place if hides else tell_input
    write: Callable[[list[Problem], object], None] = _log_place if hides else _log_body

    async def answer(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = tell(error)
        write(problems, error.body)
        return JSONResponse({"detail": problems}, status.HTTP_422_UNPROCESSABLE_CONTENT)

    app.add_exception_handler(RequestValidationError, answer)
