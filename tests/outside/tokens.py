#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test tokens, and an issuer of them. As a program it prints a token for a host that has the secret in its environment:

    REEVE_DEV_JWT_SECRET=… tests/outside/tokens.py USER TENANT ROLE…
"""

import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time


def encode(data):
    if isinstance(data, (dict, list)):
        data = json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def create_test_jwt(user_id, tenant_id, roles, secret_key, expires_in_seconds=3600, **claims):
    """A token with claims sub, tenant_id, roles, iat, exp and others, signed with HS256."""
    now = int(time.time())
    body = {"sub": user_id, "tenant_id": tenant_id, "roles": list(roles), "iat": now, "exp": now + expires_in_seconds, **claims}
    text = f"{encode({'alg': 'HS256', 'typ': 'JWT'})}.{encode(body)}"
    return f"{text}.{encode(hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).digest())}"


class Key:
    """An RSA key of openssl's."""

    def __init__(self, kid):
        self.kid = kid
        self.file = tempfile.NamedTemporaryFile(suffix=".pem")
        subprocess.run(["openssl", "genrsa", "-out", self.file.name, "2048"], check=True, capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.file.name, "-noout", "-modulus"], check=True, capture_output=True)
        self.n = bytes.fromhex(modulus.stdout.decode().strip().split("=")[1])

    def jwk(self):
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "n": encode(self.n), "e": "AQAB"}

    def sign(self, claims, **header):
        text = f"{encode({'alg': 'RS256', 'typ': 'JWT', 'kid': self.kid, **header})}.{encode(claims)}"
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.file.name], input=text.encode(), check=True, capture_output=True)
        return f"{text}.{encode(done.stdout)}"

    def close(self):
        self.file.close()


class Issuer:
    """Describes itself and its keys over HTTP, and signs."""

    def __init__(self):
        self.keys = []
        self.requests = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.make_handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def make_handler(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.requests.append(self.path)
                page = issuer.find(self.path)
                body = json.dumps(page).encode()
                self.send_response(404 if page is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        return Handler

    def find(self, path):
        """What is at an address of it, or None."""
        pages = {"/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": self.url + "/keys"},
                 "/keys": {"keys": [key.jwk() for key in self.keys]}}
        return pages.get(path)

    def claims(self, subject="alice", **more):
        now = int(time.time())
        claims = {"iss": self.url, "sub": subject, "aud": "reeve", "iat": now, "exp": now + 600, "org_id": "default"}
        claims.update(more)
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject="alice", key=0, **more):
        return self.keys[key].sign(self.claims(subject, **more))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        for key in self.keys:
            key.close()


def main():
    secret = os.environ.get("REEVE_DEV_JWT_SECRET") or os.environ.get("DEV_JWT_SECRET")
    if len(sys.argv) < 4 or not secret:
        sys.exit(__doc__)
    print(create_test_jwt(sys.argv[1], sys.argv[2], sys.argv[3:], secret))


if __name__ == "__main__":
    main()
