"""
Owns API keys: how one is made, and who it stands for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

from sqlalchemy import text
from sqlalchemy.orm import Session

from knowledge.tokens import Claims

__all__ = ["hash_secret", "identify_key", "make_secret", "spell_key"]

SPELLING = re.compile(r"kb_([0-9]{1,18})_([\w-]{1,128})", re.ASCII)
SECRET_BYTES = 32

# The key comes before the tenant is known: this definer function is the one way in.
LOOK_UP = text("SELECT user_id, tenant_id, secret_hash, role FROM api_key_lookup(:key_id)")


def make_secret() -> str:
    """
    Make a key's secret.
    """
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> str:
    """
    Hash a secret. It is random and long, so a fast hash gives nothing away (unlike a password's).
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def spell_key(key_id: int, secret: str) -> str:
    """
    Spell a key as its user sees it, once.
    """
    return f"kb_{key_id}_{secret}"


def identify_key(session: Session, key: str) -> Claims | None:
    """
    Identify whom a key stands for; None when it is ill-formed, unknown, revoked or wrong.
    """
    spelt = SPELLING.fullmatch(key)
    if spelt is None:
        return None
    found = session.execute(LOOK_UP, {"key_id": int(spelt[1])}).one_or_none()
    if found is None or not hmac.compare_digest(found.secret_hash, hash_secret(spelt[2])):
        return None
    return Claims(found.user_id, found.tenant_id, found.role)
