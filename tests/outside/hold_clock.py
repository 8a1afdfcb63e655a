# SPDX-License-Identifier: LGPL-2.1-or-later
"""A wall clock that is set forward and back while the host runs: identifiers, the ledger, runs under way and what expires survive it.

what                | CI   | long
--------------------|------|------
each jump           | once | once
"""

import threading
import time
import unittest
from datetime import datetime, timedelta, timezone

from faults import Faults
from mock_openai import MockOpenAI
from reeve import Host, main

HOUR = 3600
DAY = 24 * HOUR
CONFIG = """
llm:
  default: mock/gpt-4o-mini
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{}", api_key: secret}}}}
agents: {{execution_timeout: 60}}
limits: {{requests_per_minute: 100000}}
"""


class Clock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.faults = Faults()
        cls.host = Host(config=CONFIG.format(cls.mock.base_url), state=cls.faults.state, environment=cls.faults.environment).start()

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        cls.faults.__exit__()
        cls.mock.stop()

    def setUp(self):
        self.faults.set_clock(0)

    def create(self, **options):
        return self.host.post("/api/v1/admin/agents", {"name": "x", "initial_definition": {"system_prompt": "x"}}, expect=201, **options).json["agent_id"]

    def check_ledger(self):
        report = self.host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)

    def now(self):
        """What the host says the time is: that of a record it makes now."""
        self.create()
        return datetime.fromisoformat(self.host.records()[-1]["time"].replace("Z", "+00:00"))

    def test_the_clock_is_moved(self):
        true = datetime.now(timezone.utc)
        self.assertLess(abs(self.now() - true), timedelta(minutes=5))
        self.faults.set_clock(DAY)
        self.assertLess(abs(self.now() - true - timedelta(days=1)), timedelta(minutes=5))

    def test_identifiers_and_ledger(self):
        """Back and forth: no identifier comes twice, numbers go up by one, the log verifies, before and after a restart."""
        agents, before = [], len(self.host.records())
        for seconds in (0, DAY, -DAY, 10 * 365 * DAY, -10 * 365 * DAY, 0):
            self.faults.set_clock(seconds)
            agents += [self.create() for _ in range(5)]
            self.check_ledger()
        self.assertEqual(len(agents), len(set(agents)))
        listed = [item["agent_id"] for item in self.host.get("/api/v1/admin/agents?limit=500", expect=200).json["items"]]
        self.assertLessEqual(set(agents), set(listed))
        # page by page: none twice, none left out, though their times go back and forth
        pages, cursor = [], None
        while True:
            page = self.host.get("/api/v1/admin/agents?limit=3" + (f"&cursor={cursor}" if cursor else ""), expect=200).json
            pages += [item["agent_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        self.assertEqual(sorted(listed), sorted(pages))
        records = self.host.records()
        self.assertGreater(len(records), before)
        self.assertEqual([record["seq"] for record in records], list(range(records[0]["seq"], records[0]["seq"] + len(records))))
        self.faults.set_clock(-DAY)
        self.host.stop()
        self.host.start()
        self.check_ledger()
        self.create()

    def test_run_under_way(self):
        """Its deadline is not the wall clock's."""
        agent = self.host.agent()
        for seconds in (30 * DAY, -30 * DAY):
            with self.subTest(seconds=seconds):
                self.faults.set_clock(0)
                self.mock.script([{"content": "It is done.", "delay": 0.6}])
                answers = []
                thread = threading.Thread(target=lambda into: into.append(self.host.run(agent, "Do it.")), args=(answers,))
                sent = self.mock.count()
                thread.start()
                while self.mock.count() == sent:
                    time.sleep(0.005)
                self.faults.set_clock(seconds)
                thread.join(60)
                self.assertEqual(["succeeded"], [answer["status"] for answer in answers])
                self.assertLess(answers[0]["duration_ms"], 60_000)
                self.assertGreaterEqual(answers[0]["duration_ms"], 0)
                self.check_ledger()

    def test_idempotency_keys(self):
        """Kept for a day by the wall clock: a jump within it changes nothing, one beyond frees the key, one back keeps it."""
        first = self.create(headers={"Idempotency-Key": "clock"})
        for seconds in (23 * HOUR, -2 * DAY, 0):
            self.faults.set_clock(seconds)
            self.assertEqual(first, self.create(headers={"Idempotency-Key": "clock"}), seconds)
        self.faults.set_clock(25 * HOUR)
        second = self.create(headers={"Idempotency-Key": "clock"})
        self.assertNotEqual(first, second)
        self.assertEqual(second, self.create(headers={"Idempotency-Key": "clock"}))

    def test_api_keys(self):
        """Expire when the wall clock says so."""
        user = self.host.post("/api/v1/admin/users", {"username": "hasty", "roles": ["viewer"]}, expect=201).json["user_id"]
        until = (datetime.now(timezone.utc) + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        key = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"], "expires_at": until}, expect=201).json["key"]
        for seconds, status in ((0, 200), (DAY, 401), (-DAY, 200), (DAY, 401)):
            self.faults.set_clock(seconds)
            self.assertEqual(status, self.host.get("/api/v1/me", key=key).status, seconds)

    def test_grants_of_plugins(self):
        """They end when the wall clock says so, as keys do: what is under way by one that is passed over is cut, and a clock that is put right again
        gives it back."""
        site = MockOpenAI().start()
        self.addCleanup(site.stop)
        path = "/api/v1/admin/plugins/tool-http/grants"
        for grant in self.host.get(path, expect=200).json["items"]:
            self.host.delete(f"{path}/{grant['grant_id']}", expect=204)
        until = (datetime.now(timezone.utc) + timedelta(hours=12)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self.host.post(path, {"capability": "net.http", "reason": "test", "until": until, "parameters": {"origins": [site.base_url[:-3]]}}, expect=201)
        agent = self.host.agent(tools=("http_request",))

        def ask(into, where="/echo"):
            self.mock.script([{"tool_calls": [{"name": "http_request", "arguments": {"url": site.base_url[:-3] + where}}]}, {"content": "done"}])
            self.assertEqual("done", self.host.run(agent, "fetch it")["answer"])
            into.append([m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1])
            return into[-1]

        for seconds, said in ((0, "HTTP 200"), (DAY, "the time it was granted for ended at"), (-DAY, "HTTP 200"), (DAY, "ended at"), (0, "HTTP 200")):
            self.faults.set_clock(seconds)
            self.assertIn(said, ask([]), seconds)
        site.script([{"status": 200, "body": "late", "delay": 600}])
        told, before = [], len(site.requests)
        thread = threading.Thread(target=ask, args=(told, "/slow"))
        thread.start()
        while len(site.requests) == before:
            time.sleep(0.005)
        self.faults.set_clock(DAY)
        thread.join(60)
        self.assertEqual(1, len(told))
        self.assertIn("was taken back while it was used", told[0])

    def test_uptime(self):
        for seconds in (DAY, -DAY):
            self.faults.set_clock(seconds)
            self.assertLess(self.host.get("/health", key=None, expect=200).json["uptime_seconds"], HOUR)
            self.host.get("/health/ready", key=None, expect=200)


if __name__ == "__main__":
    main()
