"""An S3 client of a few lines: AWS signature version 4, as any client of the store would sign."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3:
    url: str
    certificate: str
    access_key: str
    secret_key: str

    def ask(self, method: str, path: str, body: bytes = b"", query: str = "") -> httpx.Response:
        digest = hashlib.sha256(body).hexdigest()
        now = datetime.now(UTC)
        headers = {
            "host": urlsplit(self.url).netloc,
            "x-amz-content-sha256": digest,
            "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}",
        }
        signed = ";".join(headers)
        lines = [method, path, query, *(f"{name}:{value}" for name, value in headers.items()), "", signed, digest]
        scope = f"{now:%Y%m%d}/{REGION}/s3/aws4_request"
        request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, request])
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        )
        verify = ssl.create_default_context(cadata=self.certificate)
        address = f"{self.url}{path}" + (f"?{query}" if query else "")
        with httpx.Client(verify=verify, timeout=10, trust_env=False) as client:
            return client.request(method, address, content=body, headers=headers)
