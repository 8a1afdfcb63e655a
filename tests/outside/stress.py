# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random load for a real host: runs, streams that are read or dropped, cancels, writes, reads and reloads, from several threads at once.

    with Load(host, agent, random.Random(seed), threads=6) as load:
        time.sleep(2)
        host.stop()                # at any moment: what fails because of it is no fault
    load.faults                    # answers that should not have been
    load.acknowledged              # what was answered 201 or 200: must be there afterwards

Each thread draws from a generator of its own, made from one seed: the same seed makes the same choices in each thread.
"""

import http.client
import os
import random
import signal
import socket
import subprocess
import threading
import urllib.parse

CONFIG = """
limits: {{requests_per_minute: 10000000}}
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
GONE = (OSError, http.client.HTTPException)
# too many at once, ended meanwhile, stopping: all are answers
FINE = {200, 201, 202, 204, 404, 409, 429, 503}


def answers(rng):
    """What the mocked model says: a short text, a call of a tool, a stream with pauses."""

    def answer(request):
        messages = request.json["messages"] if request.json else []
        if messages and messages[-1]["role"] == "user" and rng.random() < 0.4:
            return {"tool_calls": [{"name": "calculate", "arguments": {"expression": f"{rng.randrange(99)}*{rng.randrange(99)}"}}]}
        return {"content": "It is done. " * rng.randrange(1, 12), "chunk_delay": rng.choice((0, 0, 0, 0.002)), "delay": rng.choice((0, 0, 0.01))}

    return answer


class Load:
    def __init__(self, host, agent, rng, threads=6, bus=None):
        self.host, self.agent, self.bus = host, agent, bus
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.faults, self.runs = [], []
        self.done = 0
        self.acknowledged = {"agents": set(), "runs": {}}
        self.actions = [self.run, self.run, self.stream, self.drop, self.cancel, self.create, self.read, self.follow, self.chat, self.idle, self.reload]
        self.threads = [threading.Thread(target=self.work, args=(random.Random(rng.random()),), daemon=True) for _ in range(threads)]
        if bus:
            self.threads.append(threading.Thread(target=self.call_bus, daemon=True))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.faults.append("a client was left hanging")

    def work(self, rng):
        idle = []
        while not self.stopped.is_set():
            try:
                rng.choice(self.actions)(rng, idle)
                with self.lock:
                    self.done += 1
            except GONE:
                if self.host.process is None or self.host.process.poll() is not None:
                    break
        for connection in idle:
            connection.close()

    def check(self, what, answer):
        if answer.status not in FINE:
            with self.lock:
                self.faults.append(f"{what}: {answer}")
        return answer

    # ---- what a client does ----

    def run(self, _rng, _idle):
        answer = self.check("execute", self.host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": "go"}))
        if answer.status == 200:
            with self.lock:
                self.acknowledged["runs"][answer.json["run_id"]] = answer.json["status"]

    def open_stream(self):
        body = {"agent_id": self.agent, "mission": "go"}
        connection, response = self.host.request("POST", "/api/v1/agents/execute", body, headers={"Accept": "text/event-stream"})
        if response.status not in FINE:
            self.faults.append(f"stream: {response.status} {response.read(500)}")
        return connection, response

    def stream(self, _rng, _idle):
        connection, response = self.open_stream()
        for line in response:
            self.note_run(line)
        connection.close()

    def drop(self, rng, _idle):
        connection, response = self.open_stream()
        for _ in range(rng.randrange(12)):
            self.note_run(response.readline())
        connection.close()

    def note_run(self, line):
        start = line.find(b'"run_id":"')
        if start >= 0:
            with self.lock:
                self.runs = [*self.runs[-20:], line[start + 10 :].split(b'"')[0].decode()]

    def any_run(self, rng):
        with self.lock:
            return rng.choice(self.runs) if self.runs else "run_none"

    def cancel(self, rng, _idle):
        self.check("cancel", self.host.post(f"/api/v1/runs/{self.any_run(rng)}/cancel"))

    def follow(self, rng, _idle):
        connection, response = self.host.request("GET", f"/api/v1/runs/{self.any_run(rng)}/events")
        response.read(rng.randrange(1, 4000))
        connection.close()

    def create(self, _rng, _idle):
        body = {"name": "load", "initial_definition": {"system_prompt": "x"}}
        answer = self.check("create", self.host.post("/api/v1/admin/agents", body))
        if answer.status == 201:
            with self.lock:
                self.acknowledged["agents"].add(answer.json["agent_id"])

    def read(self, rng, _idle):
        self.check("read", self.host.get(rng.choice(("/api/v1/me", "/api/v1/runs", "/api/v1/admin/audit?limit=20", "/api/v1/models", "/health/ready"))))

    def chat(self, rng, _idle):
        body = {"model": "mock/gpt-test", "messages": [{"role": "user", "content": "hi"}], "stream": rng.random() < 0.5}
        self.check("chat", self.host.post("/v1/chat/completions", body))

    def idle(self, rng, idle):
        address = urllib.parse.urlsplit(self.host.url)
        idle.append(socket.create_connection((address.hostname, address.port), 10))
        if rng.random() < 0.5:
            idle[-1].sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n")
        if len(idle) > 20:
            idle.pop(0).close()

    def reload(self, _rng, _idle):
        process = self.host.process
        if process is not None and process.poll() is None:
            os.kill(process.pid, signal.SIGHUP)

    def call_bus(self):
        command = ["gdbus", "call", "--session", "--dest", "io.reeve.Host", "--object-path", "/io/reeve/Host", "--method", "io.reeve.Host1.Call", "me.get", "{}"]
        while not self.stopped.is_set() and self.host.process is not None:
            subprocess.run(command, env=self.host.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=False)
