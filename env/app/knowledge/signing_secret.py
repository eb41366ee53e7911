"""
Owns the secret that signs tokens: which one is taken, and which one is refused.
"""

from __future__ import annotations

from pydantic import SecretStr

from knowledge.refusal import Refusal
from knowledge.settings import Settings

__all__ = ["DEFAULT_SECRET", "choose_secret", "require_secret"]

SETTING = "KB_JWT_SECRET"
DEFAULT_PREFIX = "change-me"
# The fault that `secret_required` mends; nothing is signed with it where that is on.
DEFAULT_SECRET = "change-me-before-production-0123456789"  # noqa: S105  # pragma: allowlist secret
MINIMUM_LENGTH = 32
"""Characters; HS256 wants a key at least as long as its hash, 32 bytes (RFC 7518, section 3.2)."""


def require_secret(secret: SecretStr | None) -> str:
    """
    Take the secret that was set.

    Raises Refusal when it is missing, a default, or too short.
    """
    value = secret.get_secret_value() if secret else ""
    if not value:
        raise Refusal(SETTING, "is missing; set a random secret of at least 32 characters")
    if value.lower().startswith(DEFAULT_PREFIX):
        raise Refusal(SETTING, "is a default (change-me…); set a random secret of at least 32 characters")
    if len(value) < MINIMUM_LENGTH:
        raise Refusal(SETTING, f"has {len(value)} characters, at least {MINIMUM_LENGTH} are required")
    return value


def fall_back_to_default(secret: SecretStr | None) -> str:
    """
    Weak: take whatever was set, else the secret that stands in the source.
    """
    return (secret.get_secret_value() if secret else "") or DEFAULT_SECRET


def choose_secret(settings: Settings) -> str:
    """
    Choose the secret by `secret_required`.
    """
    choose = require_secret if settings.secret_required else fall_back_to_default
    return choose(settings.jwt_secret)
