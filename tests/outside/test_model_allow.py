#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""llm.allow: which models a tenant may ask, whoever asks for it: agents, the compatible doors, plugins, and in another's place."""

import probes
from reeve import main
from test_fallbacks import DOWN, FallbackCase, Words
from test_plugin_calls import CallsCase, model

ALLOW = """  allow:
    - {tenant: test-each-door, models: [second/cheap, last/*]}
    - {tenant: test-in-anothers-place, models: [first/*]}
    - {tenant: test-nothing, models: []}
    - {tenant: test-skips, models: [first/*, last/*]}
    - {tenant: test-skip, models: []}
    - {tenant: "*", models: ["first/*", "second/*", "last/*"]}
"""
REFUSED = "this tenant may not ask {} .model_not_allowed."


class Allow(FallbackCase):
    rows = ALLOW

    def refusals(self):
        return [(r["kind"], r.get("model"), r.get("reason")) for r in self.records()]

    def test_each_door(self):
        self.assertEqual("It is two.", self.say(model="second/cheap"))
        before = len(self.records())
        answers = [self.chat(403, "first/dear").json["error"]["message"],
                   self.chat(403, "dear").json["error"]["message"],  # of the default provider
                   self.call("POST", "/v1/embeddings", {"model": "first/dear", "input": "x"}, 403).json["error"]["message"],
                   self.run_()["error"]["message"]]
        for one in answers:
            self.assertRegex(one, REFUSED.format("first/dear"))
        self.assertEqual([("refusal", "first/dear", "model_not_allowed")] * 4, self.refusals()[before:])
        # an agent at the compatible door: the word of its run, for 502 is what clients ask again
        answer = self.chat(403, f"agent/{self.agent}").json["error"]
        self.assertRegex(answer["message"], "the run ended failed: .*" + REFUSED.format("first/dear"))
        self.assertEqual(("permission_denied", "permission_error"), (answer["code"], answer["type"]))
        self.chat(403, f"agent/{self.agent}", stream=True)
        self.assertRegex(self.chat(403, "second/other").json["error"]["message"], REFUSED.format("second/other"))
        self.assertEqual((0, 1), self.asked())
        self.assertEqual(0, self.first.count("/v1/embeddings"))

    def test_in_the_body(self):
        """Services take a name in any case, or a list of models: whoever may ask one does not get another so."""
        for more, words in (({"Model": "dear"}, "/Model: .* read it as model"), ({"models": ["dear"]}, "/models: .*llm.fallbacks"),
                            ({"Max_Tokens": 100000}, "/Max_Tokens: ")):
            self.assertRegex(self.chat(400, "second/cheap", **more).json["error"]["message"], words)
        self.assertEqual((0, 0), self.asked())

    def test_lists_have_what_may_be_asked(self):
        def listed(tenant):
            self.headers = {"X-Tenant-ID": tenant}
            ours = {one["id"].split("/")[0] for one in self.call("GET", "/api/v1/models").json["items"]}
            theirs = {one["id"].split("/")[0] for one in self.call("GET", "/v1/models").json["data"]}
            self.assertEqual(ours, theirs - {"agent"})
            return ours

        self.host.post("/api/v1/admin/tenants", {"tenant_id": "test-nothing", "name": "T"}, expect=201)
        self.assertEqual({"first", "last"}, listed(self.tenant) & {"first", "last"})
        self.assertNotIn("gone", listed(self.tenant))
        self.assertEqual(set(), listed("test-nothing"))

    def test_in_anothers_place(self):
        self.first.default = DOWN
        answer = self.chat(403).json["error"]["message"]
        self.assertRegex(answer, "in the place of first/dear: .*" + REFUSED.format("last/default"))
        self.assertEqual([("intent", "first/dear", None), ("outcome", "first/dear", "upstream"), ("refusal", "second/cheap", "model_not_allowed")],
                         self.refusals()[:3])
        self.assertEqual([("refusal", "last/default", "model_not_allowed")], self.refusals()[3:])
        self.assertEqual((1, 0), self.asked())

    def test_skips(self):
        """Who may not be asked in another's place is passed over, and the refusal is on record, below the one that failed."""
        self.first.default = DOWN
        turned = [("intent", "first/dear", None), ("outcome", "first/dear", "upstream"), ("refusal", "second/cheap", "model_not_allowed"),
                  ("intent", "last/default", None), ("outcome", "last/default", None)]
        self.assertEqual("last/default", self.chat().json["model"])
        self.assertEqual(turned, self.refusals())
        self.assertEqual([self.records()[0]["seq"]] * 2, [self.records()[i]["parent"] for i in (2, 3)])
        events = "".join(self.chat(stream=True).text.splitlines())
        self.assertIn("[DONE]", events)
        self.assertEqual(turned * 2, self.refusals())
        run = self.run_()
        self.assertEqual(("succeeded", 1), (run["status"], run["steps"]), run)
        self.assertEqual(turned * 3, self.refusals())
        self.assertEqual([self.records()[10]["seq"]] * 2, [self.records()[i]["parent"] for i in (12, 13)])
        self.assertEqual(0, self.asked()[1])

    def test_rows_of_nobody(self):
        """A tenant's id that is misspelled is said by name, until there is a tenant of it."""
        def found():
            return next(one for one in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if one["id"] == "models.allowed")

        self.assertEqual("warn", found()["state"])
        self.assertRegex(found()["detail"], r"there is no tenant .*\btest-skip(,|$)")
        self.assertRegex(self.host.read_log(), r"llm\.allow: rows of nobody: there is no tenant .*\btest-skip[,\s]")
        self.assertNotRegex(found()["detail"], r"[*]|rows-of-nobody")
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "test-skip", "name": "T"}, expect=201)
        self.assertNotRegex(found()["detail"], r"\btest-skip(,|$)")

    def test_others(self):
        """Who has no row has that of the star."""
        self.assertEqual("It is one.", self.say())
        self.assertRegex(self.chat(403, "gone/x").json["error"]["message"], REFUSED.format("gone/x"))


class Plugins(CallsCase):
    config = probes.CONFIG.replace("plugins:", """    - {{id: other, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  fallbacks:
    - {{model: mock/down, models: [other/up]}}
    - {{model: mock/broken, models: [other/up, mock/up]}}
  allow:
    - {{tenant: left, models: ["mock/*"]}}
plugins:""", 1)

    def test_a_grant_gives_no_more(self):
        [(answer, error)] = self.ask(model(model="other/up"))
        self.assertIsNone(answer)
        self.assertRegex(error, "permission_denied: .*" + REFUSED.format("other/up"))
        self.assertEqual([], self.asked)
        self.says = lambda request: DOWN
        [(answer, error)] = self.ask(model(model="mock/down"))
        self.assertRegex(error, "in the place of mock/down: .*" + REFUSED.format("other/up"))
        self.assertEqual(["down"], [one["model"] for one in self.asked])

    def test_skips(self):
        self.says = lambda request: DOWN if request.json["model"] == "broken" else {"content": "forty-two"}
        [(answer, error)] = self.ask(model(model="mock/broken"))
        self.assertIsNone(error)
        self.assertEqual(("mock/up", "forty-two"), (answer["model"], answer["content"]))
        self.assertEqual(["broken", "up"], [one["model"] for one in self.asked])

    def test_another_tenant_has_its_own(self):
        [(answer, error)] = self.ask(model(model="other/up"), tenant="right")
        self.assertIsNone(error)
        self.assertEqual("forty-two", answer["content"])


class AllowWords(Words):
    def test_each(self):
        for rows, words in (('    - {tenant: a, models: ["nobody/*"]}', "llm.allow.*0.*models.*0.*nobody, which is not configured"),
                            ("    - {tenant: a, models: [first]}", "llm.allow.*0.*models.*0.*first is neither"),
                            ("    - {tenant: a, models: [first/]}", "first/ is neither"),
                            ("    - {tenant: a, models: []}\n    - {tenant: a, models: []}", "llm.allow.*1.*tenant.*a is there already"),
                            ("    - {tenant: 'A B', models: []}", "tenant"),
                            ("    - {models: []}", "tenant")):
            with self.subTest(rows=rows):
                self.assertRegex(self.refused("  allow:\n" + rows), words)


del FallbackCase, Words, CallsCase

if __name__ == "__main__":
    main()
