# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host at work does not grow: memory, descriptors and threads over many missions and requests; many open streams; nothing left after kill -9.

| what | CI | long |
| --- | --- | --- |
| missions: two model calls and a tool each, 16 at a time | 3,000 | 30,000 |
| small requests, 16 connections | 30,000 | 300,000 |
| before: missions, and reading them until the page caches of all readers are full | 4,500, 9,000 | 4,500, 9,000 |
| samples of resident memory, descriptors, threads | 40 | 40 |
| descriptors and threads at the end over those at the beginning | 16, 8 | 16, 8 |
| growth of memory between the first and the last sample, by least squares | 1 % | 1 % |
| open event streams of a model: resident memory of the host | 1,000: 48 MiB | 1,000: 48 MiB |
| open event streams of a run: the same | 1,000: 46 MiB | 1,000: 46 MiB |
"""

import asyncio
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

from reeve import Host, main, size
from stress import CONFIG

MISSIONS = size(3000, 30000)
REQUESTS = size(30000, 300000)
WARM = 4500
SAMPLES = 40
AT_ONCE = 16
GROWTH = 0.01
# pools fill as chance has it: a reader of the store brings descriptors, a worker is a thread; what leaks with each mission comes by the thousand
POOLS = {"fds": 16, "threads": 8}
STREAMS = 1000
# the goal of both
RUN_MIB = MODEL_MIB = 44
USAGE = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
CALL = {"id": "call_1", "type": "function", "function": {"name": "calculate", "arguments": '{"expression":"6*7"}'}}


class QuickModel:
    """An OpenAI-compatible service that costs little: a call of `calculate`, then an answer; asked to `hang` it begins a stream and stops there."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--model"], stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    @staticmethod
    def answers():
        """What goes over the wire, by (streamed, the tool's result is there)."""
        table = {}
        for done in (False, True):
            message = {"role": "assistant", "content": "It is 42."} if done else {"role": "assistant", "content": None, "tool_calls": [CALL]}
            reason = "stop" if done else "tool_calls"
            base = {"id": "c1", "created": 1700000000, "model": "gpt-test"}
            whole = {**base, "object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": reason}], "usage": USAGE}
            delta = message if done else {**message, "tool_calls": [{"index": 0, **CALL}]}
            events = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}, {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]},
                      {"choices": [], "usage": USAGE}]
            text = "".join(f"data: {json.dumps({**base, 'object': 'chat.completion.chunk', **e})}\n\n" for e in events) + "data: [DONE]\n\n"
            for streamed, kind, body in ((False, "application/json", json.dumps(whole)), (True, "text/event-stream", text)):
                head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
                table[streamed, done] = (head + body).encode()
        return table

    @classmethod
    async def serve(cls):
        """The other process."""
        table = cls.answers()
        server = await asyncio.get_running_loop().create_server(lambda: Conversation(table), "127.0.0.1", 0, backlog=4096)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await server.serve_forever()


class Conversation(asyncio.Protocol):
    """One connection to the model."""

    HANG = b'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"It"}}]}\n\n'

    def __init__(self, table):
        self.table, self.data, self.transport = table, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        head, blank, body = self.data.partition(b"\r\n\r\n")
        if not blank or len(body) < int(re.search(rb"(?i)content-length: *(\d+)", head).group(1)):
            return
        self.data = b""
        if b"hang" in body:
            head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            self.transport.write(head + b"%x\r\n%s\r\n" % (len(self.HANG), self.HANG))
        else:
            body = body.replace(b": ", b":")
            self.transport.write(self.table[b'"stream":true' in body, b'"role":"tool"' in body])


class Client(threading.Thread):
    """One connection that is kept: sends `count` requests for the paths in turn and counts the good answers."""

    def __init__(self, host, method, paths, body, count, progress):
        super().__init__(daemon=True)
        self.address = urllib.parse.urlsplit(host.url)
        text = json.dumps(body).encode() if body is not None else b""
        self.requests = [(f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {host.key}\r\nContent-Type: application/json\r\n"
                          f"Content-Length: {len(text)}\r\n\r\n").encode() + text for path in paths]
        self.count, self.progress, self.fault = count, progress, None

    def run(self):
        with socket.create_connection((self.address.hostname, self.address.port), 60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(self.count):
                connection.sendall(self.requests[number % len(self.requests)])
                data = connection.recv(65536)
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, body = data.split(b"\r\n\r\n", 1)
                length = int(re.search(rb"(?i)content-length: *(\d+)", head).group(1))
                while len(body) < length:
                    body += connection.recv(65536)
                if not head.startswith(b"HTTP/1.1 200 ") or b'"status":"failed"' in body:
                    self.fault = head + body
                    return
                self.progress[0] += 1


class Sample:
    """What a process has at the moment; memory is resident, in KiB."""

    def __init__(self, pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            self.memory = int(re.search(r"Rss: *(\d+)", file.read()).group(1))
        self.fds = len(os.listdir(f"/proc/{pid}/fd"))
        self.threads = len(os.listdir(f"/proc/{pid}/task"))


def rss_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1)) / 1024


class Flat(unittest.TestCase):
    def setUp(self):
        # two, since there is a limit of connections to one
        models = [QuickModel(), QuickModel()]
        for model in models:
            self.addCleanup(model.stop)
        # often: until the next one the hash of each record is held, 32 bytes, and a round of requests is over in ten seconds
        config = "audit: {checkpoint_seconds: 1}\n" + CONFIG.format(url=models[0].url) + f'    - {{id: other, plugin: llm-openai, settings: {{base_url: "{models[1].url}", api_key: "sk-test"}}}}\n'
        # meson has free memory filled, which makes memory of what is never touched
        self.host = Host(config=config, environment={"MALLOC_PERTURB_": "0"}).start()
        self.addCleanup(self.host.close)
        self.agent = self.host.agent()

    def work(self, method, paths, body, count):
        """Samples taken while that is done `count` times."""
        progress = [0]
        clients = [Client(self.host, method, paths[n % len(paths) :: AT_ONCE], body, count // AT_ONCE, progress) for n in range(AT_ONCE)]
        for client in clients:
            client.start()
        samples = []
        while any(c.is_alive() for c in clients):
            if progress[0] >= len(samples) * count // SAMPLES:
                samples.append(Sample(self.host.process.pid))
            time.sleep(0.005)
        for client in clients:
            client.join()
            self.assertIsNone(client.fault)
        return samples[2:]  # the clients come

    def check(self, what, measure):
        """What grows once has filled a pool, late as a busy machine has it; what leaks grows again."""
        samples = measure()
        try:
            self.judge(what, samples)
        except AssertionError as once:
            print(f"measured again: {once}", flush=True)
            self.judge(what, measure())

    def judge(self, what, samples):
        self.assertGreater(len(samples), SAMPLES // 2)
        memory = [s.memory for s in samples]
        slope, start = statistics.linear_regression(range(len(samples)), memory)
        growth = slope * (len(samples) - 1) / start
        told = (f"{what}: memory {memory[0]} to {memory[-1]} KiB (growth {growth:.2%}), descriptors {samples[0].fds} to {samples[-1].fds}, "
                f"threads {samples[0].threads} to {samples[-1].threads}; every sample: {memory}")
        print(told, flush=True)
        self.assertLessEqual(growth, GROWTH, told)
        third = len(samples) // 3
        for name, pools in POOLS.items():
            # pools and idle threads come and go; what leaks only comes
            early, late = max(getattr(s, name) for s in samples[:third]), min(getattr(s, name) for s in samples[-third:])
            self.assertLessEqual(late, early + pools, f"{name}: {told}")

    def warm_up(self):
        """Until what is bounded is at its bound: each reader of the store has filled its page cache."""
        self.execute(WARM)
        paths, cursor = [], ""
        while cursor is not None and len(paths) < WARM:
            page = self.host.get(f"/api/v1/runs?limit=20{cursor}", expect=200).json
            paths += [f"/api/v1/runs/{item['run_id']}" for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        random.Random(1).shuffle(paths)
        self.work("GET", paths, None, 2 * WARM)

    def execute(self, count):
        return self.work("POST", ["/api/v1/agents/execute"], {"agent_id": self.agent, "mission": "What is 6*7?"}, count)

    def test_missions_and_requests(self):
        self.warm_up()
        self.check("requests", lambda: self.work("GET", ["/api/v1/me"], None, REQUESTS))
        self.check("missions", lambda: self.execute(MISSIONS))
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def open_streams(self, method, path, bodies, most):
        """So many streams, each of which has brought its first event."""
        address = urllib.parse.urlsplit(self.host.url)
        streams = []
        for number in range(STREAMS):
            text = bodies[number % len(bodies)]
            request = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.host.key}\r\nAccept: text/event-stream\r\n"
                       f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode()
            streams.append(socket.create_connection((address.hostname, address.port), 60))
            self.addCleanup(streams[-1].close)
            streams[-1].sendall(request)
        for stream in streams:
            data = b""
            while b"data: " not in data:
                data += stream.recv(4096)
                self.assertTrue(data.startswith(b"HTTP/1.1 200 "), data)
        used = rss_mib(self.host.process.pid)
        print(f"{STREAMS} open streams of {path.split('?')[0]}: {used:.1f} MiB", flush=True)
        self.host.kill()  # does not wait for a model that never ends
        self.assertLessEqual(used, most)

    def test_a_thousand_streams_of_a_model(self):
        bodies = [json.dumps({"model": f"{name}/gpt-test", "stream": True, "messages": [{"role": "user", "content": "hang"}]}) for name in ("mock", "other")]
        self.open_streams("POST", "/v1/chat/completions", bodies, MODEL_MIB)

    def test_a_thousand_followers_of_runs(self):
        threading.Thread(target=self.run_quietly, daemon=True).start()
        end = time.monotonic() + 30
        while not (items := self.host.get("/api/v1/runs?status=running", expect=200).json["items"]):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        self.open_streams("GET", f"/api/v1/runs/{items[0]['run_id']}/events", [""], RUN_MIB)

    def run_quietly(self):
        try:
            self.host.run(self.agent, "hang", expect=None)
        except (OSError, http.client.HTTPException):
            pass


class Orphans(unittest.TestCase):
    @staticmethod
    def marked(mark):
        """Processes that have inherited the mark, however far from their parents."""
        found = []
        for name in os.listdir("/proc"):
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    if mark in file.read():
                        found.append(int(name))
            except (OSError, ValueError):
                pass
        return found

    def test_nothing_is_left_of_a_killed_host(self):
        mark = f"REEVE_TEST_MARK={os.getpid()}-{time.monotonic_ns()}"
        host = Host(environment=dict([mark.split("=")])).start()
        self.addCleanup(host.close)
        agent = host.agent()
        host.run(agent, "What is 6*7?")
        self.assertIn(host.process.pid, self.marked(mark.encode()))
        os.kill(host.process.pid, signal.SIGKILL)
        host.kill()
        self.assertEqual([], self.marked(mark.encode()))


if __name__ == "__main__":
    if sys.argv[1:] == ["--model"]:
        asyncio.run(QuickModel.serve())
    main()
