# SPDX-License-Identifier: LGPL-2.1-or-later
"""The HTTP door under clients that mean it ill: each ends with a clear 4xx or a closed connection, the memory stays
flat, and everybody else is served meanwhile.

| what                                                        | CI     | long    |
|---|---|---|
| connections that send a head byte by byte                   | 300    | 1,500   |
| connections that send a body byte by byte                   | 300    | 1,500   |
| requests pipelined on one connection before one is read     | 5,000  | 100,000 |
| mutated requests, of which none may smuggle another one     | 2,000  | 200,000 |
| hostile JSON, each on two doors                             | 24     | 24      |
| bytes sent of bodies and heads that are too large           | 64 MiB | 400 MiB |
| streams that nobody reads, 1 MB each                        | 16     | 100     |
| open event streams                                          | 1,000  | 3,000   |
| idle connections, half of them after a request              | 2,000  | 6,000   |
| connections against a host that may open 256 files          | 600    | 5,000   |
| connections from an address that may have 20                | 30     | 30      |
| requests with bad keys                                      | 6,000  | 200,000 |
"""

import contextlib
import json
import os
import random
import re
import resource
import select
import socket
import threading
import time
import unittest
import urllib.parse

from faults import Faults
from mock_openai import MockOpenAI
from reeve import Host, main, size

CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
limits: {{requests_per_minute: 1000000}}
server: {{threads: 2, keep_alive: {keep_alive}s, header_timeout: 3s, body_timeout: 4s, send_timeout: 60s, max_unread: 256KiB, max_connections: {connections},
  max_connections_per_address: 100000}}
"""
MEGABYTE = 1 << 20
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Hold(unittest.TestCase):
    keep_alive, connections = 120, 8000

    @classmethod
    def setUpClass(cls):
        raise_limit()
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, keep_alive=cls.keep_alive, connections=cls.connections)).start()
        cls.addClassCleanup(cls.host.close)
        address = urllib.parse.urlsplit(cls.host.url)
        cls.address = (address.hostname, address.port)
        # what is only loaded at first must not look like growth
        for _ in range(20):
            cls.host.get("/api/v1/me", expect=200)
        cls.chat(cls)

    def connect(self):
        return socket.create_connection(self.address, timeout=60)

    def connect_many(self, count):
        socks = []
        self.addCleanup(lambda: [sock.close() for sock in socks])
        for _ in range(count):
            socks.append(self.connect())
        return socks

    @staticmethod
    def read_all(sock):
        """What comes until the end, however that comes."""
        data = b""
        with contextlib.suppress(ConnectionResetError):
            while more := sock.recv(65536):
                data += more
        return data

    def ask(self, data):
        """Everything that comes of it until the connection is closed."""
        with self.connect() as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            return self.read_all(sock)

    def chat(self):
        body = {"model": "mock/gpt-test", "messages": [{"role": "user", "content": "x"}]}
        return self.host.post("/v1/chat/completions", body, expect=200)

    def resident(self):
        """KiB"""
        return int(self.host.rss() * 1024)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.host.process.pid}/fd"))

    def cpu(self):
        """Seconds that the host has computed."""
        total = 0
        for task in os.listdir(f"/proc/{self.host.process.pid}/task"):
            with contextlib.suppress(OSError), open(f"/proc/{self.host.process.pid}/task/{task}/schedstat", encoding="utf-8") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    @contextlib.contextmanager
    def others_are_served(self, again=False):
        """While the block runs somebody else makes governed requests: none fails, and none waits for all who are slow, of whom each
        may be so for 3 s. again: where there are more clients than places one may be closed before it has asked; then it comes again."""
        served, stop, failed = [], threading.Event(), []

        def go():
            while not stop.is_set():
                try:
                    served.append(self.host.get("/api/v1/me", expect=200, timeout=60))
                except ConnectionError as error:
                    if not again:
                        failed.append(error)
                        return
                    continue
                except (OSError, AssertionError) as error:
                    failed.append(error)
                    return
                stop.wait(0.01)

        thread = threading.Thread(target=go)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        self.assertEqual([], failed)
        self.assertTrue(served)

    @contextlib.contextmanager
    def memory_stays(self, kib):
        """It grows by less than so much, measured after the block; gives the host a moment to let go."""
        before = self.resident()
        yield
        end = time.monotonic() + 30
        while self.resident() - before >= kib and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLess(self.resident() - before, kib, f"grown from {before} KiB")

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.02)


class Slow(Hold):
    def drip(self, socks, rest):
        """A byte to each at a time, until the host has closed all; what each was answered."""
        answers = {sock: b"" for sock in socks}
        waiting = list(socks)
        began = time.monotonic()
        while waiting and time.monotonic() - began < 60:
            for sock in list(waiting):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    sock.send(rest)
            poll = select.poll()
            by_number = {sock.fileno(): sock for sock in waiting}
            for sock in waiting:
                poll.register(sock, select.POLLIN)
            time.sleep(0.1)
            for number, _events in poll.poll(0):
                sock = by_number[number]
                try:
                    more = sock.recv(4096)
                except ConnectionResetError:
                    more = b""
                answers[sock] += more
                if not more or b"\r\n\r\n" in answers[sock] and answers[sock].endswith(b"}"):
                    waiting.remove(sock)
        self.assertEqual([], waiting)
        return answers.values()

    def check(self, head, rest):
        count = size(300, 1500)
        with self.memory_stays(16 * 1024 + 8 * count), self.others_are_served():
            socks = self.connect_many(count)
            for sock in socks:
                sock.sendall(head)
            answers = list(self.drip(socks, rest))
            self.assertEqual(set(), {answer[:30] for answer in answers if not answer.startswith(b"HTTP/1.1 408 ")})
            for sock in socks:
                sock.close()

    def test_heads(self):
        self.check(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ", b"y")

    def test_bodies(self):
        self.check(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", b" ")


class Requests(Hold):
    def test_pipelining(self):
        count = size(5000, 100000)
        with self.memory_stays(16 * 1024), self.others_are_served(), self.connect() as sock:
            requests = b"".join(f"GET /p{i} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for i in range(count))
            sender = threading.Thread(target=sock.sendall, args=(requests,))
            sender.start()
            time.sleep(0.5)  # nothing is read so far: the host must stop to read, not to hold
            data, seen = b"", 0
            while seen < count:
                data += sock.recv(MEGABYTE)
                found = re.findall(rb'"instance":"/p(\d+)"', data)
                self.assertEqual([str(i).encode() for i in range(seen, seen + len(found))], found)
                seen += len(found)
                data = data[data.rindex(b'"instance"') + 10:] if found else data
            sender.join()

    def test_nothing_is_smuggled(self):
        """Whatever is done to the head of a request, its body, which looks like another one, is read as one only as far as the
        head says that it is none of its body; and each answer is an answer."""
        good = [b"POST /smuggle1 HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
                b"POST /smuggle1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n24\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\nX: \r\n0\r\n\r\n"]
        parts = [b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b"0", b";", b",", b"chunked", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
                 b"Transfer-Encoding: identity\r\n", b"Host: y\r\n", b"\x0b", b"+", b"-", b"\xff", b"x" * 9000]
        dice = random.Random(20261122)
        with self.memory_stays(size(16, 24) * 1024), self.others_are_served():
            for _ in range(size(2000, 200000)):
                data = dice.choice(good)
                end = data.index(b"\r\n\r\n") + 4  # the head is what is played with
                for _ in range(dice.randint(1, 2)):
                    at = dice.randrange(end)
                    data = data[:at] + dice.choice(parts) + data[at + dice.randint(0, 2):]
                answer = self.ask(data)
                self.assertTrue(answer == b"" or answer.startswith(b"HTTP/1."), data)
                for line in re.findall(rb"^HTTP/1\.[01] (\d+)", answer, re.M)[:-1]:
                    self.assertIn(int(line), (404, 405, 413), data)  # kept open after those only
                if b'"/smuggled"' in answer:
                    # then it stands behind the body that the first one said it has
                    head, body = data.lstrip(b"\r\n").split(b"\r\n\r\n", 1)
                    fields = [line.split(b":", 1) for line in head.split(b"\r\n")[1:]]
                    framing = [value.strip(b" \t") for name, value in fields if name.lower() in (b"content-length", b"transfer-encoding")]
                    self.assertLessEqual(len(framing), 1, data)
                    self.assertIn(b"/smuggled", body[int((framing or [b"0"])[0]):], data)

    def test_sizes(self):
        heads = [b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
                 b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 200 + b"\r\n"]
        post = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
        body = size(16, 100) * MEGABYTE
        with self.memory_stays(16 * 1024), self.others_are_served():
            for head, status in zip(heads, (414, 431, 431)):
                self.assertTrue(self.ask(head).startswith(b"HTTP/1.1 %d " % status))
            for _ in range(2):
                self.assertIn(b" 413 ", self.ask(post + b"Content-Length: %d\r\n\r\n" % body + b"x" * body)[:20])
                chunk = b"100000\r\n" + b"y" * MEGABYTE + b"\r\n"
                self.assertIn(b" 413 ", self.ask(post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * (body // MEGABYTE) + b"0\r\n\r\n")[:20])

    def test_json(self):
        deep = 200000
        bodies = [b"", b"null", b"[]", b"{", b'{"a":1}}', b'{"a":1,"a":2}', b'{"mission":"x","mission":"y","agent_id":"agt_1"}', b"\xff\xfe{}", b'{"a":"\xff"}',
                  b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b"[" * deep + b"]" * deep, b"[" * deep, b'{"a":' * deep + b"1" + b"}" * deep, b'{"a":NaN}', b'{"a":Infinity}',
                  b'{"a":-Infinity}', b'{"a":1e999}', b'{"a":' + b"9" * 100000 + b"}", b'{"a":0123}', b'{"a":1.}', b"{'a':1}", b'{"a":1,}', b'{/**/"a":1}']
        self.assertEqual(24, len(bodies))
        with self.memory_stays(16 * 1024), self.others_are_served():
            for path in ("/api/v1/agents/execute", "/v1/chat/completions"):
                for body in bodies:
                    answer = self.host.call("POST", path, body, headers={"Content-Type": "application/json"})
                    self.assertIn(answer.status, (400, 404), (path, body[:80], answer))
                    self.assertIn("detail" if path.startswith("/api") else "error", answer.json)
                for media_type in ("text/plain", "application/xml", "multipart/form-data", "application/jsonx", "\t", "application/json; charset=utf-16"):
                    answer = self.host.call("POST", path, b'{"model": "x"}', headers={"Content-Type": media_type})
                    self.assertIn(answer.status, (400, 404, 415), (path, media_type, answer))
        self.chat()


class Streams(Hold):
    def setUp(self):
        self.mock.reset()

    def post(self, sock, path, body):
        data = json.dumps(body).encode()
        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\nContent-Type: application/json\r\n"
                     f"Content-Length: {len(data)}\r\n\r\n".encode() + data)

    def execute(self, count, read):
        """So many runs at once, each of which answers with one megabyte; returns what their clients had read, if they did."""
        self.agent = self.host.agent(tools=[])
        self.mock.script([{"chunks": [self.text] * 200}] * count)
        socks = self.connect_many(count)
        for sock in socks:
            self.post(sock, "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "x", "stream": True})
        readers = [threading.Thread(target=self.read_all, args=(sock,)) for sock in socks if read]
        for reader in readers:
            reader.start()
        self.wait_for(lambda: len(self.runs()) == count and not {r["status"] for r in self.runs()} & {"queued", "running"}, 200)
        self.assertEqual({"succeeded"}, {r["status"] for r in self.runs()})
        for reader in readers:
            reader.join()
        return socks

    def test_nobody_reads(self):
        """Runs whose clients read nothing: the connection is closed, the run goes on, and its events are in the journal."""
        count = size(16, 100)
        self.text = "y" * 5000
        self.execute(count, True)
        with self.memory_stays(24 * 1024 + count * 256), self.others_are_served():
            socks = self.execute(count, False)
        answers = [self.read_all(sock) for sock in socks]
        self.assertEqual({b"HTTP/1.1 200 "}, {answer[:13] for answer in answers})
        # 4 MiB for each of two threads: the others were dropped
        self.assertGreaterEqual(sum(b"run.completed" not in answer for answer in answers), count // 4)
        events = list(self.host.stream("GET", f"/api/v1/runs/{self.runs()[0]['run_id']}/events"))
        self.assertEqual(("run.completed", len(self.text) * 200), (events[-1].name, len(events[-1].data["answer"])))

    def runs(self):
        items = self.host.get("/api/v1/runs?limit=500", expect=200).json["items"]
        return [run for run in items if run["agent_id"] == self.agent]

    def test_a_half_closed_client(self):
        """It gets its answer or the end, never a connection that hangs."""
        agent = self.host.agent(tools=[])
        for path, body in (("/v1/chat/completions", {"model": "mock/gpt-test", "stream": True, "messages": [{"role": "user", "content": "x"}]}),
                           ("/api/v1/agents/execute", {"agent_id": agent, "mission": "x", "stream": True})):
            for head_only in (False, True):
                with self.connect() as sock:
                    if head_only:
                        sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
                    else:
                        self.post(sock, path, body)
                    sock.shutdown(socket.SHUT_WR)
                    answer = self.read_all(sock)
                    self.assertTrue(answer.startswith(b"HTTP/1.1 400 ") if head_only else answer == b"" or answer.startswith(b"HTTP/1.1 "), answer[:200])

    def test_many_open_streams(self):
        """All follow one run, which waits for its model."""
        count = size(1000, 3000)
        gate = threading.Event()
        self.addCleanup(gate.set)

        def answer(_request):
            gate.wait(120)
            return {"content": "at last"}

        self.mock.script([answer])
        agent = self.host.agent(tools=[])
        first = self.connect()
        self.addCleanup(first.close)
        self.post(first, "/api/v1/agents/execute", {"agent_id": agent, "mission": "x", "stream": True})
        run = None
        data = ""
        while not run:
            data += first.recv(65536).decode()
            run = re.search(r'"run_id":"(run_\w+)"', data)
        before = self.resident()
        socks = self.connect_many(count)
        request = f"GET /api/v1/runs/{run[1]}/events HTTP/1.1\r\nHost: x\r\nX-API-Key: {self.host.key}\r\n\r\n".encode()
        with self.others_are_served():
            for sock in socks:
                sock.sendall(request)
            for sock in socks:
                self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 200 "))
            self.assertLess((self.resident() - before) / count, 64, "KiB a stream")
            gate.set()
            for sock in socks:
                self.assertIn(b"run.completed", self.read_all(sock))


class Idle(Hold):
    connections = size(2600, 8000)

    def load(self, seconds=0.7):
        """CPU µs of the host for a request, on eight connections that are always busy."""
        socks = [self.connect() for _ in range(8)]
        count, cpu, end = 0, self.cpu(), time.monotonic() + seconds
        while time.monotonic() < end:
            for sock in socks:
                sock.sendall(HEALTH)
            for sock in socks:
                self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200"))
            count += len(socks)
        for sock in socks:
            sock.close()
        return (self.cpu() - cpu) / count * 1e6

    def test_they_cost_the_others_nothing(self):
        count = size(2000, 6000)
        alone, among = [], []
        with self.memory_stays(16 * 1024):
            for _ in range(3):
                alone.append(self.load())
                socks = [self.connect() for _ in range(count)]
                for sock in socks[::2]:
                    sock.sendall(HEALTH)
                    self.assertTrue(sock.recv(4096))
                self.assertGreaterEqual(self.descriptors(), count)
                with self.others_are_served():
                    among.append(self.load())
                for sock in socks:
                    sock.close()
                self.wait_for(lambda: self.descriptors() < count // 2)
        # a source in the loop for each would cost three to four times; the others' requests cost a little, too
        self.assertLess(min(among), 2.2 * min(alone), f"CPU us a request: alone {alone}, among {count} idle connections {among}")

    def test_the_idlest_one_makes_room(self):
        """More connections than there may be: the newest ones are served."""
        socks = self.connect_many(self.connections + 500)
        for sock in socks[-100:]:
            sock.sendall(HEALTH)
            self.assertTrue(sock.recv(4096).startswith(b"HTTP/1.1 200"))
        # who makes room may not have had a processor yet
        self.wait_for(lambda: self.descriptors() < self.connections + 200)


class Crowd(unittest.TestCase):
    """At max_connections, while the thread that has most of them gets no processor."""

    connections = 80

    def test_the_newest_is_served(self):
        with Faults() as faults, Host(config=CONFIG.format(url="http://127.0.0.1:1", keep_alive=120, connections=self.connections),
                                      state=faults.state, environment=faults.environment) as host:
            address = urllib.parse.urlsplit(host.url)
            socks = []
            self.addCleanup(lambda: [sock.close() for sock in socks])

            def connect(count):
                for _ in range(count):
                    socks.append(socket.create_connection((address.hostname, address.port), timeout=60))
                    socks[-1].sendall(HEALTH)
                    self.assertEqual(b"HTTP/1.1 200", socks[-1].recv(4096)[:12], len(socks))

            # nearly all places are of the one, which then stands still; the others and what is ahead of the limit, of the other
            try:
                faults.hold(host.process.pid, "api-1")
                connect(self.connections - 5)
                faults.hold(host.process.pid, "api-0")
                connect(self.connections)
            finally:
                faults.let_go()


class OneAddress(Hold):
    connections = 1000

    def test_it_gets_its_share(self):
        config = "server: {threads: 2, max_connections: 100, max_connections_per_address: 20}"
        with Host(config=config) as host:
            port = urllib.parse.urlsplit(host.url).port

            def served(source):
                sock = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))
                self.addCleanup(sock.close)
                with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                    sock.sendall(HEALTH)
                    return sock.recv(4096).startswith(b"HTTP/1.1 200")
                return False

            self.assertEqual([True] * 20 + [False] * 10, [served("127.0.0.2") for _ in range(30)])
            self.assertEqual([True] * 20, [served("127.0.0.3") for _ in range(20)])


class FewFiles(Hold):
    """A host that may open 256 files, and more clients than that."""

    @classmethod
    def setUpClass(cls):
        raise_limit()
        config = "server: {threads: 2, max_connections: 10000, max_connections_per_address: 10000, header_timeout: 3s}\n"
        cls.host = Host(config=config)
        few = os.path.join(cls.host.folder.name, "few")
        with open(few, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nulimit -n 256\nexec {cls.host.program} "$@"\n')
        os.chmod(few, 0o755)
        cls.host.program = few
        cls.host.start()
        cls.addClassCleanup(cls.host.close)
        address = urllib.parse.urlsplit(cls.host.url)
        cls.address = (address.hostname, address.port)

    def test_a_flood(self):
        socks = []
        self.addCleanup(lambda: [sock.close() for sock in socks])
        with self.memory_stays(16 * 1024), self.others_are_served(again=True):
            for _ in range(size(600, 5000)):
                sock = self.connect()
                socks.append(sock)
                if len(socks) % 3 == 0:
                    with contextlib.suppress(OSError):
                        sock.send(b"GET /health")
            before = self.cpu()
            time.sleep(1)
            self.assertLess(self.cpu() - before, 0.7, "a host without descriptors computes all the time")
            self.assertLess(self.descriptors(), 256)
            for sock in socks:
                sock.close()
        self.host.get("/health/ready", key=None, expect=200)

    def test_without_any_descriptor(self):
        """The limit falls below what is open: nobody new gets in, the CPU rests, and all is well when it rises again."""
        pid = self.host.process.pid
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (self.descriptors() - 2, 256))
        socks = self.connect_many(50)
        time.sleep(0.3)
        before = self.cpu()
        time.sleep(1)
        computed = self.cpu() - before
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (256, 256))
        self.assertLess(computed, 0.3, "a host without descriptors computes all the time")
        socks[-1].sendall(HEALTH)
        self.assertTrue(socks[-1].recv(4096).startswith(b"HTTP/1.1 200"))


class BadKeys(Hold):
    def test_a_flood(self):
        """One record a source, action and interval, whose counts add up."""
        count, lanes = size(6000, 200000), 40
        logs = os.path.join(self.host.state, "ledger")

        def weight():
            return sum(os.path.getsize(os.path.join(folder, name)) for folder, _dirs, names in os.walk(logs) for name in names)

        before = weight()
        with self.memory_stays(16 * 1024), self.others_are_served():
            socks = self.connect_many(lanes)
            for i in range(count // lanes):
                for lane, sock in enumerate(socks):
                    sock.sendall(f"GET /api/v1/admin/agents/none HTTP/1.1\r\nHost: x\r\nX-API-Key: rv_{i}_{lane}\r\n\r\n".encode())
                for sock in socks:
                    self.assertTrue(sock.recv(65536).startswith(b"HTTP/1.1 401 "))
        self.host.stop()
        self.host.start()
        items = self.host.get("/api/v1/admin/audit?action=agents.get&outcome=blocked&limit=500", headers={"X-Tenant-ID": "@platform"}).json
        self.assertLess(weight() - before, 300 * 1024 + count * 5)
        log = b"".join(open(os.path.join(folder, name), "rb").read() for folder, _dirs, names in os.walk(os.path.join(logs, "@platform")) for name in names
                       if name.endswith(".log"))
        # members stand in the order of their names; each start of a host is refused things, too
        told = re.findall(rb'"action":"agents\.get"(?:(?!"action":).)*?"kind":"refusal"', log, re.S)
        counts = [int(c) for c in re.findall(rb'"count":(\d+)', b"".join(told))]
        refusals = len(told)
        self.assertEqual(count, sum(counts) + refusals - len(counts))
        self.assertLess(refusals, 20 + count // 2000, items)


if __name__ == "__main__":
    main()
