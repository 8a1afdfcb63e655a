# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a browser is told: headers of every answer, and which pages of other origins may call."""

import socket
import subprocess
import tempfile
import unittest
import urllib.parse

from reeve import HOST, Host, main

CONFIG = """
server:
  cors: {origins: ["https://app.example", "http://localhost:5173"], methods: [GET, POST], headers: [Authorization, Content-Type], credentials: true, max_age: 5m}
"""
ALLOWED = {"Origin": "https://app.example"}
FOREIGN = ("https://app.example.evil.example", "http://app.example", "https://app.example:8443", "https://APP.example", "null", "https://", "*")


class Browser(unittest.TestCase):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=cls.config).start()
        cls.addClassCleanup(cls.host.close)

    def ask(self, path="/api/v1/me", method="GET", key="admin", **headers):
        return self.host.call(method, path, key=key, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def preflight(self, origin, method="GET", headers=None, path="/api/v1/me"):
        more = {"Access_Control_Request_Headers": headers} if headers else {}
        return self.ask(path, "OPTIONS", None, Origin=origin, Access_Control_Request_Method=method, **more)

    def assert_nothing_allowed(self, answer):
        self.assertEqual([], [name for name in answer.headers if name.lower().startswith("access-control-")])


class Allowed(Browser):
    def test_preflight(self):
        for origin in ("https://app.example", "http://localhost:5173"):
            answer = self.preflight(origin, "POST", "authorization,content-type")
            self.assertEqual((204, b""), (answer.status, answer.body))
            self.assertEqual((origin, "true", "GET, POST", "Authorization, Content-Type", "300"), tuple(
                answer.headers["Access-Control-" + name] for name in ("Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Max-Age")))
            self.assertIn("Origin", ", ".join(answer.headers.get_all("Vary")))

    def test_preflight_of_what_is_not_allowed(self):
        for origin in FOREIGN:
            answer = self.preflight(origin)
            self.assertEqual(403, answer.status, origin)
            self.assertIn("origin", answer.json["detail"])
            self.assert_nothing_allowed(answer)
        self.assertEqual(403, self.preflight("https://app.example", "DELETE").status)
        self.assertIn("header", self.preflight("https://app.example", "GET", "X-Other").json["detail"])
        self.assertEqual(404, self.preflight("https://app.example", path="/nothing").status)

    def test_preflight_has_no_effect_and_needs_no_key(self):
        before = self.host.get("/api/v1/admin/agents", expect=200).json
        created = len(self.host.records(action="agents.create"))
        answer = self.preflight("https://app.example", "POST", "content-type", "/api/v1/admin/agents")
        self.assertEqual(204, answer.status)
        self.assertEqual(before, self.host.get("/api/v1/admin/agents", expect=200).json)
        self.assertEqual(created, len(self.host.records(action="agents.create")))
        # OPTIONS that is no preflight is a method like any other
        self.assertEqual(405, self.ask(method="OPTIONS", key=None).status)
        self.assertEqual(405, self.ask(method="OPTIONS", key=None, **ALLOWED).status)

    def test_answers_name_the_origin(self):
        for path, key, status in (("/api/v1/me", "admin", 200), ("/api/v1/me", None, 401), ("/nothing", None, 404), ("/health", None, 200)):
            answer = self.ask(path, key=key, **ALLOWED)
            self.assertEqual((status, "https://app.example", "true"), (
                answer.status, answer.headers["Access-Control-Allow-Origin"], answer.headers["Access-Control-Allow-Credentials"]))
            self.assertIn("X-Request-Id", answer.headers["Access-Control-Expose-Headers"])
            self.assertEqual("Origin", answer.headers["Vary"])
        event = self.host.agent(tools=[])
        answer = self.host.post("/api/v1/agents/execute", {"agent_id": event, "mission": "Hello?", "stream": True}, headers=ALLOWED)
        self.assertEqual(("https://app.example", 200), (answer.headers["Access-Control-Allow-Origin"], answer.status))

    def test_others_are_served_and_told_nothing(self):
        for origin in FOREIGN:
            answer = self.ask(Origin=origin)
            self.assertEqual((200, "Origin"), (answer.status, answer.headers["Vary"]))
            self.assert_nothing_allowed(answer)
        answer = self.ask()
        self.assertEqual("Origin", answer.headers["Vary"])
        self.assert_nothing_allowed(answer)


class Anybody(Browser):
    config = ""  # profile dev

    def test_star(self):
        answer = self.ask(Origin="https://anything.example")
        self.assertEqual(("*", None, None), tuple(answer.headers[name] for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Vary")))
        self.assertEqual(204, self.preflight("https://anything.example", "DELETE", "authorization").status)


class Nobody(Browser):
    config = "server: {cors: {origins: []}}\n"

    def test_none(self):
        answer = self.ask(**ALLOWED)
        self.assertEqual((200, None), (answer.status, answer.headers["Vary"]))
        self.assert_nothing_allowed(answer)
        answer = self.preflight("https://app.example")
        self.assertEqual(405, answer.status)
        self.assert_nothing_allowed(answer)

    def test_headers_of_every_answer(self):
        answers = [self.ask(path, key=key) for path, key in (("/api/v1/me", "admin"), ("/api/v1/me", None), ("/nothing", None), ("/health", None),
                                                             ("/openapi.json", None), ("/docs", None), ("/metrics", None))]
        answers.append(self.ask("/health", "DELETE"))
        for answer in answers:
            self.assertEqual(("nosniff", "DENY", "no-referrer", "no-store", None, None), tuple(answer.headers[name] for name in (
                "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control", "Server", "Strict-Transport-Security")))
            self.assertEqual("same-origin", answer.headers["Cross-Origin-Resource-Policy"])
            self.assertIn("default-src 'none'", answer.headers["Content-Security-Policy"])
            self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
            self.assertIn("frame-ancestors 'none'", answer.headers["Content-Security-Policy"])
            for name in ("X-Content-Type-Options", "Cache-Control", "Content-Security-Policy"):
                self.assertEqual(1, len(answer.headers.get_all(name)))

    def test_headers_of_what_is_no_request(self):
        address = urllib.parse.urlsplit(self.host.url)
        for nonsense in (b"!\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n"):
            with socket.create_connection((address.hostname, address.port), timeout=20) as sock:
                sock.sendall(nonsense)
                sock.shutdown(socket.SHUT_WR)
                head = b"".join(iter(lambda s=sock: s.recv(65536), b"")).split(b"\r\n\r\n")[0].lower()
            self.assertRegex(head, b"^http/1.[01] [45]")
            self.assertIn(b"x-content-type-options: nosniff", head)
            self.assertIn(b"cache-control: no-store", head)
            self.assertIn(b"cross-origin-resource-policy: same-origin", head)
            self.assertNotIn(b"\r\nserver:", head)

    def test_configuration(self):
        for text, reason in (("{origins: [\"*\"], credentials: true}", "server.cors.credentials"), ("{origins: [\"https://app.example/\"]}", "server.cors.origins[0]"),
                             ("{origins: [app.example]}", "server.cors.origins[0]"), ("{methods: [TRACE]}", "server.cors.methods[0]"),
                             ("{headers: [\"a b\"]}", "server.cors.headers[0]"), ("{max_age: 2d}", "server.cors.max_age")):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(f"server: {{cors: {text}}}\n")
                file.flush()
                done = subprocess.run([HOST, "--config", file.name, "--check-config"], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(78, done.returncode, done)
            self.assertIn(f"{file.name}:1: {reason}", done.stderr)


if __name__ == "__main__":
    main()
