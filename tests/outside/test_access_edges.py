# SPDX-License-Identifier: LGPL-2.1-or-later
"""Edges of who may do what: rules of networks that nobody can read, auditors who are given work, answers given again, owners of agents,
members that change and leave; settings that contradict themselves."""

import time
import unittest

from reeve import Host, main

ADMIN = "/api/v1/admin"
BAD_NETWORKS = ("1.2.3.4/33", "::1/129", "10.0.0.1/8", "300.1.1.1", "10.0.0.0/", "/8", "10.0.0.0/-1", "10.0.0.0/08x")


class Case(unittest.TestCase):
    config = ""

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=cls.config).start()
        cls.addClassCleanup(cls.host.close)
        cls.number = 0

    def name(self):
        type(self).number += 1
        return f"n{self.number}"

    def post(self, path, body, expect=201, **options):
        return self.host.post(ADMIN + path, body, expect=expect, **options).json

    def patch(self, path, body, expect=200, **options):
        return self.host.call("PATCH", ADMIN + path, body, expect=expect, **options).json

    def user(self, *roles):
        return self.post("/users", {"username": self.name(), "roles": list(roles)})["user_id"]

    def key(self, user, *roles, **more):
        return self.post("/keys", {"user_id": user, "name": "k", "roles": list(roles), **more})["key"]

    def workspace(self, **more):
        return self.post("/workspaces", {"name": "w", **more})["workspace_id"]

    def pointers(self, answer):
        return [error["pointer"] for error in answer["errors"]]


class Edges(Case):
    def test_networks_that_are_none(self):
        """One that nobody can read would lock everybody out."""
        tenant, user, place = self.name(), self.user("viewer"), self.workspace()
        self.post("/tenants", {"tenant_id": tenant, "name": "T"})
        for text in BAD_NETWORKS:
            with self.subTest(text):
                good_and_bad = {"ip_allow": ["127.0.0.0/8", text]}
                made = self.post("/tenants", {"tenant_id": self.name(), "name": "T", "settings": good_and_bad}, 400)
                self.assertIn("/settings/ip_allow/1", self.pointers(made))
                changed = self.host.put(f"{ADMIN}/tenants/{tenant}", {"settings": good_and_bad}, expect=400).json
                self.assertIn("/settings/ip_allow/1", self.pointers(changed))
                self.assertIn("/ip_allow/1", self.pointers(self.post("/workspaces", {"name": "w", **good_and_bad}, 400)))
                changed = self.host.put(f"{ADMIN}/workspaces/{place}", good_and_bad, expect=400).json
                self.assertIn("/ip_allow/1", self.pointers(changed))
                made = self.post("/keys", {"user_id": user, "name": "k", "roles": ["viewer"], **good_and_bad}, 400)
                self.assertIn("/ip_allow/1", self.pointers(made))
        countries = self.host.put(f"{ADMIN}/tenants/{tenant}", {"settings": {"countries_deny": ["DE", "QQ"]}}, expect=400).json
        self.assertEqual(["/settings/countries_deny/1"], self.pointers(countries))
        self.host.get(f"{ADMIN}/tenants/{tenant}", expect=200)
        self.host.put(f"{ADMIN}/tenants/{tenant}", {"settings": {"ip_allow": ["127.0.0.0/8", "::1"]}}, expect=200)

    def test_auditors_are_given_no_work_in_a_workspace(self):
        place, auditor, worker = self.workspace(), self.user("auditor"), self.user("viewer")
        refused = self.post(f"/workspaces/{place}/members", {"user_id": auditor, "role": "operator"}, 409)
        self.assertIn("auditor", refused["detail"])
        self.post(f"/workspaces/{place}/members", {"user_id": auditor, "role": "viewer"})
        self.patch(f"/workspaces/{place}/members/{auditor}", {"role": "operator"}, 409)
        # and who works in one is made no auditor
        self.post(f"/workspaces/{place}/members", {"user_id": worker, "role": "operator"})
        self.patch(f"/users/{worker}", {"roles": ["auditor"]}, 409)
        refused = self.post("/keys", {"user_id": self.host.get("/api/v1/me").json["user_id"], "name": "k", "roles": ["auditor", "operator"]}, 400)
        self.assertEqual(["/roles"], self.pointers(refused))

    def test_members(self):
        place, user = self.workspace(), self.user("viewer")
        role = self.post("/roles", {"name": self.name(), "permissions": ["agent:execute"]})["role_id"]
        path = f"/workspaces/{place}/members"
        self.post(path, {"user_id": user, "role": role})
        self.assertEqual("the user is a member of the workspace already", self.post(path, {"user_id": user}, 409)["detail"])
        self.assertEqual("operator", self.patch(f"{path}/{user}", {"role": "operator"})["role"])
        self.assertEqual([{"user_id": user, "role": "operator"}],
                         [{m: member[m] for m in ("user_id", "role")} for member in self.host.get(ADMIN + path, expect=200).json["items"]])
        self.assertNotIn("role", self.patch(f"{path}/{user}", {"role": None}))
        self.assertEqual(["/role"], self.pointers(self.patch(f"{path}/{user}", {"role": "boss"}, 400)))
        self.patch(f"{path}/{user}", {}, 400)
        self.patch(f"{path}/usr_nobody", {"role": "viewer"}, 404)
        self.patch(f"/workspaces/wsp_none/members/{user}", {"role": "viewer"}, 404)
        self.patch(f"{path}/{user}", {"role": role})
        # nobody gives there what he has not
        manager = self.user("viewer")
        giving = self.post("/roles", {"name": self.name(), "permissions": ["workspace:manage_members"]})["role_id"]
        self.post(path, {"user_id": manager, "role": giving})
        key = self.key(manager, "viewer")
        self.patch(f"{path}/{user}", {"role": "operator"}, 403, key=key)
        # who is let go is a member of nothing, and his role is in use by nobody, not for a time either
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        self.post(f"/users/{user}/elevate", {"role": role, "until": until, "reason": "test"})
        self.host.delete(f"{ADMIN}/roles/{role}", expect=409)
        self.host.delete(f"{ADMIN}/users/{user}", expect=204)
        self.assertEqual([manager], [m["user_id"] for m in self.host.get(ADMIN + path, expect=200).json["items"]])
        self.host.delete(f"{ADMIN}/roles/{role}", expect=204)
        self.post(path, {"user_id": user}, 404)

    def test_a_key_is_not_shown_again_to_who_could_not_make_it(self):
        boss = self.user("admin")
        key, once = self.key(boss, "admin"), {"Idempotency-Key": "one-key"}
        body = {"user_id": boss, "name": "k", "roles": ["admin"]}
        made = self.post("/keys", body, key=key, headers=once)
        self.assertEqual(made, self.post("/keys", body, key=key, headers=once))
        turned = self.post(f"/keys/{made['key_id']}/rotate", {}, key=key, headers={"Idempotency-Key": "turn"})
        self.assertEqual(turned, self.post(f"/keys/{made['key_id']}/rotate", {}, key=key, headers={"Idempotency-Key": "turn"}))
        self.patch(f"/users/{boss}", {"roles": ["operator"]})
        # as it would be refused if he asked for the first time now
        refused = self.post("/keys", body, 403, key=key, headers=once)
        self.assertEqual(self.post("/keys", body, 403, key=key)["detail"], refused["detail"])
        self.assertIn("a key cannot have it", refused["detail"])
        self.post(f"/keys/{made['key_id']}/rotate", {}, 403, key=key, headers={"Idempotency-Key": "turn"})
        # who may again is answered again
        self.patch(f"/users/{boss}", {"roles": ["admin"]})
        self.assertEqual(made, self.post("/keys", body, key=key, headers=once))

    def test_owners_of_agents(self):
        designer, other = self.user("agent_designer"), self.user("viewer")
        key = self.key(designer, "agent_designer")
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        self.assertIn("user:manage", self.post("/agents", {**body, "owner_id": other}, 403, key=key)["detail"])
        mine = self.post("/agents", {**body, "owner_id": designer}, key=key)
        self.assertEqual(designer, mine["owner_id"])
        path = f"/agents/{mine['agent_id']}"
        self.host.put(ADMIN + path, {"owner_id": other}, key=key, expect=403)
        self.assertEqual(other, self.host.put(ADMIN + path, {"owner_id": other}, expect=200).json["owner_id"])
        # what it is already may be said again
        self.host.put(ADMIN + path, {"owner_id": other, "name": "b"}, key=key, expect=200)

    def test_a_parameter_that_is_no_text_is_named(self):
        for query, pointer in (("text=%00", "/text"), ("text=a%ffb", "/text"), ("te%00xt=1", "/te%00xt")):
            found = self.host.get(f"{ADMIN}/audit?{query}", expect=400).json
            self.assertEqual([pointer], self.pointers(found), query)


def refused_start(case, config, *words):
    host = Host(config=config)
    try:
        with case.assertRaises(AssertionError) as caught:
            host.start()
        for word in words:
            case.assertIn(word, str(caught.exception))
        return str(caught.exception)
    finally:
        host.forget()
        host.folder.cleanup()


class Starts(unittest.TestCase):
    def test_zero_trust_that_cannot_be_kept(self):
        for profile in ("dev", "enterprise"):
            head = f"profile: {profile}\n"
            refused_start(self, head + "rbac: {zero_trust: {require_mfa: true}}\n", "rbac.zero_trust.require_mfa", "not available in this version")
            refused_start(self, head + "encryption: {enabled: false}\nrbac: {zero_trust: {encrypt_all_data: true}}\n",
                          "rbac.zero_trust.encrypt_all_data", "encryption.enabled", "set encryption.enabled to true")
            refused_start(self, head + "rbac: {zero_trust: {network_segmentation: true}}\n", "rbac.zero_trust.network_segmentation", "server.ip_allow")
        refused_start(self, "rbac: {zero_trust: {trust_nobody: true}}\n", "trust_nobody")

    def test_networks(self):
        for key in ("ip_allow", "trusted_proxies"):
            refused_start(self, f"server: {{{key}: [\"1.2.3.4/33\"]}}\n", f"server.{key}", "1.2.3.4/33")
        refused_start(self, "server: {geography: {local_networks: [\"1.2.3.4/33\"]}}\n", "server.geography.local_networks", "1.2.3.4/33")

    def test_sinks_that_nothing_would_reach(self):
        more = {"webhook": "", "splunk": ', token: "t"', "datadog": ', api_key: "k"', "elastic": ', index: "i"'}
        for plugin, settings in more.items():
            for url in ("https://user:word@siem.example/x", "https://siem.example:99999/"):
                row = f'{{id: a, plugin: sink-{plugin}, settings: {{url: "{url}"{settings}}}}}'
                said = refused_start(self, f"audit: {{sinks: [{row}]}}\n", "audit.sinks[0].settings.url")
                self.assertNotIn("word", said)


class ZeroTrust(Case):
    config = ("server: {ip_allow: [127.0.0.0/8]}\n"
              "rbac: {zero_trust: {verify_every_request: true, encrypt_all_data: true, network_segmentation: true}}\n")

    def test_it_serves_and_says_what_holds(self):
        user = self.user("viewer")
        key = self.key(user, "viewer")
        for _ in range(3):
            self.host.get("/api/v1/me", key=key, expect=200)
        self.patch(f"/users/{user}", {"status": "disabled"})
        self.host.get("/api/v1/me", key=key, expect=401)
        checks = {item["id"]: item for item in self.host.get(f"{ADMIN}/doctor", expect=200).json["items"]}
        self.assertEqual("ok", checks["rbac.zero-trust"]["state"])
        for word in ("each request", "encrypted", "server.ip_allow"):
            self.assertIn(word, checks["rbac.zero-trust"]["detail"])


if __name__ == "__main__":
    main()
