# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users from outside: changes by PUT and by PATCH, kinds, reporting line, presence, and going; and who may not."""

import unittest

from reeve import Host, main
from test_tenants import all_at_once


class Users(unittest.TestCase):
    number = 0

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config="limits: {requests_per_minute: 0}").start()
        cls.addClassCleanup(cls.host.close)
        cls.me = cls.host.get("/api/v1/me", expect=200).json["user_id"]

    @classmethod
    def name(cls):
        Users.number += 1
        return f"user{Users.number}"

    def make(self, *roles, expect=201, key="admin", headers=None, **more):
        body = {"username": self.name(), "roles": list(roles), **more}
        return self.host.post("/api/v1/admin/users", body, expect=expect, key=key, headers=headers).json

    def key_of(self, user, *roles):
        body = {"user_id": user["user_id"], "name": "test", "roles": list(roles or user["roles"])}
        return self.host.post("/api/v1/admin/keys", body, expect=201).json

    def change(self, user, expect=200, method="PATCH", key="admin", **body):
        return self.host.call(method, f"/api/v1/admin/users/{user['user_id']}", body, expect=expect, key=key).json

    def get(self, user, expect=200):
        return self.host.get(f"/api/v1/admin/users/{user['user_id']}", expect=expect).json

    def listed(self, **filters):
        query = "&".join(f"{n}={v}" for n, v in filters.items())
        return [u["user_id"] for u in self.host.get(f"/api/v1/admin/users?limit=500&{query}", expect=200).json["items"]]


class Changes(Users):
    def test_put_and_patch_set_what_is_given(self):
        for method in ("PUT", "PATCH"):
            with self.subTest(method=method):
                user = self.make("viewer", email="a@plant.example", attributes={"department": "press"})
                name = self.name()
                changed = self.change(user, method=method, username=name, roles=["operator"], attributes={"team": "b"})
                self.assertEqual((name, ["operator"], "a@plant.example", {"team": "b"}),
                                 tuple(changed[n] for n in ("username", "roles", "email", "attributes")))
                self.assertEqual(changed, self.get(user))
                self.assertNotIn("email", self.change(user, method=method, email=None))
                self.change(user, method=method, expect=400, kind="service")
                self.change(user, method=method, expect=400, roles=["king"])
                self.change(user, method=method, expect=400, status="deleted")
                self.change({"user_id": "usr_nobody"}, method=method, expect=404, roles=[])

    def test_a_role_that_is_taken_is_gone_at_once(self):
        user = self.make("operator", "viewer")
        key = self.key_of(user)["key"]
        self.assertIn("agent:execute", self.host.get("/api/v1/me", key=key, expect=200).json["permissions"])
        self.change(user, roles=["viewer"])
        self.assertNotIn("agent:execute", self.host.get("/api/v1/me", key=key, expect=200).json["permissions"])
        self.change(user, status="disabled")
        self.host.get("/api/v1/me", key=key, expect=401)
        self.change(user, status="active")
        self.host.get("/api/v1/me", key=key, expect=200)

    def test_what_is_stored_is_read_back(self):
        """Numbers and characters that json-glib's writer has no JSON for."""
        for name, value in (("large", 1e21), ("larger", -1.5e300), ("control", "a\x1fb\x01"), ("exact", 2**53 + 1)):
            body = {"username": f"odd-{name}", "attributes": {"x": value}}
            made = [self.host.post("/api/v1/admin/users", body, headers={"Idempotency-Key": f"odd-{name}"}, expect=201).json for _ in range(2)]
            self.assertEqual(made[0], made[1])
            self.assertEqual({"x": value}, self.host.get(f"/api/v1/admin/users/{made[0]['user_id']}", expect=200).json["attributes"])
        self.host.get("/api/v1/admin/users", expect=200)

    def test_a_name_is_one_persons(self):
        one, other = self.make("viewer"), self.make("viewer")
        self.change(one, expect=409, username=other["username"])
        old = one["username"]
        name = self.name()
        self.change(one, username=name)
        self.assertEqual(old, self.change(other, username=old)["username"])
        self.assertEqual(name, self.change(one, username=name)["username"])
        users = [self.make("viewer") for _ in range(8)]
        wanted = self.name()
        given = all_at_once([lambda u=u: self.host.call("PATCH", f"/api/v1/admin/users/{u['user_id']}", {"username": wanted}).status for u in users])
        self.assertEqual((1, 7), (given.count(200), given.count(409)))

    def test_names_that_look_the_same_or_like_nothing(self):
        user, other = self.make("viewer", username="lookalike"), self.make("viewer")
        for name in ("LOOKALIKE", "\uff4cookalike", "Lookalike"):
            self.make("viewer", username=name, expect=409)
            self.change(other, expect=409, username=name)
        for name in ("a\u202eb", "a\u200bb", "a\uff0fb", "a\u3164", "a\u00ad"):
            refused = self.make("viewer", username=name, expect=400)
            self.assertEqual("/username", refused["errors"][0]["pointer"])
            self.change(other, expect=400, username=name)
        # his own name in another form, and it is free when he leaves it
        self.assertEqual("LookAlike", self.change(user, username="LookAlike")["username"])
        self.change(user, username="somebody-else")
        self.make("viewer", username="LOOKALIKE")

    def test_me(self):
        user = self.make("viewer", email="me@plant.example", attributes={"department": "press"})
        me = self.host.get("/api/v1/me", key=self.key_of(user)["key"], expect=200).json
        self.assertEqual((user["username"], "me@plant.example", {"department": "press"}, ["viewer"], False, "human", "offline"),
                         tuple(me[n] for n in ("username", "email", "attributes", "roles", "is_admin", "kind", "presence")))
        self.assertEqual(["agent:read", "document:read", "session:read", "tool:read"], me["permissions"])
        self.assertTrue(self.host.get("/api/v1/me", expect=200).json["is_admin"])


class Rank(Users):
    def test_nobody_changes_who_has_more(self):
        chief = self.make("admin")
        key = self.key_of(chief)["key"]
        # an admin of the tenant has all of its permissions, and is not the platform admin
        for call in (lambda: self.change({"user_id": self.me}, expect=403, key=key, status="disabled"),
                     lambda: self.change({"user_id": self.me}, expect=403, key=key, email="x@plant.example"),
                     lambda: self.host.delete(f"/api/v1/admin/users/{self.me}", key=key, expect=403).json):
            self.assertIn("platform admin", call()["detail"])
        for role in ("viewer", "auditor", "operator", "agent_designer"):
            low = self.key_of(self.make(role))["key"]
            for method, body in (("GET", None), ("PUT", {"roles": ["admin"]}), ("PATCH", {"roles": ["admin"]}), ("DELETE", None)):
                refused = self.host.call(method, f"/api/v1/admin/users/{chief['user_id']}", body, key=low, expect=403)
                self.assertIn("user:manage", refused.json["detail"])
            self.host.get("/api/v1/admin/users", key=low, expect=403)

    def test_nobody_raises_himself(self):
        user = self.make("viewer")
        key = self.key_of(user)["key"]
        for method in ("PUT", "PATCH"):
            self.change(user, expect=403, method=method, key=key, roles=["admin"])
            self.change(user, expect=403, method=method, key=key, manager_id=self.me)
        self.assertEqual(["viewer"], self.get(user)["roles"])

    def test_the_platform_admin_stays(self):
        me = {"user_id": self.me}
        for body in ({"status": "disabled"}, {"roles": []}, {"roles": ["viewer"]}, {"username": "root"}):
            self.assertIn("platform admin", self.change(me, expect=409, **body)["detail"])
        self.host.delete(f"/api/v1/admin/users/{self.me}", expect=409)
        self.assertEqual("admin@plant.example", self.change(me, email="admin@plant.example")["email"])
        self.host.get("/api/v1/me", expect=200)


class Kinds(Users):
    def test_only_agents_have_a_type(self):
        agent = self.make("operator", kind="agent", agent_type="writer")
        self.assertEqual(("agent", "writer"), (agent["kind"], agent["agent_type"]))
        self.assertEqual("coder", self.change(agent, agent_type="coder")["agent_type"])
        self.assertNotIn("agent_type", self.change(agent, agent_type=None))
        for kind in ("human", "service"):
            self.make("viewer", expect=400, kind=kind, agent_type="writer")
            self.assertIn("agent_type", self.change(self.make("viewer", kind=kind), expect=400, agent_type="writer")["detail"])
        self.make("viewer", expect=400, kind="agent", agent_type="plumber")

    def test_filters(self):
        prefix = self.name() + "x"
        made = {kind: self.make("operator" if kind == "service" else "viewer", kind=kind, username=f"{prefix}-{kind}")["user_id"]
                for kind in ("human", "service", "agent")}
        self.change({"user_id": made["agent"]}, status="disabled")
        self.assertEqual(set(made.values()), set(self.listed(username=prefix)))
        self.assertEqual([made["service"]], self.listed(username=prefix, kind="service"))
        self.assertEqual([made["agent"]], self.listed(username=prefix, status="disabled"))
        self.assertEqual([made["service"]], self.listed(username=prefix, role="operator"))
        self.assertEqual([], self.listed(username=prefix, role="auditor"))
        self.host.get("/api/v1/admin/users?status=lost", expect=400)
        # a role is found behind many that have it not, whatever the size of a page
        for _ in range(5):
            self.make("viewer", username=f"{prefix}-{self.name()}")
        last = self.make("auditor", username=f"{prefix}-last")["user_id"]
        found, cursor = [], ""
        while cursor is not None:
            page = self.host.get(f"/api/v1/admin/users?limit=1&role=auditor&username={prefix}{cursor}", expect=200).json
            found += [u["user_id"] for u in page["items"]]
            cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
        self.assertEqual([last], found)

    def test_line_of_managers(self):
        chief = self.make("viewer")
        lead = self.make("viewer", manager_id=chief["user_id"])
        hand = self.make("viewer", manager_id=lead["user_id"])
        shown = self.get(lead)
        self.assertEqual({"user_id": chief["user_id"], "username": chief["username"]}, shown["manager"])
        self.assertEqual([{"user_id": hand["user_id"], "username": hand["username"]}], shown["subordinates"])
        self.assertEqual([hand["user_id"]], self.listed(manager_id=lead["user_id"]))
        for manager in (chief, lead, hand):
            self.change(chief, expect=409, manager_id=manager["user_id"])
        self.change(hand, expect=404, manager_id="usr_nobody")
        self.make("viewer", expect=404, manager_id="usr_nobody")
        self.assertIsNone(self.change(lead, manager_id=None)["manager"])
        self.change(chief, manager_id=lead["user_id"])
        self.host.delete(f"/api/v1/admin/users/{lead['user_id']}", expect=204)
        for user in (chief, hand):
            self.assertNotIn("manager_id", self.get(user))

    def test_no_circle_is_made_by_two_at_once(self):
        for _ in range(6):
            users = [self.make("viewer") for _ in range(3)]
            ring = list(zip(users, users[1:] + users[:1]))
            given = all_at_once([lambda a=a, b=b: self.host.call("PATCH", f"/api/v1/admin/users/{a['user_id']}", {"manager_id": b["user_id"]}).status
                                 for a, b in ring])
            self.assertLessEqual(given.count(200), 2, given)
            self.assertEqual(set(), set(given) - {200, 409})

    def test_presence_is_ones_own(self):
        user = self.make("viewer")
        key = self.key_of(user)["key"]
        for presence in ("online", "away", "busy", "offline"):
            said = self.host.put("/api/v1/me/presence", {"presence": presence}, key=key, expect=200).json
            self.assertEqual((user["user_id"], presence), (said["user_id"], said["presence"]))
            self.assertEqual(presence, self.get(user)["presence"])
        self.host.put("/api/v1/me/presence", {"presence": "asleep"}, key=key, expect=400)
        self.change(user, expect=400, presence="busy")


class Going(Users):
    def test_who_has_gone_is_gone(self):
        user = self.make("operator", email="x@plant.example", attributes={"a": "b"})
        keys = [self.key_of(user) for _ in range(3)]
        path = f"/api/v1/admin/users/{user['user_id']}"
        for key in keys:
            self.host.get("/api/v1/me", key=key["key"], expect=200)
        self.host.delete(path, expect=204)
        for key in keys:
            self.host.get("/api/v1/me", key=key["key"], expect=401)
        shown = self.host.get("/api/v1/admin/keys?limit=500", expect=200).json["items"]
        self.assertEqual([False] * 3, [key["is_active"] for key in shown if key["user_id"] == user["user_id"]])
        for method, body in (("GET", None), ("PUT", {"roles": []}), ("PATCH", {"roles": []}), ("DELETE", None)):
            self.host.call(method, path, body, expect=404)
        self.host.post("/api/v1/admin/keys", {"user_id": user["user_id"], "name": "k", "roles": []}, expect=404)
        self.assertNotIn(user["user_id"], self.listed())
        # the name is free, whose it was is known, and nothing else
        again = self.host.post("/api/v1/admin/users", {"username": user["username"], "roles": ["viewer"]}, expect=201).json
        self.assertNotEqual(user["user_id"], again["user_id"])
        items = self.host.get(f"/api/v1/admin/users?status=deleted&username={user['username']}", expect=200).json["items"]
        self.assertEqual([user["user_id"]], [i["user_id"] for i in items])
        self.assertEqual(({}, [], False), (items[0]["attributes"], items[0]["roles"], "email" in items[0]))
        self.host.stop()
        self.host.start()
        self.host.get(path, expect=404)
        self.host.get("/api/v1/me", key=keys[0]["key"], expect=401)

    def test_one_of_many_that_ask_at_once_deletes(self):
        user = self.make("viewer")
        given = all_at_once([lambda: self.host.delete(f"/api/v1/admin/users/{user['user_id']}").status] * 6)
        self.assertEqual(1, given.count(204), given)
        again = [self.host.post("/api/v1/admin/users", {"username": user["username"], "roles": []}).status for _ in range(2)]
        self.assertEqual([201, 409], again)

    def test_by_the_command_line(self):
        user = self.make("viewer")
        shown = self.host.ctl("--json", "users", "update", user["user_id"], "--roles", "operator,viewer").stdout
        self.assertIn("operator", shown)
        self.host.ctl("users", "delete", user["user_id"])
        self.host.ctl("users", "show", user["user_id"], expect=4)


if __name__ == "__main__":
    main()
