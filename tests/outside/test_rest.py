# SPDX-License-Identifier: LGPL-2.1-or-later
"""The HTTP door byte by byte: targets, framing, sizes, connections, streams, clients that go or do not read."""

import contextlib
import json
import os
import re
import socket
import threading
import time
import unittest
import urllib.parse

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
server: {{threads: 2, keep_alive: 3s, header_timeout: 3s, body_timeout: 4s}}
"""
MEGABYTE = 1 << 20


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        # what a sanitizer keeps of freed memory would look like growth; suppressions need whole stacks
        environment = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:fast_unwind_on_malloc=0"}
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url), environment=environment).start()
        cls.addClassCleanup(cls.host.close)
        cls.address = urllib.parse.urlsplit(cls.host.url)

    def connect(self):
        return socket.create_connection((self.address.hostname, self.address.port), timeout=20)

    def read_answer(self, sock):
        """One answer with a length: (status, headers, body)."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = sock.recv(65536)
            if not more:
                return None
            data += more
        head, body = data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += sock.recv(65536)
        self.rest = body[int(headers.get("content-length", 0)):]
        return int(lines[0].split(" ")[1]), headers, body[: int(headers.get("content-length", 0))]

    @staticmethod
    def read_all(sock):
        """What comes until the end, however that comes."""
        data = b""
        try:
            while more := sock.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def exchange(self, data):
        with self.connect() as sock:
            sock.sendall(data)
            return self.read_answer(sock)

    def get(self, target, more=""):
        return self.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.host.process.pid}/fd"))


class Requests(Door):
    def test_instance_is_the_target_as_it_was_sent(self):
        for target in ("/nothing%5Fhere", "/a/../b", "/%2e%2E/x", "/a//b", "/%C3%A4", "/%c3%a4", "/x;y=1", "/it's"):
            status, _headers, body = self.get(target + "?q=1")
            self.assertEqual((404, target), (status, json.loads(body)["instance"]))

    def test_encoded_identifiers_are_decoded_once(self):
        agent = self.host.agent(tools=[])
        encoded = agent.replace("_", "%5F")
        self.assertEqual(agent, self.host.get(f"/api/v1/admin/agents/{encoded}", expect=200).json["agent_id"])
        self.assertEqual(404, self.host.get("/api/v1/admin/agents/" + agent.replace("_", "%255F")).status)
        self.assertEqual(404, self.host.get("/api/v1/admin/agents/x%2F..%2F" + agent).status)

    def test_ids_and_security_headers(self):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        for target in ("/health", "/nothing", "/api/v1/me"):
            _status, headers, body = self.get(target, f"traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n")
            self.assertRegex(headers["traceparent"], f"^00-{trace}-[0-9a-f]{{16}}-01$")
            self.assertNotIn("00f067aa0ba902b7", headers["traceparent"])
            self.assertTrue(headers["x-request-id"].startswith("req_"))
            self.assertEqual("nosniff", headers["x-content-type-options"])
            self.assertIn("default-src 'none'", headers["content-security-policy"])
            if target != "/health":
                self.assertEqual(trace, json.loads(body)["trace_id"])
        _status, headers, _body = self.get("/health", "traceparent: 00-00000000000000000000000000000000-00f067aa0ba902b7-01\r\n")
        self.assertNotIn("0" * 32, headers["traceparent"])

    def test_documents_about_the_interface(self):
        page = self.host.get("/docs", key=None, expect=200)
        self.assertNotIn("unsafe-inline", page.headers["Content-Security-Policy"])
        for name in re.findall(r'(?:src|href)="([^"]+)"', page.text):
            self.assertTrue(name.startswith("/"), name)
            self.host.get(name, key=None, expect=200)
        self.assertNotIn("<script>", page.text)
        description = self.host.get("/openapi.json", key=None, expect=200).json
        self.assertIn("/v1/agents/execute", description["paths"])

    def test_head_is_get_without_a_body(self):
        with self.connect() as sock:
            sock.sendall(b"HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            data = b"".join(iter(lambda: sock.recv(4096), b""))
        self.assertTrue(data.startswith(b"HTTP/1.1 200"))
        self.assertTrue(data.endswith(b"\r\n\r\n"))

    def test_ambiguous_requests_are_refused(self):
        post = b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\n"
        for data in (post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                     post + b"Content-Length: 2, 2\r\n\r\n{}", post + b"Content-Length: +2\r\n\r\n{}", post + b"Content-Length: 0x2\r\n\r\n{}",
                     post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", post + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
                     post + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n", post + b"X: a\r\n b\r\n\r\n", post + b"X: a\0b\r\n\r\n",
                     b"GET /health HTTP/1.1\nHost: x\n\n", b"GET /health HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
                     b"GET http://y/health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health HTTP/1.1\r\n\r\n"):
            smuggled = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
            with self.subTest(data), self.connect() as sock:
                sock.sendall(data + smuggled)
                status, headers, body = self.read_answer(sock)
                self.assertEqual((400, "application/problem+json", "close"), (status, headers["content-type"], headers["connection"]))
                self.assertIn("detail", json.loads(body))
                # nothing after it is read as a request
                self.assertEqual(b"", self.rest + self.read_all(sock))

    def test_no_answer_is_libsoups(self):
        """What it would refuse by itself gets a problem document, with ids and headers, as all else."""
        hosts = ["x:99999", "[::1", "%zz", "%41", "[::g]", "x:80:80", "[fe80::1%25eth0]", "::1", "x" * 256, "a" * 64 + "." + "-" * 60]
        targets = ["/%00", "/%ff", "/[", "/a|b^c`{}\\\"<>", "/?[]%ff", "/?%00", "//", "//x:y@z:99999/", "http://x", "http://x?", "http://x/%00", "HTTPS://X//"]
        for host, target in [(host, "/x") for host in hosts] + [("x", target) for target in targets]:
            with self.subTest(host=host, target=target):
                status, headers, body = self.exchange(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                self.assertIn(status, (400, 404))
                self.assertEqual(("application/problem+json", "nosniff"), (headers["content-type"], headers["x-content-type-options"]))
                self.assertIn(json.loads(body)["trace_id"], headers["traceparent"])
                self.assertTrue(headers["x-request-id"].startswith("req_"))

    def test_options_of_the_server(self):
        methods = {m.upper() for path in self.host.get("/openapi.json").json["paths"].values() for m in path if m != "parameters"}
        with self.connect() as sock:
            for body in ("", "{}"):
                sock.sendall(f"OPTIONS * HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                answer = b""
                while not answer.endswith(b"\r\n\r\n"):
                    answer += sock.recv(4096)
                self.assertTrue(answer.startswith(b"HTTP/1.1 204 "), answer)
                self.assertIn(b"X-Request-Id: req_", answer)
                allowed = re.search(r"\r\nAllow: ([^\r]*)", answer.decode())[1].split(", ")
                self.assertEqual(sorted(methods | {"HEAD", "OPTIONS"}), sorted(allowed))
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertEqual(200, self.read_answer(sock)[0])
        self.assertEqual(400, self.exchange(b"GET * HTTP/1.1\r\nHost: x\r\n\r\n")[0])

    def test_names_and_titles_are_one_line(self):
        def upload(name, title=None):
            more = f'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{json.dumps({"title": title})}\r\n' if title else ""
            body = f'{more}--b\r\nContent-Disposition: form-data; name="file"; {name}\r\nContent-Type: text/plain\r\n\r\nOil.\r\n--b--\r\n'.encode()
            return self.host.call("POST", "/api/v1/documents/upload", body, headers={"Content-Type": "multipart/form-data; boundary=b"})

        for name in ("filename*=UTF-8''a%0D%0Ab", "filename*=utf-8'en'%C2%9B2J", 'filename="\x1b[2J"', "filename*=UTF-8''%E2%80%AEgpj.exe"):
            self.assertEqual(400, upload(name).status, name)
        for title in ("a\r\nb", "a\x07", "\x9b2J", "\u202egpj.exe"):
            answer = upload("filename=a.txt", title)
            self.assertEqual((400, True), (answer.status, "the title has a line break" in answer.json["detail"]), answer)
        self.assertEqual("\u20ac x.txt", upload("filename*=utf-8'en'%e2%82%ac%20x.txt").json["title"])

    def test_nonsense_ends_in_an_answer_or_an_end(self):
        for data in (b"\r\n\r\n\r\n", b"\x00\xff\x16\x03\x01", b"GET\r\n\r\n", b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"):
            with self.connect() as sock:
                with contextlib.suppress(OSError):  # it may have been cut off already
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                answer = self.read_all(sock)
                self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1."), answer[:100])
                self.assertNotIn(b" 200 ", answer[:20])
        self.assertEqual(200, self.get("/health")[0])

    def test_nothing_is_served_in_parts(self):
        status, headers, body = self.get("/openapi.json", "Range: bytes=" + ",".join(f"{i}-{i}" for i in range(0, 4000, 2)) + "\r\n")
        self.assertEqual((200, "application/json"), (status, headers["content-type"].split(";")[0]))
        self.assertIn("openapi", json.loads(body))

    def test_pipelined_requests_are_answered_in_order(self):
        with self.connect() as sock:
            sock.sendall(b"".join(f"GET /p{i} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for i in range(5)))
            data = b""
            while data.count(b'"instance"') < 5:
                data += sock.recv(65536)
        self.assertEqual([f"/p{i}" for i in range(5)], re.findall(r'"instance":"([^"]*)"', data.decode()))

    def test_a_request_in_single_bytes(self):
        with self.connect() as sock:
            for byte in b"POST /api/v1/admin/users HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}":
                sock.sendall(bytes([byte]))
            self.assertEqual(401, self.read_answer(sock)[0])

    def test_both_ways_answer_alike(self):
        """The host serves a path by itself, and leaves an address to libsoup: byte for byte the same, but for what differs by nature."""
        own = re.compile(rb"(?i)((?:date|traceparent|x-request-id): )[^\r]*|(\"trace_id\":\")[0-9a-f]+")
        authorization = f"X-API-Key: {self.host.key}\r\n"
        fields = ("", authorization, authorization + "Connection: close\r\n", authorization + "Connection: x , CLOSE\r\nX:\r\n", "Range: bytes=0-1\r\n",
                  "Upgrade: h2c\r\nConnection: Upgrade\r\n", "Accept: text/html\r\nX-Tenant-ID: \u00e4\r\n", "Origin: https://x\r\nTE: trailers\r\n")
        for target in ("/health/live", "/api/v1/me?a=%00", "/docs", "//x/../%2e", "/v1/a%ffb", "/api/v1/admin/users/a%0d%0ab:%20c?limit=x"):
            for more in fields:
                for start, body in (("GET ", ""), ("POST ", "{}"), ("POST ", "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")):
                    length = f"Content-Length: {len(body)}\r\n" if body else ""
                    answers = []
                    for form in ("", "http://x"):
                        with self.connect() as sock:
                            sock.sendall(f"{start}{form}{target} HTTP/1.1\r\nHost: x\r\n{more}{length}\r\n{body}".encode())
                            sock.shutdown(socket.SHUT_WR)
                            answers.append(own.sub(rb"\1\2", self.read_all(sock)))
                    self.assertEqual(answers[0], answers[1], (start, target, more))
                    self.assertEqual(1, answers[0].count(b"HTTP/1.1 "), answers[0])


class Sizes(Door):
    def test_too_large_bodies_are_read_and_refused(self):
        chunk = b"%x\r\n" % MEGABYTE + b"y" * MEGABYTE + b"\r\n"
        for head, body in ((f"Content-Length: {40 * MEGABYTE}\r\n", b"x" * (40 * MEGABYTE)), ("Transfer-Encoding: chunked\r\n", chunk * 40 + b"0\r\n\r\n")):
            with self.connect() as sock:
                sock.sendall(f"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
                sock.sendall(body)
                status, _headers, answer = self.read_answer(sock)
                self.assertEqual((413, "/api/v1/chat"), (status, json.loads(answer)["instance"]))
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(200, self.read_answer(sock)[0])

    def test_expect_is_answered_before_the_body(self):
        with self.connect() as sock:
            sock.sendall(f"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {99 * MEGABYTE}\r\n\r\n".encode())
            status, headers, _ = self.read_answer(sock)
            # nobody reads what he waits with: the next request needs another connection, and he is told
            self.assertEqual((413, "close"), (status, headers.get("connection")))
            self.assertEqual(b"", sock.recv(1))

    def test_a_body_of_too_many_values_is_refused(self):
        """A byte that comes would be hundreds in memory."""
        for values, status in ((300000, 413), (200000, 400)):
            # brackets and commas in a text are none
            body = {"tenant_id": "many", "name": "[" * 300000, "metadata": {"a": [0] * values}, "none": 1}
            told = self.host.post("/api/v1/admin/tenants", body, expect=status).json
            self.assertIn("a JSON text of more than 262144 values is too large here" if status == 413 else "/none", json.dumps(told))

    def test_a_part_of_too_many_values_is_refused(self):
        """The part is at fault, and named; the form around it is not too large."""
        def upload(values):
            metadata = json.dumps({"title": "t", "tags": ["a"] * values})
            body = (f'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{metadata}\r\n--b\r\nContent-Disposition: form-data; name="file"; '
                    'filename=a.txt\r\nContent-Type: text/plain\r\n\r\nOil.\r\n--b--\r\n').encode()
            return self.host.call("POST", "/api/v1/documents/upload", body, headers={"Content-Type": "multipart/form-data; boundary=b"})

        refused = upload(300000)
        self.assertEqual(400, refused.status)
        for words in ("metadata", "a JSON text of more than 262144 values is too large here"):
            self.assertIn(words, refused.text)
        self.assertEqual(201, upload(1000).status)

    def test_memory_does_not_grow_with_a_refused_body(self):
        def resident():
            with open(f"/proc/{self.host.process.pid}/status", encoding="utf-8") as file:
                return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])

        before = resident()
        with self.connect() as sock:
            sock.sendall(f"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * MEGABYTE}\r\n\r\n".encode())
            for _ in range(100):
                sock.sendall(b"z" * MEGABYTE)
            self.assertEqual(413, self.read_answer(sock)[0])
        self.assertLess(resident() - before, 30 * 1024)

    def test_endless_bodies_are_cut_off(self):
        with self.connect() as sock, self.assertRaises((BrokenPipeError, ConnectionResetError)):
            sock.sendall(b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(400):
                sock.sendall(b"%x\r\n" % MEGABYTE + b"y" * MEGABYTE + b"\r\n")


class Connections(Door):
    def test_a_connection_is_kept_and_then_closed(self):
        with self.connect() as sock:
            for _ in range(3):
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(200, self.read_answer(sock)[0])
            sock.settimeout(15)
            began = time.monotonic()
            self.assertEqual(b"", sock.recv(4096))
            self.assertGreater(time.monotonic() - began, 2)

    def test_a_bad_request_behind_a_good_one_is_refused_aloud(self):
        for pipelined in (False, True):
            with self.subTest(pipelined=pipelined), self.connect() as sock:
                good, bad = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n"
                sock.sendall(good + bad if pipelined else good)
                data = b"" if pipelined else sock.recv(65536)
                if not pipelined:
                    sock.sendall(bad)
                data += self.read_all(sock)
                self.assertEqual([b"200", b"400"], re.findall(rb"HTTP/1\.1 (\d+)", data))

    def test_closed_connections_leave_nothing_behind(self):
        before = self.descriptors()
        for data in (b"", b"GET", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
            socks = [self.connect() for _ in range(40)]
            for sock in socks:
                sock.sendall(data)
            time.sleep(0.2)
            for sock in socks:
                sock.close()
        end = time.monotonic() + 60
        while self.descriptors() > before + 4 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLessEqual(self.descriptors(), before + 4)

    def test_many_idle_connections_are_closed_in_time(self):
        before = self.descriptors()
        socks = [self.connect() for _ in range(600)]
        for sock in socks:
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        end = time.monotonic() + 60
        while self.descriptors() > before + 300 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLessEqual(self.descriptors(), before + 300)
        for sock in socks:
            sock.close()

    def test_a_request_that_stops_in_the_middle_is_refused(self):
        for data in (b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"POST /api/v1/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
            with self.subTest(data), self.connect() as sock:
                sock.sendall(data)
                began = time.monotonic()
                status, headers, body = self.read_answer(sock)
                self.assertGreater(time.monotonic() - began, 2.5)
                self.assertEqual((408, "application/problem+json", "close"), (status, headers["content-type"], headers["connection"]))
                self.assertEqual(408, json.loads(body)["status"])
                self.assertEqual(b"", self.read_all(sock))

    def test_a_client_that_closed_its_side_gets_its_answer(self):
        with self.connect() as sock:
            sock.sendall(f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\n\r\n".encode())
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual(200, self.read_answer(sock)[0])

    def test_a_client_that_closed_its_side_waits_for_a_model(self):
        """As a script does: printf ... | nc. What is answered late, and what is streamed after a pause."""
        agent = self.host.agent(tools=[])
        chat = {"model": "mock/gpt-test", "messages": [{"role": "user", "content": "x"}]}
        log = self.host.read_log()
        for path, body, end in (("/v1/chat/completions", chat, b'"late"'), ("/v1/chat/completions", {**chat, "stream": True}, b"[DONE]"),
                                ("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, b'"late"'),
                                ("/api/v1/agents/execute", {"agent_id": agent, "mission": "x", "stream": True}, b"run.completed")):
            self.mock.script([{"content": "late", "delay": 2.5}])
            data = json.dumps(body).encode()
            with self.subTest(path, stream="stream" in body), self.connect() as sock:
                sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\n"
                             f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
                sock.shutdown(socket.SHUT_WR)
                answer = self.read_all(sock)
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer)
                self.assertIn(end, answer)
        self.assertNotRegex(self.host.read_log()[len(log):], "(?i)warning")


class Streams(Door):
    def setUp(self):
        self.mock.reset()

    def open_stream(self, path, body):
        sock = self.connect()
        self.addCleanup(sock.close)
        data = json.dumps(body).encode()
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        return sock

    def test_the_shape_of_events(self):
        self.mock.script([{"chunks": ["one ", "two\n", "three\u2028é"]}])
        agent = self.host.agent(tools=[])
        body = {"agent_id": agent, "mission": "x", "stream": True}
        answer = self.host.post("/api/v1/agents/execute", body, expect=200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/event-stream"))
        frames = answer.text.split("\n\n")
        self.assertEqual("", frames.pop())
        last = 0
        for frame in frames:
            match = re.fullmatch(r"event: ([a-z]+\.[a-z]+)\ndata: ([^\n\r]*)", frame)
            self.assertTrue(match, frame)
            data = json.loads(match[2])
            self.assertGreater(data["sequence"], last)
            last = data["sequence"]
            self.assertTrue(data["run_id"].startswith("run_"))
        self.assertTrue(frames[0].startswith("event: run.started\n"))
        self.assertTrue(frames[-1].startswith("event: run.completed\n"))
        final = json.loads(frames[-1].split("data: ")[1])
        self.assertEqual(("succeeded", "one two\nthree\u2028é"), (final["status"], final["answer"]))
        deltas = [json.loads(f.split("data: ")[1])["delta"] for f in frames if f.startswith("event: message.delta")]
        self.assertEqual(final["answer"], "".join(deltas))

    def test_a_stream_ends_with_its_connection(self):
        body = json.dumps({"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]}).encode()
        for version in ("1.0", "1.1"):
            self.mock.script([{"content": "plain"}])
            with self.subTest(version), self.connect() as sock:
                sock.sendall(f"POST /v1/chat/completions HTTP/{version}\r\nHost: x\r\nX-API-Key: {self.host.key}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                data = b"".join(iter(lambda: sock.recv(65536), b""))
                head, text = data.split(b"\r\n\r\n", 1)
                self.assertNotIn(b"chunked", head)
                self.assertIn(b"\r\nConnection: close", head)
                self.assertTrue(text.startswith(b"data: {") and text.endswith(b"data: [DONE]\n\n"), text)

    def test_a_client_that_goes_ends_its_model_call(self):
        self.mock.script([{"chunks": ["x "] * 200, "chunk_delay": 0.1}])
        before = len(self.outcomes())
        with self.open_stream("/v1/chat/completions", {"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]}) as sock:
            self.assertTrue(sock.recv(4096))
        end = time.monotonic() + 60
        while len(self.outcomes()) == before and time.monotonic() < end:
            time.sleep(0.1)
        self.assertIn(self.outcomes()[-1]["outcome"], ("failed", "unknown"))

    def outcomes(self):
        return [r for r in self.host.records(action="model.call") if r["kind"] == "outcome"]

    def test_a_run_goes_on_when_its_client_goes(self):
        self.mock.script([{"chunks": ["a "] * 10, "chunk_delay": 0.1}])
        agent = self.host.agent(tools=[])
        with self.open_stream("/api/v1/agents/execute", {"agent_id": agent, "mission": "x", "stream": True}) as sock:
            data, run = "", None
            while not run:
                data += sock.recv(65536).decode()
                run = re.search(r'"run_id":"(run_\w+)"', data)
        events = list(self.host.stream("GET", f"/api/v1/runs/{run[1]}/events"))
        self.assertEqual(("run.completed", "succeeded"), (events[-1].name, events[-1].data["status"]))
        later = [e.data["sequence"] for e in self.host.stream("GET", f"/api/v1/runs/{run[1]}/events?after={events[0].data['sequence']}")]
        self.assertGreater(later[0], events[0].data["sequence"])

    def test_clients_that_go_at_once_hold_no_stream(self):
        """They ask for the events of a run that waits for its model, and are gone before the first one."""
        gate = threading.Event()
        self.addCleanup(gate.set)
        self.mock.script([lambda _request: (gate.wait(60), {"content": "at last"})[1]])
        agent = self.host.agent(tools=[])
        with self.open_stream("/api/v1/agents/execute", {"agent_id": agent, "mission": "x", "stream": True}) as first:
            data, run = "", None
            while not run:
                data += first.recv(65536).decode()
                run = re.search(r'"run_id":"(run_\w+)"', data)
            self.wait_for(lambda: self.mock.remaining() == 0)
            before = self.descriptors()
            for _ in range(100):
                with self.connect() as sock:
                    sock.sendall(f"GET /api/v1/runs/{run[1]}/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\n\r\n".encode())
            # each has its record, and another when it is over
            self.wait_for(lambda: len(self.host.records(action="runs.events", run_id=run[1])) == 200)
            ends = [r for r in self.host.records(action="runs.events", run_id=run[1]) if "parent" in r]
            self.assertEqual((100, {"cancelled"}), (len(ends), {r["reason"] for r in ends}))
            self.wait_for(lambda: self.descriptors() < before + 20)
            gate.set()
            self.assertIn(b"run.completed", self.read_all(first))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.host.process.pid}/fd"))

    def wait_for(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)

    def test_a_client_that_does_not_read_is_dropped(self):
        self.mock.script([{"chunks": ["x" * 60000] * 400}])
        sock = self.open_stream("/v1/chat/completions", {"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]})
        sock.recv(16)
        time.sleep(3)
        total = 0
        sock.settimeout(10)
        try:
            while more := sock.recv(MEGABYTE):
                total += len(more)
                if b"[DONE]" in more:
                    self.fail("a slow reader was buffered without bound")
        except ConnectionResetError:
            pass
        self.assertLess(total, 20 * MEGABYTE)
        self.assertEqual(200, self.get("/health")[0])

    def test_an_upstream_that_breaks_ends_the_stream_with_an_error(self):
        self.mock.script([{"chunks": ["a", "b", "c", "d"], "close": "middle"}])
        answer = self.host.post("/v1/chat/completions", {"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]})
        frames = answer.text.strip().split("\n\n")
        self.assertIn("error", json.loads(frames[-1][6:]))
        self.assertNotIn("[DONE]", answer.text)

    def test_an_upstream_that_breaks_its_lines(self):
        """An event may be several lines; the caller's is one, for most clients read no other."""
        events = ['{"choices": [\r\n{"index": 0,\n\n\n"delta": {"content": "a"}}\r]}', '{\n"choices": [{"index": 0, "delta": {"content": "\\n"},\n"finish_reason": "stop"}]}']
        texts = [re.sub("\r\n|\r|\n", "\ndata: ", "data: " + event) + "\n\n" for event in events]
        self.mock.script([{"raw": "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + "".join(texts) + "data: [DONE]\n\n"}])
        answer = self.host.post("/v1/chat/completions", {"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]}, expect=200)
        frames = answer.text.strip().split("\n\n")
        self.assertEqual("data: [DONE]", frames.pop())
        for frame in frames:
            self.assertRegex(frame, r"^data: [^\r\n]*$")
        self.assertEqual([json.loads(event) for event in events], [json.loads(frame[6:]) for frame in frames])


if __name__ == "__main__":
    main()
