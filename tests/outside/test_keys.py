# SPDX-License-Identifier: LGPL-2.1-or-later
"""API keys from outside: bounds, rotation, rates, last use, the end, and that the host is never open."""

import re
import subprocess
import json
import time
import unittest

from reeve import HOST, Host, main

SOON = 3600


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + seconds))


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(config="authentication: {api_keys: {header_name: X-Plant-Key}}\n").start()
        cls.addClassCleanup(cls.host.close)
        cls.number = 0

    def user(self, role="operator"):
        Keys.number += 1
        body = {"username": f"user-{self.number}", "roles": [role]}
        return self.host.post("/api/v1/admin/users", body, expect=201).json["user_id"]

    def key(self, user_id=None, expect=201, by="admin", roles=("operator",), **more):
        body = {"user_id": user_id or self.user(), "name": "test", "roles": list(roles), **more}
        return self.host.post("/api/v1/admin/keys", body, key=by, expect=expect).json

    def show(self, key_id, **options):
        return self.host.get(f"/api/v1/admin/keys/{key_id}", **options)

    def rotate(self, key_id, expect=201, by="admin", **body):
        return self.host.post(f"/api/v1/admin/keys/{key_id}/rotate", body, key=by, expect=expect).json

    def test_the_description_names_the_header(self):
        text = self.host.get("/openapi.json", key=None, expect=200).text
        self.assertEqual({"type": "apiKey", "in": "header", "name": "X-Plant-Key"}, json.loads(text)["components"]["securitySchemes"]["apiKey"])
        self.assertNotIn("X-API-Key", text)
        self.host.get("/api/v1/me", key=None, headers={"X-Plant-Key": self.host.key}, expect=200)
        self.host.get("/api/v1/me", key=None, headers={"X-API-Key": self.host.key}, expect=401)

    def test_scopes_cap_what_the_roles_give(self):
        key = self.key(scopes=["agent:read", "document:*"])
        permissions = self.host.get("/api/v1/me", key=key["key"], expect=200).json["permissions"]
        self.assertEqual(["agent:read", "document:create", "document:delete", "document:read", "document:update"], permissions)
        agent = self.host.agent()
        self.host.get(f"/api/v1/admin/agents/{agent}", key=key["key"], expect=200)
        refused = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, key=key["key"], expect=403)
        self.assertIn("agent:execute", refused.json["detail"])

    def test_nobody_gives_scopes_that_he_has_not(self):
        user_id = self.user()
        own = self.key(user_id)["key"]
        self.assertIn("agent:create", self.key(user_id, expect=403, by=own, scopes=["agent:*"])["detail"])
        self.assertIn("agent:fly", self.key(user_id, expect=400, by=own, scopes=["agent:fly"])["detail"])
        self.key(user_id, expect=400, by=own, scopes=[])
        narrow = self.key(user_id, by=own, scopes=["agent:read"])["key"]
        self.assertIn("agent:execute", self.key(user_id, expect=403, by=narrow, scopes=["agent:execute"])["detail"])
        # what is left open is bounded as the key that makes it
        self.assertEqual(["agent:read"], self.key(user_id, by=narrow, scopes=["agent:read"])["scopes"])
        inherited = self.key(user_id, by=narrow, expect=403)
        self.assertIn("missing", inherited["detail"])

    def test_a_bounded_key_of_the_platform_admin_stays_where_it_is(self):
        me = self.host.get("/api/v1/me").json["user_id"]
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "elsewhere", "name": "x"}, expect=201)
        there = {"X-Tenant-ID": "elsewhere"}
        for scopes, status in ((["agent:read"], 404), (["agent:read", "tenant:manage"], 200)):
            key = self.key(me, roles=["admin"], scopes=scopes)["key"]
            self.host.get("/api/v1/admin/agents", key=key, expect=200)
            self.host.get("/api/v1/admin/agents", key=key, headers=there, expect=status)
            self.host.get("/api/v1/admin/plugins", key=key, expect=403)

    def test_addresses(self):
        good, bad = self.key(ip_allow=["127.0.0.0/8"]), self.key(ip_allow=["10.0.0.0/8"])
        self.host.get("/api/v1/me", key=good["key"], expect=200)
        said = self.host.get("/api/v1/me", key=bad["key"], expect=401).json["detail"]
        wrong = self.host.get("/api/v1/me", key=good["key"][:-1] + ("a" if good["key"][-1] != "a" else "b"), expect=401).json["detail"]
        self.assertEqual(wrong, said)
        self.key(ip_allow=["nowhere"], expect=400)

    def test_the_header_has_the_name_that_was_configured(self):
        key = self.key()["key"]
        self.host.get("/api/v1/me", key=None, headers={"X-Plant-Key": key}, expect=200)
        self.host.get("/api/v1/me", key=None, headers={"X-API-Key": key}, expect=401)
        self.host.get("/api/v1/me", key=None, headers={"X-Plant-Key": key[:-1]}, expect=401)

    def test_a_rate(self):
        made = self.key(rate_limit=3)
        for left in (2, 1, 0):
            answer = self.host.get("/api/v1/me", key=made["key"], expect=200)
            self.assertEqual('"key";q=3;w=60', answer.headers["RateLimit-Policy"])
            self.assertTrue(re.fullmatch(rf'"key";r={left};t=\d+', answer.headers["RateLimit"]), answer.headers["RateLimit"])
        for _ in range(5):
            refused = self.host.get("/api/v1/me", key=made["key"], expect=429)
            self.assertIn(int(refused.headers["Retry-After"]), range(1, 21))
            self.assertEqual("rate-limited", refused.json["type"].rsplit("/", 1)[1])
        self.host.get("/api/v1/admin/audit/checkpoint", expect=200)  # behind all records that nobody waited for
        rows = [r for r in self.host.records(outcome="blocked") if r.get("key_id") == made["key_id"]]
        self.assertEqual(["rate_limited"], [r["reason"] for r in rows])
        # others are not held to it, not even the user's other keys
        self.host.get("/api/v1/me", key=self.key(made["user_id"])["key"], expect=200)

    def test_rotation(self):
        old = self.key(scopes=["agent:read"], metadata={"line": 4})
        new = self.rotate(old["key_id"], grace_seconds=SOON)
        self.assertEqual((old["user_id"], old["scopes"], old["metadata"]), (new["user_id"], new["scopes"], new["metadata"]))
        for key in (old, new):
            self.host.get("/api/v1/me", key=key["key"], expect=200)
        shown = self.show(old["key_id"], expect=200).json
        self.assertEqual(new["key_id"], shown["replaced_by"])
        self.assertIn("expires_at", shown)
        self.rotate(old["key_id"], expect=409)
        last = self.rotate(new["key_id"], grace_seconds=0)
        self.host.get("/api/v1/me", key=new["key"], expect=401)
        self.host.get("/api/v1/me", key=last["key"], expect=200)
        self.host.delete(f"/api/v1/admin/keys/{last['key_id']}", expect=204)
        self.rotate(last["key_id"], expect=409)
        self.rotate("key_none", expect=404)

    def test_the_time_of_grace_ends_by_itself(self):
        old = self.key()
        self.rotate(old["key_id"], grace_seconds=1)
        end = time.monotonic() + 30
        while self.host.get("/api/v1/me", key=old["key"]).status == 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.assertFalse(self.show(old["key_id"], expect=200).json["is_active"])

    def test_a_replayed_rotation_makes_one_key(self):
        old = self.key()
        headers = {"Idempotency-Key": f"rotate-{old['key_id']}"}
        answers = [self.host.post(f"/api/v1/admin/keys/{old['key_id']}/rotate", {}, headers=headers, expect=201).json for _ in range(2)]
        self.assertEqual(answers[0], answers[1])

    def test_last_use(self):
        made = self.key()
        self.assertIsNone(self.show(made["key_id"], expect=200).json["last_used_at"])
        self.host.get("/api/v1/me", key=made["key"], expect=200)
        end = time.monotonic() + 30
        while self.show(made["key_id"], expect=200).json["last_used_at"] is None:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def test_keys_are_their_users_own(self):
        one, other = self.key(), self.key()
        self.show(one["key_id"], key=one["key"], expect=200)
        self.show(other["key_id"], key=one["key"], expect=404)
        self.rotate(other["key_id"], by=one["key"], expect=404)
        self.rotate(one["key_id"], by=one["key"])


class Life(unittest.TestCase):
    def test_a_key_that_ends_soon_is_warned_of_once(self):
        with Host() as host:
            me = host.get("/api/v1/me").json["user_id"]
            body = {"user_id": me, "name": "brief", "roles": ["viewer"], "expires_at": stamp(6 * 24 * 3600)}
            made = host.post("/api/v1/admin/keys", body, expect=201).json
            self.assertTrue(made["expires_soon"])
            for _ in range(2):
                host.stop()
                host.start()
                end = time.monotonic() + 30
                while not host.records(action="keys.warn"):
                    self.assertLess(time.monotonic(), end)
                    time.sleep(0.02)
            host.stop()
            with open(host.log.name, encoding="utf-8") as file:
                self.assertEqual(1, file.read().count(f"API key {made['key_id']} of tenant default ends at"))

    def test_the_host_is_never_open(self):
        for providers in ("[]", "[{id: keys, plugin: auth-api-key, enabled: false}]"):
            host = Host(config=f"authentication: {{providers: {providers}}}\n")
            done = subprocess.run([HOST, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"],
                                  capture_output=True, text=True, timeout=120, check=False)
            host.folder.cleanup()
            self.assertEqual(78, done.returncode, done.stderr)
            self.assertIn("authentication.providers", done.stderr)
            self.assertNotIn("listening", done.stdout)


if __name__ == "__main__":
    main()
