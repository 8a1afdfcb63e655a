# SPDX-License-Identifier: LGPL-2.1-or-later
"""An identifier of another tenant is as absent as one that nobody has: same answer, same headers, same record, same time.

Every operation of the table with every identifier that it takes, in path, query and body, at REST and on the bus. Times are taken in
interleaved pairs on one connection, each pair in an order drawn by lot: so whatever else the machine does falls on both alike, and
the test is exact. The median of the differences must not be beyond 10 % of the median time by more than chance can explain.

what                                                      | CI   | long
pairs for each identifier that is not found, at REST      | 150  | 1,000
the same on the bus                                       | 75   | 1,000
"""

import gc
import json
import random
import re
import socket
import statistics
import time
import unittest
import urllib.parse

import table
from proof import Ledger, Setting, World, normal
from reeve import main, size

# parameters that hold an identifier under another name
ALIASES = {"owner_id": "user_id", "actor": "user_id", "delegated_user_id": "user_id", "manager_id": "user_id"}
# differ in every answer
OWN_HEADERS = ("date", "x-request-id", "traceparent")
WITHIN = 0.10
LOT = random.SystemRandom()
SURE = 5.0  # standard deviations: chance alone fails one of a million


def absent(identifier):
    """Another identifier of the same form and length."""
    return identifier[:-2] + ("zz" if identifier[-2:] != "zz" else "yy")


def plain_rows(text):
    """Rows of an export without the numbers that grow with each reading."""
    return re.sub(r"(?<=[,\n])(\d+|[0-9a-f]{32}|[0-9a-f]{64}|[0-9a-f-]{36})(?=[,\r])", "#", text)


class Line:
    """One kept connection over which requests go as bytes."""

    def __init__(self, url):
        self.address = urllib.parse.urlsplit(url)
        self.connect()

    def connect(self):
        address = self.address
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    @staticmethod
    def request(method, path, body, headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: reeve"] + [f"{n}: {v}" for n, v in headers.items()]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")

    def ask(self, request):
        """(nanoseconds, status, headers, body)"""
        start = time.perf_counter_ns()
        self.socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self.receive()
        head = data[:end].decode().split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head[1:]]
        length = int(next((v for n, v in headers if n.lower() == "content-length"), "0"))
        while len(data) < end + 4 + length:
            data += self.receive()
        if not any(n.lower() == "content-length" for n, _v in headers) and ("Connection", "close") in headers:
            # an answer of unknown length ends with its connection
            while more := self.socket.recv(65536):
                data += more
            self.socket.close()
            self.connect()
        return time.perf_counter_ns() - start, int(head[0].split(" ")[1]), headers, data[end + 4:]

    def receive(self):
        data = self.socket.recv(65536)
        if not data:
            raise AssertionError("the host closed a kept connection")
        return data


class Case:
    """One operation with one identifier that is another tenant's (`theirs`) and one that is nobody's (`nobodys`)."""

    def __init__(self, operation, name, params, theirs, nobodys):
        self.operation, self.name = operation, name
        self.theirs, self.nobodys = {**params, name: theirs}, {**params, name: nobodys}
        self.words = (theirs, nobodys)

    def __str__(self):
        return f"{self.operation['name']} {self.name}"

    def plain(self, text):
        for word in self.words:
            text = text.replace(word, "ID").replace(urllib.parse.quote(word, safe=""), "ID")
        return text


class Foreign(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.setting = Setting()
        cls.addClassCleanup(cls.setting.close)
        cls.host = cls.setting.host
        cls.left, cls.right = World(cls.setting, "left"), World(cls.setting, "right")
        for world in (cls.left, cls.right):
            cls.addClassCleanup(world.close)
        cls.key = cls.host.user("admin", tenant="right")
        cls.user = cls.host.get("/api/v1/me", key=cls.key).json["user_id"]
        said = cls.setting.peers.say("right", "Login", cls.key)
        if "error" in said:
            raise AssertionError(said)
        cls.line = Line(cls.host.url)
        cls.addClassCleanup(cls.line.close)
        cls.cases = list(cls.all_cases())

    @classmethod
    def all_cases(cls):
        for operation in table.TABLE.operations:
            own = set(operation.get("unique", []))
            aliased = [n for n in table.parameters(operation) if n in ALIASES]
            for name in cls.left.identifiers(operation) + aliased:
                if name in own or table.has(operation, "platform-admin"):
                    continue
                kind = ALIASES.get(name, name)
                theirs = cls.left.share(kind)[kind]
                yield Case(operation, name, cls.right.params(operation, operation["examples"][0]), theirs, absent(theirs))

    def request(self, case, params):
        method, path, body, headers = table.rest(case.operation, params)
        return Line.request(method, path, body, {**headers, "Authorization": "Bearer " + self.key})

    # ---- answers ----

    def test_every_identifier_of_a_path_is_asked_for(self):
        """What takes an identifier that this world cannot make shows here, by name."""
        asked = {(c.operation["name"], c.name) for c in self.cases}
        for operation in table.TABLE.operations:
            if table.has(operation, "platform-admin"):
                continue
            for name, schema in operation["path"].items():
                if table.TABLE.resolve(schema).get("type") == "string":
                    self.assertIn((operation["name"], name), asked)
            for name in operation.get("identifiers", {}):
                self.assertIn((operation["name"], name), asked)

    def test_answers_and_records_are_the_same(self):
        ledger = Ledger(self.host, ("left", "right"))
        for case in self.cases:
            with self.subTest(str(case)):
                answers, records = [], []
                ledger.read()
                for params in (case.theirs, case.nobodys):
                    answers.append(self.answer(case, self.line.ask(self.request(case, self.renewed(case, params)))))
                    records.append(self.told(case, ledger.read()))
                    answers[-1] += (self.said(case, self.setting.peers.call("right", case.operation, self.renewed(case, params))),)
                    records[-1] += self.told(case, ledger.read())
                self.assertEqual(answers[1], answers[0])
                self.assertEqual(records[1], records[0])
                if case.name in case.operation["path"]:
                    self.assertEqual(404, answers[0][0])
                    self.assertEqual("io.reeve.Error.NotFound", answers[0][-1].get("error"))

    @staticmethod
    def renewed(case, params):
        """What must be new is new in each request."""
        return {**params, **{n: f"{params[n][:-1]}{World.number()}" for n in case.operation.get("unique", []) if n in params}}

    def answer(self, case, reply):
        """(status, headers, body) without what differs in every answer; the identifier stands in instance alone."""
        _took, status, headers, body = reply
        headers = [(n, case.plain(v)) for n, v in headers if n.lower() not in OWN_HEADERS]
        value = json.loads(body) if body and "json" in dict(headers).get("Content-Type", "") else plain_rows(body.decode())
        if status >= 400 and isinstance(value, dict):
            instance = value.pop("instance", "")
            value.pop("trace_id", None)
            self.assertFalse([w for w in case.words if w in json.dumps(value)], value)
            return status, headers, (value, case.plain(instance))
        return status, [h for h in headers if h[0].lower() != "content-length"], normal(value)

    @staticmethod
    def said(case, reply):
        def plain(value):
            if isinstance(value, list):
                return [plain(v) for v in value]
            if not isinstance(value, str):
                return normal(value)
            value = case.plain(value)
            value = plain_rows(value) if value.startswith("event_id,") else value
            return normal(json.loads(value)) if value.startswith("{") else normal(value)

        return {n: plain(v) for n, v in reply.items() if n != "ns"}

    def told(self, case, records):
        """Records of the asker in both logs: none of them in the other tenant's."""
        names = ("kind", "action", "outcome", "reason", "scope", "door", "actor", "resource", "agent_id", "run_id", "model", "tool_name")
        rows = [r for r in records if r.get("actor", {}).get("id") == self.user]
        self.assertEqual([], [r for r in rows if r["scope"] == "left"])
        return [{**{n: normal(r[n]) for n in names if n in r}, "members": sorted(r)} for r in rows]

    def test_a_foreign_tenant_in_the_header(self):
        replies = []
        for tenant in ("left", "lefz"):
            headers = {"Authorization": "Bearer " + self.key, "X-Tenant-ID": tenant}
            replies.append(self.answer(Case(table.OPERATIONS["me.get"], "tenant", {}, "left", "lefz"),
                                       self.line.ask(Line.request("GET", "/api/v1/me", None, headers))))
        self.assertEqual(replies[1], replies[0])
        self.assertEqual(404, replies[0][0])

    # ---- times ----

    def test_times_at_rest(self):
        pairs = size(150, 1000)
        for case in self.cases:
            requests = [self.request(case, p) for p in (case.theirs, case.nobodys)]
            if self.line.ask(requests[0])[1] == 404:
                with self.subTest(str(case)):
                    self.judge(lambda n, requests=requests: self.line.ask(requests[n])[0], pairs)
        headers = [{"Authorization": "Bearer " + self.key, "X-Tenant-ID": t} for t in ("left", "lefz")]
        requests = [Line.request("GET", "/api/v1/me", None, h) for h in headers]
        self.judge(lambda n: self.line.ask(requests[n])[0], pairs)

    def test_times_on_the_bus(self):
        pairs, peers = size(75, 1000), self.setting.peers
        for case in self.cases:
            params = (case.theirs, case.nobodys)
            if peers.call("right", case.operation, params[0]).get("error") == "io.reeve.Error.NotFound":
                with self.subTest(str(case)):
                    self.judge(lambda n, c=case, p=params: peers.call("right", c.operation, p[n])["ns"], pairs)

    def test_the_judge_sees_half_a_look_up_more(self):
        noise = random.Random(1)
        self.judge(lambda n: 250000 * noise.lognormvariate(0, 0.15), 75)
        with self.assertRaises(AssertionError):
            self.judge(lambda n: (375000 if n == 0 else 250000) * noise.lognormvariate(0, 0.15), 75)
        with self.assertRaises(AssertionError):
            self.judge(lambda n: (375000 if n == 1 else 250000) * noise.lognormvariate(0, 0.15), 75)

    def judge(self, measure, pairs):
        """Takes `pairs` pairs of theirs (0) and nobody's (1)."""
        times = ([], [])
        gc.disable()
        try:
            for _ in range(pairs):
                for which in LOT.sample((0, 1), 2):
                    times[which].append(measure(which))
        finally:
            gc.enable()
        usual = statistics.median(times[1])
        words = f"medians {statistics.median(times[0]) / 1000:.0f} and {usual / 1000:.0f} µs, the other tenant's first"
        low, high = interval([a - b for a, b in zip(*times)])
        self.assertLessEqual(low, WITHIN * usual, words)
        self.assertGreaterEqual(high, -WITHIN * usual, words)


def interval(values):
    """Confidence interval of the median, by order statistics: nothing is assumed of the distribution."""
    values = sorted(values)
    half = SURE * len(values) ** 0.5 / 2
    return values[max(int(len(values) / 2 - half), 0)], values[min(int(len(values) / 2 + half), len(values) - 1)]


if __name__ == "__main__":
    main()
