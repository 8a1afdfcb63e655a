# SPDX-License-Identifier: LGPL-2.1-or-later
"""Overrides on one thing, and the question whether somebody may do something, from outside."""

import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""


class Overrides(unittest.TestCase):
    serial = 0

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = {"content": "Done."}
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    def user(self, *roles):
        """(user_id, key)"""
        Overrides.serial += 1
        user = self.host.post("/api/v1/admin/users", {"username": f"u{self.serial}", "roles": list(roles)}, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": list(roles)}
        return user, self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]

    def override(self, subject, agent, effect, *permissions, expect=201, **options):
        body = {"subject": subject, "resource_type": "agent", "resource_id": agent, "effect": effect, "permissions": list(permissions),
                "reason": "test"}
        return self.host.post("/api/v1/admin/overrides", body, expect=expect, **options).json

    def may(self, user, action, agent=None):
        body = {"user_id": user, "action": action, **({"resource_type": "agent", "resource_id": agent} if agent else {})}
        answer = self.host.post("/api/v1/admin/access/evaluate", body, expect=200).json
        return answer["allowed"], answer["reason"]

    def execute(self, agent, key):
        return self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "m"}, key=key)

    def test_a_stored_answer_is_given_only_to_who_may_still_ask_for_it(self):
        agent = self.host.agent()
        user, key = self.user("operator")
        body, once = {"agent_id": agent, "mission": "m"}, {"Idempotency-Key": "once"}
        first = self.host.post("/api/v1/agents/execute", body, key=key, headers=once, expect=200).json
        self.assertEqual(first, self.host.post("/api/v1/agents/execute", body, key=key, headers=once, expect=200).json)
        made = self.override(f"user:{user}", agent, "deny", "agent:execute")
        refused = self.host.post("/api/v1/agents/execute", body, key=key, headers=once, expect=403)
        self.assertIn("agent:execute", refused.json["detail"])
        self.host.delete(f"/api/v1/admin/overrides/{made['override_id']}", expect=204)
        self.assertEqual(first, self.host.post("/api/v1/agents/execute", body, key=key, headers=once, expect=200).json)
        # another key of the same user is another who asks
        other = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, expect=201).json["key"]
        self.assertNotEqual(first, self.host.post("/api/v1/agents/execute", body, key=other, headers=once, expect=200).json)

    def test_denied_on_one_thing(self):
        one, other = self.host.agent(), self.host.agent()
        user, key = self.user("operator")
        self.assertEqual(200, self.execute(one, key).status)
        made = self.override("role:operator", one, "deny", "agent:*")
        refused = self.execute(one, key)
        self.assertEqual(403, refused.status)
        self.assertIn(made["override_id"], refused.json["detail"])
        self.assertIn("agent:execute", refused.json["detail"])
        self.assertEqual(200, self.execute(other, key).status)
        self.host.get(f"/api/v1/admin/agents/{one}", key=key, expect=403)
        self.host.get(f"/api/v1/admin/agents/{other}", key=key, expect=200)
        self.assertEqual((False, f"permission agent:execute is denied here ({made['override_id']})"), self.may(user, "agent:execute", one))
        self.assertEqual((True, "permission agent:execute is held"), self.may(user, "agent:execute", other))
        # deny wins
        self.override(f"user:{user}", one, "allow", "agent:execute")
        self.assertEqual(403, self.execute(one, key).status)
        # who is not meant is not concerned, and nothing is said of the platform admin
        _, admin = self.user("admin")
        self.assertEqual(200, self.execute(one, admin).status)
        self.host.delete(f"/api/v1/admin/overrides/{made['override_id']}", expect=204)
        self.assertEqual(200, self.execute(one, key).status)
        self.host.delete(f"/api/v1/admin/overrides/{made['override_id']}", expect=404)

    def test_allowed_on_one_thing(self):
        one, other = self.host.agent(), self.host.agent()
        user, key = self.user("viewer")
        self.assertEqual(403, self.execute(one, key).status)
        made = self.override(f"user:{user}", one, "allow", "agent:execute", "agent:update")
        self.assertEqual("succeeded", self.execute(one, key).json["status"])
        self.assertEqual(403, self.execute(other, key).status)
        self.assertEqual((False, "permission agent:execute is missing"), self.may(user, "agent:execute", other))
        self.assertTrue(self.may(user, "agent:execute", one)[0])
        self.host.post("/api/v1/admin/agents", {"name": "x", "initial_definition": {"system_prompt": "x"}}, key=key, expect=403)
        self.host.post("/api/v1/agents/execute", {"agent_id": one}, key=key, expect=400)
        self.host.delete(f"/api/v1/admin/overrides/{made['override_id']}", expect=204)
        self.assertEqual(403, self.execute(one, key).status)

    def key(self, user, by, *roles, expect=201, **more):
        body = {"user_id": user, "name": "k", "roles": list(roles), **more}
        return self.host.post("/api/v1/admin/keys", body, key=by, expect=expect).json["key"]

    def test_nobody_sheds_a_role_that_is_denied(self):
        agent = self.host.agent()
        user, key = self.user("operator")
        heir_role = self.host.post("/api/v1/admin/roles", {"name": "heir", "inherits": ["org_admin"]}, expect=201).json["role_id"]
        last_role = self.host.post("/api/v1/admin/roles", {"name": "last", "inherits": [heir_role]}, expect=201).json["role_id"]
        heirs = [self.user(role)[1] for role in ("org_admin", heir_role, last_role)]
        raised, raised_key = self.user("viewer")
        until = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 600))
        self.host.post(f"/api/v1/admin/users/{raised}/elevate", {"role": "operator", "until": until, "reason": "x"}, expect=201)
        other = self.key(user, key, "agent_operator")
        for shown in (key, other, raised_key, *heirs):
            self.assertEqual(200, self.execute(agent, shown).status)
        self.override("role:operator", agent, "deny", "agent:execute")
        self.override("role:agent_manager", agent, "deny", "agent:execute")
        for shown in (key, other, raised_key, *heirs):
            self.assertEqual(403, self.execute(agent, shown).status)

    def test_what_is_allowed_widens_no_bounded_key(self):
        agent = self.host.agent()
        user, key = self.user("operator")
        bounded = self.key(user, key, "operator", scopes=["document:read"])
        bare, weak = self.key(user, key), self.key(user, key, "viewer")
        self.override(f"user:{user}", agent, "allow", "agent:delete", "agent:update", "agent:execute", "agent:read")
        for shown in (bounded, bare, weak):
            self.assertEqual(403, self.execute(agent, shown).status)
            self.host.put(f"/api/v1/admin/agents/{agent}", {"description": "x"}, key=shown, expect=403)
        self.host.put(f"/api/v1/admin/agents/{agent}", {"description": "x"}, key=key, expect=200)

    def test_a_denial_is_no_weapon_and_no_gift(self):
        agent = self.host.agent()
        self.host.post("/api/v1/admin/roles", {"name": "denier", "permissions": ["role:manage", "agent:read", "agent:execute"]}, expect=201)
        me, mine = self.user("custom:denier")
        admin, admin_key = self.user("admin")
        user, key = self.user("user")
        # what he has not, or who has more, he does not touch
        self.assertIn("agent:delete", self.override("role:admin", agent, "deny", "agent:delete", expect=403, key=mine)["detail"])
        self.assertIn("is missing", self.override(f"user:{admin}", agent, "deny", "agent:execute", expect=403, key=mine)["detail"])
        self.override("role:admin", agent, "deny", "agent:execute", key=mine)
        self.assertEqual(200, self.execute(agent, admin_key).status)
        made = self.override("role:user", agent, "deny", "agent:execute", key=mine)["override_id"]
        self.assertEqual(403, self.execute(agent, key).status)
        self.host.delete(f"/api/v1/admin/overrides/{made}", key=mine, expect=204)
        self.assertEqual(200, self.execute(agent, key).status)
        # what is denied to him, or what he has not, he does not give back
        for subject, permission in ((f"user:{me}", "agent:execute"), ("role:custom:denier", "agent:execute"), (f"user:{user}", "agent:delete")):
            made = self.override(subject, agent, "deny", permission)["override_id"]
            self.host.delete(f"/api/v1/admin/overrides/{made}", key=mine, expect=403)
        self.assertEqual(403, self.execute(agent, mine).status)
        self.host.delete(f"/api/v1/admin/overrides/{made}", key=admin_key, expect=204)

    def test_another_start_knows_them(self):
        agent = self.host.agent()
        user, key = self.user("operator")
        made = self.override(f"user:{user}", agent, "deny", "agent:execute")
        self.host.stop()
        self.host.start()
        self.assertEqual(403, self.execute(agent, key).status)
        self.assertIn(made["override_id"], [o["override_id"] for o in self.host.get("/api/v1/admin/overrides", expect=200).json["items"]])

    def test_who_may_make_which(self):
        agent = self.host.agent()
        _, key = self.user("org_admin")
        self.host.post("/api/v1/admin/roles", {"name": "roles-only", "permissions": ["role:manage"]}, expect=201)
        _, weak = self.user("custom:roles-only")
        self.override("role:viewer", agent, "allow", "agent:execute", key=key)
        detail = self.override("role:viewer", agent, "allow", "agent:execute", expect=403, key=weak)["detail"]
        self.assertIn("permission agent:execute is missing", detail)
        self.override("role:viewer", agent, "deny", "agent:fly", expect=400)
        self.override("role:none", agent, "deny", "agent:read", expect=400)
        self.override("user:none", agent, "deny", "agent:read", expect=404)
        self.override("role:viewer", "agt_none", "deny", "agent:read", expect=404)

    def test_evaluate(self):
        user, _ = self.user("viewer")
        self.assertEqual((True, "permission agent:read is held"), self.may(user, "agent:read"))
        self.assertEqual((False, "permission agent:delete is missing"), self.may(user, "agent:delete"))
        self.host.put(f"/api/v1/admin/users/{user}", {"status": "disabled"}, expect=200)
        self.assertEqual((False, "the user is not active"), self.may(user, "agent:read"))
        self.assertIn("access.denied", self.host.read_log())
        body = {"user_id": user, "action": "agent:fly"}
        self.host.post("/api/v1/admin/access/evaluate", body, expect=400)
        self.host.post("/api/v1/admin/access/evaluate", {**body, "action": "agent:read", "resource_type": "agent"}, expect=400)
        self.host.post("/api/v1/admin/access/evaluate", {"user_id": "usr_none", "action": "agent:read"}, expect=404)


if __name__ == "__main__":
    main()
