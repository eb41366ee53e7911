"""
Owns what the S3-compatible store is given: its account, a certificate of this stack's own, a request signed beforehand.

S3 clients find it on loopback and, as `store:8333`, on both states' networks; always over TLS.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["presigned", "store_files"]

_HOST = "store"
_GOOD_FOR = timedelta(days=365)
_ACTIONS = ("Admin", "Read", "Write", "List", "Tagging")


def store_files(access_key: str, secret_key: str, *, now: datetime) -> Mapping[str, str]:
    """
    Spell the files that its container mounts, by name.
    """
    accounts = {
        "identities": [
            {
                "name": "stack",
                "credentials": [{"accessKey": access_key, "secretKey": secret_key}],
                "actions": list(_ACTIONS),
            }
        ]
    }
    certificate, key = _certificate(now)
    return {
        "store-accounts": json.dumps(accounts),
        "store-certificate": certificate,
        "store-key": key,
        "store-health": presigned("/", access_key, secret_key, until=now + _GOOD_FOR),
    }


def presigned(path: str, access_key: str, secret_key: str, *, until: datetime) -> str:
    """
    Sign a GET that is good until then (AWS signature version 2, query string: version 4 is good for a week at most).
    """
    expires = str(int(until.timestamp()))
    text = f"GET\n\n\n{expires}\n{path}"
    signature = base64.b64encode(hmac.new(secret_key.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return f"{path}?{urlencode({'AWSAccessKeyId': access_key, 'Expires': expires, 'Signature': signature})}"


def _certificate(now: datetime) -> tuple[str, str]:
    """
    Make a certificate that vouches for itself, and its key; both as PEM.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _HOST)])
    names = [x509.DNSName(_HOST), x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(minutes=5))
        .not_valid_after(now.astimezone(UTC) + _GOOD_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()
