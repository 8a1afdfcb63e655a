# SPDX-License-Identifier: LGPL-2.1-or-later
"""A tenant's removal is killed at each of its steps: the next start ends it, or it never began; the ledger verifies every time. Bounds are
exact, and what a tenant keeps too long goes.

what                                                   | CI             | long
the host is killed at the n-th call to the disk        | every third n  | every n, and in the middle of a write
agents and runs made at once, against their bounds     | 4 times        | 40 times
runs and conversations that are kept for a day         | 130 of each    | 1,300 of each
"""

import http.client
import os
import time
import unittest

from faults import ALL, KILL, KILL_HALF, Faults
from reeve import Host, main, size
from test_tenants import CONFIG, all_at_once
from mock_openai import MockOpenAI

STEP = size(3, 1)
WAYS = size((KILL,), (KILL, KILL_HALF))
ROUNDS = size(4, 40)
KEPT = size(130, 1300)
AT_ONCE = 16
DAY = 24 * 60 * 60
QUIET = "audit: {checkpoint_seconds: 3600}\nlimits: {requests_per_minute: 0}\n"


class Killed(unittest.TestCase):
    def test_at_each_step(self):
        for way in WAYS:
            with Faults() as faults, Host(config=QUIET, state=faults.state, environment=faults.environment) as host:
                self.states = set()
                first, ended = 1, False
                while not ended:
                    try:
                        ended = self.kill_at(host, faults, way, first)
                    except Exception as error:
                        raise AssertionError(f"killed (way {way}) at call {first}") from error
                    first += STEP
                self.assertGreater(first, 8, "there are fewer steps than a removal has")
                self.assertEqual({"there", "gone"}, self.states, "some were killed before the mark, some behind it")

    def kill_at(self, host, faults, way, first):
        """Whether the removal was over before it came to that call."""
        tenant = f"t{way}-{first}"
        there = {"X-Tenant-ID": tenant}
        host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        key = host.user("viewer", tenant=tenant)
        host.upload("a.txt", "the lathe needs grease", "text/plain", headers=there)
        faults.arm(way, calls=ALL, first=first, last=first)
        done = False
        try:
            answer = host.delete(f"/api/v1/admin/tenants/{tenant}")
            done = True
            self.assertEqual(204, answer.status, answer)
        except (OSError, http.client.HTTPException):
            pass
        faults.disarm()
        killed = faults.failed > 0  # also when a call came between the answer and this
        self.assertTrue(done or killed)
        if killed:
            host.process.wait(30)
            host.forget()
            host.ctl("audit", "verify")
            host.start()
        if done:
            host.get(f"/api/v1/admin/tenants/{tenant}", expect=404)
        self.judge(host, tenant, key)
        return not killed

    def judge(self, host, tenant, key):
        there = host.get(f"/api/v1/admin/tenants/{tenant}")
        self.states.add({200: "there", 404: "gone"}[there.status])
        if there.status == 200:
            # it never began: all is as it was, and it can be done now
            self.assertEqual("active", there.json["status"])
            host.get("/api/v1/me", key=key, expect=200)
            found = host.post("/api/v1/documents/search", {"query": "grease"}, headers={"X-Tenant-ID": tenant}, expect=200).json
            self.assertEqual(1, len(found["results"]))
            host.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        host.get("/api/v1/me", key=key, expect=401)
        host.get("/api/v1/me", headers={"X-Tenant-ID": tenant}, expect=404)
        host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=409)
        left = [name for folder in ("store", "keys") for where, _, names in os.walk(os.path.join(host.state, folder)) for name in names
                if name.split(".")[0] == tenant]
        self.assertEqual([], left)
        self.assertIn(tenant, os.listdir(os.path.join(host.state, "ledger")))
        self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])


class Bounds(unittest.TestCase):
    """Never one too many, whoever comes at once."""

    def test_exact(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.default = lambda request: {"content": "Done.", "delay": 0.05}
        with Host(config=CONFIG.format(url=mock.base_url)) as host:
            for number in range(ROUNDS):
                with self.subTest(round=number):
                    self.agents(host, f"agents{number}", 1 + number % 5)
                    self.runs(host, f"runs{number}", 1 + number % 5)

    def agents(self, host, tenant, bound):
        there = {"X-Tenant-ID": tenant}
        host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant, "settings": {"max_agents": bound}}, expect=201)
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        given = all_at_once([lambda: host.post("/api/v1/admin/agents", body, headers=there).status] * AT_ONCE)
        self.assertEqual((bound, AT_ONCE - bound), (given.count(201), given.count(409)))

    def runs(self, host, tenant, bound):
        there = {"X-Tenant-ID": tenant}
        host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant, "settings": {"max_concurrent_sessions": bound}}, expect=201)
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        agent_id = host.post("/api/v1/admin/agents", body, headers=there, expect=201).json["agent_id"]
        given = all_at_once([lambda: host.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": "x"}, headers=there)] * AT_ONCE)
        done = [a.json for a in given if a.status == 200]
        self.assertEqual(AT_ONCE, len(done) + [a.status for a in given].count(429))
        self.assertGreaterEqual(len(done), bound)
        spans = []
        for run in done:
            journal = host.get(f"/api/v1/runs/{run['run_id']}", headers=there, expect=200).json["journal"]
            spans.append((journal[0]["time"], journal[-1]["time"]))
        for start, _end in spans:
            self.assertLessEqual(sum(s < start < e for s, e in spans) + 1, bound, spans)


class Retention(unittest.TestCase):
    def test_what_is_kept_too_long_goes(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.default = lambda request: {"content": "Done."}
        config = CONFIG.replace("max_concurrent_sessions: 2", "max_concurrent_sessions: 100").format(url=mock.base_url)
        with Faults() as faults, Host(config=config, state=faults.state, environment=faults.environment) as host:
            for tenant, settings in (("short", {"data_retention_days": 1}), ("asleep", {"data_retention_days": 1}), ("long", {})):
                host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant, "settings": settings}, expect=201)
                self.fill(host, tenant, KEPT if tenant == "short" else 3)
            host.put("/api/v1/admin/tenants/asleep", {"status": "suspended"}, expect=200)
            self.restart(host, faults, DAY - 3600)
            self.assertEqual((KEPT, KEPT, 1), self.count(host, "short"))
            # what is under way, or was gone on with, is not old
            late = host.post("/api/v1/chat", {"message": "still there?", "conversation_id": self.conversation}, headers={"X-Tenant-ID": "long"},
                             expect=200).json["conversation_id"]
            self.assertEqual(self.conversation, late)
            host.put("/api/v1/admin/tenants/long", {"settings": {"data_retention_days": 1}}, expect=200)
            self.restart(host, faults, DAY + 3600)
            for tenant, left in (("short", (0, 0, 1)), ("asleep", (0, 0, 1)), ("long", (1, 1, 1))):
                self.wait(host, tenant, left)
                done = [r for r in self.records(host, tenant) if r["action"] == "tenants.retain"]
                self.assertEqual(["intent", "outcome"], sorted(r["kind"] for r in done), "one pass, one effect")
                self.assertEqual({"system"}, {r["actor"]["type"] for r in done})
            self.restart(host, faults, DAY + 3600)
            self.assertEqual(2, len([r for r in self.records(host, "short") if r["action"] == "tenants.retain"]), "nothing to do leaves no record")
            self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def fill(self, host, tenant, number):
        there = {"X-Tenant-ID": tenant}
        host.upload("a.txt", "the lathe needs grease", "text/plain", headers=there)
        for _ in range(number):
            self.conversation = host.post("/api/v1/chat", {"message": "x"}, headers=there, expect=200).json["conversation_id"]

    @staticmethod
    def restart(host, faults, seconds):
        host.stop()
        faults.set_clock(seconds)
        host.start()

    @staticmethod
    def items(host, tenant, path):
        items, cursor = [], ""
        while cursor is not None:
            page = host.get(f"/api/v1/{path}?limit=500{cursor}", headers={"X-Tenant-ID": tenant}, expect=200).json
            items += page["items"]
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
        return items

    def count(self, host, tenant):
        return tuple(len(self.items(host, tenant, path)) for path in ("runs", "conversations", "documents"))

    def records(self, host, tenant):
        return self.items(host, tenant, "admin/audit")

    def wait(self, host, tenant, left):
        end = time.monotonic() + 60
        while self.count(host, tenant) != left:
            self.assertLess(time.monotonic(), end, (self.count(host, tenant), left))
            time.sleep(0.02)


if __name__ == "__main__":
    main()
