# SPDX-License-Identifier: LGPL-2.1-or-later
"""Elevations from outside: they hold at once, end by themselves, are taken back, and cannot be given on."""

import json
import threading
import time
import unittest

from reeve import Host, main


def at(seconds):
    """The time in so many seconds."""
    moment = time.time() + seconds
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment % 1 * 1000):03d}Z"


class Elevations(unittest.TestCase):
    serial = 0

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config="limits: {requests_per_minute: 0}\n").start()
        cls.addClassCleanup(cls.host.close)

    def user(self, *roles, key_roles=None):
        """(user_id, key)"""
        Elevations.serial += 1
        user = self.host.post("/api/v1/admin/users", {"username": f"u{self.serial}", "roles": list(roles)}, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": list(roles if key_roles is None else key_roles)}
        return user, self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]

    def elevate(self, user, role, seconds=600, expect=201, **options):
        body = {"role": role, "until": at(seconds), "reason": "incident 4711"}
        return self.host.post(f"/api/v1/admin/users/{user}/elevate", body, expect=expect, **options).json

    def held(self, key):
        return self.host.get("/api/v1/me", key=key, expect=200).json["permissions"]

    def test_it_holds_at_once_and_ends_by_itself(self):
        user, key = self.user("viewer")
        self.assertNotIn("audit:read", self.held(key))
        made = self.elevate(user, "auditor", 1.5)
        self.assertEqual(("active", "auditor", user), (made["status"], made["role"], made["user_id"]))
        # a call that was let in just before the end and judged just after it is refused
        while (me := self.host.get("/api/v1/me", key=key)).status == 403 or "audit:read" in me.json["permissions"]:
            self.assertIn(me.status, (200, 403))
            time.sleep(0.02)
        self.assertGreaterEqual(at(0), made["until"])
        self.host.get("/api/v1/admin/audit", key=key, expect=403)
        shown = self.host.get(f"/api/v1/admin/users/{user}/elevations", expect=200).json["items"]
        self.assertEqual([(made["elevation_id"], "ended", "incident 4711")], [(e["elevation_id"], e["status"], e["reason"]) for e in shown])

    def test_it_is_taken_back(self):
        user, key = self.user("viewer")
        other, _ = self.user("viewer")
        made = self.elevate(user, "operator")["elevation_id"]
        self.assertIn("agent:execute", self.held(key))
        self.host.delete(f"/api/v1/admin/users/{other}/elevations/{made}", expect=404)
        for _ in range(2):
            self.host.delete(f"/api/v1/admin/users/{user}/elevations/{made}", expect=204)
            self.assertNotIn("agent:execute", self.held(key))
        shown = self.host.get(f"/api/v1/admin/users/{user}/elevations", expect=200).json["items"][0]
        self.assertEqual("revoked", shown["status"])
        self.assertIn("revoked_by", shown)

    def test_nobody_gives_on_what_he_has_for_a_time(self):
        user, key = self.user("user_manager")
        other, _ = self.user("viewer")
        self.elevate(other, "viewer", expect=403, key=key)
        self.elevate(user, "admin")
        self.assertIn("role:manage", self.held(key))
        detail = self.elevate(other, "operator", expect=403, key=key)["detail"]
        self.assertIn("so it cannot be given", detail)
        self.host.post("/api/v1/admin/users", {"username": "accomplice", "roles": ["operator"]}, key=key, expect=403)
        self.host.post("/api/v1/admin/roles", {"name": "strong", "permissions": ["agent:*"]}, key=key, expect=403)
        self.elevate(user, "super_admin", expect=400)

    def test_nobody_keeps_by_a_key_what_he_has_for_a_time(self):
        strong, _ = self.user("admin")
        kept = self.host.post("/api/v1/admin/keys", {"user_id": strong, "name": "k", "roles": ["admin"]}, expect=201).json["key_id"]
        user, key = self.user("viewer")
        self.elevate(user, "admin")
        self.assertIn("user:manage", self.held(key))
        for more in ({}, {"scopes": ["agent:create"]}, {"roles": []}):
            body = {"user_id": strong, "name": "k", "roles": ["admin"], **more}
            self.assertIn("is missing", self.host.post("/api/v1/admin/keys", body, key=key, expect=403).json["detail"])
        body = {"user_id": user, "name": "k", "roles": ["viewer"], "scopes": ["user:manage"]}
        self.assertIn("user:manage", self.host.post("/api/v1/admin/keys", body, key=key, expect=403).json["detail"])
        self.host.post(f"/api/v1/admin/keys/{kept}/rotate", {}, key=key, expect=403)
        self.host.delete(f"/api/v1/admin/keys/{kept}", key=key, expect=403)
        self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"]}, key=key, expect=201)

    def test_a_key_that_somebody_weaker_made_is_not_raised(self):
        _, manager = self.user("user_manager", "viewer")
        user, good = self.user("viewer")
        body = {"user_id": user, "name": "k", "roles": ["viewer"]}
        known = self.host.post("/api/v1/admin/keys", body, key=manager, expect=201).json
        heir = self.host.post("/api/v1/admin/keys", body, key=known["key"], expect=201).json["key"]
        turned = self.host.post(f"/api/v1/admin/keys/{known['key_id']}/rotate", {}, key=known["key"], expect=201).json["key"]
        own = self.host.post("/api/v1/admin/keys", body, key=good, expect=201).json["key"]
        self.elevate(user, "admin")
        for key in (known["key"], heir, turned):
            self.assertNotIn("role:manage", self.held(key))
        for key in (good, own):
            self.assertIn("role:manage", self.held(key))

    def test_who_is_raised_is_out_of_reach(self):
        _, manager = self.user("user_manager", "viewer")
        user, _ = self.user("viewer")
        body = {"user_id": user, "name": "k", "roles": ["viewer"]}
        made = self.host.post("/api/v1/admin/keys", body, key=manager, expect=201).json["key_id"]
        taken = self.elevate(user, "admin")["elevation_id"]
        self.host.post("/api/v1/admin/keys", body, key=manager, expect=403)
        self.host.delete(f"/api/v1/admin/keys/{made}", key=manager, expect=403)
        self.host.call("PATCH", f"/api/v1/admin/users/{user}", {"status": "disabled"}, key=manager, expect=403)
        self.host.delete(f"/api/v1/admin/users/{user}", key=manager, expect=403)
        self.host.delete(f"/api/v1/admin/users/{user}/elevations/{taken}", expect=204)
        self.host.delete(f"/api/v1/admin/keys/{made}", key=manager, expect=204)
        self.host.delete(f"/api/v1/admin/users/{user}", key=manager, expect=204)

    def test_a_weaker_key_stays_weak(self):
        user, weak = self.user("operator", key_roles=["viewer"])
        self.elevate(user, "admin")
        self.assertNotIn("user:manage", self.held(weak))
        body = {"user_id": user, "name": "k", "roles": ["operator"]}
        full = self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]
        self.assertIn("user:manage", self.held(full))
        # a key is made of what its user has for good
        self.host.post("/api/v1/admin/keys", {**body, "roles": ["admin"]}, expect=403)

    def test_auditors_only_read(self):
        reading = ["agent:read", "audit:read", "budget:view", "document:read", "memory:read", "session:read", "tool:read"]
        auditor, _ = self.user("auditor")
        self.assertIn("auditor", self.elevate(auditor, "operator", expect=409)["detail"])
        self.elevate(auditor, "viewer")
        # somebody without roles is an auditor for a time
        visitor, key = self.user()
        self.assertEqual([], self.held(key))
        made = self.elevate(visitor, "auditor")["elevation_id"]
        self.assertEqual(reading, self.held(key))
        # and neither given other work meanwhile nor for good
        path = f"/api/v1/admin/users/{visitor}"
        self.elevate(visitor, "operator", expect=409)
        self.assertIn("auditor", self.host.put(path, {"roles": ["operator"]}, expect=409).json["detail"])
        self.host.delete(f"{path}/elevations/{made}", expect=204)
        self.host.put(path, {"roles": ["operator"]}, expect=200)
        # who works audits nothing
        self.assertIn("auditor", self.elevate(visitor, "auditor", expect=409)["detail"])

    def test_a_role_that_contains_the_auditor_audits(self):
        self.host.post("/api/v1/admin/roles", {"name": "reviser", "inherits": ["auditor"], "permissions": ["workspace:read"]}, expect=201)
        # what contains it and works is another role
        self.host.post("/api/v1/admin/roles", {"name": "chief-reviser", "inherits": ["custom:reviser", "operator"]}, expect=201)
        user, key = self.user("custom:reviser")
        self.elevate(user, "operator", expect=409)
        self.elevate(user, "custom:chief-reviser", expect=409)
        self.elevate(user, "viewer")
        chief, _ = self.user("custom:chief-reviser", key_roles=[])
        self.elevate(chief, "operator")
        for roles in (["auditor", "operator"], ["viewer", "custom:reviser", "agent_designer"], ["auditor", "custom:chief-reviser"]):
            for method, path, body in (("POST", "", {"username": "both"}), ("PUT", f"/{user}", {}), ("PATCH", f"/{user}", {})):
                answer = self.host.call(method, "/api/v1/admin/users" + path, json.dumps({**body, "roles": roles}).encode(),
                                        headers={"Content-Type": "application/json"}, expect=400).json
                self.assertEqual(["/roles"], [e["pointer"] for e in answer["errors"]], answer)
                self.assertIn("nothing but reading", answer["detail"])
        # a role that grows makes no auditor work
        self.host.post("/api/v1/admin/roles", {"name": "helper", "permissions": ["tool:read"]}, expect=201)
        self.host.put(f"/api/v1/admin/users/{user}", {"roles": ["auditor", "custom:helper"]}, expect=200)
        self.host.put("/api/v1/admin/roles/custom:helper", {"permissions": ["tool:*", "agent:execute"]}, expect=200)
        _, both = self.user("viewer")
        body = {"user_id": user, "name": "k", "roles": ["auditor"]}
        self.assertEqual([], [p for p in self.held(self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]) if not p.endswith((":read", ":view"))])
        self.assertEqual(["agent:read", "document:read", "session:read", "tool:read"], self.held(both))

    def test_nothing_else_makes_an_auditor_work(self):
        auditor, key = self.user("auditor")
        agent = self.host.agent()
        body = {"resource_type": "agent", "resource_id": agent, "effect": "allow", "reason": "x", "permissions": ["agent:read", "agent:update"]}
        for subject in (f"user:{auditor}", "role:auditor"):
            self.assertIn("auditor", self.host.post("/api/v1/admin/overrides", {**body, "subject": subject}, expect=409).json["detail"])
            self.host.post("/api/v1/admin/overrides", {**body, "subject": subject, "permissions": ["agent:read"]}, expect=201)
        # for a time is no other way
        visitor, _ = self.user()
        self.elevate(visitor, "auditor")
        refused = self.host.post("/api/v1/admin/overrides", {**body, "subject": f"user:{visitor}"}, expect=409)
        self.assertIn("auditor", refused.json["detail"])
        # one that was there before
        worker, key = self.user("viewer")
        self.host.post("/api/v1/admin/overrides", {**body, "subject": f"user:{worker}"}, expect=201)
        path = f"/api/v1/admin/agents/{agent}"
        self.host.put(path, {"name": "b"}, key=key, expect=200)
        self.elevate(worker, "auditor")
        self.host.put(path, {"name": "c"}, key=key, expect=403)
        self.host.get(path, key=key, expect=200)

    def test_no_more_at_once_than_one_by_one(self):
        user, _ = self.user("viewer")
        body = {"role": "viewer", "until": at(3600), "reason": "race"}
        made = []

        def ask():
            for _ in range(3):
                made.append(self.host.post(f"/api/v1/admin/users/{user}/elevate", body).status)

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(made), {201, 409})
        self.assertIn(made.count(201), range(1, 9))
        self.assertEqual(made.count(201), len(self.host.get(f"/api/v1/admin/users/{user}/elevations?limit=100", expect=200).json["items"]))

    def test_two_roles_make_no_circle_at_once(self):
        for number in range(6):
            ids = [f"custom:circle{number}{letter}" for letter in "ab"]
            for role in ids:
                self.host.post("/api/v1/admin/roles", {"role_id": role, "name": role, "permissions": ["agent:read"]}, expect=201)
            answers = []
            threads = [threading.Thread(target=lambda a=a, b=b: answers.append(self.host.put(f"/api/v1/admin/roles/{a}", {"name": "x", "inherits": [b]}).status))
                       for a, b in (ids, ids[::-1])]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(1, answers.count(200), answers)

    def test_refused(self):
        user, _ = self.user("viewer")
        self.elevate(user, "viewer", seconds=-5, expect=400)
        self.elevate(user, "viewer", seconds=400 * 86400, expect=400)
        self.elevate(user, "custom:none", expect=400)
        self.elevate("usr_none", "viewer", expect=404)
        self.host.post(f"/api/v1/admin/users/{user}/elevate", {"role": "viewer", "until": at(60)}, expect=400)
        me = self.host.get("/api/v1/me").json["user_id"]
        self.elevate(me, "viewer", expect=409)
        for _ in range(8):
            self.elevate(user, "viewer")
        self.elevate(user, "viewer", expect=409)


if __name__ == "__main__":
    main()
