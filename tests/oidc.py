"""A small OpenID Connect provider on the loopback: discovery, authorize, token with a signed ID token, userinfo, keys."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass
class Provider:
    """A running provider. `person` is who signs in next; `twist` changes the ID token's claims before it is signed."""

    url: str = ""
    client: tuple[str, str] = ("us", "our-secret")
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "1", "preferred_username": "ada"})
    twist: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def discover(self) -> dict[str, Any]:
        """The document that says where everything is."""
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "userinfo_endpoint": "userinfo"}
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            **{name: f"{self.url}/{path}" for name, path in ends.items()},
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """The person agrees: back to where the site wants it, with a code."""
        self.asked.append(asked)
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def give_token(self, asked: dict[str, str]) -> dict[str, Any]:
        """What a code is exchanged for, once, by whoever began with the challenge that fits."""
        began = self._codes.pop(asked["code"])
        proof = base64.urlsafe_b64encode(hashlib.sha256(asked["code_verifier"].encode()).digest()).decode().rstrip("=")
        fits = proof == began["code_challenge"] and (asked["client_id"], asked["client_secret"]) == self.client
        if not fits or asked["redirect_uri"] != began["redirect_uri"]:
            return {"error": "invalid_grant"}
        return {"access_token": "t", "token_type": "Bearer", "expires_in": 60, "id_token": self._sign()}

    def list_keys(self) -> dict[str, Any]:
        """The public half."""
        numbers = self._key.public_key().public_numbers()
        n, e = (_encode(value.to_bytes((value.bit_length() + 7) // 8, "big")) for value in (numbers.n, numbers.e))
        return {"keys": [{"kty": "RSA", "kid": "k", "use": "sig", "alg": "RS256", "n": n, "e": e}]}

    def _sign(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client[0], "iat": now, "exp": now + 60, **self.person, **self.twist}
        head = {"alg": "RS256", "kid": "k", "typ": "JWT"}
        body = ".".join(_encode(json.dumps(part).encode()) for part in (head, claims))
        return f"{body}.{_encode(self._key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@contextmanager
def run_provider() -> Iterator[Provider]:
    """The provider at a free port."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path == "/authorize":
                self.send_response(302)
                self.send_header("Location", provider.authorize(_flatten(url.query)))
                self.end_headers()
                return
            pages: dict[str, Callable[[], dict[str, Any]]] = {
                "/.well-known/openid-configuration": provider.discover,
                "/keys": provider.list_keys,
                "/userinfo": lambda: provider.person,
            }
            self._answer(pages[url.path]())

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._answer(provider.give_token(_flatten(self.rfile.read(length).decode())))

        def _answer(self, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(400 if "error" in content else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _flatten(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
