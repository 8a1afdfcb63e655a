# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each tenant has of its own, the order of refusals, and settings as they were asked for, row by row, at the doors that people use."""

import json
import os
import subprocess
import tempfile
import unittest

from reeve import BUILD, Host, main
from test_rows_access import ADMIN, Case

HOST = os.path.join(BUILD, "host", "reeve-host")
AGENT = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": ["calculate"]}}
# D's list in this vocabulary; sharing and approving come with their features
EXTENDED = {"agent": "create read update delete execute", "document": "create read update delete", "workspace": "create read update delete manage_members",
            "budget": "view set", "audit": "read", "user": "manage"}


class Own(Case):
    def there(self, tenant):
        return {"X-Tenant-ID": tenant}

    def test_of_each_tenant(self):
        """TEN-09"""
        settings = {"one": {"max_agents": 1}, "two": {"max_agents": 3}}
        for tenant, own in settings.items():
            self.post("/tenants", {"tenant_id": tenant, "name": tenant, "settings": own})
        one, two = self.there("one"), self.there("two")
        # its own key: erasing one tenant's leaves the other's
        keys = [os.path.relpath(os.path.join(folder, name), self.host.state) for folder, _dirs, names in os.walk(self.host.state) for name in names]
        for tenant in settings:
            self.assertTrue([name for name in keys if "keys" in name and os.path.basename(name).startswith(tenant)], keys)
        # configuration
        for headers, most in ((one, 1), (two, 3)):
            for number in range(most + 1):
                self.host.post(ADMIN + "/agents", AGENT, headers=headers, expect=201 if number < most else 409)
        # roles, documents, budgets and records of one are none of the other's
        role = self.post("/roles", {"name": "lead", "permissions": ["agent:read"]}, headers=one)["role_id"]
        self.get(f"/roles/{role}", 404, headers=two)
        document = self.host.upload("a.md", "# A\n\nzirkonium", headers=one).json["document_id"]
        self.host.get(f"/api/v1/documents/{document}", headers=two, expect=404)
        for headers, found in ((one, 1), (two, 0)):
            hits = self.host.post("/api/v1/documents/search", {"query": "zirkonium"}, headers=headers, expect=200).json["results"]
            self.assertEqual(found, len(hits))
            records = self.get("/audit?limit=500", headers=headers)["items"]
            self.assertTrue(records)
            self.assertEqual(found, len([r for r in records if r["kind"] == "intent" and r["action"] == "roles.create"]))
        self.host.put(ADMIN + "/budgets/tenant/one", {"limits": [{"period": "day", "tokens": 5}]}, headers=one)
        names = lambda headers: [b["scope_id"] for b in self.get("/budgets", headers=headers)["items"]]  # noqa: E731
        self.assertNotIn("one", names(two))
        self.host.delete(ADMIN + "/tenants/one", expect=204)
        self.assertEqual(3, len(self.get("/agents", headers=two)["items"]))

    def test_workspaces(self):
        """TEN-08, RBA-11"""
        inside, outside = self.user("operator"), self.user("operator")
        teams = [self.post("/workspaces", {"name": name})["workspace_id"] for name in ("press shop", "paint shop")]
        self.post(f"/workspaces/{teams[0]}/members", {"user_id": inside[0], "role": "operator"})
        agents = [self.post("/agents", {**AGENT, "workspace_id": team})["agent_id"] for team in teams]
        self.assertEqual([agents[0]], [a["agent_id"] for a in self.get("/agents", key=inside[1])["items"] if a["agent_id"] in agents])
        self.get(f"/agents/{agents[0]}", 404, key=outside[1])
        self.host.put(f"{ADMIN}/workspaces/{teams[0]}", {"cross_workspace_visibility": True}, expect=200)
        self.get(f"/agents/{agents[0]}", 200, key=outside[1])
        self.host.post("/api/v1/agents/execute", {"agent_id": agents[0], "mission": "x"}, key=outside[1], expect=403)
        # an override says something of one resource alone, after the permission of the operation
        self.get(f"/agents/{agents[0]}", 200, key=inside[1])
        self.post("/overrides", {"subject": f"user:{inside[0]}", "resource_type": "agent", "resource_id": agents[0], "effect": "deny",
                                 "permissions": ["agent:read"], "reason": "test"})
        self.get(f"/agents/{agents[0]}", 403, key=inside[1])

    def user(self, role):
        made = self.post("/users", {"username": f"{role}{len(self.get('/users?limit=500')['items'])}", "roles": [role]})["user_id"]
        return made, self.post("/keys", {"user_id": made, "name": "k", "roles": [role]})["key"]

    def test_extended_permissions(self):
        """RBA-03"""
        held = set(self.get("/roles/admin")["effective"])
        self.assertLessEqual({f"{resource}:{verb}" for resource, verbs in EXTENDED.items() for verb in verbs.split()}, held)

    def test_three_ordered_roles(self):
        """RBA-05"""
        keys = {role: self.user(role)[1] for role in ("admin", "operator", "viewer")}
        levels = {role: self.get(f"/roles/{role}")["level"] for role in keys}
        self.assertEqual({role: role for role in keys}, levels)
        document = self.host.upload("b.md", "# B\n\ntext").json["document_id"]
        doors = (("GET", "/api/v1/documents", 200, 200), (("GET"), f"/api/v1/documents/{document}", 200, 200),
                 ("GET", ADMIN + "/users", 403, 403), ("GET", ADMIN + "/audit/export", 403, 403))
        for method, path, operator, viewer in doors:
            for role, expect in (("admin", 200), ("operator", operator), ("viewer", viewer)):
                self.assertEqual(expect, self.host.call(method, path, key=keys[role]).status, (path, role))
        for role, expect in (("viewer", 403), ("operator", 201)):
            self.host.upload("c.md", "# C\n\ntext", key=keys[role], expect=expect)
        self.host.delete(f"/api/v1/documents/{document}", key=keys["viewer"], expect=403)
        self.host.delete(f"/api/v1/documents/{document}", key=keys["operator"], expect=204)

    def test_documents_of_policy_and_their_rego(self):
        """RBA-12, TPL-06, APR-11"""
        self.post("/tenants", {"tenant_id": "my-org", "name": "x"})
        here = self.there("my-org")
        policy = {"tools": [{"tool_name": "calculate", "effect": "allow"}, {"tool_name": "shell", "effect": "deny"}],
                  "token_limit": 50000, "execution_timeout_seconds": 300}
        self.put("/policies/org", policy, headers=here)
        module = self.get("/policies/rego", headers=here)["module"]
        for text in ('package agent_platform.policy["my-org"]', "default allow := false", "token_limit := 50000", "execution_timeout := 300",
                     "denied_tools :=", "allowed_tools :="):
            self.assertIn(text, module)
        self.post("/tenants", {"tenant_id": "mill", "name": "x"})
        self.assertIn("package agent_platform.policy.mill\n", self.get("/policies/rego", headers=self.there("mill"))["module"])
        # the same as a document
        exported = self.get("/policies/export", headers=here)
        self.assertEqual(50000, exported["document"]["org"]["token_limit"])
        # a level asks where nothing speaks, and what only computes need not be asked for
        agent = self.post("/agents", {**AGENT, "initial_definition": {"system_prompt": "x", "tools": ["calculate", "shell"]}})["agent_id"]
        self.put("/policies/org", {"sandbox_level": "standard"})
        for tool, decision in (("calculate", "allow"), ("shell", "approval_required")):
            found = self.post("/policies/evaluate", {"agent_id": agent, "tool_name": tool, "context": {}}, 200)
            self.assertEqual(decision, found["decision"], found)

    def test_layers(self):
        """RBA-14, RBA-15: each refuses by itself, in this order, and a change is felt by the next request."""
        user, key = self.user("viewer")
        bad = b"{"
        json_type = {"Content-Type": "application/json"}
        post = lambda path, **options: self.host.call("POST", ADMIN + path, bad, headers=json_type, **options).status  # noqa: E731
        self.assertEqual(401, post("/agents", key="rv_no_such"))
        self.assertEqual(403, post("/agents", key=key))
        self.assertEqual(404, post("/workspaces/wsp_none/members"))
        self.assertEqual(400, post("/agents"))
        for roles, status in ((["operator"], 403), (["agent_designer"], 403), (["viewer"], 403)):
            self.host.call("PATCH", f"{ADMIN}/users/{user}", {"roles": roles}, expect=200)
            # the key was made for a viewer and stays one
            self.assertEqual(status, post("/agents", key=key))
        self.host.get(ADMIN + "/agents", key=key, expect=200)
        self.host.call("PATCH", f"{ADMIN}/users/{user}", {"roles": []}, expect=200)
        self.host.get(ADMIN + "/agents", key=key, expect=403)


class Settings(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-")
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "security_config.yaml")

    def run_host(self, text, *arguments, expect=0, **environment):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file, 0o600)
        done = subprocess.run([HOST, "--config", self.file, *(arguments or ("--check-config",))], capture_output=True, text=True, timeout=60,
                              check=False, env=dict(os.environ, **environment))
        self.assertEqual(expect, done.returncode, done)
        return done

    def test_a_profile_file(self):
        """CFG-01, CFG-06"""
        text = """
profile: enterprise
agent: {max_iterations: 12}
authentication: {providers: [{id: keys, plugin: auth-api-key}]}
enterprise: {multi_tenant: true, security: {rbac: {enabled: true, roles: [{name: analyst, permissions: ["agent:read"]}]}}}
encryption: {enabled: true, key_source: "env:K"}
audit: {enabled: true, retention_days: 365, include_request_body: false}
compliance: {frameworks: [soc2], evidence_collection: true}
persistence: {type: sqlite}
llm: {max_tokens: 4096}
metrics: {enabled: true, prefix: taskforce, export: {prometheus: true, endpoint: /metrics}}
logging: {level: INFO, format: json, include_context: true}
rate_limiting:
  enabled: true
  default_limit: ${MOST}
  by_tenant: true
"""
        shown = self.run_host(text, "--print-config", K="a2V5", MOST="77").stdout
        for line in ('  max_iterations: 12  # ', '  requests_per_minute: 77  # environment MOST (', '      name: "analyst"', '  retention_days: 365',
                     '  key_source: "env:K"', '  plugin: "storage-sqlite"', '  max_tokens: 4096',
                     '    endpoint: "/metrics"', '  prefix: "taskforce"'):
            self.assertIn(line, shown)
        self.assertNotIn("a2V5", shown)
        # what means something else here says what to write
        for wrong, word in (("encryption: {algorithm: fernet}", "aes-256-gcm"), ("llm: {provider: openai}", "llm.providers"),
                            ("persistence: {type: postgresql}", "store.plugin"), ("authentication: {type: jwt}", "authentication.providers"),
                            ("enable_audit: false", "cannot be switched off"),
                            ("audit: {audit_all_access: false}", "audit.audit_all_access: each access is on record"),
                            ("audit: {log_phi_access: false}", "cannot be switched off")):
            self.assertIn(word, self.run_host(wrong + "\n", expect=78).stderr)

    def test_what_is_recorded_anyway_may_be_asked_for(self):
        """AUD-10"""
        self.run_host("audit: {audit_all_access: true, log_phi_access: true, log_all_queries: true, log_tool_results: true}\n")

    def test_the_environment(self):
        """CFG-02, CFG-03, CFG-04, CFG-05"""
        for name, ours in (("TASKFORCE_PROFILE", "REEVE_PROFILE"), ("TASKFORCE_ENCRYPTION_KEY", "REEVE_ENCRYPTION_KEY"), ("OPA_URL", "REEVE_OPA_URL"),
                           ("CORS_ALLOWED_ORIGINS", "REEVE_CORS_ORIGINS"), ("RATE_LIMIT_PER_MINUTE", "REEVE_REQUESTS_PER_MINUTE")):
            line, = self.run_host("", **{name: "x"}).stderr.splitlines()
            self.assertEqual(f"environment {name}: says nothing by itself; set {ours}", json.loads(line)["message"])
        self.assertEqual("", self.run_host("", OPA_URL="x", REEVE_OPA_URL="http://127.0.0.1:1").stderr)
        table = (("dev", "1000", '"debug"', '"*"'), ("staging", "100", '"info"', None), ("prod", "60", '"warning"', None))
        for profile, most, level, origin in table:
            shown = self.run_host("", "--print-config", ENVIRONMENT=profile).stdout
            self.assertIn(f"  requests_per_minute: {most}  # profile", shown)
            self.assertIn(f"  level: {level}  # profile", shown)
            self.assertEqual(origin is not None, '      - "*"  # profile' in shown, profile)
            shared = "authentication: {providers: [{type: jwt, issuer: \"https://i\", audience: a, algorithms: [HS256], secret_key: \"env:S\"}]}\n"
            self.run_host(shared, ENVIRONMENT=profile, S="0123456789abcdef0123456789abcdef", expect=0 if profile == "dev" else 78)


if __name__ == "__main__":
    main()
