# SPDX-License-Identifier: LGPL-2.1-or-later
"""Grants of plugins: what a tool may reach is requested, granted and left by the ceiling. Who may ask at which door: hold_proof.py."""

import json
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

PATH = "/api/v1/admin/plugins/tool-http/grants"
CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
plugins:
  settings:
    tool-http: {{granted_origins: ["http://127.0.0.1:1"]}}
{more}
"""


def fetch(url):
    return {"tool_calls": [{"name": "http_request", "arguments": {"url": url}}]}


class GrantsCase(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI(api_key="sk-test").start()
        cls.addClassCleanup(cls.mock.stop)
        cls.site = MockOpenAI().start()
        cls.addClassCleanup(cls.site.stop)
        cls.host = Host(CONFIG.format(url=cls.mock.base_url, more=cls.more)).start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent(tools=("http_request",))

    def setUp(self):
        """Nothing but what comes with the host."""
        for grant in self.row()["granted"]:
            if grant["status"] == "active" and grant["source"] == "administrator":
                self.revoke(grant["grant_id"])
        if not any(g["status"] == "active" for g in self.row()["granted"]):
            self.grant(reason="as at the first start")

    def row(self, plugin="tool-http", capability="net.http"):
        rows = self.host.get(f"/api/v1/admin/plugins/{plugin}", expect=200).json["grants"]
        return next(r for r in rows if r["capability"] == capability)

    def grant(self, expect=201, **more):
        return self.host.post(PATH, {"capability": "net.http", "reason": "test", **more}, expect=expect).json

    def revoke(self, grant_id, expect=204):
        self.host.delete(f"{PATH}/{grant_id}", expect=expect)

    def revoke_all(self):
        for grant in self.row()["granted"]:
            if grant["status"] == "active":
                self.revoke(grant["grant_id"])

    def ask(self, url):
        """Lets an agent fetch an address; returns what the model was told."""
        self.mock.script([fetch(url), {"content": "done"}])
        answer = self.host.run(self.agent, "fetch it")
        self.assertEqual("done", answer["answer"], answer)
        return [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]


class Shown(GrantsCase):
    def test_what_comes_with_the_host_is_granted_and_says_so(self):
        row = self.row("tool-search", "knowledge.search")
        self.assertEqual(("effective", "default", "comes with this host, and requests it"),
                         (row["state"], row["granted"][0]["source"], row["granted"][0]["reason"]))
        self.assertEqual(("to find passages of the documents that the caller may see", True, None), (row["reason"], row["offered"], row["remedy"]))
        # what sends records on has no business anywhere but where its settings say
        self.assertEqual({"origins": []}, self.row("sink-webhook")["effective"][0]["parameters"])
        # and nobody can be locked out by a grant
        row = self.row("auth-api-key", "credentials.lookup")
        self.assertEqual(("effective", []), (row["state"], row["granted"]))
        answer = self.host.post("/api/v1/admin/plugins/auth-api-key/grants", {"capability": "credentials.lookup", "reason": "x"}, expect=400)
        self.assertEqual("/capability", answer.json["errors"][0]["pointer"])

    def test_settings_stand_beside_grants(self):
        row = self.row()
        self.assertEqual([{"instance_id": "tool-http", "places": ["http://127.0.0.1:1"]}], row["settings"])
        self.assertIn({"tenant_id": None, "source": "settings", "until": None, "parameters": {"origins": ["http://127.0.0.1:1"]}}, row["effective"])

    def test_one_plugin_is_shown_with_what_it_may_do(self):
        made = self.grant(parameters={"origins": ["https://API.example.com"], "max_bytes": 1000}, until="2099-01-01T00:00:00.000Z")
        plugin = self.host.get("/api/v1/admin/plugins/tool-http", expect=200).json
        self.assertEqual(made, next(g for g in plugin["grants"][0]["granted"] if g["grant_id"] == made["grant_id"]))
        self.assertEqual({"origins": ["https://api.example.com:443"], "max_bytes": 1000}, made["parameters"])
        self.assertEqual(plugin, json.loads(self.host.ctl("plugins", "show", "tool-http").stdout))

    def test_the_command_line(self):
        done = self.host.ctl("plugins", "grant", "tool-http", "net.http", "--param", "origins=https://a.example,https://b.example", "--param",
                             "origins=https://c.example", "--param", "max_bytes=7", "--tenant", "default", "--until", "2099-01-01T00:00:00.000Z",
                             "--reason", "why")
        made = json.loads(done.stdout)
        self.assertEqual(("default", {"origins": [f"https://{n}.example:443" for n in "abc"], "max_bytes": 7}), (made["tenant_id"], made["parameters"]))
        self.host.ctl("plugins", "revoke", "tool-http", made["grant_id"])
        self.assertEqual("revoked", [g["status"] for g in self.row()["granted"] if g["grant_id"] == made["grant_id"]][0])
        self.host.ctl("plugins", "grant", "tool-http", "net.http", "--param", "origins", "--reason", "why", expect=2)
        told = self.host.ctl("plugins", "grant", "--help").stdout
        for option in ("--param KEY=VALUE", "--tenant T"):
            self.assertIn(option, told)

    def test_faults(self):
        for body, pointer in (({"capability": "fly"}, "/capability"), ({"capability": "clock"}, "/capability"), ({"capability": "jit"}, "/capability"),
                              ({"capability": "net.http", "parameters": {"hosts": ["a:1"]}}, "/parameters/hosts"),
                              ({"capability": "net.http", "parameters": {"colour": 1}}, "/parameters/colour"),
                              ({"capability": "net.http", "parameters": {"origins": ["https://a.example", "https://a.example/x"]}}, "/parameters/origins/1"),
                              ({"capability": "net.http", "tenant_id": "nowhere"}, "/tenant_id"),
                              ({"capability": "net.http", "until": "2020-01-01T00:00:00.000Z"}, "/until")):
            answer = self.host.post(PATH, {"reason": "x", **body}, expect=400)
            self.assertEqual([pointer], [e["pointer"] for e in answer.json["errors"]], answer)
        self.host.post(PATH, {"capability": "net.http"}, expect=400)
        self.host.post("/api/v1/admin/plugins/none/grants", {"capability": "net.http", "reason": "x"}, expect=404)
        self.host.get("/api/v1/admin/plugins/none/grants", expect=404)
        self.revoke("gnt_none", expect=404)
        other = self.row("tool-search", "knowledge.search")["granted"][0]["grant_id"]
        self.revoke(other, expect=404)

    def test_a_replay_grants_once(self):
        body = {"capability": "net.http", "reason": "once"}
        first = self.host.post(PATH, body, headers={"Idempotency-Key": "g1"}, expect=201).json
        self.assertEqual(first, self.host.post(PATH, body, headers={"Idempotency-Key": "g1"}, expect=201).json)
        self.host.post(PATH, {**body, "reason": "twice"}, headers={"Idempotency-Key": "g1"}, expect=422)
        self.assertEqual(1, sum(g["reason"] == "once" for g in self.row()["granted"]))

    def test_two_who_take_it_back_at_once_both_did(self):
        made = [self.grant()["grant_id"] for _ in range(16)]
        told = []
        both = [threading.Thread(target=lambda grant=grant: told.append(self.host.delete(f"{PATH}/{grant}").status)) for grant in sorted(made * 2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        self.assertEqual({204}, set(told))

    def test_the_platform_admin_alone(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "left", "name": "left"})
        made = self.grant()["grant_id"]
        for key in [self.host.user("admin", tenant="left")] + [self.host.user(r) for r in ("admin", "agent_designer", "operator", "auditor", "viewer")]:
            self.host.get(PATH, key=key, expect=403)
            self.host.post(PATH, {"capability": "net.http", "reason": "x"}, key=key, expect=403)
            self.host.delete(f"{PATH}/{made}", key=key, expect=403)

    def test_each_change_is_recorded(self):
        made = self.grant()["grant_id"]
        self.revoke(made)
        intents = {(r["action"], (r.get("resource") or {}).get("id")) for r in self.host.records() if r["kind"] == "intent"}
        self.assertLessEqual({("plugins.grant", "tool-http"), ("plugins.revoke", made), ("plugins.grant", None)}, intents)


class Enforced(GrantsCase):
    def test_a_grant_opens_and_its_end_closes(self):
        self.assertIn("not be reached", self.ask(self.site.url + "/echo"))
        made = self.grant(parameters={"origins": [self.site.url]})
        self.assertIn("HTTP 200", self.ask(self.site.url + "/echo"))
        self.revoke(made["grant_id"])
        self.assertIn("not be reached", self.ask(self.site.url + "/echo"))

    def test_what_is_taken_back_stays_away_behind_a_restart(self):
        self.revoke_all()
        told = self.ask(self.site.url + "/echo")
        self.assertIn("plugin tool-http no more has capability net.http in tenant default", told)
        self.assertIn("reevectl plugins grant tool-http net.http", told)
        self.host.stop()
        self.host.start()
        self.assertIn("no more has capability net.http", self.ask(self.site.url + "/echo"))
        self.assertEqual("revoked", self.row()["state"])
        self.grant(parameters={"origins": [self.site.url]}, tenant_id="default")
        self.assertIn("HTTP 200", self.ask(self.site.url + "/echo"))
        # and leads nowhere else
        told = self.ask("https://other.example/")
        self.assertIn("https://other.example:443 is not granted to plugin tool-http", told)

    def test_another_tenants_grant_is_none(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "right", "name": "right"})
        self.revoke_all()
        self.grant(parameters={"origins": [self.site.url]}, tenant_id="right")
        self.assertIn("in tenant default", self.ask(self.site.url + "/echo"))
        self.host.delete("/api/v1/admin/tenants/right", expect=204)
        self.assertFalse(any(g["tenant_id"] == "right" for g in self.row()["granted"]))

    def test_what_is_under_way_is_cut(self):
        self.revoke_all()
        made = self.grant(parameters={"origins": [self.site.url]})
        before = len(self.site.requests)
        self.site.script([{"status": 200, "body": "late", "delay": 600}])
        told = []
        run = threading.Thread(target=lambda: told.append(self.ask(self.site.url + "/slow")))
        run.start()
        end = time.monotonic() + 30
        while len(self.site.requests) == before and time.monotonic() < end:
            time.sleep(0.01)
        began = time.monotonic()
        self.revoke(made["grant_id"])
        run.join(60)
        self.assertLess(time.monotonic() - began, 20, "it was waited for to its end")
        self.assertIn("was taken back while it was used", told[0])


class Ceiling(GrantsCase):
    more = '  ceiling: {capabilities: [net.http], origins: ["https://a.example"], methods: [GET]}'

    def test_nothing_goes_beyond(self):
        for body, key in (({"origins": ["https://b.example"]}, "plugins.ceiling.origins"), ({"methods": ["POST"]}, "plugins.ceiling.methods")):
            self.assertIn(key, self.grant(expect=403, parameters=body)["detail"])
        answer = self.host.post("/api/v1/admin/plugins/tool-search/grants", {"capability": "knowledge.search", "reason": "x"}, expect=403)
        self.assertIn("plugins.ceiling.capabilities", answer.json["detail"])
        self.assertEqual("beyond_ceiling", self.row("tool-search", "knowledge.search")["state"])
        row = self.row()
        self.assertEqual({"allowed": True, "key": None, "parameters": {"origins": ["https://a.example:443"], "methods": ["GET"]}}, row["ceiling"])
        self.assertNotIn("settings", [e["source"] for e in row["effective"]])
        # what settings name is no way around it
        self.assertIn("plugins.ceiling.origins", self.ask("http://127.0.0.1:1/"))


if __name__ == "__main__":
    main()
