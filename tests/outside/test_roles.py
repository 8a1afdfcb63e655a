# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roles from outside: custom ones bind users and keys, change at once, and nobody hands out more than he holds."""

import os
import re
import unittest

from reeve import SOURCE, Host, main

CONFIG = """
limits: {requests_per_minute: 0}
rbac:
  default_role: viewer
  custom_roles:
    - {name: clerk, description: Keeps documents, permissions: ["document:*"], inherits: [viewer]}
"""
FIXED = ["viewer", "auditor", "operator", "agent_designer", "admin", "user", "agent_operator", "developer", "agent_manager", "user_manager",
         "workspace_admin", "billing_admin", "org_admin", "super_admin", "custom:clerk"]


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=CONFIG).start()
        cls.addClassCleanup(cls.host.close)

    def role(self, **body):
        return self.host.post("/api/v1/admin/roles", body, expect=201).json

    def user(self, name, *roles):
        """(user_id, key)"""
        user = self.host.post("/api/v1/admin/users", {"username": name, "roles": list(roles)}, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": list(roles)}
        return user, self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]

    def test_what_comes_with_the_host(self):
        first = self.host.get("/api/v1/admin/roles?limit=4", expect=200).json
        self.assertEqual(FIXED[:4], [r["role_id"] for r in first["items"]])
        rest = self.host.get(f"/api/v1/admin/roles?limit=500&cursor={first['next_cursor']}", expect=200).json["items"]
        self.assertEqual(FIXED[4:], [r["role_id"] for r in rest][:len(FIXED) - 4])
        for role in FIXED:
            shown = self.host.get(f"/api/v1/admin/roles/{role}", expect=200).json
            self.assertFalse(shown["is_editable"])
            self.assertEqual(role != "super_admin", shown["assignable"])
            self.host.put(f"/api/v1/admin/roles/{role}", {"permissions": []}, expect=409)
            self.host.delete(f"/api/v1/admin/roles/{role}", expect=409)
        clerk = self.host.get("/api/v1/admin/roles/custom:clerk", expect=200).json
        self.assertEqual(["document:*"], clerk["permissions"])
        self.assertIn("agent:read", clerk["effective"])
        self.host.get("/api/v1/admin/roles/custom:nobody", expect=404)
        self.host.put("/api/v1/admin/roles/custom:nobody", {"no such member": 1}, expect=404)

    def test_the_page_for_administrators_says_the_same(self):
        """The tables of docs/access.md against what the host answers."""
        with open(os.path.join(SOURCE, "docs", "access.md"), encoding="utf-8") as file:
            section = re.split(r"(?m)^## ", file.read().split("\n## Roles\n")[1])[0]
        held = {r["role_id"]: r for r in self.host.get("/api/v1/admin/roles?limit=500", expect=200).json["items"]}
        tables = [[[c.strip() for c in line.strip("|").split("|")] for line in block.splitlines() if line.startswith("|")]
                  for block in section.split("\n\n")]
        matrix = next(t for t in tables if t and t[0][0] == "permission")
        for n, role in enumerate(matrix[0][1:], 1):
            said = sorted(row[0].strip("`") for row in matrix[2:] if row[n] == "x")
            self.assertEqual(held[role.strip("`")]["effective"], said, role)
        self.assertEqual(held["admin"]["effective"], [row[0].strip("`") for row in matrix[2:]])
        shipped = next(t for t in tables if t and t[0][0] == "role")
        for row in shipped[2:]:
            role = held[row[0].strip("`")]
            self.assertEqual((role["permissions"], role["inherits"]), tuple(re.findall(r"`([^`]+)`", c) for c in row[1:3]), row[0])
        self.assertEqual({r for r in FIXED if ":" not in r},
                         {row[0].strip("`") for row in shipped[2:]} | {r.strip("`") for r in matrix[0][1:]})

    def test_a_custom_role_binds_and_changes_at_once(self):
        self.role(name="analyst", permissions=["role:manage", "agent:read"])
        user, key = self.user("ana", "custom:analyst")
        self.host.get("/api/v1/admin/agents", key=key, expect=200)
        denied = self.host.get("/api/v1/admin/users", key=key, expect=403).json
        self.assertIn("user:manage", denied["detail"])
        # nobody makes a role with what he has not
        denied = self.host.post("/api/v1/admin/roles", {"name": "strong", "permissions": ["user:*"]}, key=key, expect=403).json
        self.assertIn("permission user:manage is missing", denied["detail"])
        self.host.post("/api/v1/admin/roles", {"name": "heir", "inherits": ["operator"]}, key=key, expect=403)
        self.host.put("/api/v1/admin/roles/custom:analyst", {"permissions": ["user:manage"]}, expect=200)
        self.host.get("/api/v1/admin/users", key=key, expect=200)
        self.host.get("/api/v1/admin/agents", key=key, expect=403)
        # nobody gives what he has not either
        denied = self.host.post("/api/v1/admin/users", {"username": "eve", "roles": ["operator"]}, key=key, expect=403).json
        self.assertIn("so it cannot be given", denied["detail"])
        self.assertIn(user, self.host.delete("/api/v1/admin/roles/custom:analyst", expect=409).json["detail"])

    def test_names_are_looked_up(self):
        for path, body in (("users", {"username": "x"}), ("keys", {"user_id": self.host.get("/api/v1/me").json["user_id"], "name": "x"})):
            for role in ("custom:none", "nobody", "super_admin"):
                answer = self.host.post(f"/api/v1/admin/{path}", {**body, "roles": [role]}, expect=400).json
                self.assertIn(role, answer["detail"])
        self.host.post("/api/v1/admin/users", {"username": "x", "roles": ["Custom Role"]}, expect=400)

    def test_who_names_no_role_gets_the_default(self):
        self.assertEqual(["viewer"], self.host.post("/api/v1/admin/users", {"username": "plain"}, expect=201).json["roles"])
        self.assertEqual([], self.host.post("/api/v1/admin/users", {"username": "bare", "roles": []}, expect=201).json["roles"])

    def test_another_tenant_has_its_own(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme"}, expect=201)
        there = {"X-Tenant-ID": "acme"}
        self.role(name="ours", permissions=["agent:read"])
        self.host.get("/api/v1/admin/roles/custom:ours", headers=there, expect=404)
        self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["custom:ours"]}, headers=there, expect=400)
        self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["custom:clerk"]}, headers=there, expect=201)
        self.host.post("/api/v1/admin/roles", {"name": "ours", "permissions": ["tool:read"]}, headers=there, expect=201)
        self.assertEqual(["agent:read"], self.host.get("/api/v1/admin/roles/custom:ours").json["effective"])


class Configured(unittest.TestCase):
    def test_a_wrong_role_is_named(self):
        for roles, default, said in (
                ('[{name: a, permissions: ["agent:fly"]}]', "viewer", "agent:fly"),
                ('[{name: a, permissions: []}]', "nobody", "nobody"),
                ('[{name: a, permissions: [], inherits: ["custom:a"]}]', "viewer", "custom:a")):
            host = Host(config=f"rbac:\n  default_role: {default}\n  custom_roles: {roles}\n")
            self.addCleanup(host.folder.cleanup)
            with self.assertRaisesRegex(AssertionError, "exit 78"):
                host.start()
            self.assertIn(said, host.read_log())
            self.assertIn("rbac", host.read_log())
            host.forget()


if __name__ == "__main__":
    main()
