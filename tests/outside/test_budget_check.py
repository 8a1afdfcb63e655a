# SPDX-License-Identifier: LGPL-2.1-or-later
"""What budgets/check says before a call is what the call then gets: for every scope and every kind of limit."""

import threading
import time
import unittest

import test_budgets
from mock_openai import MockOpenAI
from reeve import Host, main

BASE = test_budgets.BASE
CONFIG = test_budgets.CONFIG.replace("limits: {{requests_per_minute: 0}}", """
limits: {{requests_per_minute: 0, requests_per_hour: {hourly}, per: [tenant]}}
agents: {{queue_length: 1, queue_timeout: 300}}""")
HOURLY = 150
PATIENCE = 60
CALL = {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}


class CheckCase(test_budgets.BudgetCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, more="", hourly=cls.hourly)).start()
        cls.addClassCleanup(cls.host.close)

    hourly = 0

    def make_user(self, name, **key):
        """A user of the tenant, an id of a key of his, and the key."""
        user = self.post("/api/v1/admin/users", {"username": name, "roles": ["operator"]}, 201)["user_id"]
        made = self.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"], **key}, 201)
        return user, made["key_id"], made["key"]

    def make_agent(self, **more):
        definition = {"system_prompt": "x", "max_tokens": 40, **more.pop("definition", {})}
        return self.post("/api/v1/admin/agents", {"name": "b", "initial_definition": definition, **more}, 201)["agent_id"]

    def check(self, **ask):
        return self.post(BASE + "/check", {"estimated_tokens": 60, **ask})

    def chats(self, key):
        # as with a key outside, which acts in its own tenant
        answer = self.host.post("/v1/chat/completions", test_budgets.CHAT, key=key)
        self.assertIn(answer.status, (200, 429), answer)
        return answer.status == 200

    def runs(self, agent, key="admin"):
        answer = self.call("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, None, key)
        self.assertIn(answer.status, (200, 429), answer)
        return answer.status == 200 and answer.json["success"]

    def agree(self, expected, ask, act):
        """A bucket may fill by one between the two: hardly thrice in a row."""
        for _ in range(3):
            checked = self.check(**ask)
            if act() == checked["allowed"]:
                break
        else:
            self.fail(f"{ask}: {checked}")
        self.assertEqual(expected, (checked["allowed"], checked["reason"]), checked)
        return checked


class Scopes(CheckCase):
    def test_budgets_of_each_scope(self):
        place = self.post("/api/v1/admin/workspaces", {"name": "w"}, 201)["workspace_id"]
        user, key_id, key = self.make_user("ada")
        _eve, bound_id, bound = self.make_user("eve")
        self.post(f"/api/v1/admin/workspaces/{place}/members", {"user_id": _eve, "role": "operator"}, 201)
        bound_made = self.post("/api/v1/admin/keys", {"user_id": _eve, "name": "b", "roles": ["operator"], "workspace_id": place}, 201)
        bound_id, bound = bound_made["key_id"], bound_made["key"]
        behalf, _id, _key = self.make_user("behalf")
        inside, delegated = self.make_agent(workspace_id=place), self.make_agent(delegated_user_id=behalf)
        cases = {
            "org": [({"key_id": key_id}, lambda: self.chats(key)), ({"agent_id": self.agent}, lambda: self.runs(self.agent))],
            f"users/{user}": [({"key_id": key_id}, lambda: self.chats(key)), ({"user_id": user}, lambda: self.chats(key))],
            f"keys/{key_id}": [({"key_id": key_id}, lambda: self.chats(key))],
            f"workspaces/{place}": [({"key_id": bound_id}, lambda: self.chats(bound)), ({"agent_id": inside}, lambda: self.runs(inside))],
            f"agents/{inside}": [({"agent_id": inside}, lambda: self.runs(inside))],
            f"users/{behalf}": [({"agent_id": delegated}, lambda: self.runs(delegated))],
        }
        for scope, ways in cases.items():
            for limits in ({"token_limit": 15}, {"tokens_per_day": 15}, {"tokens_per_request": 15},
                           {"cost_limit": {"amount": "0", "currency": "USD"}}, {"token_limit": 100000}):
                self.put(f"{BASE}/{scope}", limits)
                for ask, act in ways:
                    with self.subTest(scope=scope, limits=limits, ask=ask):
                        enough = limits == {"token_limit": 100000}
                        checked = self.agree((enough, "within_budget" if enough else "budget_exceeded"), ask, act)
                        self.assertIn(scope, [b["scope"] for b in checked["budgets"]])
                self.call("DELETE", f"{BASE}/{scope}", expect=204)

    def test_the_limit_of_a_key(self):
        user, key_id, key = self.make_user("ada", rate_limit=2)
        for left in (2, 1):
            checked = self.agree((True, "no_budget"), {"key_id": key_id}, lambda: self.chats(key))
            self.assertEqual([("key", "rate_limit of the key", 2, 60, left)],
                             [tuple(r[n] for n in ("per", "limit", "requests", "seconds", "remaining")) for r in checked["rates"]])
        for _ in range(2):
            checked = self.agree((False, "rate_limited"), {"key_id": key_id}, lambda: self.chats(key))
            self.assertTrue(0 < checked["rates"][0]["retry_after"] <= 60, checked)
            self.assertIn("this key may make 2 requests in 60 s (rate_limit of the key)", checked["detail"])
        # of the user nothing is used up
        self.assertEqual((True, []), tuple(self.check(user_id=user)[n] for n in ("allowed", "rates")))

    def test_what_an_execution_may_take(self):
        self.put("/api/v1/admin/policies/org", {"tools": [], "token_limit": 500, "execution_timeout_seconds": 30})
        checked = self.check(agent_id=self.agent, estimated_tokens=500)
        self.assertEqual((True, {"token_limit": 500, "timeout_seconds": 30}), (checked["allowed"], checked["execution"]))
        checked = self.check(agent_id=self.agent, estimated_tokens=501)
        self.assertEqual((False, "token_limit_exceeded"), (checked["allowed"], checked["reason"]))
        self.assertTrue(self.runs(self.agent))
        self.put("/api/v1/admin/policies/org", {"tools": [], "token_limit": 20, "execution_timeout_seconds": 30})
        self.agree((False, "token_limit_exceeded"), {"agent_id": self.agent}, lambda: self.runs(self.agent))

    def test_a_tool_by_its_policy_and_rate(self):
        agent = self.make_agent(definition={"tools": ["calculate"]})
        ask = {"agent_id": agent, "tool_name": "calculate"}

        def calls():
            self.mock.script([CALL, {"content": "42"}])
            before = len([r for r in self.records("tool.call") if r.get("outcome") == "succeeded"])
            self.runs(agent)
            return len([r for r in self.records("tool.call") if r.get("outcome") == "succeeded"]) > before

        allow = {"tools": [{"tool_name": "calculate", "effect": "allow"}]}
        self.put("/api/v1/admin/policies/org", {"tools": [{"tool_name": "calculate", "effect": "deny"}]})
        self.agree((False, "tool_denied"), ask, calls)
        self.put("/api/v1/admin/policies/org", allow)
        checked = self.agree((True, "tool_allowed"), ask, calls)
        self.assertEqual((None, [], "allow"), (checked["remaining"], checked["budgets"], checked["tool"]["decision"]))
        self.put("/api/v1/admin/policies/org", {"tools": [{**allow["tools"][0], "constraints": {"rate_limit": "2/day"}}]})
        for expected in ((True, "tool_allowed"), (True, "tool_allowed"), (False, "rate_limit_exceeded"), (False, "rate_limit_exceeded")):
            self.agree(expected, ask, calls)
        auditor = self.host.user("auditor", self.tenant)
        shown = self.host.post(BASE + "/check", {"estimated_tokens": 1, **ask}, key=auditor, expect=200).json
        self.assertEqual((False, "rate_limit_exceeded", []), (shown["allowed"], shown["reason"], shown["tool"]["trace"]))
        self.assertTrue(self.check(**ask)["tool"]["trace"])


class Places(CheckCase):
    """Runs at once: they wait where there is a place, and are refused where there is none."""

    def setUp(self):
        super().setUp()
        self.turn = threading.Semaphore(0)
        self.threads = []
        self.addCleanup(self.finish)

    def finish(self):
        for _ in self.threads:
            self.turn.release()
        for thread in self.threads:
            thread.join(PATIENCE)

    def begin(self, agent, key):
        self.mock.default = lambda request: self.turn.acquire(timeout=PATIENCE) and {"content": "Done."}
        self.threads.append(threading.Thread(target=self.runs, args=(agent, key)))
        self.threads[-1].start()

    def wait_for(self, agent, **counts):
        end = time.monotonic() + PATIENCE
        while any(self.check(agent_id=agent)["runs"][n] != c for n, c in counts.items()):
            self.assertLess(time.monotonic(), end, self.check(agent_id=agent))
            time.sleep(0.01)

    def test_an_agent_and_its_queue(self):
        agent = self.make_agent(definition={"max_concurrent_runs": 1})
        user, _id, key = self.make_user("ada")
        ask = {"agent_id": agent, "user_id": user}
        self.assertEqual({"max_concurrent_runs": 1, "running": 0, "waiting": 0, "queue_length": 1, "place": None,
                          "max_concurrent_sessions": None, "sessions": 0}, self.check(**ask)["runs"])
        self.begin(agent, key)
        self.wait_for(agent, running=1)
        checked = self.check(**ask)
        self.assertEqual((True, 1), (checked["allowed"], checked["runs"]["place"]))
        self.begin(agent, key)
        self.wait_for(agent, running=1, waiting=1)
        checked = self.agree((False, "rate_limited"), ask, lambda: self.runs(agent, key))
        self.assertIn("max_concurrent_runs of its definition), and its queue has no place: 1 of 1 wait", checked["detail"])

    def test_the_runs_of_a_tenant(self):
        self.host.call("PUT", f"/api/v1/admin/tenants/{self.tenant}", {"settings": {"max_concurrent_sessions": 1}}, expect=200)
        self.begin(self.agent, "admin")
        self.wait_for(self.agent, sessions=1)
        checked = self.agree((False, "rate_limited"), {"agent_id": self.agent}, lambda: self.runs(self.agent))
        self.assertIn("max_concurrent_sessions allows: 1", checked["detail"])


class Requests(CheckCase):
    hourly = HOURLY

    def test_a_tenant(self):
        user, _id, key = self.make_user("ada")
        other, _id, _key = self.make_user("eve")
        before = self.check(user_id=other)["rates"]
        self.assertEqual([("tenant", "limits.requests_per_hour", HOURLY, 3600, HOURLY, 0)],
                         [tuple(r[n] for n in ("per", "limit", "requests", "seconds", "remaining", "retry_after")) for r in before])
        for _ in range(HOURLY - 1):
            self.host.get("/api/v1/models", key=key, expect=200)
        self.agree((True, "no_budget"), {"user_id": user}, lambda: self.chats(key))
        for who in (user, other):
            checked = self.agree((False, "rate_limited"), {"user_id": who}, lambda: self.chats(key))
            self.assertIn(f"this tenant may make {HOURLY} requests in 3600 s", checked["detail"])


if __name__ == "__main__":
    main()
