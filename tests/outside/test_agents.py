# SPDX-License-Identifier: LGPL-2.1-or-later
"""Agents as identities: role, the user they act for, claims, deactivation."""

import json
import unittest

from reeve import Host, main

ROLES = ("executor", "planner", "reviewer", "admin")
DEFINITION = {"system_prompt": "Test.", "tools": ["semantic_search", "calculate", "http_request"]}


def create(host, expect=201, key=None, headers=None, **members):
    body = {"name": "a", "initial_definition": DEFINITION, **members}
    more = {"key": key} if key else {}
    return host.post("/api/v1/admin/agents", body, expect=expect, headers=headers or {}, **more).json


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)
        cls.host.post("/api/v1/admin/tenants", {"tenant_id": "other", "name": "other"}, expect=201)
        cls.alice = cls.host.post("/api/v1/admin/users", {"username": "alice", "roles": ["operator"]}, expect=201).json["user_id"]
        cls.mallory = cls.host.post("/api/v1/admin/users", {"username": "mallory", "roles": ["operator"]},
                                    headers={"X-Tenant-ID": "other"}, expect=201).json["user_id"]

    def update(self, agent, expect=200, **members):
        return self.host.put(f"/api/v1/admin/agents/{agent['agent_id']}", members, expect=expect).json

    def identity(self, agent):
        shown = self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", expect=200).json
        return tuple(shown[n] for n in ("role", "delegated_user_id", "token_claims", "active"))

    def test_what_is_left_out_has_its_default(self):
        agent = create(self.host)
        self.assertEqual(("executor", None, {}, True), self.identity(agent))
        self.assertTrue(agent["owner_id"])
        self.assertRegex(agent["created_at"], r"^\d{4}-.*Z$")

    def test_what_is_given_is_kept_and_changed(self):
        claims = {"cost_center": "4711", "limit": 250.5, "external": False, "note": None}
        agent = create(self.host, role="reviewer", delegated_user_id=self.alice, token_claims=claims, active=False)
        self.assertEqual(("reviewer", self.alice, claims, False), self.identity(agent))
        self.update(agent, name="b")
        self.assertEqual(("reviewer", self.alice, claims, False), self.identity(agent))
        self.update(agent, role="admin", delegated_user_id=None, token_claims={"a": 1}, active=True)
        self.assertEqual(("admin", None, {"a": 1}, True), self.identity(agent))

    def test_the_user_is_one_of_the_tenant(self):
        agent = create(self.host)
        for user in (self.mallory, "usr_0000000000000000000000000", ""):
            self.assertNotIn(self.mallory, json.dumps(create(self.host, expect=404, delegated_user_id=user)))
            self.update(agent, expect=404, delegated_user_id=user)
        self.assertEqual(("executor", None, {}, True), self.identity(agent))

    def test_bad_members_are_named(self):
        claims = {f"c{n}": n for n in range(65)}
        for members, pointer in (({"role": "root"}, "/role"), ({"token_claims": {"a": {"b": 1}}}, "/token_claims/a"),
                                 ({"token_claims": claims}, "/token_claims"), ({"token_claims": []}, "/token_claims"),
                                 ({"active": "no"}, "/active"), ({"delegated_user_id": 7}, "/delegated_user_id")):
            refused = create(self.host, expect=400, **members)
            self.assertIn(pointer, [e["pointer"] for e in refused["errors"]], members)

    def test_an_agent_belongs_to_one_tenant(self):
        there = {"X-Tenant-ID": "other"}
        agent = create(self.host, headers=there, delegated_user_id=self.mallory)
        self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", expect=404)
        self.host.post(f"/api/v1/admin/agents/{agent['agent_id']}/deactivate", expect=404)
        self.update(agent, expect=404, role="admin")
        shown = self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", headers=there, expect=200).json
        self.assertTrue(shown["active"])

    def test_lists_are_filtered_and_paged(self):
        host = self.host
        host.post("/api/v1/admin/tenants", {"tenant_id": "many", "name": "many"}, expect=201)
        there = {"X-Tenant-ID": "many"}
        for number in range(12):
            create(host, headers=there, name=f"n{number}", role=ROLES[number % 4], active=number < 8)

        def names(query):
            found, cursor = [], ""
            while cursor is not None:
                page = host.get(f"/api/v1/admin/agents?limit=2{query}{cursor}", headers=there, expect=200).json
                self.assertLessEqual(len(page["items"]), 2)
                self.assertTrue(len(page["items"]) == 2 or page["next_cursor"] is None)
                found += [a["name"] for a in page["items"]]
                cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
            return found

        self.assertEqual([f"n{n}" for n in range(11, -1, -1)], names(""))
        self.assertEqual(["n9", "n5", "n1"], names("&role=planner"))
        self.assertEqual(["n4", "n0"], names("&role=executor&active=true"))
        self.assertEqual(["n11", "n10", "n9", "n8"], names("&active=false"))
        host.get("/api/v1/admin/agents?role=root", headers=there, expect=400)

    def test_registration_needs_no_definition(self):
        body = {"name": "adder", "role": "executor", "delegated_user_id": self.alice, "token_claims": {"a": "b"}}
        agent = self.host.post("/api/v1/admin/agents/register", body, expect=201).json
        self.assertEqual(("executor", self.alice, {"a": "b"}, True), self.identity(agent))
        self.assertEqual(agent["current_version"], "0.1.0")
        answer = self.host.run(agent["agent_id"], "What is 6*7?")
        self.assertIn("42", answer["answer"])
        self.host.post("/api/v1/admin/agents/register", {**body, "delegated_user_id": self.mallory}, expect=404)

    def test_a_default_definition_can_be_executed_where_drafts_cannot(self):
        with Host(config="agents: {auto_publish: false}\n") as host:
            agent = host.post("/api/v1/admin/agents/register", {"name": "r"}, expect=201).json
            self.assertTrue(host.run(agent["agent_id"], "What is 6*7?")["success"])
            for path in ("/api/v1/admin/agents/register", "/api/v1/admin/agents"):
                own = host.post(path, {"name": "r", "initial_definition": DEFINITION}, expect=201).json
                host.run(own["agent_id"], "What is 6*7?", expect=409)

    def test_roles_of_callers(self):
        agent = create(self.host)
        designer, operator, viewer = (self.host.user(r) for r in ("agent_designer", "operator", "viewer"))
        path = f"/api/v1/admin/agents/{agent['agent_id']}/deactivate"
        for key in (operator, viewer):
            self.assertIn("agent:update", self.host.post(path, key=key, expect=403).json["detail"])
            self.assertIn("agent:create", self.host.post("/api/v1/admin/agents/register", {"name": "x"}, key=key, expect=403).json["detail"])
        self.host.post(path, key=designer, expect=200)
        self.host.post(path, key=designer, expect=200)
        self.assertFalse(self.identity(agent)[3])

    def test_a_deactivated_agent_is_not_executed(self):
        host, agent = self.host, create(self.host)
        path = f"/api/v1/admin/agents/{agent['agent_id']}"
        self.assertIs(False, host.post(path + "/deactivate", expect=200).json["active"])
        self.assertIn("deactivated", host.run(agent["agent_id"], "What is 6*7?", expect=409)["detail"])
        host.post("/api/v1/chat", {"message": "What is 6*7?", "agent_id": agent["agent_id"]}, expect=409)
        host.get(path, expect=200)
        host.put(path, {"active": True}, expect=200)
        self.assertTrue(host.run(agent["agent_id"], "What is 6*7?")["success"])


class CommandLine(unittest.TestCase):
    def test_register_list_deactivate(self):
        with Host() as host:
            host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "acme"}, expect=201)
            user = host.post("/api/v1/admin/users", {"username": "u", "roles": ["viewer"]}, headers={"X-Tenant-ID": "acme"}, expect=201)
            user_id = user.json["user_id"]
            made = json.loads(host.ctl("agents", "register", "acme", "advisor", "--role", "planner", "--delegated-user", user_id).stdout)
            self.assertEqual(("advisor", "planner", user_id), (made["name"], made["role"], made["delegated_user_id"]))
            own = json.loads(host.ctl("agents", "register", "own").stdout)
            listed = json.loads(host.ctl("agents", "list", "acme").stdout)["items"]
            self.assertEqual(["advisor"], [a["name"] for a in listed])
            self.assertEqual(["own"], [a["name"] for a in json.loads(host.ctl("agents", "list").stdout)["items"]])
            host.ctl("agents", "deactivate", "acme", own["agent_id"], expect=4)
            done = json.loads(host.ctl("agents", "deactivate", "acme", made["agent_id"]).stdout)
            self.assertIs(False, done["active"])
            self.assertEqual([], json.loads(host.ctl("agents", "list", "acme", "--active", "true").stdout)["items"])
            self.assertEqual(1, len(json.loads(host.ctl("agents", "list", "acme").stdout)["items"]))
            host.ctl("agents", "list", "acme", "more", expect=2)
            host.ctl("--tenant", "acme", "agents", "list", "acme", expect=2)
            host.ctl("agents", "register", expect=2)


if __name__ == "__main__":
    main()
