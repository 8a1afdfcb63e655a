#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers with JSON Web Tokens: of an issuer that is configured, and of the developer's secret."""

import concurrent.futures
import json
import os
import subprocess
import time
import unittest

from reeve import HOST, Host, main
from tokens import Issuer, Key, create_test_jwt, encode

CONFIG = """
authentication:
  providers:
    - {{id: keys, plugin: auth-api-key}}
    - id: idp
      plugin: auth-jwt
      settings: {{issuer: "{url}", audience: reeve, jwks_refetch_seconds: 1, jwks_cache_seconds: {cache},
                 roles_claim: groups, role_map: {{ops: operator, boss: admin, staff: viewer, keepers: "custom:keeper", audit: auditor}}{more}}}
"""
SECRET = "0123456789abcdef0123456789abcdef"


class Tokens(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.issuer.keys = [Key("one"), Key("two")]
        cls.host = Host(config=CONFIG.format(url=cls.issuer.url, cache=300, more="")).start()
        cls.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme"}, expect=201)

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        cls.issuer.close()

    def me(self, token, expect=200):
        return self.host.get("/api/v1/me", key=token, expect=expect).json

    def test_roles_are_those_of_the_groups(self):
        me = self.me(self.issuer.token(groups=["staff", "unknown"], org_id="acme"))
        self.assertEqual(["viewer"], me["roles"])
        self.assertEqual("acme", me["tenant_id"])
        self.assertRegex(me["user_id"], "^usr_[0-9a-f]{32}$")
        self.assertEqual(me["user_id"], self.me(self.issuer.token(groups="ops", org_id="acme"))["user_id"])
        self.assertEqual([], self.me(self.issuer.token(groups=["viewer", "admin"]))["roles"])

    def test_what_a_token_may_do(self):
        viewer, boss = self.issuer.token(groups=["staff"], org_id="acme"), self.issuer.token(groups=["boss"], org_id="acme")
        self.host.get("/api/v1/admin/users", key=boss, expect=200)
        refused = self.host.get("/api/v1/admin/users", key=viewer, expect=403)
        self.assertIn("user:manage", refused.json["detail"])
        # no token makes a platform admin, in no tenant, and no header widens it
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "more", "name": "M"}, key=boss, expect=403)
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "more", "name": "M"}, key=self.issuer.token(groups=["boss"]), expect=403)
        self.host.get("/api/v1/me", key=boss, headers={"X-Tenant-ID": "default"}, expect=404)

    def test_bad_tokens_are_all_refused_alike(self):
        now = int(time.time())
        good, claims = self.issuer.token(), self.issuer.claims()
        head, body, signature = good.split(".")
        stranger = Key("one")
        self.addCleanup(stranger.close)
        bad = [f"{encode({'alg': 'none'})}.{body}.", f"{encode({'alg': 'none'})}.{body}.{signature}", f"{head}.{body}.",
               f"{head}.{encode({**claims, 'groups': ['boss']})}.{signature}", stranger.sign(claims),
               self.issuer.keys[0].sign(claims, jwk=stranger.jwk()), self.issuer.keys[0].sign(claims, crit=["exp"]),
               self.issuer.keys[0].sign(claims, typ="logout+jwt"),
               self.issuer.token(exp=now - 31), self.issuer.token(exp=None), self.issuer.token(nbf=now + 60),
               self.issuer.token(iat=now + 60), self.issuer.token(aud="other"), self.issuer.token(aud=None),
               self.issuer.token(org_id=None), self.issuer.token(groups=[7]),
               create_test_jwt("alice", "default", ["admin"], "x" * 32, iss=self.issuer.url, aud="reeve", org_id="default"),
               f"{good}.{signature}", f"{good}=", good.replace(".", "..", 1)]
        answers = [self.host.get("/api/v1/me", key=token, expect=401) for token in bad]
        for answer in answers:
            problem = answer.json
            del problem["trace_id"]
            first = answers[0].json
            del first["trace_id"]
            self.assertEqual(first, problem)
        self.me(good)
        # of no tenant, of another issuer: nobody knows them
        self.me(self.issuer.token(org_id="nowhere"), expect=401)
        self.me(self.issuer.token(org_id="../acme"), expect=401)
        self.me(self.issuer.token(iss=self.issuer.url + "/"), expect=401)
        log = self.host.read_log()
        self.assertIn("a token was refused: it names no audience", log)
        for token in bad + [good]:
            for part in token.split("."):
                self.assertFalse(len(part) > 20 and part in log, part)

    def test_the_ledger_knows_who_it_was(self):
        token = self.issuer.token("bob", groups=["boss"], org_id="default")
        self.host.post("/api/v1/admin/agents", {"name": "of bob", "initial_definition": {"system_prompt": "x", "tools": []}}, key=token, expect=201)
        me = self.me(token)["user_id"]
        self.assertTrue([r for r in self.host.records(action="agents.create") if me in json.dumps(r)])


class Provisioned(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.issuer = Issuer()
        cls.issuer.keys = [Key("one")]
        more = ", provision: true, attribute_claims: {department: dept}"
        cls.host = Host(config=CONFIG.format(url=cls.issuer.url, cache=300, more=more)).start()

    @classmethod
    def tearDownClass(cls):
        cls.host.close()
        cls.issuer.close()

    def me(self, token, expect=200):
        return self.host.get("/api/v1/me", key=token, expect=expect).json

    def record(self, user_id):
        return self.host.get("/api/v1/admin/users/" + user_id, expect=200).json

    def provisions(self, user_id):
        return [r for r in self.host.records(action="users.provision") if user_id in json.dumps(r)]

    def test_a_record_is_made_at_first_sight_and_follows_the_issuer(self):
        now = int(time.time())
        first = self.issuer.token("alice", groups=["ops"], iat=now - 20, preferred_username="alice", email="alice@acme.example", dept="lab")
        me = self.me(first)
        self.assertEqual(["operator"], me["roles"])
        record = self.record(me["user_id"])
        self.assertEqual(("alice", "alice@acme.example", ["operator"], "human", "active", {"department": "lab"}),
                         tuple(record[name] for name in ("username", "email", "roles", "kind", "status", "attributes")))
        made = len(self.provisions(me["user_id"]))
        self.assertGreaterEqual(made, 1)
        # the same again, in another token: nothing to write
        self.me(self.issuer.token("alice", groups=["ops"], iat=now - 10, preferred_username="alice", email="alice@acme.example", dept="lab"))
        self.assertEqual(made, len(self.provisions(me["user_id"])))
        later = self.issuer.token("alice", groups=["staff"], iat=now, preferred_username="alice2", email="a@acme.example")
        self.assertEqual(["viewer"], self.me(later)["roles"])
        record = self.record(me["user_id"])
        self.assertEqual(("alice2", "a@acme.example", ["viewer"], {"department": "lab"}),
                         tuple(record[name] for name in ("username", "email", "roles", "attributes")))
        self.assertGreater(len(self.provisions(me["user_id"])), made)
        # the issuer's last word counts, also for tokens that it gave before
        self.assertEqual(["viewer"], self.me(first)["roles"])
        self.assertEqual(["viewer"], self.record(me["user_id"])["roles"])

    def test_who_is_disabled_or_deleted_stays_out(self):
        for name, out in (("bob", lambda path: self.host.call("PATCH", path, {"status": "disabled"}, expect=200)),
                          ("carol", lambda path: self.host.delete(path, expect=204))):
            token = self.issuer.token(name, groups=["ops"])
            out("/api/v1/admin/users/" + self.me(token)["user_id"])
            self.me(token, expect=401)
            self.me(self.issuer.token(name, groups=["boss"]), expect=401)

    def test_names_that_others_have(self):
        self.host.post("/api/v1/admin/users", {"username": "dave", "roles": ["viewer"]}, expect=201)
        one = self.me(self.issuer.token("d-1", preferred_username="dave"))["user_id"]
        two = self.me(self.issuer.token("d-2", preferred_username="dave"))["user_id"]
        self.assertEqual(["dave-" + one[4:12], "dave-" + two[4:12]], [self.record(one)["username"], self.record(two)["username"]])
        odd = self.me(self.issuer.token("d-3", preferred_username="a b/c\n\u00e4" + "x" * 200))["user_id"]
        self.assertRegex(self.record(odd)["username"], "^a_b_c_\u00e4x+$")

    def test_a_token_without_roles_leaves_them_to_the_record(self):
        token = self.issuer.token("erin")
        user_id = self.me(token)["user_id"]
        self.assertEqual([], self.me(token)["roles"])
        self.host.call("PATCH", "/api/v1/admin/users/" + user_id, {"roles": ["auditor"]}, expect=200)
        self.assertEqual(["auditor"], self.me(token)["roles"])

    def test_a_token_makes_no_auditor_work(self):
        now = int(time.time())  # both are the issuer's last word
        token = self.issuer.token("olga", groups=["audit", "ops"], iat=now)
        me = self.me(token)
        self.assertEqual(["auditor", "operator"], sorted(me["roles"]))
        self.assertEqual([], [p for p in me["permissions"] if not p.endswith((":read", ":view"))])
        self.assertIn("audit:read", me["permissions"])
        # the record does not bind him less
        self.host.post("/api/v1/agents/execute", {"agent_id": "none", "mission": "x"}, key=self.issuer.token("olga", groups=["ops"], iat=now), expect=404)
        self.host.post("/api/v1/agents/execute", {"agent_id": "none", "mission": "x"}, key=token, expect=403)

    def test_a_group_may_be_a_custom_role(self):
        self.host.post("/api/v1/admin/roles", {"name": "keeper", "permissions": ["document:*"]}, expect=201)
        me = self.me(self.issuer.token("hana", groups=["keepers"]))
        self.assertEqual(["custom:keeper"], me["roles"])
        self.assertIn("document:delete", me["permissions"])
        self.assertEqual(["custom:keeper"], self.record(me["user_id"])["roles"])

    def test_many_first_sights_at_once(self):
        self.me(self.issuer.token("frank"))  # the issuer's keys are here
        # many people: what goes wrong between two reads of one of them does so seldom
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for name in ("frank-%d" % i for i in range(20)):
                token = self.issuer.token(name, groups=["ops"], preferred_username=name)
                answers = list(pool.map(lambda _, token=token: self.host.get("/api/v1/me", key=token), range(8)))
                self.assertEqual({200}, {answer.status for answer in answers}, [str(a) for a in answers if a.status != 200][:1])
                self.assertEqual(1, len({answer.json["user_id"] for answer in answers}))
                self.assertEqual(name, self.record(answers[0].json["user_id"])["username"])

    def test_lost_roles_end_what_rests_on_them(self):
        now = int(time.time())
        boss = self.issuer.token("gina", groups=["boss"], iat=now - 5)
        self.host.get("/api/v1/admin/users", key=boss, expect=200)
        self.me(self.issuer.token("gina", groups=["staff"], iat=now))
        self.host.get("/api/v1/admin/users", key=boss, expect=403)


class Rotation(unittest.TestCase):
    def test_new_keys_are_learnt_and_old_ones_forgotten(self):
        issuer = Issuer()
        self.addCleanup(issuer.close)
        issuer.keys = [Key("one")]
        with Host(config=CONFIG.format(url=issuer.url, cache=2, more="")) as host:
            old = issuer.token()
            host.get("/api/v1/me", key=old, expect=200)
            issuer.keys.insert(0, Key("two"))
            self.addCleanup(issuer.keys[1].close)
            host.get("/api/v1/me", key=issuer.token(), expect=200)
            host.get("/api/v1/me", key=old, expect=200)
            del issuer.keys[1]
            gone = time.monotonic()
            while host.get("/api/v1/me", key=old).status == 200:
                self.assertLess(time.monotonic() - gone, 30)
                time.sleep(0.1)
            host.get("/api/v1/me", key=issuer.token("dave"), expect=200)

    def test_no_keys_is_no_401(self):
        issuer = Issuer()
        self.addCleanup(issuer.close)
        with Host(config=CONFIG.format(url=issuer.url, cache=300, more="")) as host:
            key = Key("one")
            self.addCleanup(key.close)
            answer = host.get("/api/v1/me", key=key.sign(issuer.claims()), expect=503)
            self.assertNotIn(issuer.url, answer.text)
            host.get("/api/v1/me", expect=200)


class Development(unittest.TestCase):
    def test_a_secret_in_the_environment(self):
        with Host(environment={"DEV_JWT_SECRET": SECRET}) as host:
            me = host.get("/api/v1/me", key=create_test_jwt("dev-1", "default", ["operator"], SECRET), expect=200).json
            self.assertEqual(("dev-1", "default", ["operator"]), (me["user_id"], me["tenant_id"], me["roles"]))
            host.get("/api/v1/me", key=create_test_jwt("dev-1", "default", ["operator"], SECRET[::-1]), expect=401)
            host.get("/api/v1/me", key=create_test_jwt("dev-1", "default", ["operator"], SECRET, -31), expect=401)
            host.get("/api/v1/me", key=create_test_jwt("dev-1", "nowhere", ["operator"], SECRET), expect=401)
            program = os.path.join(os.path.dirname(__file__), "tokens.py")
            environment = dict(os.environ, REEVE_DEV_JWT_SECRET=SECRET)
            done = subprocess.run([program, "dev-2", "default", "viewer"], env=environment, capture_output=True, text=True, check=True)
            self.assertEqual(["viewer"], host.get("/api/v1/me", key=done.stdout.strip(), expect=200).json["roles"])
            self.assertNotIn(SECRET, host.read_log())

    def refused(self, *arguments, **environment):
        host = Host(environment=environment)
        self.addCleanup(host.folder.cleanup)
        command = [HOST, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none", *arguments]
        done = subprocess.run(command, env=host.environment, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(78, done.returncode, done.stderr)
        self.assertNotIn(SECRET, done.stderr)
        return done.stderr

    def test_never_in_production(self):
        self.assertIn("DEV_JWT_SECRET in the environment", self.refused(DEV_JWT_SECRET=SECRET, ENVIRONMENT="prod"))
        self.assertIn("ENVIRONMENT=staging", self.refused(REEVE_DEV_JWT_SECRET=SECRET, ENVIRONMENT="staging"))
        self.assertIn("at least 32 bytes", self.refused(REEVE_DEV_JWT_SECRET="short"))


if __name__ == "__main__":
    main()
