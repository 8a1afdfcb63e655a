# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, row by row as it was asked for: records with their exact members, words and bounds, at the doors that people use."""

import json
import time
import unittest

from reeve import Host, main
from test_bus import BusCase

ADMIN = "/api/v1/admin"
BASE = {"agent": "create read update delete execute", "session": "create read delete", "tool": "execute read", "memory": "read write delete",
        "tenant": "manage", "user": "manage", "role": "manage", "policy": "manage", "audit": "read", "system": "config metrics"}
TWENTY = {f"{resource}:{verb}" for resource, verbs in BASE.items() for verb in verbs.split()}
MATRIX = {
    "admin": TWENTY,
    "agent_designer": {"agent:create", "agent:read", "agent:update", "agent:delete", "session:read", "tool:read"},
    "operator": {"agent:read", "agent:execute", "session:create", "session:read", "session:delete", "tool:execute", "tool:read", "memory:read", "memory:write"},
    "auditor": {"agent:read", "session:read", "tool:read", "memory:read", "audit:read"},
    "viewer": {"agent:read", "session:read", "tool:read"},
}


class Case(unittest.TestCase):
    config = ""

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=cls.config).start()
        cls.addClassCleanup(cls.host.close)
        cls.me = cls.host.get("/api/v1/me", expect=200).json

    def post(self, path, body, expect=201, **options):
        return self.host.post(ADMIN + path, body, expect=expect, **options).json

    def put(self, path, body, expect=200, **options):
        return self.host.put(ADMIN + path, body, expect=expect, **options).json

    def get(self, path, expect=200, **options):
        return self.host.get(ADMIN + path, expect=expect, **options).json

    def agent(self, *tools, expect=201, **members):
        definition = {"system_prompt": "Test.", "tools": list(tools)}
        return self.post("/agents", {"name": "tester", "initial_definition": definition, **members}, expect)

    def part(self, wanted, found):
        """All of @wanted is in @found."""
        self.assertEqual(wanted, {n: found.get(n) for n in wanted})


class Tenants(Case):
    def test_the_record_and_its_settings(self):
        """TEN-01, API-02"""
        settings = {"max_agents": 100, "max_concurrent_sessions": 50, "features": ["rag", "long_term_memory", "approval_workflows"], "data_retention_days": 90}
        metadata = {"tier": "enterprise", "contract_start": "2026-01-01", "primary_contact": "x@acme.example"}
        record = {"tenant_id": "acme", "name": "Acme", "settings": settings, "metadata": metadata}
        made = self.post("/tenants", record)
        self.part({**record, "org_id": "acme"}, made)
        self.assertRegex(made["created_at"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.part(record, self.get("/tenants/acme"))
        self.assertIn("acme", [t["tenant_id"] for t in self.get("/tenants")["items"]])
        there = {"X-Tenant-ID": "acme"}
        # what is not among the features is refused; the maxima hold
        self.put("/tenants/acme", {"settings": {"features": [], "max_agents": 1, "max_concurrent_sessions": 0}})
        self.host.get("/api/v1/documents", headers=there, expect=403)
        agent = self.agent_there(there, 201)["agent_id"]
        self.agent_there(there, 409)
        refused = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, headers=there)
        self.assertEqual(429, refused.status, refused)
        # another tenant's is not there
        other = self.host.user("admin", tenant="acme")
        mine = self.agent("calculate")["agent_id"]
        for method, path in (("GET", f"/agents/{mine}"), ("PUT", f"/agents/{mine}"), ("DELETE", f"/agents/{mine}")):
            body = b'{"name": "x"}' if method == "PUT" else None
            self.host.call(method, ADMIN + path, body, key=other, headers={"Content-Type": "application/json"}, expect=404)
        # and a header widens nothing
        self.host.get("/api/v1/me", key=other, headers={"X-Tenant-ID": "default"}, expect=404)
        self.host.get("/api/v1/me", key=other, headers=there, expect=200)
        self.host.delete(ADMIN + "/tenants/acme", expect=204)
        self.get("/tenants/acme", 404)

    def agent_there(self, there, expect):
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": ["calculate"]}}
        return self.post("/agents", body, expect, headers=there)

    def test_users(self):
        """TEN-05, TEN-06, TEN-07, API-03"""
        self.assertLessEqual({"user_id", "tenant_id", "username", "email", "roles", "permissions", "attributes"}, set(self.me))
        self.assertLessEqual(TWENTY, set(self.me["permissions"]))
        body = {"username": "ann", "email": "ann@plant.example", "roles": ["operator"], "attributes": {"department": "Claims", "team": "A"}}
        ann = self.post("/users", body)
        self.part({**body, "kind": "human", "status": "active"}, ann)
        path = f"/users/{ann['user_id']}"
        self.assertEqual(["viewer"], self.put(path, {"roles": ["viewer"]})["roles"])
        patch = lambda body, expect=200: self.host.call("PATCH", ADMIN + path, body, expect=expect).json  # noqa: E731
        self.assertEqual(["operator"], patch({"role": "operator"})["roles"])
        self.assertEqual(["/role"], [e["pointer"] for e in patch({"role": "boss"}, 400)["errors"]])
        self.assertEqual(["/role"], [e["pointer"] for e in patch({"role": "viewer", "roles": ["viewer"]}, 400)["errors"]])
        self.assertEqual("disabled", patch({"status": "disabled"})["status"])
        self.assertEqual(["operator"], self.get(path)["roles"])
        for kind in ("manager", "writer", "analyst", "creative", "researcher", "coder", "coordinator"):
            made = self.post("/users", {"username": kind, "kind": "agent", "agent_type": kind, "roles": [], "manager_id": ann["user_id"]})
            self.part({"kind": "agent", "agent_type": kind, "manager_id": ann["user_id"]}, made)
        self.assertEqual(7, len(self.get(path)["subordinates"]))
        self.assertEqual("ann", self.get(f"/users/{made['user_id']}")["manager"]["username"])
        self.post("/users", {"username": "x", "kind": "agent", "agent_type": "painter", "roles": []}, 400)
        for presence in ("online", "away", "busy", "offline"):
            self.host.put("/api/v1/me/presence", {"presence": presence}, expect=200)
            self.assertEqual(presence, self.get(f"/users/{self.me['user_id']}")["presence"])
        self.host.delete(ADMIN + path, expect=204)
        self.get(path, 404)


class Roles(Case):
    config = "rbac: {default_role: viewer, custom_roles: [{name: data_analyst, permissions: [\"agent:read\", \"agent:execute\", \"session:create\", \"memory:read\"]}]}\n"

    def test_the_matrix(self):
        """RBA-01, RBA-02, RBA-04, RBA-06, RBA-07"""
        roles = {role["role_id"]: role for role in self.get("/roles?limit=500")["items"]}
        for name, held in MATRIX.items():
            self.assertEqual(held, TWENTY & set(roles[name]["effective"]), name)
            self.assertTrue(roles[name]["is_system_role"])
            self.put(f"/roles/{name}", {"permissions": []}, 409)
        for name, held in (("user", {"agent:read", "agent:execute"}), ("agent_operator", {"agent:read", "agent:execute", "tool:read"}),
                           ("developer", {p for p in TWENTY if p.startswith(("agent:", "tool:"))} | {"flow:read", "flow:execute"})):
            self.assertEqual(held, set(roles[name]["effective"]), name)
        for outer, inner in (("org_admin", "workspace_admin"), ("org_admin", "billing_admin"), ("workspace_admin", "agent_manager"),
                             ("workspace_admin", "user_manager"), ("workspace_admin", "viewer")):
            self.assertLess(set(roles[inner]["effective"]), set(roles[outer]["effective"]))

    def test_custom_roles(self):
        """RBA-08, RBA-09, RBA-10, RBA-17"""
        self.part({"name": "data_analyst", "is_system_role": False}, self.get("/roles/custom:data_analyst"))
        body = {"name": "line_lead", "description": "d", "permissions": ["agent:*", "session:read"], "metadata": {"a": 1}}
        made = self.post("/roles", body)
        self.part({**body, "role_id": "custom:line_lead", "tenant_id": "default", "is_system_role": False}, made)
        self.assertEqual({p for p in TWENTY if p.startswith("agent:")} | {"session:read"}, set(made["effective"]))
        user = self.post("/users", {"username": "bob"})
        self.assertEqual(["viewer"], user["roles"])
        ask = {"user_id": user["user_id"], "action": "agent:delete"}
        self.part({"allowed": False}, self.post("/access/evaluate", ask, 200))
        until = "2999-01-01T00:00:00Z"
        self.post(f"/users/{user['user_id']}/elevate", {"role": "custom:line_lead", "until": until, "reason": "x"}, 400)
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.post(f"/users/{user['user_id']}/elevate", {"role": "custom:line_lead", "until": until, "reason": "stand-in"})
        self.part({"allowed": True}, self.post("/access/evaluate", ask, 200))


class Policies(Case):
    def setUp(self):
        self.agent_id = self.agent("shell", "calculate", "http_request")["agent_id"]

    def evaluate(self, tool, tokens=0, **context):
        body = {"agent_id": self.agent_id, "tool_name": tool, "estimated_tokens": tokens}
        return self.post("/policies/evaluate", {**body, "context": context} if context else body, 200)

    def test_merge_and_evaluate(self):
        """TPL-01, TPL-02, TPL-03, TPL-04, TPL-07, RBA-13"""
        tools = lambda **effects: [{"tool_name": n.replace("any", "*"), "effect": e} for n, e in effects.items()]  # noqa: E731
        own = f"/policies/agents/{self.agent_id}"
        first = self.put("/policies/org", {"tools": tools(any="allow", shell="deny"), "token_limit": 200000, "execution_timeout_seconds": 300})
        self.part({"policy_id": "org", "org_id": "default", "agent_id": None, "token_limit": 200000, "execution_timeout_seconds": 300}, first)
        self.put(own, {"tools": tools(shell="allow"), "token_limit": 50000})
        merged = self.get(f"/policies/effective?agent_id={self.agent_id}")
        self.part({"token_limit": 50000, "execution_timeout_seconds": 300}, merged)
        for tool, tokens, allowed in (("shell", 1, False), ("calculate", 50000, True), ("calculate", 50001, False), ("unknown", 1, False)):
            self.assertIs(allowed, self.evaluate(tool, tokens)["allowed"], (tool, tokens))
        self.put("/policies/org", {"tools": tools(any="deny", calculate="allow"), "token_limit": 10000})
        self.put(own, {"tools": tools(calculate="allow"), "token_limit": 100000})
        self.assertEqual(10000, self.get(f"/policies/effective?agent_id={self.agent_id}")["token_limit"])
        self.assertEqual("tool_denied", self.evaluate("calculate")["reason"])
        # created or replaced; every revision is kept
        self.assertEqual(first["created_at"], self.get("/policies/org")["created_at"])
        self.assertGreaterEqual(self.get("/policies/org")["updated_at"], first["updated_at"])
        self.post("/policies/rollback", {"revision": first["revision"]}, 200)
        self.assertEqual(first["tools"], self.get("/policies/org")["tools"])
        # closed when unset
        self.host.delete(ADMIN + own, expect=204)
        self.host.delete(ADMIN + "/policies/org", expect=204)
        self.part({"allowed": False, "reason": "policy_unset"}, self.evaluate("calculate"))
        self.post("/policies/evaluate", {"agent_id": self.agent_id, "tool_name": "x", "estimated_tokens": -1}, 400)

    def test_levels_and_matrix(self):
        """TPL-05, SBX-01, SBX-02, SBX-03, APR-10"""
        allow = [{"tool_name": "*", "effect": "allow"}]
        matrix = {"web_search": {"allowed": True, "rate_limit": "100/hour"}, "code_execution": {"allowed": False}, "file_write": {"allowed": True, "paths": ["/workspace/*"]},
                  "api_call": {"allowed": True, "domains": ["api.internal.com"]}, "database": {"allowed": True, "operations": ["read"]}}
        self.part({"matrix": matrix}, self.put("/policies/org", {"tools": allow, "matrix": matrix}))
        for tool, arguments, reason in (("file_write", {"path": "/workspace/a"}, None), ("file_write", {"path": "/workspace/../etc/passwd"}, "path_not_allowed"),
                                        ("api_call", {"url": "https://api.internal.com/x"}, None), ("api_call", {"url": "https://evil.example/"}, "domain_not_allowed"),
                                        ("database", {"operation": "read"}, None), ("database", {"operation": "write"}, "operation_not_allowed"),
                                        ("code_execution", {}, "tool_denied"), ("web_search", {}, None)):
            found = self.post("/policies/evaluate", {"tool_name": tool, "context": {"arguments": arguments}}, 200)
            self.assertEqual((reason is None, reason or "tool_allowed"), (found["allowed"], found["reason"]), (tool, arguments))
        self.put("/policies/org", {"tools": [{"tool_name": "calc*", "effect": "allow"}, {"tool_name": "http_request", "effect": "allow"}]})
        for level, tool, decision in (("strict", "calculate", "approval_required"), ("standard", "calculate", "allow"), ("trusted", "calculate", "allow"),
                                      ("isolated", "calculate", "allow"), ("isolated", "http_request", "deny"), ("trusted", "http_request", "allow")):
            found = self.post("/policies/evaluate", {"tool_name": tool, "context": {"sandbox_level": level}}, 200)
            self.assertEqual(decision, found["decision"], (level, tool))
        self.put("/policies/org", {"tools": [], "sandbox_level": "standard"})
        self.assertEqual("approval_required", self.post("/policies/evaluate", {"tool_name": "unheard_of"}, 200)["decision"])
        for level, listed, other in (("deny", False, False), ("allowlist", True, False), ("full", True, True)):
            self.put("/policies/org", {"tools": [{"tool_name": "calc*", "effect": "allow"}], "security_level": level})
            found = [self.post("/policies/evaluate", {"tool_name": tool}, 200)["allowed"] for tool in ("calculate", "zzz")]
            self.assertEqual([listed, other], found, level)

    def test_headers(self):
        """SEC-03"""
        for path in ("/docs", "/api/v1/me", "/openapi.json", "/nowhere"):
            headers = self.host.get(path).headers
            self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
            self.assertEqual(("nosniff", "DENY"), (headers["X-Content-Type-Options"], headers["X-Frame-Options"]))


class Agents(BusCase):
    def rpc(self, method, *arguments):
        return self.typed("io.reeve.ControlPlane1." + method, *arguments)

    def test_the_calls_by_name(self):
        """RPC-01, RPC-02, RPC-03, AGI-01, AGI-02, AGI-03, AGI-04"""
        org = self.rpc("CreateOrganization", "Works", {"tier": "test"})
        org_id = org["org_id"]
        self.assertEqual(("Works", {"tier": "test"}), (org["name"], org["metadata"]))
        self.assertEqual("Works", self.rpc("GetOrganization", org_id)["name"])
        self.assertIn(org_id, [o["org_id"] for o in self.rpc("ListOrganizations")["organizations"]])
        made = {role: self.rpc("RegisterAgent", org_id, role, role, "", {"k": "v"}) for role in ("executor", "planner", "reviewer", "admin")}
        agent = made["executor"]
        self.assertEqual((org_id, "executor", "executor", None, {"k": "v"}, True),
                         tuple(agent.get(n) for n in ("org_id", "name", "role", "delegated_user_id", "token_claims", "active")))
        self.assertTrue(agent["created_at"].endswith("Z"))
        self.assertEqual(set(made), {a["role"] for a in self.rpc("ListAgents", org_id)["agents"]})
        self.assertIn("InvalidArgument", self.refused("io.reeve.ControlPlane1.RegisterAgent", org_id, "x", "boss", "", "{}"))
        self.rpc("SetPolicy", org_id, "", [{"tool_name": "*", "effect": "allow"}], 100, 0)
        self.assertEqual(100, self.rpc("GetPolicy", org_id, agent["agent_id"])["token_limit"])
        for name, tokens, allowed in (("executor", 100, True), ("executor", 101, False), ("planner", 1, False), ("reviewer", 1, True)):
            found = self.rpc("EvaluatePolicy", org_id, made[name]["agent_id"], "calculate", tokens)
            self.assertEqual({"allowed", "reason"}, set(found))
            self.assertIs(allowed, found["allowed"], (name, tokens, found))
        self.rpc("SetPolicy", org_id, "", [{"tool_name": "*", "effect": "allow"}], 0, 0)
        # planners plan, and execute nothing themselves; an executor does
        there = {"X-Tenant-ID": org_id}
        for name, outcome in (("executor", "allowed"), ("planner", "refused")):
            answer = self.host.post("/api/v1/agents/execute", {"agent_id": made[name]["agent_id"], "mission": "What is 6*7?"}, headers=there, expect=200).json
            tools = [r for r in self.host.get(f"{ADMIN}/audit?limit=500&run_id={answer['run_id']}", headers=there, expect=200).json["items"] if r["action"] == "tool.call"]
            self.assertTrue(tools, answer)
            self.assertEqual(outcome == "refused", any(r.get("reason") == "agent_role" for r in tools), tools)
            chain = self.host.get(f"/api/v1/runs/{answer['run_id']}/delegation", headers=there, expect=200).json["entries"]
            self.assertEqual(("policy_check", "execution_complete"), (chain[0]["entry"], chain[-1]["entry"]))
            self.assertEqual([], [e for e in chain if not e["delegated_user_id"] or e["agent_id"] != made[name]["agent_id"]])
        self.assertIs(True, self.rpc("DeactivateAgent", org_id, agent["agent_id"]))
        self.assertIs(False, self.rpc("GetAgent", org_id, agent["agent_id"])["active"])
        self.host.post("/api/v1/agents/execute", {"agent_id": agent["agent_id"], "mission": "x"}, headers=there, expect=409)
        self.assertEqual("agent_inactive", self.rpc("EvaluatePolicy", org_id, agent["agent_id"], "calculate", 1)["reason"])
        self.assertIs(True, self.rpc("DeleteOrganization", org_id))
        self.assertIn("NotFound", self.refused("io.reeve.ControlPlane1.GetOrganization", org_id))

    def test_budgets_usage_and_audit_by_name(self):
        """RPC-04, RPC-05. Tokens have more than 32 bits."""
        org = self.rpc("CreateOrganization", "Counting", {})["org_id"]
        agent = self.rpc("RegisterAgent", org, "counter", "executor", "", {})["agent_id"]
        big = 5_000_000_000
        self.assertEqual((org, None, big, 30), tuple(self.rpc("SetBudget", org, "", big, 30).get(n)
                                                     for n in ("org_id", "agent_id", "token_limit", "reset_period_days")))
        self.assertEqual((org, agent, 4_000_000_000, 7), tuple(self.rpc("SetBudget", org, agent, 4_000_000_000, 7)[n]
                                                               for n in ("org_id", "agent_id", "token_limit", "reset_period_days")))
        found = self.rpc("CheckBudget", org, agent, 3_000_000_000)
        self.assertEqual((True, 4_000_000_000, "within_budget"), (found["allowed"], found["remaining"], found["reason"]))
        found = self.rpc("CheckBudget", org, agent, 4_000_000_001)
        self.assertEqual((False, "budget_exceeded"), (found["allowed"], found["reason"]))
        # no limit is one that is never reached
        self.assertEqual({"allowed": True, "remaining": 2**63 - 1, "reason": "no_budget"}, self.rpc("CheckBudget", "default", "", 1))
        found = self.rpc("ReportUsage", org, agent, "run-elsewhere", 3_000_000_000)
        self.assertEqual((True, 1_000_000_000), (found["success"], found["remaining"]))
        self.assertIn("InvalidArgument", self.refused("io.reeve.ControlPlane1.ReportUsage", org, agent, "run-elsewhere", "int64 -1"))
        self.assertEqual((3_000_000_000, 1_000_000_000), tuple(self.rpc("GetBudget", org, agent)[n] for n in ("tokens_used", "tokens_remaining")))
        self.assertEqual((3_000_000_000, 2_000_000_000), tuple(self.rpc("GetBudget", org, "")[n] for n in ("tokens_used", "tokens_remaining")))
        totals = self.rpc("GetUsage", org, agent, "", "")["totals"]
        self.assertEqual((3_000_000_000, 1), (totals["total_tokens"], totals["report_count"]))
        totals = self.rpc("GetUsage", org, "", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")["totals"]
        self.assertEqual(0, totals["total_tokens"])
        entries = self.rpc("GetAuditLog", org, agent, 500)
        self.assertEqual(["usage.report"] * 2, [e["action"] for e in entries if e["kind"] != "read" and e["action"].startswith("usage")], entries)
        self.assertEqual(entries[0]["seq"], max(e["seq"] for e in entries))
        self.assertEqual(2, len(self.rpc("GetAuditLog", org, agent, 2)))
        self.assertEqual({org}, {e["scope"] for e in self.rpc("GetAuditLog", org, "", 50)})

    def test_the_commands(self):
        """CLI-01, CLI-02"""
        ctl = lambda *words: json.loads(self.host.ctl(*words).stdout)  # noqa: E731
        org = ctl("orgs", "create", "Mill")["org_id"]
        self.assertIn(org, [o["org_id"] for o in ctl("orgs", "list")["items"]])
        user = self.host.post(ADMIN + "/users", {"username": "u", "roles": []}, headers={"X-Tenant-ID": org}, expect=201).json["user_id"]
        agent = ctl("agents", "register", org, "n1", "--role", "executor", "--delegated-user", user)
        self.assertEqual(("executor", user), (agent["role"], agent["delegated_user_id"]))
        self.assertEqual(["n1"], [a["name"] for a in ctl("agents", "list", org)["items"]])
        ctl("policy", "set", org, "--allow", "calculate", "--allow", "semantic_search", "--deny", "shell", "--token-limit", "5000")
        ctl("policy", "set", org, "--agent-id", agent["agent_id"], "--allow", "shell", "--token-limit", "100")
        for tool, tokens, allowed in (("calculate", "100", True), ("calculate", "101", False), ("shell", "1", False)):
            self.assertIs(allowed, ctl("policy", "evaluate", org, agent["agent_id"], tool, "--tokens", tokens)["allowed"])
        ctl("agents", "deactivate", org, agent["agent_id"])
        self.host.ctl("orgs", "delete", org)
        self.host.ctl("orgs", "delete", org, expect=4)


if __name__ == "__main__":
    main()
