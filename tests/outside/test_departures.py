# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client that leaves while a model is asked for it: the model's service is let go at once, and what it may have been paid for is spent. One
that has only ended its own side still waits, and gets its answer."""

import contextlib
import json
import queue
import re
import socket
import ssl
import struct
import tempfile
import threading
import time
import unittest
import urllib.parse

from certificates import Authority
from mock_openai import MockOpenAI
from reeve import Host, main

BASE = "/api/v1/admin/budgets"
CONFIG = """
limits: {{requests_per_minute: 0}}
tls: {{certificate: {certificate}, key: {key}}}
llm:
  default: still/x
  providers:
    - {{id: still, plugin: llm-openai, settings: {{base_url: "http://127.0.0.1:{port}/v1", api_key: "sk-test", retries: 0}}}}
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  fallbacks:
    - {{model: still, models: [mock/x]}}
"""
WAIT = 60
ASK = {"model": "still/x", "messages": [{"role": "user", "content": "How often is the oil changed?"}], "max_tokens": 64}
EMBED = {"model": "still/x", "input": ["one", "two"]}


class Still:
    """A service that takes requests and says nothing. `asked` gets a queue for each, which gets True when its connection ends."""

    def __init__(self):
        self.asked = queue.Queue()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.server.accept()[0],), daemon=True).start()

    def serve(self, sock):
        data, ended = b"", queue.Queue()
        with sock, contextlib.suppress(OSError):
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return  # opened ahead, and not used
                data += piece
            self.asked.put(ended)
            while sock.recv(65536):
                pass
        ended.put(True)

    def close(self):
        self.server.close()


class Departures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="reeve-")
        cls.addClassCleanup(folder.cleanup)
        cls.authority = Authority(folder.name)
        certificate, key = cls.authority.sign("host")
        cls.mock, cls.still = MockOpenAI().start(), Still()
        cls.addClassCleanup(cls.mock.stop)
        cls.addClassCleanup(cls.still.close)
        config = CONFIG.format(port=cls.still.port, url=cls.mock.base_url, certificate=certificate, key=key)
        cls.host = Host(config=config, ca=cls.authority.ca, arguments=["--listen", "http://127.0.0.1:0"])
        cls.addClassCleanup(cls.host.close)
        cls.host.start()
        cls.port = urllib.parse.urlsplit(cls.host.process.stdout.readline().decode().strip().split(" ")[1]).port

    def setUp(self):
        self.mock.reset()
        self.host.put(BASE + "/org", {"token_limit": 1000000}, expect=200)

    def connect(self):
        sock = socket.create_connection(("127.0.0.1", self.port), WAIT)
        self.addCleanup(sock.close)
        return sock

    def connect_encrypted(self):
        port = urllib.parse.urlsplit(self.host.url).port
        sock = self.host.context.wrap_socket(socket.create_connection(("127.0.0.1", port), WAIT), server_hostname="127.0.0.1")
        self.addCleanup(sock.close)
        return sock

    def send(self, sock, body, path="/v1/chat/completions", version="1.1", chunked=False):
        data = json.dumps(body).encode()
        framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data)}"
        sock.sendall(f"POST {path} HTTP/{version}\r\nHost: x\r\nX-API-Key: {self.host.key}\r\nContent-Type: application/json\r\n{framing}\r\n\r\n".encode()
                     + (b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if chunked else data))

    def budget(self):
        return self.host.get(BASE + "/org").json

    def outcomes(self):
        return self.host.records(action="model.call", kind="outcome")

    def leave(self, leave, body=ASK, connect=None, **options):
        """Asks, leaves while the service is asked, and returns intent and outcome."""
        before, spent = len(self.outcomes()), self.budget()["tokens_used"]
        sock = (connect or self.connect)()
        self.send(sock, body, **options)
        ended = self.still.asked.get(timeout=WAIT)
        self.assertGreater(self.budget()["tokens_reserved"], 0)
        leave(sock)
        self.assertTrue(ended.get(timeout=WAIT), "the service is still asked")
        end = time.monotonic() + WAIT
        while len(found := self.outcomes()) == before and time.monotonic() < end:
            time.sleep(0.05)
        [outcome] = found[before:] if len(found) > before else [None]
        self.assertIsNotNone(outcome, "no record says how it ended")
        [intent] = [r for r in self.host.records(action="model.call", kind="intent") if r["seq"] == outcome["intent"]]
        while (budget := self.budget())["tokens_reserved"] > 0 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(0, budget["tokens_reserved"])
        self.assertEqual(("unknown", "cancelled"), (outcome["outcome"], outcome["reason"]))
        counted = outcome.get("input_tokens", 0) + outcome.get("output_tokens", 0)
        self.assertEqual((counted or intent["reserved_tokens"]) + spent, budget["tokens_used"])
        self.assertEqual(0, self.mock.count(), "another was asked for nobody")
        return intent, outcome

    @staticmethod
    def reset(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    @staticmethod
    def half_then_all(sock):
        """It waits for an answer, reads what comes, and leaves then."""
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(1) == b"H"
        sock.close()

    def test_one_that_waits_for_all_of_the_answer(self):
        """Nobody knows whether the service goes on and wants to be paid: what was reserved is spent."""
        for name, leave in (("close", socket.socket.close), ("reset", self.reset), ("half", self.half_then_all)):
            with self.subTest(name):
                intent, outcome = self.leave(leave)
                self.assertNotIn("input_tokens", outcome)
                self.assertGreater(intent["reserved_tokens"], 64)

    def test_one_that_waits_for_the_first_word(self):
        """As of a stream that is cut later: what was read, and what was said."""
        for name, leave in (("close", socket.socket.close), ("reset", self.reset), ("half", self.half_then_all)):
            with self.subTest(name):
                _intent, outcome = self.leave(leave, {**ASK, "stream": True})
                self.assertGreater(outcome["input_tokens"], 0)
                self.assertEqual((1, 0), (outcome["estimated"], outcome.get("output_tokens", 0)))

    def test_who_is_served_by_libsoup(self):
        for options in ({"version": "1.0"}, {"chunked": True}):
            with self.subTest(options):
                self.leave(socket.socket.close, **options)

    def test_one_that_waits_for_vectors(self):
        self.leave(socket.socket.close, EMBED, path="/v1/embeddings")

    def test_an_encrypted_one(self):
        self.leave(ssl.SSLSocket.close, connect=self.connect_encrypted)

    # ---- who still waits ----

    @staticmethod
    def read_all(sock):
        data = b""
        while piece := sock.recv(65536):
            data += piece
        return data

    def test_who_has_ended_his_own_side_gets_the_answer_alone(self):
        """Whoever serves him, and whatever the answer is: not a byte more or less of it."""
        late = {"delay": 4.5, "content": "late"}
        for name, answer, status, end in (("whole", late, b"200 OK", b"}"), ("refused", {**late, "status": 400, "error": {"message": "no"}}, b"400 Bad Request", b"}"),
                                          ("stream", late, b"200 OK", b"data: [DONE]\n\n")):
            for options in ({}, {"version": "1.0"}, {"chunked": True}):
                with self.subTest(name, **options), self.connect() as sock:
                    self.mock.script([answer])
                    self.send(sock, {**ASK, "model": "mock/x", "stream": name == "stream"}, **options)
                    sock.shutdown(socket.SHUT_WR)
                    data = self.read_all(sock)
                    version = options.get("version", "1.1").encode()
                    self.assertTrue(data.startswith(b"HTTP/%b %b\r\n" % (version, status)), data)
                    self.assertTrue(data.endswith(end), data)
                    self.assertEqual(1, data.count(b"HTTP/"), data)

    def test_requests_behind_one_another(self):
        with self.connect() as sock:
            for word in ("one", "two"):
                self.send(sock, {**ASK, "model": "mock/x", "messages": [{"role": "user", "content": word}]})
            self.mock.script([{"delay": 2.5, "content": "one"}, {"delay": 2.5, "content": "two"}])
            sock.shutdown(socket.SHUT_WR)
            data = self.read_all(sock)
        self.assertEqual([b"200", b"200"], re.findall(rb"HTTP/1\.1 (\d+) OK\r\n", data), data)
        self.assertEqual([b"one", b"two"], re.findall(rb'"content": ?"(\w+)"', data), data)


if __name__ == "__main__":
    main()
