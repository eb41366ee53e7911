"""
Owns talking to the service over HTTP as one of its clients, and nothing about what the answers should be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx
from pydantic import JsonValue

from playbook.errors import PlaybookError
from playbook.target.target import Login

__all__ = ["Answer", "Client", "File", "login", "token_of", "try_login", "written"]

File = tuple[str, bytes, str]
"""Name, content and declared media type of a file to send."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
_ENDED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    Status (0: no answer at all), headers, text and, where it is JSON, the parsed body of one response.
    """

    status: int
    headers: Mapping[str, str]
    text: str
    json: JsonValue
    elapsed_s: float
    cut: bool = False

    @classmethod
    def of(cls, response: httpx.Response) -> Answer:
        """
        Keep what matters of a response.
        """
        body = _parsed(response.content)
        return cls(response.status_code, dict(response.headers), response.text, body, response.elapsed.total_seconds())

    @classmethod
    def begun(cls, response: httpx.Response, at_most_bytes: int) -> Answer:
        """
        Keep the beginning of a response that is being streamed, and go; `cut` when there was more.
        """
        content = bytearray()
        for part in response.iter_bytes():
            content += part
            if len(content) > at_most_bytes:
                break
        cut = len(content) > at_most_bytes
        response.close()
        text = bytes(content).decode(response.encoding or "utf-8", errors="replace")
        body = None if cut else _parsed(content)
        return cls(response.status_code, dict(response.headers), text, body, response.elapsed.total_seconds(), cut)


def _parsed(content: bytes | bytearray) -> JsonValue:
    """
    Parse a body; None when it is no JSON.
    """
    try:
        parsed: JsonValue = json.loads(content) if content else None
    except ValueError:
        return None
    return parsed


class Client:
    """
    One client of the service, with one connection pool; a context manager.
    """

    def __init__(self, base_url: str, *, token: str | None = None, timeout_s: float = 10.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # Loading the certificates of the world takes 20 ms, and every address is http on loopback.
        verify = base_url.startswith("https:")
        self._http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout_s, trust_env=False, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        json: JsonValue = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, File] | None = None,
        at_most_bytes: int | None = None,
    ) -> Answer:
        """
        Send one request; `form` and `files` make it a form, and of a longer answer only the beginning is read.

        No answer (refused, reset, timed out) is an Answer of status 0 with the reason as text. An idempotent request
        whose connection ended before the answer is sent once more (RFC 9110, 9.2.2): after an error of its own a server
        may close a connection that looks idle.
        """
        request = self._http.build_request(
            method, path, json=json, headers=headers, params=params, data=form, files=files
        )
        try:
            response = self._sent(request, stream=at_most_bytes is not None)
            return Answer.of(response) if at_most_bytes is None else Answer.begun(response, at_most_bytes)
        except httpx.TransportError as err:
            return Answer(0, {}, f"{type(err).__name__}: {err}", None, 0.0)

    def _sent(self, request: httpx.Request, *, stream: bool) -> httpx.Response:
        try:
            return self._http.send(request, stream=stream)
        except _ENDED:
            if request.method not in _IDEMPOTENT:
                raise
            return self._http.send(request, stream=stream)


def try_login(client: Client, how: Login, *, tenant: str, email: str, password: str) -> Answer:
    """
    Log in; return whatever the service answers.
    """
    return client.request("POST", how.path, json=written(how, tenant=tenant, email=email, password=password))


def login(client: Client, how: Login, *, tenant: str, email: str, password: str) -> str:
    """
    Log in; return the token.

    Raises PlaybookError with the status seen when the service does not give one.
    """
    answer = try_login(client, how, tenant=tenant, email=email, password=password)
    token = answer.json.get(how.token) if isinstance(answer.json, dict) else None
    if answer.status not in (200, 201) or not isinstance(token, str):
        raise PlaybookError(
            f"login of {email} in {tenant} answered {answer.status}: {answer.text[:200]}",
            hint="Is api.login of the target right, and do the seeded users exist?",
        )
    return token


def written(how: Login, *, tenant: str, email: str, password: str) -> dict[str, JsonValue]:
    """
    Write the body of a login.
    """
    values = {"tenant": tenant, "email": email, "password": password}
    return {k: v.format(**values) if isinstance(v, str) else v for k, v in how.body.items()}


def token_of(how: Login, body: bytes) -> str | None:
    """
    Take the token out of a login's answer, None if there is none.
    """
    parsed = _parsed(body)
    token = parsed.get(how.token) if isinstance(parsed, dict) else None
    return token if isinstance(token, str) else None
