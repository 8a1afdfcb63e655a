# SPDX-License-Identifier: LGPL-2.1-or-later
"""Policies as code, as a user has them: reevectl policy lint and test without a host; apply, diff and export with one."""

import json
import os
import re
import subprocess
import tempfile
import unittest

from reeve import CTL, SOURCE, main
from test_policies import BASE, PolicyCase, allow

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
        """No host, no state folder, no home."""
        done = subprocess.run([CTL, "policy", *arguments], capture_output=True, text=True, timeout=60, check=False, env={"LC_ALL": "C.UTF-8"})
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
        for text, code in (("agents: {nobody: {}}\n", 4), (f"agents: {{a: {{}}, {self.agent}: {{}}}}\n", 1)):
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
        shown = self.ctl("diff", path).stdout
        self.assertRegex(shown, r"changed +organisation")
        self.assertIn('-       "tool_name" : "semantic_search"', shown)
        self.assertIn('+       "tool_name" : "shell*"', shown)
        self.assertIn("added", shown)
        self.assertEqual([], self.revisions())
        self.json("apply", path)
        self.assertIn("nothing to change", self.ctl("diff", path).stdout)

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


if __name__ == "__main__":
    main()
