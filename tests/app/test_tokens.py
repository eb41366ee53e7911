"""
Tokens: only ours, unaltered and in time.
"""

from __future__ import annotations

import jwt
import pytest
from knowledge.tokens import Claims, InvalidTokenError, Tokens

from tests.app.service_process import SECRET

pytestmark = pytest.mark.unit

CLAIMS = Claims(user_id=3, tenant_id=1, role="member")


class TestTokens:
    """What was signed comes back; whatever else is refused."""

    def test_what_was_signed_comes_back(self) -> None:
        tokens = Tokens(SECRET, lifetime_s=60)
        assert tokens.verify(tokens.sign(CLAIMS)) == CLAIMS

    def test_one_from_before_there_were_tenants_holds_none(self) -> None:
        token = jwt.encode({"iss": "knowledge", "sub": "3", "role": "admin", "exp": 2**40}, SECRET, "HS256")
        assert Tokens(SECRET, 60).verify(token).tenant_id is None

    def test_an_expired_token_is_refused(self) -> None:
        with pytest.raises(InvalidTokenError, match="Expired"):
            Tokens(SECRET, 60).verify(Tokens(SECRET, 60, clock=lambda: 1_000_000.0).sign(CLAIMS))

    @pytest.mark.parametrize(
        "token",
        [
            "",
            "x.y.z",
            Tokens("another secret of sufficient length", 60).sign(CLAIMS),
            jwt.encode({"iss": "knowledge", "sub": "3", "tenant": 1, "role": "admin", "exp": 2**40}, "", "none"),
            jwt.encode({"iss": "knowledge", "sub": "3", "tenant": 1, "exp": 2**40}, SECRET, "HS256"),
            jwt.encode({"iss": "knowledge", "sub": "3", "tenant": "x", "role": "admin", "exp": 2**40}, SECRET, "HS256"),
            jwt.encode({"iss": "other", "sub": "3", "tenant": 1, "role": "admin", "exp": 2**40}, SECRET, "HS256"),
        ],
    )
    def test_any_other_is_refused(self, token: str) -> None:
        with pytest.raises(InvalidTokenError):
            Tokens(SECRET, 60).verify(token)
