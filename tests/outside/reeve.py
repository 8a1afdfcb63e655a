# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real reeve-host for tests from outside, and the few calls they all make.

    with Host(config="llm: …") as host:
        host.get("/api/v1/me").json["tenant_id"]
        host.post("/api/v1/admin/agents", {...}, expect=201)
        host.run(agent_id, "mission")
        host.kill(); host.start()

Every answer is judged by the schema that the table of operations has for it.

Standard library only. Each host has a state folder of its own and a free port; no bus unless asked for.
"""

import http.client
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import table

BUILD = os.environ.get("REEVE_BUILD_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
SOURCE = os.environ.get("REEVE_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))
HOST = os.path.join(BUILD, "host", "reeve-host")
CTL = os.path.join(BUILD, "host", "api", "cli", "reevectl")
START_SECONDS = 60  # sanitizers are slow


def sanitized():
    """Whether the programs under test watch over themselves, which takes terabytes of address space: no limit of it is set."""
    with open(os.path.join(BUILD, "meson-info", "intro-buildoptions.json"), encoding="utf-8") as file:
        return next(option["value"] for option in json.load(file) if option["name"] == "b_sanitize") != "none"


def size(ci, long):
    """How often, for how long or how many: the size that fits into CI, or that of `tests/run --suite long`."""
    return long if os.environ.get("REEVE_TEST_SIZE") == "long" else ci


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Event:
    def __init__(self, name, data):
        self.name, self.data = name, data

    def __repr__(self):
        return f"{self.name} {self.data}"


class Host:
    program = HOST

    def __init__(self, config="", state=None, bus="none", arguments=(), environment=None, ca=None):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-")
        self.state = state or os.path.join(self.folder.name, "state")
        self.config = os.path.join(self.folder.name, "reeve.yaml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(config)
        self.has_config = bool(config)
        self.bus, self.arguments = bus, list(arguments)
        self.environment = dict(os.environ, **(environment or {}))
        if "limits" not in config:  # tests are floods, to a limit of requests
            self.environment.setdefault("REEVE_REQUESTS_PER_MINUTE", "0")
        self.context = ssl.create_default_context(cafile=ca) if ca else None
        self.process = self.url = self.log = None

    # ---- life ----

    def __enter__(self):
        return self.start()

    def __exit__(self, *_exception):
        self.close()

    def start(self):
        command = [self.program, "--state-dir", self.state, "--listen", "127.0.0.1:0", "--bus", self.bus, *self.arguments]
        if self.has_config:
            command += ["--config", self.config]
        self.log = open(os.path.join(self.folder.name, "log"), "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL, env=self.environment)
        line = self.process.stdout.readline().decode().strip()
        if not line.startswith("listening "):
            self.process.wait(30)
            raise AssertionError(f"host did not start: exit {self.process.returncode}, {line!r}\n{self.read_log()}")
        self.url = line.split(" ", 1)[1]
        with open(os.path.join(self.state, "admin.key"), encoding="utf-8") as file:
            self.key = file.read().strip()
        self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.get("/health/ready", key=None).status == 200:
                return
            time.sleep(0.002)
        raise AssertionError(f"host not ready\n{self.read_log()}")

    def read_log(self):
        with open(os.path.join(self.folder.name, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()[-6000:]

    def rss(self):
        """MiB that the host holds."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def stop(self, expect=0):
        """Clean stop; the exit code is checked."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.forget()
        if code != expect:
            raise AssertionError(f"host exited {code}\n{self.read_log()}")

    def kill(self):
        """kill -9"""
        self.process.kill()
        self.process.wait(30)
        self.forget()

    def forget(self):
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def close(self):
        try:
            self.stop()
        finally:
            if self.process is not None:
                self.kill()
            self.folder.cleanup()

    # ---- requests ----

    def request(self, method, path, body=None, key="admin", headers=None, timeout=60):
        """Opens a connection, sends, returns the connection and the response."""
        address = urllib.parse.urlsplit(self.url)
        if address.scheme == "https":
            connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=timeout, context=self.context)
        else:
            connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
        fields = dict(headers or {})
        if key is not None:
            fields["Authorization"] = "Bearer " + (self.key if key == "admin" else key)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, fields)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, expect=None, **options):
        connection, response = self.request(method, path, body, **options)
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        if expect is not None and answer.status != expect:
            raise AssertionError(f"{method} {path}: expected {expect}, got {answer}\n{self.read_log()}")
        if response.reason in ("", "Unknown Error"):
            raise AssertionError(f"{method} {path}: {answer.status} has no words behind it: {response.reason!r}")
        if faults := table.judge(method, path, answer):
            raise AssertionError(f"{method} {path}: {answer} is not what the table says: {'; '.join(faults)}")
        return answer

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, {} if body is None else body, **options)

    def put(self, path, body, **options):
        return self.call("PUT", path, body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)

    def stream(self, method, path, body=None, **options):
        """Yields the events of a stream as they come."""
        connection, response = self.request(method, path, body, **options)
        if response.status != 200:
            raise AssertionError(f"{method} {path}: {response.status} {response.read()!r}")
        name = None
        try:
            for line in response:
                line = line.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    yield Event(name, json.loads(line[6:]))
        finally:
            connection.close()

    # ---- what most tests need ----

    def upload(self, name, data, media_type="text/markdown", fields=None, expect=201, **options):
        boundary = "reeve-test-boundary"
        parts = []
        for field, value in (fields or {}).items():
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode())
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media_type}\r\n\r\n'
        data = data if isinstance(data, bytes) else data.encode()
        body = b"".join(parts) + head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **options.pop("headers", {})}
        return self.call("POST", "/api/v1/documents/upload", body, headers=headers, expect=expect, **options)

    def agent(self, tools=("calculate",), **definition):
        body = {"name": "tester", "initial_definition": {"system_prompt": "Test.", "tools": list(tools), **definition}}
        return self.post("/api/v1/admin/agents", body, expect=201).json["agent_id"]

    def run(self, agent_id, mission, expect=200, **more):
        return self.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": mission, **more}, expect=expect).json

    def user(self, role, tenant=None):
        """A new user with that role; returns a key."""
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        name = f"{role}-{time.monotonic_ns()}"
        user = self.post("/api/v1/admin/users", {"username": name, "roles": [role]}, headers=headers, expect=201).json
        key = self.post("/api/v1/admin/keys", {"user_id": user["user_id"], "name": "test", "roles": [role]}, headers=headers, expect=201)
        return key.json["key"]

    def records(self, **filters):
        """Audit records of the tenant, oldest first."""
        query = urllib.parse.urlencode({"limit": 500, **filters})
        return self.get("/api/v1/admin/audit?" + query, expect=200).json["items"][::-1]

    def ctl(self, *arguments, expect=0, environment=None):
        """reevectl against this host; returns the completed process."""
        command = [CTL, "--state-dir", self.state, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment or self.environment)
        if expect is not None and done.returncode != expect:
            raise AssertionError(f"reevectl {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


def main():
    unittest.main(verbosity=2 if sys.stdout.isatty() else 1)
