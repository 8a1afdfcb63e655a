# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies as code, as a user has them: reevectl policy lint and test without a host; apply, diff and export with one."""

import datetime
import json
import os
import random
import re
import subprocess
import tempfile
import unittest

import table
from reeve import CTL, SOURCE, main
from test_policies import BASE, PolicyCase, allow, deny

DOCUMENT = """\
version: 1
org:
  tools:
  - {tool_name: calculate, effect: allow}
  - {tool_name: "shell*", effect: deny}
  token_limit: 1000
agents:
  AGENT:
    tools:
    - tool_name: http_request
      effect: allow
      constraints: {domains: ["*.example.org"]}
tests:
- {tool: calculate, expect: allowed}
- {agent: AGENT, tool: http_request, arguments: {url: "https://a.example.org/"}, expect: allowed}
- {agent: AGENT, tool: http_request, arguments: {url: "https://example.com/"}, expect: denied, reason: domain_not_allowed}
- {agent: AGENT, tool: shell_run, expect: denied, reason: tool_denied}
"""


class Files:
    """A folder of documents, and reevectl as it is typed in it."""

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def write(self, text, name="p.yaml"):
        path = os.path.join(self.folder(), name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if isinstance(text, str) else json.dumps(text))
        return path

    def offline(self, *arguments, expect=0):
        """No host, no state folder, no home; in words."""
        done = subprocess.run([CTL, *([] if "--json" in arguments else ["--human"]), "policy", *arguments], capture_output=True, text=True, timeout=60, check=False, env={"LC_ALL": "C.UTF-8"})
        self.assertEqual(expect, done.returncode, done.stdout + done.stderr)
        return done


class Offline(Files, unittest.TestCase):
    def test_lint_names_file_line_code_and_key(self):
        path = self.write("org:\n  tools:\n  - {tool_name: x, effect: deny}\nagents:\n  a:\n    tools:\n    - {tool_name: x, effect: allow}\n")
        self.assertRegex(self.offline("lint", path).stdout, rf"^{path}:7: warning: org-denies: agents\.a\.tools\[0\]: x is never allowed")
        self.offline("lint", path, "--strict", expect=1)
        found = json.loads(self.offline("lint", path, "--json").stdout)
        self.assertEqual([("warning", "org-denies", path, 7, "/agents/a/tools/0")],
                         [(f["severity"], f["code"], f["file"], f["line"], f["pointer"]) for f in found])
        good = self.write("org: {tools: [{tool_name: x, effect: allow}]}\n")
        self.assertEqual("good\n", self.offline("lint", good, "--strict").stdout)
        self.assertEqual([], json.loads(self.offline("lint", good, "--json").stdout))

    def test_faults_stop_everything(self):
        bad = self.write("org:\n  tools:\n  - tool_name: x\n    effect: maybe\n")
        for verb in ("lint", "test", "apply", "diff"):  # before a host is looked for
            done = self.offline(verb, bad, expect=1)
            self.assertIn(f"{bad}:4: error: schema: org.tools[0].effect", done.stdout + done.stderr)
        for verb in ("lint", "test", "apply", "diff"):
            self.offline(verb, expect=2)
            self.offline(verb, bad, "--no-such", expect=2)
        self.offline("export", "extra", expect=2)
        self.offline("lint", os.path.join(self.folder(), "none.yaml"), expect=1)
        self.offline("apply", self.write("{}\n"), expect=5)

    def test_tests_are_run(self):
        path = self.write(DOCUMENT)
        self.assertEqual("4 tests, 0 failed\n", self.offline("test", path).stdout)
        more = self.write("tests:\n- {tool: shell_run, expect: allowed}\n", "more.yaml")
        done = self.offline("test", path, more, expect=1)
        self.assertIn(f"{more}:2: FAILED: shell_run: expected allowed, got denied (tool_denied)", done.stdout)
        self.assertIn("org_deny: tools[shell*] (org): deny", done.stdout)
        results = json.loads(self.offline("test", path, more, "--json", expect=1).stdout)
        self.assertEqual([True] * 4 + [False], [r["passed"] for r in results])
        self.assertEqual(["org_deny"], [s["stage"] for s in results[-1]["trace"]])

    def test_the_example_of_the_documentation(self):
        with open(os.path.join(SOURCE, "docs", "access.md"), encoding="utf-8") as file:
            section = file.read().split("## Policy as code", 1)[1]
        path = self.write(re.search(r"```yaml\n(.*?)```", section, re.S).group(1))
        self.assertEqual("good\n", self.offline("lint", path, "--strict").stdout)
        self.assertIn(" 0 failed", self.offline("test", path).stdout)

    def test_the_schema_is_that_of_the_operations(self):
        """One policy is the same in a file and over REST."""
        with open(os.path.join(SOURCE, "data", "policy.schema.json"), encoding="utf-8") as file:
            ours = json.load(file)["$defs"]
        with open(os.path.join(SOURCE, "host", "operations", "policies.json"), encoding="utf-8") as file:
            theirs = json.loads(file.read().replace("#/components/schemas/", "#/$defs/"))["schemas"]
        for name in ours.keys() & theirs.keys():
            with self.subTest(name):
                self.assertEqual(theirs[name], {k: v for k, v in ours[name].items() if (name, k) != ("PolicyDocument", "additionalProperties")})
        self.assertIn("PolicyDocument", ours.keys() & theirs.keys())


class WithHost(Files, PolicyCase):
    def ctl(self, *arguments, expect=0):
        return self.host.ctl("--tenant", self.tenant, "policy", *arguments, expect=expect)

    def json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json").stdout)

    def revisions(self):
        return [(i["revision"], i["change"]) for i in self.get(BASE + "/revisions")["items"]]

    def test_apply_makes_the_policies_so(self):
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("x")})
        path = self.write(DOCUMENT.replace("AGENT", self.agent))
        planned = self.json("apply", path, "--dry-run")
        self.assertEqual((1, True, True), (planned["revision"], planned["changed"], planned["dry_run"]))
        self.assertEqual(("tool_not_allowed", "tool_allowed"), (self.reason("shell_x"), self.reason("x")))
        done = self.json("apply", path, "--expected-revision", "1", "--reason", "ticket 7")
        self.assertEqual([(None, "changed"), (self.agent, "changed")], [(c["agent_id"], c["change"]) for c in done["changes"]])
        self.assertEqual(planned["changes"], done["changes"])
        self.assertEqual(("tool_allowed", "tool_denied", "tool_not_allowed"), (self.reason("http_request"), self.reason("shell_x"), self.reason("x")))
        self.assertEqual("domain_not_allowed", self.reason("http_request", arguments={"url": "https://example.com/"}))
        again = self.json("apply", path)
        self.assertEqual((2, False, []), (again["revision"], again["changed"], again["changes"]))
        self.assertEqual([(1, "set"), (2, "apply")], self.revisions())
        last = self.get(BASE + "/revisions")["items"][-1]
        self.assertEqual(("ticket 7", [self.agent]), (last["reason"], list(last["policies"]["agents"])))
        self.ctl("apply", path, "--expected-revision", "1", expect=1)

    def test_what_is_not_in_the_document_goes(self):
        self.put(f"{BASE}/agents/{self.agent}", {"tools": allow("x")})
        done = self.json("apply", self.write("version: 1\n"))
        self.assertEqual([(None, "removed"), (self.agent, "removed")], [(c["agent_id"], c["change"]) for c in done["changes"]])
        self.assertEqual("policy_unset", self.reason("calculate"))
        self.assertEqual([], self.get(BASE)["items"])

    def test_agents_by_name(self):
        done = self.json("apply", self.write("agents: {a: {tools: [{tool_name: x, effect: allow}]}}\n"))
        self.assertIn((self.agent, "a", "added"), [(c["agent_id"], c.get("agent"), c["change"]) for c in done["changes"]])
        self.assertEqual("tool_allowed", self.reason("x"))
        for text, code in (("agents: {nobody: {}}\n", 4), (f"agents: {{a: {{}}, {self.agent}: {{}}}}\n", 2)):
            self.ctl("apply", self.write(text), expect=code)
        self.post("/api/v1/admin/agents", {"name": "a", "initial_definition": {"system_prompt": "x"}}, 201)
        self.assertIn("several", self.ctl("apply", self.write("agents: {a: {}}\n"), expect=1).stderr)
        self.assertEqual([(1, "apply")], self.revisions())

    def test_export_is_taken_back_unchanged(self):
        for path in ("p.json", "p.yaml"):
            text = self.ctl("export").stdout
            self.assertFalse(self.json("apply", self.write(text, path))["changed"])
        self.assertEqual(0, self.get(BASE + "/org")["revision"])  # what the profile ships stays what it is
        self.json("apply", self.write(DOCUMENT.replace("AGENT", self.agent)))
        text = self.ctl("export").stdout
        self.assertEqual(1, json.loads(text)["version"])
        for path in ("p.json", "p.yaml"):
            self.assertFalse(self.json("apply", self.write(text, path))["changed"])
        self.json("apply", self.write("{}", "empty.json"))
        self.assertTrue(self.json("apply", self.write(text))["changed"])
        self.assertEqual(text, self.ctl("export").stdout)

    def test_rollback_of_what_was_applied(self):
        self.json("apply", self.write(DOCUMENT.replace("AGENT", self.agent)))
        before = self.ctl("export").stdout
        self.json("apply", self.write("org: {tools: []}\n"))
        made = self.post(BASE + "/rollback", {"revision": 1})
        self.assertEqual((3, "rollback", 1), (made["revision"], made["change"], made["restored"]))
        self.assertEqual(before, self.ctl("export").stdout)
        self.json("apply", self.write("{}\n"))
        self.call("DELETE", "/api/v1/admin/agents/" + self.agent, expect=204)
        self.post(BASE + "/rollback", {"revision": 1})  # of the agents that there still are
        self.assertEqual({}, json.loads(self.ctl("export").stdout)["agents"])

    def test_diff_changes_nothing(self):
        path = self.write(DOCUMENT.replace("AGENT", self.agent))
        shown = self.ctl("diff", path, "--human").stdout
        self.assertRegex(shown, r"changed +organisation")
        self.assertIn('-       "tool_name" : "semantic_search"', shown)
        self.assertIn('+       "tool_name" : "shell*"', shown)
        self.assertIn("added", shown)
        self.assertEqual([], self.revisions())
        self.json("apply", path)
        self.assertIn("nothing to change", self.ctl("diff", path, "--human").stdout)

    def test_malformed_documents_are_refused_and_change_nothing(self):
        for policies in ({"org": {"tools": {}}}, {"org": {"token_limit": 0}}, {"orgs": {}}, {"org": {"tool": []}}, [], {"agents": {self.agent: {"matrix": {"x": {"paths": ["../x"]}}}}},
                         {"agents": {self.agent: None}}, {"org": {"matrix": {"x y": {}}}}):
            with self.subTest(policies):
                self.post(BASE + "/apply", {"policies": policies}, 400)
        answer = self.post(BASE + "/apply", {"policies": {"agents": {self.agent: {"matrix": {"x/y": {"paths": ["/a", "../x"]}}}}}}, 400)
        self.assertEqual([f"/policies/agents/{self.agent}/matrix/x~1y/paths/1"], [f["pointer"] for f in answer["errors"]])
        self.post(BASE + "/apply", {"policies": {"agents": {"agt_none": {}}}}, 404)
        self.post(BASE + "/apply", {"policies": {}, "expected_revision": 5}, 409)
        self.assertEqual([], self.revisions())

    def test_only_admins_of_the_tenant_may(self):
        stranger = self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant[:40] + "-other", "name": "T"}, expect=201).json["tenant_id"]
        for role in ("agent_designer", "operator", "auditor", "viewer"):
            key = self.host.user(role, self.tenant)
            for method, path, body in (("POST", "/apply", {"policies": {}}), ("GET", "/export", None)):
                self.assertIn("policy:manage", self.host.call(method, BASE + path, body, expect=403, key=key).json["detail"])
        key = self.host.user("admin", stranger)
        self.host.call("POST", BASE + "/apply", {"policies": {"agents": {self.agent: {}}}}, expect=404, key=key)
        self.assertEqual([], self.revisions())


class Drafts(Files, PolicyCase):
    """What a draft would decide otherwise."""

    def draft(self, policies):
        return self.post(BASE + "/analyze", {"policies": policies})["draft"]

    def test_what_is_newly_allowed_denied_and_asked_for(self):
        self.put(BASE + "/org", {"tools": allow("calculate", "shell_run")})
        found = self.draft({"org": {"tools": allow("calculate", "mes_*") + deny("shell*"), "approval": {"approval_required": ["calculate"]}, "token_limit": 5}})
        self.assertTrue(found["complete"])
        row = {e["tool"]: e for e in found["newly_denied"]}["shell_run"]
        self.assertEqual((None, "allowed", "denied", "tool_denied", "tools[shell*]", "org"),
                         (row["agent_id"], row["before"], row["after"], row["reason"], row["rule_after"]["rule"], row["rule_after"]["source"]))
        self.assertEqual({"mes_*"}, {e["witness_of"] for e in found["newly_allowed"]})
        self.assertEqual([("calculate", True)], [(e["tool"], e["known"]) for e in found["newly_approval_required"]])
        self.assertEqual([(None, "token_limit", 0, 5)], [(e["agent_id"], e["limit"], e["before"], e["after"]) for e in found["limits"]])
        self.assertEqual([(1, "set")], [(i["revision"], i["change"]) for i in self.get(BASE + "/revisions")["items"]])

    def test_what_is_told_is_what_happens(self):
        """Every pair that an answer names, asked before and after the draft is applied."""
        self.put(BASE + "/org", {"tools": allow("calculate", "http_request", "a*"), "sandbox_level": "trusted"})
        own = {"tools": allow("http_request", "*_x"), "sandbox_level": "isolated"}
        policies = {"org": {"tools": allow("calculate", "b*") + deny("ab*")}, "agents": {"a": own}}
        tools = sorted({tool for _agent, tool in self.told(policies)} | {"semantic_search"})
        definition = {"system_prompt": "x", "tools": tools}  # evaluate looks at it, an analysis does not
        agent = self.post("/api/v1/admin/agents", {"name": "z", "initial_definition": definition}, 201)["agent_id"]
        policies["agents"] = {"z": own}
        told = self.told(policies)
        words = {"allow": "allowed", "deny": "denied", "approval_required": "approval_required"}
        pairs = [(who, tool) for who in (None, agent) for tool in tools]

        def ask():
            bodies = [{"tool_name": tool, **({"agent_id": who} if who else {})} for who, tool in pairs]
            return [words[self.post(BASE + "/evaluate", body)["decision"]] for body in bodies]

        before = ask()
        self.post(BASE + "/apply", {"policies": policies})
        for pair, was, now in zip(pairs, before, ask()):
            with self.subTest(pair):
                self.assertEqual(told.get(pair), (was, now) if was != now else None)
        self.assertGreater(len(told), 5)

    def told(self, policies):
        found = self.draft(policies)
        lists = [found[k] for k in ("newly_allowed", "newly_denied", "newly_approval_required")]
        return {(e["agent_id"], e["tool"]): (e["before"], e["after"]) for entries in lists for e in entries}

    def test_diff_says_it_in_words(self):
        path = self.write("org: {tools: [{tool_name: calculate, effect: allow}, {tool_name: 'mes_*', effect: allow}]}\n")
        shown = self.host.ctl("--tenant", self.tenant, "policy", "diff", path, "--human").stdout
        self.assertRegex(shown, r"(?s)newly allowed:\n.*every other agent: mes_, one of mes_\*: tool_allowed \(org, tools\[mes_\*\]\)")
        self.assertRegex(shown, r"(?s)newly denied:\n.*every other agent: http_request: tool_not_allowed")


class Access(Files, PolicyCase):
    """Who can ever do what."""

    def analyze(self, operation, expect=200, **more):
        return self.post(BASE + "/analyze", {"operation": operation, **more}, expect).get("access")

    def role(self, name, permissions, inherits=()):
        body = {"name": name, "permissions": list(permissions), "inherits": list(inherits)}
        return self.post("/api/v1/admin/roles", body, 201)["role_id"]

    def user(self, *roles):
        return self.post("/api/v1/admin/users", {"username": f"u{random.getrandbits(60)}", "roles": list(roles)}, 201)["user_id"]

    def test_random_roles_agree_with_the_host(self):
        rand = random.Random(5)
        known = self.host.get("/api/v1/me", expect=200).json["permissions"]
        roles = ["viewer", "operator", "admin", "workspace_admin"]
        for number in range(5):
            inherits = rand.sample(roles[1:2] + roles[3:], rand.randint(0, 2)) if number % 2 else []
            roles.append(self.role(f"r{number}", rand.sample(known + ["agent:*", "tool:*", "memory:*"], rand.randint(1, 4)), inherits))
        held = {role: set(self.host.get("/api/v1/me", key=self.host.user(role, self.tenant), expect=200).json["permissions"]) for role in roles}
        for operation in table.TABLE.operations:
            found = self.analyze(operation["name"])
            verdicts = {r["role"]: r["verdict"] for r in found["roles"]}
            for role in roles:
                with self.subTest(operation=operation["name"], role=role):
                    if "public" in operation["flags"]:
                        expected = "always"
                    elif "platform-admin" in operation["flags"]:
                        expected = "platform_admin"
                    else:
                        expected = "always" if operation["permission"] is None or operation["permission"] in held[role] else "never"
                    self.assertEqual(expected, verdicts[role])
            self.assertEqual(operation["permission"], found["permission"])

    def test_the_chain_that_grants(self):
        lead = self.role("lead", ["tool:read"])
        chief = self.role("chief", ["audit:read"], [lead, "developer"])
        found = self.analyze("agents.delete", role=chief)
        self.assertEqual(("yes", "agent:delete", [{"role": chief, "verdict": "always", "chain": {"roles": [chief, "developer"], "grants": "agent:*"}}]),
                         (found["answer"], found["permission"], found["roles"]))
        self.assertEqual("no", self.analyze("agents.delete", role=lead)["answer"])
        self.assertEqual("platform_admin", self.analyze("tenants.create", role="admin")["answer"])
        self.assertEqual("yes", self.analyze("tool:read", role=lead)["answer"])
        for body, pointer in (({"operation": "agents.fly"}, "/operation"), ({"operation": "agents.get", "role": "custom:none"}, "/role"), ({}, "/operation"),
                              ({"operation": "agent:*"}, "/operation")):
            self.assertEqual([pointer], [f["pointer"] for f in self.post(BASE + "/analyze", body, 400)["errors"]])

    def test_by_override_and_by_elevation(self):
        user = self.user("viewer")
        made = self.post("/api/v1/admin/overrides", {"subject": "role:viewer", "resource_type": "agent", "resource_id": self.agent, "effect": "allow",
                                                     "permissions": ["agent:delete"], "reason": "x"}, 201)["override_id"]
        found = self.analyze("agents.delete", role="viewer")
        self.assertEqual(("somewhere", [made]), (found["answer"], [o["override_id"] for o in found["roles"][0]["overrides"]]))
        self.assertEqual("somewhere", self.analyze("agents.delete", role="viewer", resource_type="agent")["answer"])
        self.assertEqual("no", self.analyze("agents.delete", role="viewer", resource_type="document")["answer"])
        self.assertEqual("no", self.analyze("documents.delete", role="viewer")["answer"])
        denied = self.post("/api/v1/admin/overrides", {"subject": "role:viewer", "resource_type": "agent", "resource_id": self.agent, "effect": "deny",
                                                       "permissions": ["agent:read"], "reason": "x"}, 201)["override_id"]
        found = self.analyze("agents.get", role="viewer")
        self.assertEqual(("yes", [denied]), (found["answer"], [o["override_id"] for o in found["roles"][0]["except"]]))
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        raised = self.post(f"/api/v1/admin/users/{user}/elevate", {"role": "agent_designer", "until": until, "reason": "x"}, 201)["elevation_id"]
        found = self.analyze("agents.create", role="viewer")
        self.assertEqual(("by_elevation", [(raised, user)]), (found["answer"], [(e["elevation_id"], e["user_id"]) for e in found["elevations"]]))
        self.assertEqual([], self.analyze("agents.create", role="operator")["elevations"])
        self.call("DELETE", f"/api/v1/admin/users/{user}/elevations/{raised}", expect=204)
        self.assertEqual("no", self.analyze("agents.create", role="viewer")["answer"])

    def test_it_takes_the_roles_too(self):
        role = self.role("policies", ["policy:manage"])
        key = self.host.user(role, self.tenant)
        answer = self.host.call("POST", BASE + "/analyze", {"operation": "agents.delete"}, expect=403, headers=self.headers, key=key)
        self.assertIn("role:manage", answer.json["detail"])
        self.host.call("POST", BASE + "/analyze", {"policies": {}}, expect=200, headers=self.headers, key=key)
        for name in ("operator", "auditor"):
            self.host.call("POST", BASE + "/analyze", {"policies": {}}, expect=403, headers=self.headers, key=self.host.user(name, self.tenant))

    def test_commands(self):
        def ctl(*arguments, expect=0):
            words = [] if "--json" in arguments else ["--human"]
            return self.host.ctl(*words, "--tenant", self.tenant, "policy", *arguments, expect=expect).stdout

        self.assertIn("always         admin (admin: agent:delete)", ctl("who-can", "agents.delete"))
        self.assertIn("agents.delete: yes, permission agent:delete", ctl("can", "agent_designer", "agents.delete"))
        self.assertIn("never          viewer", ctl("can", "viewer", "agents.delete", expect=1))
        ctl("can", "viewer", expect=2)
        self.assertEqual("yes", json.loads(ctl("who-can", "agents.delete", "--json"))["access"]["answer"])


if __name__ == "__main__":
    main()
