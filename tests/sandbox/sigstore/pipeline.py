"""A pipeline's claims and tokens, applications on loopback, and sigstore-python to verify the products."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sigstore.models import Bundle, ClientTrustConfig
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from pip_warden.sandbox.sigstore import SigstoreService

ISSUER = "https://gitlab.example.com"
SUBJECT = "https://gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "sub": "project_path:acme/widgets:ref_type:tag:ref:v1.0",
    "aud": "sigstore",
    "project_id": "4711",
    "project_path": "acme/widgets",
    "namespace_id": "42",
    "namespace_path": "acme",
    "project_visibility": "private",
    "job_id": "815",
    "pipeline_source": "push",
    "ref": "v1.0",
    "ref_type": "tag",
    "sha": "0123456789abcdef0123456789abcdef01234567",
    "runner_id": 7,
    "runner_environment": "gitlab-hosted",
    "ci_config_ref_uri": "gitlab.example.com/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
    "ci_config_sha": "89abcdef0123456789abcdef0123456789abcdef",
}
POLICY = Identity(identity=SUBJECT, issuer=ISSUER)


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """An OIDC issuer with one key."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def jwks(self, issuer: str) -> Mapping[str, object] | None:
        if issuer != ISSUER:
            return None
        numbers = self.key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "kid": "one",
            "use": "sig",
            "alg": "RS256",
            "n": unpadded(numbers.n.to_bytes(256, "big")),
            "e": unpadded(numbers.e.to_bytes(3, "big")),
        }
        return {"keys": [key]}

    def token(self, now: datetime, **changes: object) -> str:
        second = int(now.timestamp())
        times = {"iat": second, "nbf": second - 5, "exp": second + 300}
        claims = {name: value for name, value in (CLAIMS | times | changes).items() if value is not None}
        header = {"alg": "RS256", "typ": "JWT", "kid": "one"}
        signed = ".".join(unpadded(json.dumps(part).encode()) for part in (header, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{unpadded(signature)}"


class Stage:
    """An address that serves one application after the other: starting a server takes longer than a test."""

    def __init__(self) -> None:
        self.url = ""
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def play(self, app: ASGIApp) -> str:
        """Serve an application and return its URL."""
        self.app = app
        return self.url


@contextmanager
def listening(app: ASGIApp) -> Iterator[str]:
    """Serve an application on loopback and return its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def verifier_of(service: SigstoreService) -> Verifier:
    return Verifier(trusted_root=client_config(service).trusted_root)


def client_config(service: SigstoreService) -> ClientTrustConfig:
    return ClientTrustConfig.from_json(json.dumps(service.trust_config()))


def parse(bundle: Mapping[str, object]) -> Bundle:
    return Bundle.from_json(json.dumps(bundle))
