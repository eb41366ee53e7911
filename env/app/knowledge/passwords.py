"""
Owns password hashes: argon2id at the cost that OWASP's password storage cheat sheet gives as a minimum.
"""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["hash_password", "verify_password"]


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """
    Hash a password. The salt is random unless given, which only seeded data does.
    """
    return _hasher().hash(password, salt=salt)


def verify_password(password: str, password_hash: str | None) -> bool:
    """
    Tell whether the password fits; without a hash, spend the same time and say no.

    Equal time keeps the answer from telling which users exist.
    """
    try:
        _hasher().verify(password_hash or _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None
