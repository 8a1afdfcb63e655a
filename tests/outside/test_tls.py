# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted connections by real clients: versions, ciphers, what is refused and how; files that are wrong."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from certificates import Authority, openssl
from reeve import HOST, Host, main

CONFIG = """
server: {{listen: ["127.0.0.1:0"], threads: 2, keep_alive: 5s}}
tls: {{certificate: {certificate}, key: {key}{more}}}
"""
MEGABYTE = 1 << 20


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="reeve-")
        cls.addClassCleanup(folder.cleanup)
        cls.authority = Authority(folder.name)
        cls.certificate, cls.key = cls.authority.sign("host")

    @classmethod
    def start(cls, certificate, key, more="", arguments=()):
        host = Host(config=CONFIG.format(certificate=certificate, key=key, more=more), ca=cls.authority.ca, arguments=arguments)
        cls.addClassCleanup(host.close)
        return host.start()


class Encrypted(Files):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.host = cls.start(cls.certificate, cls.key, arguments=["--listen", "http://127.0.0.1:0"])
        cls.address = urllib.parse.urlsplit(cls.host.url)
        cls.plain = urllib.parse.urlsplit(cls.host.process.stdout.readline().decode().strip().split(" ")[1])

    def connect(self, port=None):
        return socket.create_connection(("127.0.0.1", port or self.address.port), timeout=20)

    def client(self, *words, port=None):
        """openssl s_client, which is asked nothing: what it says of the connection."""
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port or self.address.port}", "-CAfile", self.authority.ca, *words]
        done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr

    def assert_refused(self, *words, port=None):
        self.assertIn("Cipher is (NONE)", self.client(*words, port=port))

    def test_addresses(self):
        self.assertEqual(("https", "http"), (self.address.scheme, self.plain.scheme))
        with open(os.path.join(self.host.state, "address"), encoding="utf-8") as file:
            self.assertEqual(self.host.url, file.read().strip())
        self.assertEqual(200, self.host.get("/api/v1/me").status)

    def test_only_the_newest_version_unless_told_otherwise(self):
        said = self.client("-alpn", "h2,http/1.1")
        self.assertIn("TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384", said)
        self.assertIn("ALPN protocol: http/1.1", said)
        self.assertIn("Verify return code: 0 (ok)", said)
        self.assert_refused("-tls1_2")
        self.assert_refused("-alpn", "h2")
        self.assert_refused("-ciphersuites", "TLS_AES_128_CCM_SHA256")

    def test_older_version_where_configured(self):
        host = self.start(*self.authority.sign("old", kind="rsa"), more=', min_version: "1.2"')
        port = urllib.parse.urlsplit(host.url).port
        self.assertIn("TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256", self.client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", port=port))
        self.assertIn("TLSv1.3, Cipher is", self.client(port=port))
        for words in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-GCM-SHA256"], ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"],
                      ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256"], ["-tls1_2", "-sigalgs", "RSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"]):
            self.assert_refused(*words, port=port)
        # a client may not shake hands again and again in one connection
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2"], input="R\n", capture_output=True, text=True, timeout=30, check=False)
        self.assertRegex(done.stderr, "no renegotiation|handshake failure|unexpected eof|reset|Connection reset|errno=104")

    def test_session_is_resumed(self):
        with self.connect() as sock, ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost") as tls:
            tls.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertIn(b"200 OK", tls.recv(4096))
            session = tls.session
            context = tls.context
        with self.connect() as sock, context.wrap_socket(sock, server_hostname="localhost", session=session) as tls:
            self.assertTrue(tls.session_reused)

    def test_each_speaks_the_other_language(self):
        with self.connect() as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            head, body = read_to_end(sock).split(b"\r\n\r\n", 1)
        self.assertTrue(head.startswith(b"HTTP/1.1 400 "), head)
        self.assertIn(f"Content-Length: {len(body)}".encode(), head)
        self.assertIn("https is spoken", json.loads(body)["detail"])
        with self.connect(self.plain.port) as sock, self.assertRaises(ssl.SSLError):
            ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost")
        for nonsense in (b"\x16\x03\x01\x00\x05nonsense\x00\x00", b"\x16" + b"\xff" * 20000, b"\x00", b"\x80\x2e\x01\x00\x02"):
            with self.connect() as sock:
                sock.sendall(nonsense)
                self.assertNotIn(b"200 OK", read_to_end(sock))
        self.assertEqual(200, self.host.get("/api/v1/me").status)

    def test_much_in_both_directions(self):
        agent = self.host.agent(tools=[])
        answer = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x" * (6 * MEGABYTE)})
        self.assertIn(answer.status, (200, 400))
        self.assertEqual(413, self.host.post("/api/v1/agents/execute", {"mission": "x" * (11 * MEGABYTE)}).status)
        self.assertEqual("3.1.0", self.host.get("/openapi.json", expect=200).json["openapi"])
        text = "\n\n".join(f"Section {i}. " + "All valves are closed by hand. " * 30 for i in range(400))
        self.host.upload("valves.md", text)

    def test_one_connection_many_requests(self):
        address = self.address
        connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=20, context=self.host.context)
        for _ in range(50):
            connection.request("GET", "/health")
            self.assertEqual(200, connection.getresponse().read() and 200)
        connection.close()
        with self.connect() as sock, ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost") as tls:
            tls.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
            data = b""
            while data.count(b"HTTP/1.1 200 OK") < 20:
                data += tls.recv(65536)

    def test_stream_ends_with_its_last_event_and_is_closed_in_order(self):
        body = json.dumps({"agent_id": self.host.agent(tools=[]), "mission": "Hello?", "stream": True}).encode()
        head = f"POST /api/v1/agents/execute HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.host.key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        # without it Python would take a cut connection for an end
        with self.connect() as sock, ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
            tls.sendall(head.encode() + body)
            data = read_to_end(tls)
        self.assertIn(b"event: run.completed", data)

    def test_half_a_client(self):
        before = len(os.listdir(f"/proc/{self.host.process.pid}/fd"))
        for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            with self.connect() as sock:
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                read_to_end(sock)
        end = time.monotonic() + 20
        while len(os.listdir(f"/proc/{self.host.process.pid}/fd")) > before and time.monotonic() < end:
            time.sleep(0.01)
        self.assertLessEqual(len(os.listdir(f"/proc/{self.host.process.pid}/fd")), before)

    def test_headers(self):
        answer = self.host.get("/health", key=None)
        self.assertRegex(answer.headers["Strict-Transport-Security"], "^max-age=[1-9][0-9]*$")
        self.assertIsNone(answer.headers["Server"])
        connection = http.client.HTTPConnection("127.0.0.1", self.plain.port, timeout=20)
        connection.request("GET", "/health")
        response = connection.getresponse()
        response.read()
        connection.close()
        self.assertEqual((200, None), (response.status, response.getheader("Strict-Transport-Security")))

    def test_reevectl(self):
        self.assertIn('"tenant_id"', self.host.ctl("tenants", "list", "--ca", self.authority.ca).stdout)
        environment = dict(os.environ, REEVE_URL=self.host.url, REEVE_TOKEN=self.host.key, REEVE_CA=self.authority.ca)
        self.assertIn('"tenant_id"', self.host.ctl("tenants", "list", environment=environment).stdout)
        self.assertIn("--ca", self.host.ctl("tenants", "list", expect=5).stderr)
        self.assertIn("/nonexistent", self.host.ctl("tenants", "list", "--ca", "/nonexistent", expect=5).stderr)
        other = self.start(*self.authority.sign("numbered", host="IP:127.0.0.1"))
        by_name = other.url.replace("127.0.0.1", "localhost")
        self.assertIn("another name", other.ctl("tenants", "list", "--url", by_name, "--ca", self.authority.ca, expect=5).stderr)
        self.assertIn("https is spoken", self.host.ctl("tenants", "list", "--url", f"http://127.0.0.1:{self.address.port}", expect=2).stderr)


def ssl_context(authority):
    return ssl.create_default_context(cafile=authority.ca)


def read_to_end(sock):
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


class Refused(Files):
    def refuse(self, text, *reasons, words=("--check-config",)):
        with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
            file = os.path.join(folder, "reeve.yaml")
            with open(file, "w", encoding="utf-8") as out:
                out.write(text)
            command = [HOST, "--config", file, "--state-dir", os.path.join(folder, "state"), "--bus", "none"]
            for more in ([], list(words)):
                done = subprocess.run(command + more, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
                self.assertEqual((78, ""), (done.returncode, done.stdout), done)
                for reason in (file + ":", *reasons):
                    self.assertIn(reason, done.stderr)

    def test_files(self):
        locked = self.authority.path("locked.key")
        openssl("pkey", "-in", self.key, "-aes256", "-passout", "pass:secret", "-out", locked)
        openssl("ec", "-in", self.key, "-aes256", "-passout", "pass:secret", "-out", self.authority.path("locked-old.key"))
        other_certificate, other_key = self.authority.sign("other")
        self.authority.sign("weak", kind="weak")
        empty = self.authority.path("empty")
        with open(empty, "w", encoding="utf-8"):
            pass
        absent = self.authority.path("absent")
        for certificate, key, reason in ((absent, self.key, f":4: tls.certificate: {absent}: "), (self.certificate, absent, f":5: tls.key: {absent}: "),
                                         (self.certificate, locked, f":5: tls.key: {locked}: is encrypted"),
                                         (self.certificate, locked.replace(".key", "-old.key"), "is encrypted"),
                                         (self.certificate, other_key, f":5: tls.key: {other_key}: is not the key of the certificate in {self.certificate}"),
                                         (empty, self.key, f"{empty}: holds no certificate"), (self.certificate, empty, f"{empty}: holds no key"),
                                         (other_key, self.key, f"{other_key}: holds no certificate"), (self.authority.path("weak.pem"), self.key, "too weak"),
                                         (self.authority.folder, self.key, f"tls.certificate: {self.authority.folder}: ")):
            with self.subTest(reason):
                self.refuse(f"server: {{listen: [\"127.0.0.1:0\"]}}\n\ntls:\n  certificate: {certificate}\n  key: {key}\n", reason)
        self.refuse(f"tls: {{certificate: {self.certificate}}}\n", ":1: tls", "belong together")

    def test_addresses_that_others_reach(self):
        enterprise = "profile: enterprise\nserver:\n  listen: [\"127.0.0.1:0\", \"{}\"]\n"
        tls = f"tls: {{certificate: {self.certificate}, key: {self.key}}}\n"
        self.refuse(enterprise.format("0.0.0.0:0"), ":3: server.listen[1]: ", "allow_cleartext")
        self.refuse(enterprise.format("[::]:0"), ":3: server.listen[1]: ", "allow_cleartext")
        self.refuse(tls + enterprise.format("http://0.0.0.0:0"), ":4: server.listen[1]: ", "allow_cleartext")
        self.refuse(enterprise.format("https://127.0.0.1:0"), ":3: server.listen[1]: ", "tls.certificate")
        for text, warned in ((enterprise.format("0.0.0.0:0") + "  allow_cleartext: true\n", True), ("server: {listen: [\"0.0.0.0:0\"]}\n", True),
                             (tls + enterprise.format("0.0.0.0:0"), False), (enterprise.format("localhost:0"), False)):
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                done = subprocess.run([HOST, "--config", file.name, "--check-config"], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(0, done.returncode, done)
            self.assertEqual(warned, "without encryption" in done.stderr, done)

    def test_expired_certificate_is_warned_of(self):
        certificate, key = self.authority.sign("past", start="200101000000Z", end="210101000000Z")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(CONFIG.format(certificate=certificate, key=key, more=""))
            file.flush()
            done = subprocess.run([HOST, "--config", file.name, "--check-config"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, done.returncode, done)
        self.assertIn("expired on 2021-01-01", done.stderr)


if __name__ == "__main__":
    main()
