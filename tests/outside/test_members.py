# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roles of members of a workspace: what one may do there, and nowhere else; who gives them; how they end."""

import threading
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
rbac:
  custom_roles:
    - {{name: nothing, permissions: ["flow:read"]}}
"""


class Members(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gate, cls.asked, cls.wants_tool = threading.Event(), threading.Event(), threading.Event()
        cls.gate.set()
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.addClassCleanup(cls.gate.set)
        cls.mock.default = cls.answer
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)
        cls.number = 0
        cls.here, cls.there = cls.make("here"), cls.make("there")
        cls.agents = {place: cls.agent(place) for place in (cls.here, cls.there, None)}

    @classmethod
    def make(cls, name):
        return cls.host.post("/api/v1/admin/workspaces", {"name": name, "cross_workspace_visibility": True}, expect=201).json["workspace_id"]

    @classmethod
    def agent(cls, workspace=None, expect=201, **options):
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": ["calculate"]}}
        if workspace:
            body["workspace_id"] = workspace
        return cls.host.post("/api/v1/admin/agents", body, expect=expect, **options).json.get("agent_id")

    @classmethod
    def user(cls, role="custom:nothing"):
        """A user and a key that may do all that he may."""
        cls.number += 1
        user = cls.host.post("/api/v1/admin/users", {"username": f"u{cls.number}", "roles": [role]}, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": [role]}
        return user, cls.host.post("/api/v1/admin/keys", body, expect=201).json["key"]

    def member(self, role, workspace=None, user=None, expect=201, **options):
        body = {"user_id": user or self.user()[0]}
        if role:
            body["role"] = role
        return self.host.post(f"/api/v1/admin/workspaces/{workspace or self.here}/members", body, expect=expect, **options).json

    def role(self, *permissions):
        type(self).number += 1
        body = {"name": f"r{self.number}", "permissions": list(permissions)}
        return self.host.post("/api/v1/admin/roles", body, expect=201).json["role_id"]

    def execute(self, place, key, expect):
        return self.host.post("/api/v1/agents/execute", {"agent_id": self.agents[place], "mission": "m"}, key=key, expect=expect).json

    def test_there_and_nowhere_else(self):
        user, key = self.user()
        self.execute(self.here, key, 403)
        shown = self.member("operator", user=user)
        self.assertEqual("operator", shown["role"])
        run = self.execute(self.here, key, 200)["run_id"]
        for place in (self.there, None):
            said = self.execute(place, key, 403)
            self.assertIn("permission agent:execute is missing", said["detail"])
        for place, expect in ((self.here, 200), (self.there, 403), (None, 403)):
            self.host.get(f"/api/v1/admin/agents/{self.agents[place]}", key=key, expect=expect)
        self.host.get(f"/api/v1/runs/{run}", key=key, expect=200)
        self.assertEqual(["run.completed"], [e.name for e in self.host.stream("GET", f"/api/v1/runs/{run}/events", key=key)][-1:])
        # lists show what lies there, and nothing else
        self.assertEqual([self.agents[self.here]], [a["agent_id"] for a in self.host.get("/api/v1/admin/agents", key=key, expect=200).json["items"]])
        elsewhere = self.host.run(self.agents[None], "m")["run_id"]
        runs = [r["run_id"] for r in self.host.get("/api/v1/runs", key=key, expect=200).json["items"]]
        self.assertIn(run, runs)
        self.assertNotIn(elsewhere, runs)
        self.host.get("/api/v1/documents", key=key, expect=200)
        self.host.get("/api/v1/conversations", key=key, expect=200)
        self.host.post("/api/v1/documents/search", {"query": "x"}, key=key, expect=200)
        # nothing of the tenant's, whatever the role says
        self.assertEqual(["flow:read"], self.host.get("/api/v1/me", key=key, expect=200).json["permissions"])
        for path in ("users", "keys/key_x", "audit", "roles", "tenants"):
            self.assertIn(self.host.get("/api/v1/admin/" + path, key=key).status, (403, 404), path)
        # elsewhere he is nobody: not by a header, either
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "other", "name": "x"}, expect=201)
        self.host.get("/api/v1/admin/agents", key=key, headers={"X-Tenant-ID": "other"}, expect=404)

    def test_making_things(self):
        user, key = self.user()
        self.member("admin", user=user)
        made = self.agent(self.here, key=key)
        self.agent(self.there, key=key, expect=403)
        self.agent(None, key=key, expect=403)
        document = self.host.upload("a.md", "# A\n\nzirkonium", fields={"workspace_id": self.here}, key=key).json["document_id"]
        self.host.upload("a.md", "# A\n\nzirkonium", fields={"workspace_id": self.there}, key=key, expect=403)
        self.host.upload("a.md", "# A\n\nzirkonium", key=key, expect=403)
        self.host.delete(f"/api/v1/documents/{document}", key=key, expect=204)
        self.host.delete(f"/api/v1/admin/agents/{made}", key=key, expect=204)
        self.host.delete(f"/api/v1/admin/agents/{self.agents[self.there]}", key=key, expect=403)
        self.host.put(f"/api/v1/admin/workspaces/{self.here}", {"description": "x"}, key=key, expect=200)
        self.host.put(f"/api/v1/admin/workspaces/{self.there}", {"description": "x"}, key=key, expect=403)
        self.host.post("/api/v1/admin/workspaces", {"name": "x"}, key=key, expect=403)
        self.host.post("/api/v1/admin/agents/register", {"name": "x"}, key=key, expect=403)

    def test_giving(self):
        """Nobody hands out in there what he has not in there."""
        user, key = self.user()
        self.member("custom:absent", user=user, expect=400)
        manager = self.role("workspace:manage_members", "agent:read")
        self.member(manager, user=user)
        self.member("operator", key=key, expect=403)
        self.member(self.role("agent:read"), key=key)
        self.member(self.role("agent:read"), workspace=self.there, key=key, expect=403)
        self.member(None, workspace=self.there, key=key, expect=403)
        # he gives himself nothing, and cannot carry it out of there
        self.member("operator", user=user, key=key, expect=403)
        body = {"user_id": user, "name": "k", "roles": [manager]}
        self.host.post("/api/v1/admin/keys", body, key=key, expect=403)

    def test_weaker_credentials(self):
        """Who manages users does not get what they have in a workspace: not by a key, nor by a password."""
        user, own = self.user("viewer")
        _weak, key = self.user(self.role("user:manage", "agent:read", "session:read", "document:read", "memory:read", "tool:read", "flow:read", "audit:read"))
        early = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"]}, key=key, expect=201).json["key"]
        self.member("operator", user=user)
        self.execute(self.here, early, 403)
        self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"]}, key=key, expect=403)
        self.host.put(f"/api/v1/admin/users/{user}/password", {"password": "correct horse battery"}, key=key, expect=403)
        self.execute(self.here, own, 200)
        scoped = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"], "scopes": ["agent:read"]}, expect=201).json["key"]
        self.execute(self.here, scoped, 403)
        bound = {"user_id": user, "name": "k", "roles": ["viewer"], "workspace_id": self.there}
        self.execute(self.here, self.host.post("/api/v1/admin/keys", bound, expect=201).json["key"], 403)

    def evaluate(self, user, action, thing=None):
        body = {"user_id": user, "action": action}
        if thing:
            body.update(resource_type="agent", resource_id=thing)
        return self.host.post("/api/v1/admin/access/evaluate", body, expect=200).json

    def test_it_is_explained(self):
        user, _key = self.user()
        self.member("operator", user=user)
        answer = self.evaluate(user, "agent:execute", self.agents[self.here])
        self.assertTrue(answer["allowed"])
        self.assertIn(self.here, answer["reason"])
        for thing in (self.agents[self.there], self.agents[None], None):
            self.assertFalse(self.evaluate(user, "agent:execute", thing)["allowed"])

    # ---- the end ----

    def ends(self, key, end):
        """How a run ends that waits for the model while something happens."""
        self.gate.clear()
        self.asked.clear()
        body = {"agent_id": self.agents[self.here], "mission": "m", "stream": True}
        events = self.host.stream("POST", "/api/v1/agents/execute", body, key=key)
        next(events)
        self.assertTrue(self.asked.wait(60))
        self.wants_tool.set()
        try:
            end()
        finally:
            self.gate.set()
        last = list(events)[-1]
        self.wants_tool.clear()
        return last

    @classmethod
    def answer(cls, _request):
        """A model that answers, or wants a tool, once the test lets it."""
        cls.asked.set()
        cls.gate.wait(60)
        if cls.wants_tool.is_set():
            return {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}
        return {"content": "done"}

    def test_runs_under_way(self):
        user, key = self.user()
        role = self.role("agent:execute", "agent:read")
        self.member(role, user=user)

        def less():
            self.host.put(f"/api/v1/admin/roles/{role}", {"permissions": ["agent:read"]}, expect=200)

        def out():
            self.host.delete(f"/api/v1/admin/workspaces/{self.here}/members/{user}", expect=204)
        for end in (less, out):
            self.host.put(f"/api/v1/admin/roles/{role}", {"permissions": ["agent:read", "agent:execute"]}, expect=200)
            last = self.ends(key, end)
            self.assertEqual("run.failed", last.name)
            self.assertEqual("caller_revoked", last.data["error"]["code"])

    def test_a_role_that_is_given_is_not_deleted(self):
        """Given and deleted at the same time: one of both is refused, whichever."""
        for _round in range(8):
            role = self.role("agent:read")
            chief, _key = self.user("admin")
            user, _key = self.user()
            agent = self.agents[None]
            calls = {
                "user": ("POST", "/api/v1/admin/users", {"username": role, "roles": [role]}),
                "key": ("POST", "/api/v1/admin/keys", {"user_id": chief, "name": "k", "roles": [role]}),
                "member": ("POST", f"/api/v1/admin/workspaces/{self.here}/members", {"user_id": user, "role": role}),
                "override": ("POST", "/api/v1/admin/overrides", {"subject": f"role:{role}", "resource_type": "agent", "resource_id": agent,
                                                                 "effect": "deny", "permissions": ["agent:read"], "reason": "x"}),
                "delete": ("DELETE", f"/api/v1/admin/roles/{role}", None),
            }
            answers, start = {}, threading.Barrier(len(calls))

            def ask(name, method, path, body, answers=answers, start=start):
                start.wait(60)
                answers[name] = self.host.call(method, path, body)
            threads = [threading.Thread(target=ask, args=(name, *call)) for name, call in calls.items()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            given = {name: answer.status for name, answer in answers.items() if name != "delete" and answer.status == 201}
            self.assertEqual(len(calls), len(answers))
            if answers["delete"].status == 204:
                self.assertEqual({}, given)
                self.assertNotIn(role, str(self.host.get("/api/v1/admin/keys?limit=500", expect=200).json))
            else:
                self.assertEqual(409, answers["delete"].status, answers)

    def test_it_ends_at_once(self):
        user, key = self.user()
        role = self.role("agent:execute", "agent:read")
        self.member(role, user=user)
        self.execute(self.here, key, 200)
        self.host.delete(f"/api/v1/admin/roles/{role}", expect=409)
        self.host.put(f"/api/v1/admin/roles/{role}", {"permissions": ["agent:read"]}, expect=200)
        self.execute(self.here, key, 403)
        self.host.get(f"/api/v1/admin/agents/{self.agents[self.here]}", key=key, expect=200)
        self.host.put(f"/api/v1/admin/roles/{role}", {"permissions": ["agent:execute"]}, expect=200)
        self.execute(self.here, key, 200)
        self.host.delete(f"/api/v1/admin/workspaces/{self.here}/members/{user}", expect=204)
        self.execute(self.here, key, 403)
        self.host.delete(f"/api/v1/admin/roles/{role}", expect=204)


if __name__ == "__main__":
    main()
