# SPDX-License-Identifier: LGPL-2.1-or-later
"""What never comes to be a request leaves a record all the same: no HTTP, not in time, a handshake that fails, one too many. The first of an
address at once, of those that follow their number, and nothing of what was sent."""

import contextlib
import socket
import ssl
import tempfile
import time
import unittest
import urllib.parse

from certificates import Authority
from reeve import Host, main

CONFIG = """
limits: {{requests_per_minute: 0}}
server: {{listen: ["127.0.0.1:0"], header_timeout: 5s, body_timeout: 5s, max_header: 4KiB, max_connections_per_address: 40}}
tls: {{certificate: {certificate}, key: {key}}}
"""
WAIT = 60
POST = b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\n"
MALFORMED = "requests.malformed"
FAULTS = [  # what is sent, the status that is answered, the reason of the record
    (b"\r\n\r\nGET\r\n\r\n", 400, "invalid_argument"),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "invalid_argument"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX : secret-word\r\n\r\n", 400, "invalid_argument"),
    (b"GET / HTTP/1.1\r\nHost: x\r\nX: ", 400, "invalid_argument"),
    (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "too_large"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 2000 + b"\r\n", 431, "too_large"),
    (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, "unsupported"),
    (b"CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501, "unsupported"),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501, "unsupported"),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "invalid_argument"),
    (POST + b"Content-Length: 9\r\n\r\n{", 400, "invalid_argument"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n", 408, "timeout"),
    (POST + b"Content-Length: 9\r\n\r\n{", 408, "timeout"),
]


class Strangers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reeve-")
        self.addCleanup(folder.cleanup)
        self.authority = Authority(folder.name)
        certificate, key = self.authority.sign("host")
        self.host = Host(config=CONFIG.format(certificate=certificate, key=key), ca=self.authority.ca, arguments=["--listen", "http://127.0.0.1:0"])
        self.addCleanup(self.host.close)
        self.host.start()
        self.encrypted = urllib.parse.urlsplit(self.host.url).port
        self.plain = urllib.parse.urlsplit(self.host.process.stdout.readline().decode().strip().split(" ")[1]).port

    def connect(self, port, source="127.0.0.1"):
        sock = socket.create_connection(("127.0.0.1", port), WAIT, source_address=(source, 0))
        self.addCleanup(sock.close)
        return sock

    @staticmethod
    def read_all(sock):
        data = b""
        with contextlib.suppress(OSError):
            while piece := sock.recv(65536):
                data += piece
        return data

    def say(self, port, data, end=True):
        with self.connect(port) as sock:
            with contextlib.suppress(OSError):  # it may have been cut off already
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
            return self.read_all(sock)

    def refusals(self, action):
        return [r for r in self.host.records(platform="true", action=action) if r["kind"] == "refusal"]

    def expect(self, wanted):
        """Records of so many refusals come, {(action, reason): number}, and no more."""
        end, found = time.monotonic() + WAIT, {}
        while found != wanted and time.monotonic() < end:
            found, records = {}, []
            for action in (MALFORMED, "connections.handshake", "connections.refused"):
                for record in self.refusals(action):
                    records.append(record)
                    key = action, record["reason"]
                    found[key] = found.get(key, 0) + record.get("count", 1)
            time.sleep(0.1)
        self.assertEqual(wanted, found)
        return records

    def test_what_is_no_http(self):
        wanted = {}
        for data, status, reason in FAULTS:
            with self.subTest(data[:60]):
                answer = self.say(self.plain, data, end=status != 408)
                self.assertRegex(answer, rb"^HTTP/1\.[01] %d " % status)
                wanted[MALFORMED, reason] = wanted.get((MALFORMED, reason), 0) + 1
        for record in self.expect(wanted):
            self.assertEqual(("blocked", "rest", "@platform"), tuple(record[m] for m in ("outcome", "door", "scope")))
            self.assertRegex(record["source"], "^src_")
            self.assertNotIn("secret-word", str(record))
            self.assertNotIn("127.0.0.1", str(record))
            self.assertFalse({"input_digest", "actor", "resource"} & set(record), record)
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def test_handshakes(self):
        """Each in the other's language; a version that is not spoken; one that never ends; and who does nothing at all."""
        self.assertRegex(self.say(self.encrypted, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), b"^HTTP/1.1 400 ")
        self.assertEqual(b"\x15\x03\x03\x00\x02\x02\x28", self.say(self.plain, b"\x16\x03\x01\x00\x05hello"))
        old = ssl.create_default_context(cafile=self.authority.ca)
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
        with self.assertRaises(OSError):
            old.wrap_socket(self.connect(self.encrypted), server_hostname="127.0.0.1")
        self.say(self.encrypted, b"\x16\x03\x01\x40\x00", end=False)
        for port in (self.plain, self.encrypted):
            self.connect(port).close()
        self.expect({(MALFORMED, "invalid_argument"): 1, ("connections.handshake", "unsupported"): 1,
                     ("connections.handshake", "invalid_argument"): 1, ("connections.handshake", "timeout"): 1})

    def test_a_flood_is_counted(self):
        for _ in range(300):
            self.say(self.plain, b"X\r\n\r\n")
        records = self.expect({(MALFORMED, "invalid_argument"): 300})
        self.assertLess(len(records), 20)
        self.assertEqual(1, len({r["source"] for r in records}))

    def test_one_too_many(self):
        # not that of the test's own requests
        socks = [self.connect(self.plain, "127.0.0.2") for _ in range(60)]
        refused = sum(self.is_closed(sock) for sock in socks)
        self.assertGreater(refused, 0)
        for sock in socks:
            sock.close()
        records = self.expect({("connections.refused", "busy"): refused})
        self.assertLess(len(records), 10)

    @staticmethod
    def is_closed(sock):
        """It answers, or it was refused."""
        try:
            sock.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            return sock.recv(16) == b""
        except ConnectionError:
            return True


if __name__ == "__main__":
    main()
