# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies are changed while runs are under way: no tool call begins under a policy that was taken back.

The ledger is the judge: a call whose intent stands behind the outcome of the change that denies it, and that succeeded, is a late allow.

what                                   | CI | long
runs at once                           | 6  | 16
changes from allowed to denied         | 12 | 300
agents with a policy of their own      | 3  | 3
"""

import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main, size
from test_missions import CONFIG, calculate

RUNS, FLIPS = size(6, 16), size(12, 300)
ORG = "/api/v1/admin/policies/org"
ALLOWED = {"tools": [{"tool_name": "calculate", "effect": "allow"}]}
DENIED = {"tools": [{"tool_name": "*", "effect": "deny"}]}


def answer_of(request):
    """Ten calls of a tool, then the end."""
    called = sum(m["role"] == "tool" for m in request.json["messages"])
    return calculate(f"{called}+1") if called < 10 else {"content": "done"}


class Changes(unittest.TestCase):
    def setUp(self):
        self.mock = MockOpenAI().start()
        self.mock.default = answer_of
        self.addCleanup(self.mock.stop)
        config = CONFIG.format(url=self.mock.base_url) + "\nlimits: {requests_per_minute: 0}\n"
        self.host = Host(config=config).start()
        self.addCleanup(self.host.close)
        self.agents = [self.host.agent() for _ in range(3)]
        self.over, self.faults = threading.Event(), []

    def work(self, number):
        while not self.over.is_set():
            try:
                self.host.run(self.agents[number % len(self.agents)], "x")
            except AssertionError as error:
                self.faults.append(error)
                return

    def records(self, after=0):
        """All records behind one, oldest first."""
        found, cursor = [], None
        while True:
            page = self.host.get("/api/v1/admin/audit?limit=500" + (f"&cursor={cursor}" if cursor else ""), expect=200).json
            found += [r for r in page["items"] if r["seq"] > after]
            cursor = page["next_cursor"]
            if cursor is None or page["items"][-1]["seq"] <= after:
                return sorted(found, key=lambda r: r["seq"])

    def wait_for(self, kind, outcome, after):
        """Until a tool call ended so behind that record."""
        end = time.monotonic() + 60
        while time.monotonic() < end and not self.faults:
            if any(r["action"] == "tool.call" and r["kind"] == kind and r.get("outcome") == outcome and r["seq"] > after for r in self.records(after)):
                return
        self.fail(f"no tool call was {outcome}: {self.faults or self.host.read_log()}")

    def change(self, method, path, body):
        self.host.call(method, path, body, expect=204 if method == "DELETE" else 200)
        return self.host.get("/api/v1/admin/audit?limit=1", expect=200).json["items"][0]["seq"]

    def test_no_late_allow(self):
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(RUNS)]
        self.host.put(ORG, ALLOWED, expect=200)
        for thread in threads:
            thread.start()
        try:
            for number in range(FLIPS):
                way = number % 3
                if way == 0:
                    self.wait_for("refusal", "blocked", self.change("PUT", ORG, DENIED))
                elif way == 1:
                    self.wait_for("refusal", "blocked", self.change("DELETE", ORG, None))
                else:
                    for agent in self.agents:
                        denied = self.change("PUT", f"/api/v1/admin/policies/agents/{agent}", DENIED)
                    self.wait_for("refusal", "blocked", denied)
                    for agent in self.agents:
                        self.change("DELETE", f"/api/v1/admin/policies/agents/{agent}", None)
                self.wait_for("outcome", "succeeded", self.change("PUT", ORG, ALLOWED))
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], self.faults)
        self.judge(self.records())

    def judge(self, records):
        """Replays the ledger: which agents are denied, by changes that have ended, and which calls began then."""
        changes, calls, late, seen = {}, {}, [], 0
        denied = {"org": False}
        for record in records:
            action, kind = record["action"], record["kind"]
            if action.startswith("policies.") and kind == "intent":
                whose = record.get("resource", {}).get("id", "org")
                changes[record["seq"]] = whose
                denied[whose] = None  # until it has ended, both may hold: to take a denial away is a change too
            elif action.startswith("policies.") and kind == "outcome":
                whose = changes[record["intent"]]
                policy = self.policy_of(record, whose)
                denied[whose] = policy is DENIED or (policy is None and whose == "org")
            elif action == "tool.call" and kind == "intent":
                calls[record["seq"]] = any(denied.get(who) for who in ("org", record["agent_id"]))
            elif action == "tool.call" and kind == "outcome" and calls.get(record["intent"]):
                seen += 1
                if record["outcome"] == "succeeded":
                    late.append(record)
        self.assertEqual([], late)
        self.assertGreaterEqual(len([r for r in records if r.get("reason") in ("tool_denied", "policy_unset")]), FLIPS)
        print(f"# {len(calls)} calls, {seen} taken away between admission and effect, 0 late", flush=True)

    def policy_of(self, record, whose):
        """What the change behind this outcome left: changes of one policy come in the order of their revisions."""
        if not hasattr(self, "revisions"):
            items, cursor = [], None
            while True:
                page = self.host.get("/api/v1/admin/policies/revisions?limit=500" + (f"&cursor={cursor}" if cursor else ""), expect=200).json
                items, cursor = items + page["items"], page["next_cursor"]
                if cursor is None:
                    break
            self.revisions = iter(items)
        revision = next(self.revisions)
        self.assertEqual("succeeded", record["outcome"])
        self.assertEqual(None if whose == "org" else whose, revision["agent_id"])
        if revision["policy"] is None:
            return None
        return DENIED if revision["policy"]["tools"][0]["effect"] == "deny" else ALLOWED


if __name__ == "__main__":
    main()
