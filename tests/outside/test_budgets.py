# SPDX-License-Identifier: LGPL-2.1-or-later
"""Budgets from outside: limits of each scope, what is reserved, spent and left, what is refused and who is told."""

import datetime
import functools
import json
import threading
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

BASE = "/api/v1/admin/budgets"
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  prices:
    local/gpt-4o-mini: {{input: "0.15", output: "0.6"}}
    local/free: {{input: "0", output: "0"}}
{more}
"""
CHAT = {"model": "local/gpt-4o-mini", "messages": [{"role": "user", "content": "How often?"}], "max_tokens": 40}


def within_a_day(test):
    """A test of days that the midnight of UTC comes in between is run again, with a tenant of its own."""

    @functools.wraps(test)
    def run(self):
        for attempt in ("", "-again"):
            day = datetime.datetime.now(datetime.timezone.utc).date()
            try:
                return test(self)
            except AssertionError:
                if attempt or day == datetime.datetime.now(datetime.timezone.utc).date():
                    raise
                self.make_tenant(self.tenant[:40] + "-again")

    return run


class BudgetCase(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, more=cls.more)).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant of its own for each test."""
        self.mock.script([])
        self.mock.default = {"content": "Every 4,000 hours.", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}
        self.make_tenant(self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower())

    def make_tenant(self, name):
        self.tenant = name
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": self.tenant}
        definition = {"system_prompt": "x", "max_tokens": 40}
        self.agent = self.post("/api/v1/admin/agents", {"name": "a", "initial_definition": definition}, 201)["agent_id"]

    def call(self, method, path, body=None, expect=200, key="admin"):
        return self.host.call(method, path, body, expect=expect, headers=self.headers, key=key)

    def get(self, path, expect=200):
        return self.call("GET", path, expect=expect).json

    def post(self, path, body, expect=200):
        return self.call("POST", path, body, expect).json

    def put(self, path, body, expect=200):
        return self.call("PUT", path, body, expect).json

    def chat(self, expect=200, **more):
        return self.call("POST", "/v1/chat/completions", {**CHAT, **more}, expect)

    def execute(self, expect=200):
        return self.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": "How often?"}, expect)

    def used(self, scope="org"):
        budget = self.get(f"{BASE}/{scope}")
        return budget["tokens_used"], budget["tokens_reserved"], budget["tokens_remaining"]

    def records(self, action):
        return self.get(f"/api/v1/admin/audit?action={action}&limit=500")["items"]


class Records(BudgetCase):
    @within_a_day
    def test_the_ratio_is_of_the_day_too(self):
        self.put(BASE + "/org", {"token_limit": 1000000, "tokens_per_day": 60})
        self.chat()
        lines = self.host.get("/metrics", key=None, expect=200).text.splitlines()
        self.assertEqual([0.5], [float(line.rsplit(" ", 1)[1]) for line in lines
                                 if line.startswith("reeve_budget_used_ratio{") and f'tenant_id="{self.tenant}"' in line])

    def test_what_is_set_is_shown_and_deleted(self):
        self.get(BASE + "/org", 404)
        self.call("DELETE", BASE + "/org", expect=404)
        body = {"token_limit": 1000, "cost_limit": {"amount": "12.50", "currency": "USD"}, "reset_period_days": 7, "alert_at": 0.5}
        budget = self.put(BASE + "/org", body)
        self.assertEqual((1000, 0, 0, 1000, 7, 0.5, 1),
                         tuple(budget[n] for n in ("token_limit", "tokens_used", "tokens_reserved", "tokens_remaining", "reset_period_days",
                                                   "alert_at", "revision")))
        self.assertEqual(({"amount": "12.5", "currency": "USD"}, {"amount": "0", "currency": "USD"}), (budget["cost_limit"], budget["cost_used"]))
        self.assertEqual(budget, self.get(BASE + "/org"))
        self.assertEqual(2, self.put(BASE + "/org", {"token_limit": 2000})["revision"])
        self.assertEqual(["org"], [b["scope"] for b in self.get(BASE)["items"]])
        self.call("DELETE", BASE + "/org", expect=204)
        self.get(BASE + "/org", 404)

    def test_each_scope_has_one_and_absent_things_none(self):
        user = self.post("/api/v1/admin/users", {"username": "ada", "roles": ["operator"]}, 201)["user_id"]
        key = self.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, 201)["key_id"]
        workspace = self.post("/api/v1/admin/workspaces", {"name": "w"}, 201)["workspace_id"]
        scopes = [f"agents/{self.agent}", f"users/{user}", f"keys/{key}", f"workspaces/{workspace}"]
        for scope in scopes:
            self.get(f"{BASE}/{scope}", 404)
            self.assertEqual(scope, self.put(f"{BASE}/{scope}", {"token_limit": 5})["scope"])
            absent = scope.split("/")[0] + "/nobody"
            for method, body in (("GET", None), ("PUT", {"token_limit": 5}), ("DELETE", None)):
                self.call(method, f"{BASE}/{absent}", body, 404)
        self.assertEqual(sorted(scopes), [b["scope"] for b in self.get(BASE)["items"]])
        for scope in scopes:
            self.call("DELETE", f"{BASE}/{scope}", expect=204)
        self.assertEqual([], self.get(BASE)["items"])

    def test_bad_limits_are_refused(self):
        for body in ({"token_limit": -1}, {"token_limit": "5"}, {"alert_at": 2}, {"reset_period_days": -1}, {"cost_limit": {"amount": "1"}},
                     {"cost_limit": {"amount": "1e3", "currency": "USD"}}, {"tokens": 5}):
            self.put(BASE + "/org", body, 400)

    def test_who_may(self):
        keys = {role: self.host.user(role, self.tenant) for role in ("auditor", "operator", "viewer")}
        self.put(BASE + "/org", {"token_limit": 1000})
        for role, seen in (("auditor", 200), ("operator", 200), ("viewer", 403)):
            self.host.get(BASE + "/org", key=keys[role], expect=seen)
            self.host.put(BASE + "/org", {"token_limit": 5}, key=keys[role], expect=403)


class Spending(BudgetCase):
    def test_what_is_spent_is_seen_at_once(self):
        self.put(BASE + "/org", {"token_limit": 1000})
        self.put(f"{BASE}/agents/{self.agent}", {"token_limit": 500})
        answer = self.execute()
        self.assertEqual((True, 30), (answer["success"], answer["usage"]["total_tokens"]))
        self.assertEqual({"amount": "0.009", "currency": "USD"}, answer["usage"]["cost"])
        self.assertEqual(((30, 0, 970), (30, 0, 470)), (self.used(), self.used(f"agents/{self.agent}")))
        self.chat()
        self.assertEqual(((60, 0, 940), (30, 0, 470)), (self.used(), self.used(f"agents/{self.agent}")))

    def test_intents_say_what_they_reserve_and_outcomes_what_they_took(self):
        self.chat()
        self.put(BASE + "/org", {"token_limit": 1000})
        self.chat()
        with_budget, without = [r for r in self.records("model.call") if r["kind"] == "intent"]
        self.assertNotIn("reserved_tokens", without)
        self.assertGreaterEqual(with_budget["reserved_tokens"], 40 + 20)
        outcomes = [r for r in self.records("model.call") if r["kind"] == "outcome"]
        # 20 at 0.15 and 10 at 0.6 for a thousand
        self.assertEqual([(20, 10, 9000000)] * 2, [(r["input_tokens"], r["output_tokens"], r["cost"]) for r in outcomes])

    def test_what_does_not_fit_is_lowered_upstream_then_refused(self):
        self.put(BASE + "/org", {"token_limit": 60})
        self.chat(max_tokens=1000)
        sent = self.mock.requests[-1].json["max_tokens"]
        self.assertTrue(16 <= sent < 60, sent)
        self.assertEqual((30, 0, 30), self.used())
        before = self.mock.count("/v1/chat/completions")
        refused = self.chat(429).json["error"]
        self.assertIn("budget org (token_limit 60, set by", refused["message"])
        self.assertEqual(before, self.mock.count("/v1/chat/completions"))
        self.assertEqual((30, 0, 30), self.used())

    def test_no_form_of_the_bound_gets_around_a_budget(self):
        """To some services 0 and -1 mean that there is no end, and numbers may come in quotes."""
        self.put(BASE + "/org", {"token_limit": 2000})
        for asked in ({"max_tokens": -1}, {"max_tokens": 0}, {"max_tokens": "1000000"}, {"max_tokens": True}, {"max_tokens": None},
                      {"max_completion_tokens": -1}, {"max_tokens": 40, "max_completion_tokens": -1}):
            self.chat(**asked)
            sent = self.mock.requests[-1].json
            bounds = [sent[name] for name in ("max_tokens", "max_completion_tokens") if name in sent]
            self.assertTrue(bounds and all(type(bound) is int and 1 <= bound < 2000 for bound in bounds), (asked, bounds))
        for answers in (50, "50"):
            self.chat(n=answers, max_tokens=1000)
            self.assertLess(self.mock.requests[-1].json["max_tokens"] * 50, 2000)
        self.chat(429, n=100000, max_tokens=1000)

    def test_a_run_is_not_begun_without_a_budget_and_fails_when_it_ends(self):
        path = f"{BASE}/agents/{self.agent}"
        self.put(path, {"token_limit": 15})
        refused = self.execute(429)
        self.assertTrue(refused["type"].endswith("budget-exceeded"), refused)
        self.assertEqual("budget_exceeded", refused["code"])
        self.assertEqual("budget_exceeded", self.chat(429, model=f"agent/{self.agent}").json["error"]["code"])
        self.assertIn(f"budget agents/{self.agent} (token_limit 15", refused["detail"])
        self.put(path, {"token_limit": 16})
        answer = self.execute()
        self.assertEqual((False, "failed", "budget_exceeded"), (answer["success"], answer["status"], answer["error"]["code"]))
        self.assertEqual((0, 0, 16), self.used(f"agents/{self.agent}"))

    def test_a_run_is_not_begun_where_its_workspace_has_spent_all(self):
        workspace = self.post("/api/v1/admin/workspaces", {"name": "w"}, 201)["workspace_id"]
        body = {"name": "b", "workspace_id": workspace, "initial_definition": {"system_prompt": "x"}}
        agent = self.post("/api/v1/admin/agents", body, 201)["agent_id"]
        self.put(f"{BASE}/workspaces/{workspace}", {"token_limit": 15})
        checked = self.post(BASE + "/check", {"agent_id": agent, "estimated_tokens": 16})
        self.assertEqual((False, "budget_exceeded", [f"workspaces/{workspace}"]),
                         (checked["allowed"], checked["reason"], [b["scope"] for b in checked["budgets"]]))
        refused = self.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, 429)
        self.assertIn(f"budget workspaces/{workspace} (token_limit 15", refused["detail"])
        self.assertEqual([], self.get("/api/v1/runs")["items"])

    def test_check_says_what_the_call_would_get(self):
        """Limits of each kind: what is allowed before is allowed, and what is refused is refused for the same."""
        asks = {"token_limit": ({"token_limit": 15}, {}), "day": ({"tokens_per_day": 15}, {}), "month": ({"tokens_per_month": 15}, {}),
                "request": ({"tokens_per_request": 15}, {}), "money": ({"cost_limit": {"amount": "0.000000001", "currency": "USD"}}, {}),
                "price": ({"cost_limit": {"amount": "5", "currency": "USD"}}, {"model": "local/other"}),
                "currency": ({"cost_limit": {"amount": "5", "currency": "EUR"}}, {}), "enough": ({"token_limit": 5000, "tokens_per_day": 5000}, {})}
        for kind, (limits, more) in asks.items():
            with self.subTest(kind):
                self.put(BASE + "/org", limits)
                checked = self.post(BASE + "/check", {"estimated_tokens": 60, **more})
                answer = self.call("POST", "/v1/chat/completions", {**CHAT, **more}, None)
                self.assertEqual(checked["allowed"], answer.status == 200, (checked, answer.text))
                if answer.status != 200:
                    self.assertEqual((429, "budget_exceeded"), (answer.status, checked["reason"]))
                    said = answer.json["error"]["message"].removeprefix("reserving budget: ")
                    self.assertEqual(said.split(", set by")[0], checked["detail"].split(", set by")[0])
                self.call("DELETE", BASE + "/org", expect=204)

    def test_what_costs_nothing_fits_any_limit(self):
        """Also the limit 0, also where all is spent, asked before or not, inside a run or not."""
        body = {"name": "b", "initial_definition": {"system_prompt": "x", "model": "local/free", "max_tokens": 40}}
        agents = {"local/free": self.post("/api/v1/admin/agents", body, 201)["agent_id"], "local/gpt-4o-mini": self.agent}
        for amount in ("0", "0.000000001"):
            self.put(BASE + "/org", {"cost_limit": {"amount": amount, "currency": "USD"}})
            for model, agent in agents.items():
                with self.subTest(model=model, amount=amount):
                    checks = [self.post(BASE + "/check", {"estimated_tokens": 60, **who}) for who in ({"model": model}, {"agent_id": agent})]
                    status = self.chat(None, model=model).status
                    ran = self.call("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, None)
                    free = model == "local/free"
                    self.assertEqual(([free] * 2, 200 if free else 429), ([c["allowed"] for c in checks], status), checks)
                    self.assertEqual((200, free) if free or amount != "0" else (429, None), (ran.status, ran.json.get("success")), ran.text)

    def test_calls_of_tools_are_shown(self):
        self.put("/api/v1/admin/policies/org", {"tools": [{"tool_name": "calculate", "effect": "allow"}]})
        body = {"name": "b", "initial_definition": {"system_prompt": "x", "tools": ["calculate"]}}
        agents = [self.post("/api/v1/admin/agents", body, 201)["agent_id"] for _ in range(2)]
        for scope in ("org", *(f"agents/{agent}" for agent in agents)):
            self.put(f"{BASE}/{scope}", {"token_limit": 100000})
        call = {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}
        for agent, calls in zip(agents, (2, 1)):
            self.mock.script([call] * calls + [{"content": "42"}])
            self.assertTrue(self.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"})["success"])
        self.assertEqual([3, 2, 1], [self.get(f"{BASE}/{scope}")["tool_invocations"] for scope in ("org", *(f"agents/{agent}" for agent in agents))])
        self.assertEqual(2, self.get(f"{BASE}/usage?agent_id={agents[0]}")["tool_invocations"])

    def test_numbers_are_shown_as_they_were_set(self):
        for share in ("0.8", "0.05", "1.0", "0.333"):
            for answer in (self.call("PUT", BASE + "/org", {"alert_at": float(share)}), self.call("GET", BASE + "/org")):
                self.assertIn(f'"alert_at":{share},', answer.text)
        self.assertIn('"alert_at":0.333,', self.host.ctl("--json", "budget", "usage", self.tenant).stdout)

    def test_the_list_marks_what_is_gone(self):
        user = self.post("/api/v1/admin/users", {"username": "gone", "roles": ["operator"]}, 201)["user_id"]
        key = self.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, 201)["key_id"]
        workspace = self.post("/api/v1/admin/workspaces", {"name": "gone"}, 201)["workspace_id"]
        scopes = [f"agents/{self.agent}", f"keys/{key}", f"users/{user}", f"workspaces/{workspace}"]
        for scope in ("org", *scopes):
            self.put(f"{BASE}/{scope}", {"token_limit": 500})
        self.assertEqual({False}, {b["owner_deleted"] for b in self.get(BASE)["items"]})
        for scope in scopes:
            self.call("DELETE", f"/api/v1/admin/{scope}", expect=None)
        found = sorted(self.get(BASE)["items"], key=lambda budget: budget["scope"] != "org")
        # of users and keys a record stays, of what they did
        gone = {scope: scope.startswith(("agents", "workspaces")) for scope in ("org", *scopes)}
        self.assertEqual(list(gone.items()), [(b["scope"], b["owner_deleted"]) for b in found])

    def test_what_is_gone_is_read_and_deleted(self):
        """By who sees all that there is; to everybody else it is as if it had never been."""
        made = {"name": "x", "initial_definition": {"system_prompt": "x"}}
        place, gone = (self.post("/api/v1/admin/workspaces", {"name": n}, 201)["workspace_id"] for n in ("there", "gone"))
        inside = self.post("/api/v1/admin/agents", {**made, "workspace_id": gone}, 201)["agent_id"]
        scopes = [f"agents/{self.agent}", f"agents/{inside}", f"workspaces/{gone}"]
        keys = {role: self.host.user(role, self.tenant) for role in ("admin", "agent_designer", "operator", "auditor", "viewer")}
        keys["bound"], keys["narrow"] = (self.placed(place, *roles) for roles in (("admin", "admin", place), ("viewer", "admin", None)))
        for scope in scopes:
            self.put(f"{BASE}/{scope}", {"token_limit": 500})
        for scope in scopes:
            self.call("DELETE", f"/api/v1/admin/{scope}", expect=None)
        before = {name: self.tell(scopes, key) for name, key in keys.items()}
        absent = {name: self.tell([f"agents/{self.agent}x", f"agents/{inside}x", f"workspaces/{gone}x"], key) for name, key in keys.items()}
        self.assertEqual([(200, 200)] * 2 + [(200,)], before["admin"])
        # of a workspace it is read by whoever reads the tenant's budgets, as the list shows it
        for name in ("operator", "auditor"):
            self.assertEqual([(404, 404)] * 2 + [(200,)], before[name], name)
        for name in ("agent_designer", "viewer", "bound", "narrow"):
            self.assertEqual(absent[name], before[name], name)
            self.assertNotIn(200, [status for statuses in before[name] for status in statuses])
        for name, key in keys.items():
            for scope in scopes if name != "admin" else ():
                self.assertIn(self.call("DELETE", f"{BASE}/{scope}", expect=None, key=key).status, (403, 404), (name, scope))
        self.assertEqual(sorted(scopes), sorted(b["scope"] for b in self.get(BASE)["items"] if b["owner_deleted"]))
        other = self.tenant[:40] + "-other"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": other, "name": "T"}, expect=201)
        for scope in (*scopes, "agents/" + "a" * 129, "agents/%2e%2e", "agents/" + self.agent + "%2Fx"):
            key = self.host.user("admin", other) if scope in scopes else keys["admin"]
            for method in ("GET", "DELETE"):
                self.host.call(method, f"{BASE}/{scope}", key=key, expect=404)
        for scope in scopes:
            self.call("PUT", f"{BASE}/{scope}", {"token_limit": 5}, 404, keys["admin"])
            if scope.startswith("agents"):
                self.put(BASE, {"agent_id": scope.split("/")[1], "token_limit": 5}, 404)
            self.call("DELETE", f"{BASE}/{scope}", expect=204, key=keys["admin"])
            self.call("DELETE", f"{BASE}/{scope}", expect=404, key=keys["admin"])
            self.get(f"{BASE}/{scope}", 404)
        self.assertEqual([], self.get(BASE)["items"])

    def placed(self, place, role, inside, bound):
        """A key of somebody who has one role in the tenant and another one in a workspace, or whose key is bound to that."""
        user = self.post("/api/v1/admin/users", {"username": f"{role}-{bound is None}", "roles": [role]}, 201)["user_id"]
        self.post(f"/api/v1/admin/workspaces/{place}/members", {"user_id": user, "role": inside}, 201)
        body = {"user_id": user, "name": "k", "roles": [role], **({"workspace_id": bound} if bound else {})}
        return self.post("/api/v1/admin/keys", body, 201)["key"]

    def tell(self, scopes, key):
        """Statuses of what reads each: by its scope, and an agent's as what is left of it."""
        paths = [[f"/{s}"] + [f"/usage?agent_id={s.split('/')[1]}"] * s.startswith("agents") for s in scopes]
        return [tuple(self.call("GET", BASE + path, expect=None, key=key).status for path in each) for each in paths]

    def test_each_principal_is_charged(self):
        user = self.post("/api/v1/admin/users", {"username": "ada", "roles": ["operator"]}, 201)["user_id"]
        key = self.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, 201)
        other = self.post("/api/v1/admin/keys", {"user_id": user, "name": "o", "roles": ["operator"]}, 201)
        self.put(f"{BASE}/users/{user}", {"token_limit": 1000})
        self.put(f"{BASE}/keys/{key['key_id']}", {"token_limit": 1000})
        for secret in (key["key"], other["key"]):
            self.host.post("/v1/chat/completions", CHAT, key=secret, expect=200)
        self.chat()
        self.assertEqual(((60, 0, 940), (30, 0, 970)), (self.used(f"users/{user}"), self.used(f"keys/{key['key_id']}")))

    def test_money_is_held_too_and_an_unknown_price_is_not_zero(self):
        self.put(BASE + "/org", {"cost_limit": {"amount": "0.05", "currency": "USD"}})
        while self.call("POST", "/v1/chat/completions", CHAT, None).status == 200:
            pass
        budget = self.get(BASE + "/org")
        spent = float(budget["cost_used"]["amount"])
        self.assertTrue(0 < spent <= 0.05, budget)
        self.assertEqual("0", budget["cost_reserved"]["amount"])
        self.assertIn("the price of local/other is not known", self.chat(429, model="local/other").json["error"]["message"])
        self.put(BASE + "/org", {"cost_limit": {"amount": "9", "currency": "EUR"}}, 409)

    def test_failures_cost_nothing_and_cut_streams_what_was_said(self):
        self.put(BASE + "/org", {"token_limit": 10000})
        self.mock.script([{"status": 500}])
        self.chat(502)
        self.assertEqual((0, 0, 10000), self.used())
        self.mock.script([{"content": "word " * 40, "close": "middle"}])
        body = {**CHAT, "stream": True, "max_tokens": 200}
        stream = self.host.stream("POST", "/v1/chat/completions", body, headers=self.headers)
        self.assertGreater(len(list(stream)), 3)
        used, reserved, _left = self.used()
        self.assertEqual(0, reserved)
        self.assertTrue(15 < used < 70, used)
        outcome = next(r for r in self.records("model.call") if r["kind"] == "outcome")
        self.assertEqual((1, used), (outcome["estimated"], outcome["input_tokens"] + outcome["output_tokens"]))

    def test_callers_at_once_do_not_pass_it(self):
        self.put(BASE + "/org", {"token_limit": 300})
        threads = [threading.Thread(target=self.chat, args=(None,)) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        used, reserved, _left = self.used()
        self.assertEqual(0, reserved)
        self.assertTrue(0 < used <= 300, used)
        spent = sum(r["input_tokens"] + r["output_tokens"] for r in self.records("model.call") if r["kind"] == "outcome")
        self.assertEqual(spent, used)

    def test_alerts_come_once(self):
        self.put(BASE + "/org", {"token_limit": 100, "alert_at": 0.2})
        while self.call("POST", "/v1/chat/completions", CHAT, None).status == 200:
            pass
        self.assertEqual([("budget", "org")], [(r["resource"]["type"], r["resource"]["id"]) for r in self.records("budgets.alert")])

    def test_the_same_set_again_is_no_news(self):
        limits = {"token_limit": 100, "tokens_per_day": 1000, "alert_at": 0.2}
        for _again in range(3):
            self.put(BASE + "/org", limits)
            self.chat(max_tokens=16)
        self.put(BASE + "/org", {**limits, "token_limit": 110})
        self.chat(429)
        self.assertEqual(1, len(self.records("budgets.alert")))

    def test_reevectl_sets_money_and_says_a_fault_once(self):
        def ctl(*words, expect=0):
            done = self.host.ctl("--json", *words, expect=expect)
            return json.loads(done.stdout) if expect == 0 else done.stderr.strip()

        budget = ctl("budget", "set", self.tenant, "--cost-limit", "25.50 USD", "--alert-at", "0.5", "--reset-days", "7")
        self.assertEqual((None, {"amount": "25.5", "currency": "USD"}, 0.5, 7),
                         tuple(budget[n] for n in ("token_limit", "cost_limit", "alert_at", "reset_period_days")))
        budget = ctl("budget", "set", self.tenant, "--token-limit", "1000")
        self.assertEqual((1000, {"amount": "25.5", "currency": "USD"}, 0.5, 7),
                         tuple(budget[n] for n in ("token_limit", "cost_limit", "alert_at", "reset_period_days")), "what is not given stays")
        for words, fault in (("--token-limit=-5", "reevectl: /token_limit: must be at least 0"),
                             ("--cost-limit=5 dollars", "reevectl: /cost_limit: fits none of the forms allowed here"),
                             ("--cost-limit=5", 'reevectl: cost_limit: is an amount and its currency: "25.50 USD"')):
            self.assertEqual(fault, ctl("budget", "set", self.tenant, words, expect=2))
        self.assertEqual(f"reevectl: no budget is set for agents/{self.agent}", ctl("budget", "usage", self.tenant, "--agent-id", self.agent, expect=4))
        told = [("3", "--type", "tool_invocations"), ("7",), ("--type", "cost", "--cost", "0.25 USD")]
        for words in told:
            self.assertTrue(ctl("usage", "report", self.agent, *words, "--tenant", self.tenant)["success"])
        sums = self.get(f"/api/v1/admin/usage/aggregation?agent_id={self.agent}")["totals"]
        self.assertEqual((3, 7, len(told), [{"amount": "0.25", "currency": "USD"}]),
                         tuple(sums[n] for n in ("total_tool_invocations", "total_tokens", "report_count", "costs")))
        self.assertIn("/cost_limit/currency: the budget org has spent USD", ctl("budget", "set", self.tenant, "--cost-limit", "5 EUR", expect=1))

    def test_check_says_which_limit_it_is(self):
        ask = {"agent_id": self.agent, "estimated_tokens": 400}
        self.assertEqual((True, None, "no_budget"), tuple(self.post(BASE + "/check", ask)[n] for n in ("allowed", "remaining", "reason")))
        self.put(BASE + "/org", {"token_limit": 1000})
        self.put(f"{BASE}/agents/{self.agent}", {"token_limit": 300})
        answer = self.post(BASE + "/check", ask)
        self.assertEqual((False, 300, "budget_exceeded"), (answer["allowed"], answer["remaining"], answer["reason"]))
        self.assertIn(f"budget agents/{self.agent} (token_limit 300", answer["detail"])
        self.assertEqual([f"agents/{self.agent}", "org"], [b["scope"] for b in answer["budgets"]])
        self.assertTrue(self.post(BASE + "/check", {**ask, "estimated_tokens": 300})["allowed"])
        self.post(BASE + "/check", {**ask, "agent_id": "nobody"}, 404)

    def test_a_restart_forgets_nothing(self):
        self.put(BASE + "/org", {"token_limit": 10000})
        for kill in (True, False, True):
            self.chat()
            before = self.used()
            self.host.kill() if kill else self.host.stop()
            self.host.start()
            self.assertEqual(before, self.used())


class Windows(BudgetCase):
    """Tokens of a call, a day and a month, beside those of the period."""

    def window(self, name, scope="org"):
        found = [w for w in self.get(f"{BASE}/{scope}")["windows"] if w["window"] == name]
        return tuple(found[0][n] for n in ("tokens_used", "tokens_reserved", "tokens_remaining")) if found else None

    @within_a_day
    def test_a_day_and_a_month_bound_besides_the_period(self):
        body = {"token_limit": 10000, "tokens_per_day": 100, "tokens_per_month": 130, "tokens_per_request": 5000}
        budget = self.put(BASE + "/org", body)
        self.assertEqual(body, {name: budget[name] for name in body})
        today = datetime.datetime.now(datetime.timezone.utc).date()
        self.assertEqual((f"{today}T00:00:00.000Z", f"{today.replace(day=1)}T00:00:00.000Z"),
                         tuple(w["last_reset_at"] for w in budget["windows"]))
        self.execute()
        self.assertEqual(((30, 0, 70), (30, 0, 100)), (self.window("day"), self.window("month")))
        self.host.kill()
        self.host.start()
        self.assertEqual(((30, 0, 9970), (30, 0, 70), (30, 0, 100)), (self.used(), self.window("day"), self.window("month")))
        while (refused := self.call("POST", "/v1/chat/completions", CHAT, None)).status == 200:
            self.assertLessEqual(self.window("day")[0], 100)
        self.assertIn("budget org (tokens_per_day 100, set by", refused.json["error"]["message"])
        # at midnight, which is no more than a day away
        self.assertTrue(0 < int(refused.headers["Retry-After"]) <= 86400, refused.headers["Retry-After"])
        answer = self.post(BASE + "/check", {"agent_id": self.agent, "estimated_tokens": 90})
        self.assertEqual((False, self.window("day")[2]), (answer["allowed"], answer["remaining"]))
        self.assertIn("tokens_per_day", answer["detail"])
        used = self.window("day")[0]
        raised = self.put(BASE + "/org", {"tokens_per_day": 1000})
        self.assertEqual(((used, 0, 1000 - used), None), (self.window("day"), self.window("month")))
        self.assertIsNone(raised["tokens_per_month"])
        self.chat()

    @within_a_day
    def test_alerts_name_the_window(self):
        self.put(BASE + "/org", {"tokens_per_day": 100, "tokens_per_month": 100000, "alert_at": 0.2})
        while self.call("POST", "/v1/chat/completions", CHAT, None).status == 200:
            pass
        self.assertEqual([("budget", "org/day")], [(r["resource"]["type"], r["resource"]["id"]) for r in self.records("budgets.alert")])

    def test_one_call_may_be_no_longer(self):
        self.put(f"{BASE}/agents/{self.agent}", {"tokens_per_request": 60})
        self.assertTrue(self.execute()["success"])
        self.assertTrue(16 <= self.mock.requests[-1].json["max_tokens"] < 60, self.mock.requests[-1].json)
        self.put(BASE + "/org", {"tokens_per_request": 20})
        before = self.mock.count("/v1/chat/completions")
        refused = self.chat(429)
        self.assertIn("budget org (tokens_per_request 20, set by", refused.json["error"]["message"])
        self.assertNotIn("Retry-After", refused.headers, "waiting does not make it shorter")
        self.assertEqual("budget_exceeded", self.execute()["error"]["code"])
        self.assertEqual(before, self.mock.count("/v1/chat/completions"))

    @within_a_day
    def test_callers_at_once_do_not_pass_a_day(self):
        self.put(BASE + "/org", {"tokens_per_day": 300})
        threads = [threading.Thread(target=self.chat, args=(None,)) for _ in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        used, reserved, _left = self.window("day")
        self.assertEqual(0, reserved)
        self.assertTrue(0 < used <= 300, used)

    def test_what_is_no_limit_is_refused(self):
        for body in ({"tokens_per_day": -1}, {"tokens_per_month": "5"}, {"tokens_per_request": 1.5}, {"tokens_per_hour": 5}):
            self.put(BASE + "/org", body, 400)
        short = self.put(BASE, {"token_limit": 100, "tokens_per_day": 10})
        self.assertEqual((100, 10, None), tuple(short[n] for n in ("token_limit", "tokens_per_day", "tokens_per_month")))
        self.assertEqual(10, self.put(BASE, {"token_limit": 200})["tokens_per_day"], "what is not given stays")


class Rates(unittest.TestCase):
    """Requests a minute, of tenant and user, by default and as they are configured."""

    def test_requests_a_minute(self):
        with Host(config="limits: {requests_per_minute: 30, per: [user, tenant]}") as host:
            operator = host.user("operator")
            answers = 0
            refused = host.get("/api/v1/me", key=operator)
            while refused.status == 200:  # it fills by one in two seconds: whoever asks without a pause meets the end
                answers += 1
                refused = host.get("/api/v1/me", key=operator)
            self.assertGreater(answers, 20)
            self.assertEqual(429, refused.status)
            self.assertRegex(refused.headers["Retry-After"], r"^[1-9][0-9]*$")
            self.assertRegex(refused.headers["RateLimit-Policy"], r'^"(user|tenant)";q=30;w=60$')
            self.assertRegex(refused.headers["RateLimit"], r'^"(user|tenant)";r=0;t=[0-9]+$')
            self.assertTrue(refused.json["type"].endswith("rate-limited"), refused)
            self.assertIn("limits.requests_per_minute", refused.json["detail"])

    def test_requests_an_hour(self):
        with Host(config="limits: {requests_per_minute: 0, requests_per_hour: 20, per: [user]}") as host:
            operator = host.user("operator")
            answers = [host.get("/api/v1/me", key=operator) for _ in range(25)]
            self.assertEqual(200, answers[0].status)
            self.assertEqual('"user";q=20;w=3600', answers[0].headers["RateLimit-Policy"])
            refused = answers[-1]  # it fills by one in three minutes
            self.assertEqual(429, refused.status)
            self.assertIn("limits.requests_per_hour", refused.json["detail"])
            self.assertTrue(0 < int(refused.headers["Retry-After"]) <= 180, refused.headers["Retry-After"])


class Configured(BudgetCase):
    more = "budgets: {org: {token_limit: 1000}}"

    def test_each_tenant_has_what_the_configuration_gives(self):
        budget = self.get(BASE + "/org")
        self.assertEqual((1000, None, 0), (budget["token_limit"], budget["set_by"], budget["revision"]))
        self.chat()
        self.get(BASE + "/org")  # its record is behind that of the call: both are durable
        self.host.kill()
        self.host.start()
        self.assertEqual((30, 0, 970), self.used())
        self.call("DELETE", BASE + "/org", expect=404)
        self.put(BASE + "/org", {"token_limit": 100})
        self.assertEqual((30, 0, 70), self.used())
        self.call("DELETE", BASE + "/org", expect=204)
        self.assertEqual((30, 0, 970), self.used())


class ConfiguredWindows(BudgetCase):
    more = "budgets: {org: {tokens_per_month: 1000, tokens_per_request: 900}}"

    @within_a_day
    def test_the_configuration_gives_windows_too(self):
        self.chat()
        self.get(BASE + "/org")  # its record is behind that of the call: both are durable
        self.host.kill()
        self.host.start()
        budget = self.get(BASE + "/org")
        self.assertEqual((None, 1000, 900, 970, None),
                         (budget["token_limit"], budget["tokens_per_month"], budget["tokens_per_request"],
                          budget["windows"][0]["tokens_remaining"], budget["set_by"]))
        own = self.put(BASE + "/org", {"tokens_per_month": 100})
        self.assertEqual(70, own["windows"][0]["tokens_remaining"], "what was spent is spent")


if __name__ == "__main__":
    main()
