# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tool policies from outside: records, merge, explanation, revisions; what runs may call, see and take."""

import json
import threading
import unittest

from reeve import Host, main
from test_bus import BusCase
from test_missions import MissionCase, calculate

BASE = "/api/v1/admin/policies"


def allow(*names):
    return [{"tool_name": name, "effect": "allow"} for name in names]


def deny(*names):
    return [{"tool_name": name, "effect": "deny"} for name in names]


# what the agent of a test may be asked about
TOOLS = ["a", "b", "c", "x", "y", "z", "shell", "other", "calculate", "http_request", "semantic_search"]


class PolicyCase(unittest.TestCase):
    config = ""

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=cls.config).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant of its own for each test."""
        self.tenant = self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": self.tenant}
        self.agent = self.post("/api/v1/admin/agents", {"name": "a", "initial_definition": {"system_prompt": "x", "tools": TOOLS}}, 201)["agent_id"]

    def call(self, method, path, body=None, expect=200, key="admin"):
        return self.host.call(method, path, body, expect=expect, headers=self.headers, key=key)

    def get(self, path, expect=200):
        return self.call("GET", path, expect=expect).json

    def post(self, path, body, expect=200):
        return self.call("POST", path, body, expect).json

    def put(self, path, body, expect=200):
        return self.call("PUT", path, body, expect).json

    def evaluate(self, tool, agent=None, tokens=0, **context):
        body = {"tool_name": tool, "estimated_tokens": tokens}
        if agent or tool in TOOLS:
            body["agent_id"] = agent or self.agent
        return self.post(BASE + "/evaluate", {**body, "context": context} if context else body)

    def reason(self, *arguments, **named):
        return self.evaluate(*arguments, **named)["reason"]


class Records(PolicyCase):
    def test_dev_ships_a_policy_until_it_is_deleted(self):
        shipped = self.get(BASE + "/org")
        self.assertEqual((0, "profile dev", None), (shipped["revision"], shipped["set_by"], shipped["agent_id"]))
        self.assertEqual(["semantic_search", "calculate", "http_request"], [t["tool_name"] for t in shipped["tools"]])
        self.assertEqual("tool_allowed", self.reason("calculate"))
        self.assertEqual("tool_not_allowed", self.reason("shell"))
        self.call("DELETE", BASE + "/org", expect=204)
        self.get(BASE + "/org", 404)
        self.call("DELETE", BASE + "/org", expect=404)
        self.assertEqual("policy_unset", self.reason("calculate"))
        self.assertEqual([], self.get(BASE + "/effective")["tools"])

    def test_an_agents_policy_leaves_the_shipped_one(self):
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("shell")})
        self.assertEqual(("tool_allowed", "tool_allowed"), (self.reason("shell"), self.reason("calculate")))

    def test_what_is_set_is_shown(self):
        body = {"tools": [{"tool_name": "file_write", "effect": "allow", "constraints": {"paths": ["/workspace/*"], "rate_limit": "100/hour"}}],
                "token_limit": 200000, "execution_timeout_seconds": 300, "sandbox_level": "standard", "security_level": "allowlist",
                "levels": {"trusted": ["read:*"]}, "matrix": {"database": {"allowed": True, "operations": ["read"]}},
                "approval": {"blocked": ["execute:rm*"], "approval_required": ["write:*"], "requires_approval_above": {"cost": 10, "risk": "medium"},
                             "approvers": {"roles": ["operator"], "users": []}}, "description": "ours"}
        made = self.put(BASE + "/org", body)
        self.assertEqual(body, {k: made[k] for k in body})
        self.assertEqual((1, self.tenant, None), (made["revision"], made["org_id"], made["agent_id"]))
        again = self.put(BASE + "/org", {**body, "token_limit": None})
        self.assertNotIn("token_limit", again)
        self.assertEqual((2, made["created_at"]), (again["revision"], again["created_at"]))
        self.assertGreaterEqual(again["updated_at"], made["updated_at"])
        self.assertEqual(again, self.get(BASE + "/org"))
        own = self.put(f"{BASE}/agents/{self.agent}", {"tools": []})
        self.assertEqual(self.agent, own["agent_id"])
        self.assertEqual([again, own], self.get(BASE)["items"])

    def test_what_is_not_there_is_not_found(self):
        for method, path, body in (("GET", f"/agents/{self.agent}", None), ("DELETE", f"/agents/{self.agent}", None),
                                   ("GET", "/agents/agt_none", None), ("PUT", "/agents/agt_none", {"tools": []}), ("DELETE", "/agents/agt_none", None),
                                   ("GET", "/effective?agent_id=agt_none", None), ("POST", "/rollback", {"revision": 7}),
                                   ("POST", "/evaluate", {"agent_id": "agt_none", "tool_name": "x"}), ("PUT", "", {"agent_id": "agt_none"})):
            self.call(method, BASE + path, body, 404)
        self.assertEqual([], self.get(BASE)["items"])

    def test_malformed_policies_are_refused_and_change_nothing(self):
        for body in ({"tools": {}}, {"tools": [{"tool_name": "x"}]}, {"tools": [{"tool_name": "x", "effect": "maybe"}]},
                     {"tools": [{"tool_name": "a b", "effect": "deny"}]}, {"token_limit": 0}, {"token_limit": "x"}, {"token_limt": 5},
                     {"sandbox_level": "loose"}, {"matrix": {"x": {"rate_limit": "5"}}}, {"matrix": {"x": {"paths": ["../x"]}}},
                     {"matrix": {"x": {"path": []}}}, {"matrix": {"x y": {"allowed": True}}}, {"matrix": {"x": {"domains": ["a b"]}}},
                     {"approval": {"blocked": ["a;b"]}}, {"approval": {"requires_approval_above": {"risk": "some"}}}, {"levels": {"strict": []}}):
            with self.subTest(body):
                self.call("PUT", BASE + "/org", body, 400)
        self.assertEqual(0, self.get(BASE + "/org")["revision"])
        self.assertEqual([], self.get(BASE + "/revisions")["items"])

    def test_only_admins_of_the_tenant_may(self):
        other = self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant[:40] + "-other", "name": "T"}, expect=201).json["tenant_id"]
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("x")})
        stranger = self.host.user("admin", other)
        for role in ("agent_designer", "operator", "auditor", "viewer"):
            key = self.host.user(role, self.tenant)
            for method, path, body in (("GET", "/org", None), ("PUT", "/org", {}), ("POST", "/evaluate", {"tool_name": "x"})):
                answer = self.host.call(method, BASE + path, body, expect=403, key=key)
                self.assertIn("policy:manage", answer.json["detail"])
        self.host.get(f"{BASE}/agents/{self.agent}", key=stranger, expect=404)
        self.assertEqual([], self.host.get(BASE, key=stranger, expect=200).json["items"])


    def test_an_agents_policy_goes_with_it(self):
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("x")})
        self.call("DELETE", f"/api/v1/admin/agents/{self.agent}", expect=204)
        self.assertEqual([], self.get(BASE)["items"])
        self.get(f"{BASE}/agents/{self.agent}", 404)

    def test_ten_thousand_rules(self):
        self.put(BASE + "/org", {"tools": allow(*(f"tool_{n}" for n in range(9000))) + deny(*(f"mes_{n}_*" for n in range(1000)))})
        self.assertEqual(["tool_allowed", "tool_not_allowed", "tool_denied"], [self.reason(t) for t in ("tool_8999", "tool_9000", "mes_999_x")])


class Merge(PolicyCase):
    def test_the_organisations_denial_wins_and_the_lesser_limit_holds(self):
        self.put(BASE + "/org", {"tools": allow("a", "b") + deny("shell"), "token_limit": 200000, "execution_timeout_seconds": 60})
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("shell") + deny("a"), "token_limit": 50000, "execution_timeout_seconds": 300})
        effective = self.get(f"{BASE}/effective?agent_id={self.agent}")
        self.assertEqual({"b": ("allow", "org"), "shell": ("deny", "org"), "a": ("deny", "agent")},
                         {t["tool_name"]: (t["effect"], t["source"]) for t in effective["tools"]})
        self.assertEqual((50000, 60), (effective["token_limit"], effective["execution_timeout_seconds"]))
        self.assertEqual(["tool_allowed", "tool_denied", "tool_denied", "tool_not_allowed"], [self.reason(t) for t in ("b", "shell", "a", "c")])
        self.assertEqual("token_limit_exceeded", self.reason("b", tokens=50001))
        self.assertEqual("tool_allowed", self.reason("b", tokens=50000))

    def test_an_evaluation_counts_all_tokens_and_knows_the_definition(self):
        self.put(BASE + "/org", {"tools": allow("*"), "token_limit": 100})
        for tokens in (2**63, 10**19, 1e308):
            self.call("POST", BASE + "/evaluate", {"tool_name": "calculate", "estimated_tokens": tokens}, 400)
        self.assertEqual("token_limit_exceeded", self.reason("calculate", tokens=10**12))
        agent = self.host.call("POST", "/api/v1/admin/agents", {"name": "b", "initial_definition": {"system_prompt": "x", "tools": ["calculate"]}},
                               expect=201, headers=self.headers).json["agent_id"]
        self.assertEqual("tool_allowed", self.reason("calculate", agent=agent))
        refused = self.evaluate("http_request", agent=agent)
        self.assertEqual(("deny", "tool_not_in_definition", "definition"), (refused["decision"], refused["reason"], refused["trace"][-1]["stage"]))

    def test_it_answers_what_a_run_would(self):
        def agent(**members):
            definition = {"system_prompt": "x", **members.pop("definition", {})}
            return self.post("/api/v1/admin/agents", {"name": "c", "initial_definition": definition, **members}, 201)["agent_id"]

        self.put(BASE + "/org", {"tools": allow("*")})
        # an agent without tools calls none; what the policies would say of one can be asked before
        for definition in ({}, {"tools": []}):
            self.assertEqual("tool_allowed", self.reason("calculate", agent=agent(definition=definition)))
        refused = self.evaluate("calculate", agent=agent(definition={"tools": ["http_request"]}))
        self.assertEqual((False, "tool_not_in_definition", "definition"), (refused["allowed"], refused["reason"], refused["trace"][0]["source"]))
        # the role
        tools = {"tools": ["calculate", "http_request"]}
        for role, calculate, request in (("executor", "tool_allowed", "tool_allowed"), ("admin", "tool_allowed", "tool_allowed"),
                                         ("reviewer", "tool_allowed", "agent_role"), ("planner", "agent_role", "agent_role")):
            made = agent(role=role, definition=tools)
            self.assertEqual((calculate, request), (self.reason("calculate", agent=made), self.reason("http_request", agent=made)), role)
        # the level
        made = agent(definition={**tools, "sandbox_level": "strict"})
        self.assertEqual("approval_required", self.evaluate("http_request", agent=made)["decision"])
        made = agent(definition={**tools, "sandbox_level": "isolated"})
        self.assertEqual("external_access", self.reason("http_request", agent=made))
        self.assertEqual("external_access", self.reason("http_request", agent=made, sandbox_level="strict"))

    def test_an_explanation_names_rule_revision_and_who(self):
        self.put(BASE + "/org", {"tools": allow("x")})
        self.put(BASE + "/org", {"tools": deny("mes_*") + allow("*")})
        who = self.get(BASE + "/org")["set_by"]
        self.assertTrue(who.startswith("usr_"), who)
        decision = self.evaluate("mes_write")
        self.assertEqual((False, "deny", "tool_denied"), (decision["allowed"], decision["decision"], decision["reason"]))
        self.assertEqual([{"stage": "org_deny", "rule": "tools[mes_*]", "source": "org", "revision": 2, "set_by": who, "effect": "deny"}], decision["trace"])
        self.assertEqual("tools[*]", self.evaluate("other")["trace"][-1]["rule"])

    def test_constraints_levels_and_approvals(self):
        self.put(BASE + "/org", {"tools": allow("x"), "sandbox_level": "standard",
                                 "matrix": {"file_write": {"allowed": True, "paths": ["/workspace/*"]}, "api_call": {"allowed": True, "domains": ["api.internal.com"]}},
                                 "approval": {"approval_required": ["pay_*"], "approvers": {"roles": ["operator"]}}})
        for tool, arguments, reason in (("file_write", {"path": "/workspace/a"}, "tool_allowed"), ("file_write", {"path": "/workspace/../a"}, "path_not_allowed"),
                                        ("api_call", {"url": "https://API.internal.com./x"}, "tool_allowed"),
                                        ("api_call", {"url": "https://evil.example/"}, "domain_not_allowed")):
            self.assertEqual(reason, self.reason(tool, arguments=arguments))
        self.assertEqual("unchecked", self.evaluate("file_write")["trace"][-1]["effect"])
        asked = self.evaluate("pay_bill")
        self.assertEqual((False, "approval_required", {"roles": ["operator"]}), (asked["allowed"], asked["decision"], asked["approvers"]))
        self.assertEqual("approval_required", self.evaluate("unheard_of")["decision"])
        self.assertEqual("approval_required", self.evaluate("x", sandbox_level="strict")["decision"])
        self.assertEqual("external_access", self.reason("api_call", sandbox_level="isolated"))


class Revisions(PolicyCase):
    def test_every_change_is_kept_and_can_be_done_again(self):
        self.put(BASE + "/org", {"tools": allow("a")})
        self.put(f"{BASE}/agents/{self.agent}", {"tools": deny("a")})
        self.put(BASE + "/org", {"tools": allow("b")})
        self.call("DELETE", BASE + "/org", expect=204)
        self.assertEqual("tool_denied", self.reason("a"))
        back = self.post(BASE + "/rollback", {"revision": 1})
        self.assertEqual((5, "rollback", 1, None, {"tools": allow("a")}), tuple(back[k] for k in ("revision", "change", "restored", "agent_id", "policy")))
        self.assertEqual((5, allow("a")), tuple(self.get(BASE + "/org")[k] for k in ("revision", "tools")))
        self.post(BASE + "/rollback", {"revision": 4})
        self.get(BASE + "/org", 404)
        items = self.get(BASE + "/revisions")["items"]
        self.assertEqual([1, 2, 3, 4, 5, 6], [i["revision"] for i in items])
        self.assertEqual(["set", "set", "set", "delete", "rollback", "rollback"], [i["change"] for i in items])
        self.assertEqual([None, self.agent, None, None, None, None], [i["agent_id"] for i in items])
        page = self.get(BASE + "/revisions?limit=2")
        self.assertEqual([3, 4], [i["revision"] for i in self.get(f"{BASE}/revisions?limit=2&cursor={page['next_cursor']}")["items"]])

    def test_changes_at_once_each_have_their_number(self):
        faults = []

        def change(number):
            try:
                self.put(BASE + "/org", {"tools": allow(f"t{number}")})
            except AssertionError as error:
                faults.append(error)

        threads = [threading.Thread(target=change, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], faults)
        items = self.get(BASE + "/revisions")["items"]
        self.assertEqual(list(range(1, 9)), [i["revision"] for i in items])
        last = self.get(BASE + "/org")
        self.assertEqual((8, items[-1]["policy"]["tools"]), (last["revision"], last["tools"]))
        self.assertEqual("tool_allowed", self.reason(last["tools"][0]["tool_name"]))

    def test_policies_outlive_the_host(self):
        with Host() as host:
            agent = host.agent(["calculate", "x"])
            host.put(BASE + "/org", {"tools": deny("calculate")}, expect=200)
            host.put(f"{BASE}/agents/{agent}", {"tools": allow("x")}, expect=200)
            host.stop()
            host.start()
            answers = [host.post(BASE + "/evaluate", {"agent_id": agent, "tool_name": t}, expect=200).json for t in ("calculate", "x")]
            self.assertEqual([("tool_denied", 1), ("tool_allowed", 2)], [(a["reason"], a["trace"][-1]["revision"]) for a in answers])


class Commands(PolicyCase):
    def ctl(self, *arguments, expect=0):
        done = self.host.ctl("--json", "policy", *arguments, expect=expect)
        return json.loads(done.stdout) if done.stdout else None

    def test_set_show_and_evaluate(self):
        self.ctl("set", self.tenant, "--allow", "a", "--allow", "b,c", "--deny", "shell", "--token-limit", "5000")
        self.ctl("set", self.tenant, "--agent-id", self.agent, "--allow", "shell", "--token-limit", "100")
        shown = self.ctl("show", self.tenant, "--agent-id", self.agent)
        self.assertEqual((["a", "b", "c", "shell"], 100), ([t["tool_name"] for t in shown["tools"]], shown["token_limit"]))
        self.assertEqual("tool_denied", self.ctl("evaluate", self.tenant, self.agent, "shell")["reason"])
        self.assertEqual("tool_allowed", self.ctl("evaluate", self.tenant, self.agent, "a", "--tokens", "100")["reason"])
        self.assertEqual("token_limit_exceeded", self.ctl("evaluate", self.tenant, self.agent, "a", "--tokens", "101")["reason"])
        self.assertEqual(2, len(self.ctl("list", self.tenant)["items"]))
        self.ctl("reset", self.tenant, self.agent)
        self.assertEqual(1, self.ctl("rollback", self.tenant, "1")["restored"])
        self.ctl("delete", self.tenant)
        self.ctl("delete", self.tenant, expect=4)
        self.assertEqual(5, len(self.ctl("revisions", self.tenant)["items"]))


class OnTheBus(BusCase):
    def test_set_get_and_evaluate_by_their_names(self):
        agent = self.host.agent(["a", "b", "c", "shell"])
        face = "io.reeve.ControlPlane1."
        org = self.typed(face + "SetPolicy", "default", "", allow("a", "shell") + deny("b"), 200000, 0)
        self.assertEqual((None, 200000), (org.get("agent_id"), org["token_limit"]))
        self.assertNotIn("execution_timeout_seconds", org)
        own = self.typed(face + "SetPolicy", "default", agent, deny("shell"), 50000, 300)
        self.assertEqual((agent, 300), (own["agent_id"], own["execution_timeout_seconds"]))
        effective = self.typed(face + "GetPolicy", "default", agent)
        self.assertEqual(({"a": "allow", "b": "deny", "shell": "deny"}, 50000),
                         ({t["tool_name"]: t["effect"] for t in effective["tools"]}, effective["token_limit"]))
        for tool, tokens, reason in (("a", 50000, "tool_allowed"), ("a", 50001, "token_limit_exceeded"), ("shell", 0, "tool_denied"), ("c", 0, "tool_not_allowed")):
            decision = self.typed(face + "EvaluatePolicy", "default", agent, tool, tokens)
            self.assertEqual((reason == "tool_allowed", reason), (decision["allowed"], decision["reason"]))
        self.assertIn("NotFound", self.refused(face + "SetPolicy", "default", "agt_none", "[]", "0", "0"))
        self.assertIn("NotFound", self.refused(face + "EvaluatePolicy", "nobody", "", "a", "0"))


class RunCase(MissionCase):
    def seen(self, number=0):
        """Names of the tools that the model was shown."""
        request = [r for r in self.mock.requests if r.path.endswith("/chat/completions")][number]
        return [t["function"]["name"] for t in request.json.get("tools", [])]

    def results(self, number):
        request = [r for r in self.mock.requests if r.path.endswith("/chat/completions")][number]
        return [m["content"] for m in request.json["messages"] if m["role"] == "tool"]


class Runs(RunCase):
    def test_a_model_sees_what_it_could_be_allowed(self):
        agent = self.host.agent(["calculate", "http_request", "semantic_search"])
        self.host.put(BASE + "/org", {"tools": allow("*") + deny("http_request")}, expect=200)
        self.mock.script([{"content": "a"}, {"content": "b"}])
        self.host.run(agent, "x")
        self.assertEqual(["calculate", "semantic_search"], self.seen())
        self.host.delete(BASE + "/org", expect=204)
        self.host.run(agent, "x")
        self.assertEqual([], self.seen(1))

    def test_a_refusal_is_told_to_the_model_and_the_ledger_with_its_word(self):
        agent = self.host.agent(["calculate"])
        self.host.put(BASE + "/org", {"tools": allow("calculate"), "matrix": {"calculate": {"operations": ["add"]}}}, expect=200)
        self.mock.script([calculate("6*7"), {"content": "no"}])
        run = self.host.run(agent, "x")
        self.assertTrue(run["success"], run)
        self.assertIn("operation_not_allowed", self.results(1)[0])
        refusal = [r for r in self.host.records(run_id=run["run_id"]) if r["kind"] == "refusal"]
        self.assertEqual([("tool.call", "calculate", "operation_not_allowed")], [(r["action"], r["tool_name"], r["reason"]) for r in refusal])
        self.assertIn("org policy, revision 1, matrix[calculate]: deny", self.host.read_log())

    def test_rates_count_calls_that_were_allowed(self):
        agent = self.host.agent(["calculate"])
        self.host.put(BASE + "/org", {"matrix": {"calculate": {"allowed": True, "rate_limit": "2/hour"}}}, expect=200)
        self.mock.script([calculate("1"), calculate("2"), calculate("3"), {"content": "done"}])
        self.host.run(agent, "x")
        self.assertEqual([False, False, True], ["rate_limit_exceeded" in r for r in self.results(3)])
        self.assertEqual("rate_limit_exceeded", self.host.post(BASE + "/evaluate", {"tool_name": "calculate"}, expect=200).json["reason"])

    def test_a_definitions_level_makes_it_stricter(self):
        self.mock.script([calculate("1"), {"content": "a"}, {"content": "b"}])
        self.host.run(self.host.agent(["calculate", "http_request"], sandbox_level="strict"), "x")
        self.assertIn("approval_required", self.results(1)[0])
        self.host.run(self.host.agent(["calculate", "http_request"], sandbox_level="isolated"), "x")
        self.assertEqual(["calculate"], self.seen(2))

    def test_an_execution_takes_no_more_tokens_than_the_policy_allows(self):
        agent = self.host.agent(["calculate"])
        self.host.put(f"{BASE}/agents/{agent}", {"token_limit": 400, "tools": []}, expect=200)
        self.mock.script([{**calculate("1"), "usage": {"prompt_tokens": 350, "completion_tokens": 40, "total_tokens": 390}}, {"content": "never"}])
        run = self.host.run(agent, "x")
        self.assertEqual((False, "token_limit_exceeded"), (run["success"], run["error"]["code"]))
        self.assertEqual(1, self.mock.count("/v1/chat/completions"))
        first = [r for r in self.mock.requests if r.path.endswith("/chat/completions")][0].json
        self.assertLess(first.get("max_tokens", first.get("max_completion_tokens")), 400)
        refusal = [r for r in self.host.records(run_id=run["run_id"]) if r["kind"] == "refusal"]
        self.assertEqual([("model.call", "token_limit_exceeded")], [(r["action"], r["reason"]) for r in refusal])

    def test_an_execution_takes_no_longer_than_the_policy_allows(self):
        agent = self.host.agent(["calculate"])
        self.host.put(f"{BASE}/agents/{agent}", {"execution_timeout_seconds": 1}, expect=200)
        self.mock.script([{"content": "late", "delay": 20}])
        run = self.host.run(agent, "x")
        self.assertEqual("timeout", run["error"]["code"])

    def test_a_change_holds_for_the_next_call_of_a_run_under_way(self):
        agent = self.host.agent(["calculate"])

        def taken_away(_request):
            self.host.put(BASE + "/org", {"tools": deny("calculate")}, expect=200)
            return calculate("2")

        self.mock.script([calculate("1"), taken_away, {"content": "done"}])
        self.host.run(agent, "x")
        self.assertEqual([False, True], ["tool_denied" in r for r in self.results(2)])


if __name__ == "__main__":
    main()
