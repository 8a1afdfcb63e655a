# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted connections under pressure, and certificates that are replaced meanwhile.

| what                                                        | CI   | long  |
|-------------------------------------------------------------|------|-------|
| handshakes that never end, while others are served          | 600  | 6,000 |
| handshakes that begin and go away, while others are served  | 1,500| 50,000|
| certificates replaced while requests and streams go on      | 10   | 300   |
"""

import http.client
import os
import shutil
import signal
import socket
import ssl
import threading
import time
import urllib.parse

from reeve import main, size
from test_tls import Files, read_to_end, ssl_context


def client_hello():
    """The first message of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Pressed(Files):
    def setUp(self):
        self.host = self.start(self.certificate, self.key)
        self.address = urllib.parse.urlsplit(self.host.url)
        self.hello = client_hello()

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.address.port), timeout=30)

    def ask(self, connection, times):
        for _ in range(times):
            connection.request("GET", "/api/v1/me", headers={"Authorization": "Bearer " + self.host.key})
            response = connection.getresponse()
            self.assertEqual(200, response.status, response.read())
            response.read()

    def kept(self):
        return http.client.HTTPSConnection("127.0.0.1", self.address.port, timeout=30, context=self.host.context)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.host.process.pid}/fd"))

    def wait_until(self, condition, what, seconds=120):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def test_handshakes_that_never_end(self):
        connection = self.kept()
        self.ask(connection, 1)
        before, first = self.descriptors(), self.host.rss()
        sockets = []
        for i in range(size(600, 6000)):
            sock = self.connect()
            sockets.append(sock)
            sock.sendall((b"", self.hello[:7], self.hello)[i % 3])
            if i % 100 == 0:
                self.ask(connection, 1)  # one that is here
                self.host.get("/health", expect=200)  # one that comes
        # each is let go of in its time
        self.wait_until(lambda: self.descriptors() <= before + 1, "handshakes that never ended are kept")
        self.host.get("/health", expect=200)
        for sock in sockets:
            read_to_end(sock)
            sock.close()
        self.assertLess(self.host.rss() - first, 64, "MiB")
        connection.close()
        self.host.stop()

    def test_handshakes_that_begin_and_go(self):
        stopped = threading.Event()

        def flood():
            for _ in range(size(500, 16700)):
                if stopped.is_set():
                    return
                try:
                    with self.connect() as sock:
                        sock.sendall(self.hello)
                except OSError:
                    pass

        threads = [threading.Thread(target=flood) for _ in range(3)]
        connection = self.kept()
        self.ask(connection, 1)
        before = self.descriptors()
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                self.ask(connection, 5)
                self.host.get("/health", expect=200)
        finally:
            stopped.set()
            for thread in threads:
                thread.join()
        connection.close()
        self.wait_until(lambda: self.descriptors() <= before, "connections are left over")
        self.host.stop()


class Replaced(Files):
    def setUp(self):
        self.pair = self.authority.path("live.pem"), self.authority.path("live.key")
        self.put(self.authority.sign("first"))
        self.host = self.start(*self.pair)
        self.address = urllib.parse.urlsplit(self.host.url)

    def put(self, pair):
        """As tools that renew certificates do: beside, then renamed."""
        for source, target in zip(pair, self.pair):
            shutil.copy(source, target + ".new")
            os.replace(target + ".new", target)

    def shown(self):
        with socket.create_connection(("127.0.0.1", self.address.port), timeout=20) as sock, \
                ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost") as tls:
            return dict(pair[0] for pair in tls.getpeercert()["subject"])["commonName"]

    def wait_for(self, what, text):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if text in what():
                return
            time.sleep(0.02)
        self.fail(f"no {text!r} in {what()!r}")

    def test_replaced_under_connections(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.address.port, timeout=20, context=self.host.context)
        connection.request("GET", "/health")
        self.assertEqual(200, connection.getresponse().read() and 200)
        self.assertEqual("first", self.shown())
        self.put(self.authority.sign("second", kind="rsa"))
        self.host.process.send_signal(signal.SIGHUP)
        self.wait_for(self.shown, "second")
        connection.request("GET", "/health")
        self.assertEqual(200, connection.getresponse().read() and 200)
        connection.close()
        # nobody tells: found by looking
        self.put(self.authority.sign("third"))
        self.wait_for(self.shown, "third")
        self.host.stop()

    def test_what_is_not_good_is_refused(self):
        cases = [("half", None, self.pair[1] + ": is not the key of the certificate in " + self.pair[0]),
                 ("past", {"start": "200101000000Z", "end": "210101000000Z"}, "expired on 2021-01-01"),
                 ("future", {"start": "480101000000Z", "end": "490101000000Z"}, "not valid before 2048-01-01"),
                 ("weak", {"kind": "weak"}, "1024 bits is too weak")]
        for name, how, reason in cases:
            with self.subTest(name):
                other = self.authority.sign(name, **(how or {}))
                self.put(other if how else (other[0], self.authority.path("first.key")))
                self.host.process.send_signal(signal.SIGHUP)
                self.wait_for(self.host.read_log, reason)
                self.assertEqual("first", self.shown())
        os.unlink(self.pair[0])
        self.host.process.send_signal(signal.SIGHUP)
        self.wait_for(self.host.read_log, "No such file")
        self.assertEqual("first", self.shown())
        self.assertIn("the certificate stays as it was", self.host.read_log())
        self.host.stop()

    def test_replaced_while_requests_go_on(self):
        ended = threading.Event()
        failures = []

        def ask():
            try:
                while not ended.is_set():
                    with socket.create_connection(("127.0.0.1", self.address.port), timeout=30) as sock, \
                            ssl_context(self.authority).wrap_socket(sock, server_hostname="localhost", suppress_ragged_eofs=False) as tls:
                        tls.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2 + b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                        if read_to_end(tls).count(b"HTTP/1.1 200 OK") != 3:
                            failures.append("an answer is missing")
            except OSError as error:
                failures.append(repr(error))

        pairs = [self.authority.sign(f"turn-{i}") for i in range(3)]
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for i in range(size(10, 300)):
            self.put(pairs[i % 3])
            self.host.process.send_signal(signal.SIGHUP)
            self.wait_for(self.shown, f"turn-{i % 3}")
        ended.set()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        self.host.stop()


if __name__ == "__main__":
    main()
