# SPDX-License-Identifier: LGPL-2.1-or-later
"""llm.fallbacks: in the place of a model that cannot answer another is asked, under an admission, a price and a record of its own; nobody
is where the first may have answered."""

import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest

import probes
from mock_openai import MockOpenAI
from reeve import HOST, Host, main
from test_broken_plugins import OWN, BrokenHost, folder
from test_missions import calculate, cut_journal
from test_plugin_calls import CallsCase, model

CONFIG = """
llm:
  default: first/dear
  providers:
    - {{id: first, plugin: llm-openai, settings: {{base_url: "{first}", api_key: "sk-test", retries: 0}}}}
    - {{id: second, plugin: llm-openai, settings: {{base_url: "{second}", api_key: "sk-test", retries: 0}}}}
    - {{id: gone, plugin: llm-openai, settings: {{base_url: "http://127.0.0.1:{port}/v1", api_key: "sk-test", retries: 0}}}}
    - {{id: last, plugin: llm-extractive}}
{more}
  fallbacks:
    - {{model: first, models: [second/cheap, last]}}
    - {{model: first/alone, models: [gone/x]}}
    - {{model: gone/x, models: [first/dear, second/cheap]}}
{rows}
  prices:
    first/dear: {{input: "10", output: "20"}}
    second/cheap: {{input: "1", output: "2"}}
    mid/any: {{input: "0.1", output: "0.2"}}
    first/other: {{input: "1", output: "2"}}
"""
DOWN = {"status": 500, "error": {"message": "internal trouble"}}
ASK = [{"role": "user", "content": "How often?"}]


def a_closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class FallbackCase(unittest.TestCase):
    more = rows = ""
    program, arguments = Host, []

    @classmethod
    def setUpClass(cls):
        cls.first, cls.second = MockOpenAI().start(), MockOpenAI().start()
        for mock in (cls.first, cls.second):
            cls.addClassCleanup(mock.stop)
        cls.config = CONFIG.format(first=cls.first.base_url, second=cls.second.base_url, port=a_closed_port(), more=cls.more, rows=cls.rows)
        cls.host = cls.program(config=cls.config, arguments=cls.arguments).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant of its own for each test."""
        for mock, text in ((self.first, "one"), (self.second, "two")):
            mock.reset()
            mock.default = {"content": f"It is {text}.", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}
        self.tenant = self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": self.tenant}
        definition = {"system_prompt": "x", "max_tokens": 40, "tools": ["calculate"]}
        self.agent = self.call("POST", "/api/v1/admin/agents", {"name": "a", "initial_definition": definition}, 201).json["agent_id"]

    def call(self, method, path, body=None, expect=200, **more):
        return self.host.call(method, path, body, expect=expect, headers={**self.headers, **more})

    def chat(self, expect=200, model="first/dear", headers=None, **more):
        return self.call("POST", "/v1/chat/completions", {"model": model, "messages": ASK, **more}, expect, **(headers or {}))

    def say(self, **more):
        return self.chat(**more).json["choices"][0]["message"]["content"]

    def run_(self, **more):
        return self.call("POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "How often?", **more}).json

    def records(self, **filters):
        query = "&".join(f"{k}={v}" for k, v in {"action": "model.call", "limit": 500, **filters}.items())
        return self.call("GET", f"/api/v1/admin/audit?{query}").json["items"][::-1]

    def told(self):
        """What the ledger has of calls of models: kind, model, outcome, reason."""
        return [(r["kind"], r.get("model"), r.get("outcome"), r.get("reason")) for r in self.records()]

    def asked(self):
        return self.first.count("/v1/chat/completions"), self.second.count("/v1/chat/completions")

    def budget(self, **limits):
        self.call("PUT", "/api/v1/admin/budgets/org", limits)

    def spent(self):
        budget = self.call("GET", "/api/v1/admin/budgets/org").json
        return budget["tokens_used"], budget["tokens_reserved"]


TURNED = [("intent", "first/dear", None, None), ("outcome", "first/dear", "failed", "upstream"),
          ("intent", "second/cheap", None, None), ("outcome", "second/cheap", "succeeded", None)]


class Fallbacks(FallbackCase):
    def test_what_answers_is_never_turned_from(self):
        self.assertEqual("It is one.", self.say())
        self.assertEqual(TURNED[:1] + [("outcome", "first/dear", "succeeded", None)], self.told())
        self.assertEqual((1, 0), self.asked())

    def test_a_service_that_fails_has_its_place_taken_under_a_record_of_its_own(self):
        self.first.default = DOWN
        answer = self.chat().json
        self.assertEqual("It is two.", answer["choices"][0]["message"]["content"])
        self.assertEqual("cheap", answer["model"])
        self.assertEqual("cheap", self.second.requests[-1].json["model"])
        self.assertEqual(TURNED, self.told())
        records = self.records()
        self.assertEqual((records[0]["seq"], None), (records[2]["parent"], records[0].get("parent")))
        self.assertEqual(0, records[1].get("input_tokens", 0) + records[1].get("output_tokens", 0))
        self.assertEqual((20, 10), (records[3]["input_tokens"], records[3]["output_tokens"]))

    def test_each_refusal_and_nothing_else(self):
        for status, turns in ((429, True), (500, True), (502, True), (503, True), (504, True), (408, True),
                              (400, False), (401, False), (403, False), (404, False), (413, False), (422, False)):
            with self.subTest(status=status):
                self.first.reset(), self.second.reset()
                self.first.default = {"status": status}
                answer = self.chat(expect=None)
                self.assertEqual(turns, answer.status == 200, answer)
                self.assertEqual((1, int(turns)), self.asked())

    def test_who_may_have_answered_is_not_paid_twice(self):
        for one in ({"close": "before"}, {"close": "head"}, {"close": "middle", "content": "It is one."}, {"raw": b"HTTP/1.1 200 OK\r\n\r\n{}"}):
            with self.subTest(one=one):
                self.first.reset(), self.second.reset()
                self.first.default = one
                self.assertGreaterEqual(self.chat(expect=None).status, 500)
                self.assertEqual((1, 0), self.asked())

    def test_one_that_cannot_be_reached(self):
        self.assertEqual("It is one.", self.say(model="gone/x"))
        self.assertEqual(["gone/x", "first/dear"], [r["model"] for r in self.records() if r["kind"] == "intent"])
        self.assertEqual([("failed", "unavailable"), ("succeeded", None)],
                         [(r["outcome"], r.get("reason")) for r in self.records() if r["kind"] == "outcome"])

    def test_each_of_the_row_is_asked_once_and_the_last_one_tells(self):
        self.first.default = self.second.default = DOWN
        answer = self.chat(expect=502, model="gone/x")
        self.assertRegex(answer.json["error"]["message"], "in the place of gone/x: .*second.*500")
        self.assertEqual(["gone/x", "first/dear", "second/cheap"], [r["model"] for r in self.records() if r["kind"] == "intent"])
        intents = [r for r in self.records() if r["kind"] == "intent"]
        self.assertEqual([r["seq"] for r in intents[:2]], [r["parent"] for r in intents[1:]])
        self.assertEqual((1, 1), self.asked())

    def test_the_row_of_a_model_goes_before_that_of_its_provider(self):
        self.first.default = DOWN
        answer = self.chat(expect=None, model="first/alone")
        self.assertEqual((503, (1, 0)), (answer.status, self.asked()))

    def test_the_last_one_computes_here(self):
        self.first.default = self.second.default = DOWN
        self.assertTrue(self.say())
        self.assertEqual([("first/dear", "failed"), ("second/cheap", "failed"), ("last/default", "succeeded")],
                         [(r["model"], r["outcome"]) for r in self.records() if r["kind"] == "outcome"])

    def test_vectors_are_nobody_elses(self):
        self.call("POST", "/v1/embeddings", {"model": "gone/x", "input": "x"}, 503)
        self.assertEqual((0, 0), (self.first.count("/v1/embeddings"), self.second.count("/v1/embeddings")))

    def test_usage_and_metrics_count_each(self):
        self.first.default = DOWN
        self.chat()
        rows = self.call("GET", "/api/v1/admin/usage/aggregation?group_by=model").json
        names = ("api_calls", "model_calls", "failed", "input_tokens")
        self.assertEqual({"first/dear": (1, 1, 1, 0), "second/cheap": (0, 1, 0, 20)},
                         {g["key"]: tuple(g[n] for n in names) for g in rows["groups"] if g["key"]})
        lines = self.host.get("/metrics", key=None, expect=200).text.splitlines()
        mine = [line for line in lines if line.startswith("reeve_model_calls_total{") and f'tenant_id="{self.tenant}"' in line]
        self.assertEqual({('first/dear', "failed"), ('second/cheap', "succeeded")},
                         {(line.split('model="')[1].split('"')[0], line.split('outcome="')[1].split('"')[0]) for line in mine}, mine)


class Streams(FallbackCase):
    def events(self, **more):
        connection, response = self.host.request("POST", "/v1/chat/completions", {"model": "first/dear", "messages": ASK, "stream": True, **more},
                                                 headers=self.headers)
        text = response.read().decode()
        connection.close()
        return response.status, [line[6:] for line in text.splitlines() if line.startswith("data: ")]

    def said(self, frames):
        return "".join(c["delta"].get("content") or "" for f in frames if f != "[DONE]" for c in json.loads(f).get("choices", []))

    def test_before_the_first_word_another_speaks(self):
        self.first.default = DOWN
        status, frames = self.events()
        self.assertEqual((200, "It is two.", "[DONE]"), (status, self.said(frames), frames[-1]))
        self.assertEqual(TURNED, self.told())

    def test_behind_it_nobody_does(self):
        self.first.default = {"chunks": ["It ", "is ", "one", "."], "close": "middle"}
        status, frames = self.events()
        self.assertEqual(200, status)
        self.assertNotIn("two", self.said(frames))
        self.assertIn("error", json.loads(frames[-1]) if frames[-1] != "[DONE]" else json.loads(frames[-2]))
        self.assertEqual((1, 0), self.asked())

    def test_a_stream_that_an_engine_takes_over_names_it(self):
        self.first.default = self.second.default = DOWN
        status, frames = self.events()
        self.assertEqual(200, status)
        self.assertEqual({"last"}, {json.loads(f)["model"].split("/")[0] for f in frames if f != "[DONE]"})

    def test_the_stream_of_a_run_has_one_providers_words(self):
        self.first.default = DOWN
        body = {"agent_id": self.agent, "mission": "How often?", "stream": True}
        events = list(self.host.stream("POST", "/api/v1/agents/execute", body, headers=self.headers))
        self.assertEqual([("step.started", 1, "first/dear"), ("step.started", 1, "second/cheap")],
                         [(e.name, e.data["step"], e.data["model"]) for e in events if e.name == "step.started"])
        self.assertEqual("It is two.", "".join(e.data["delta"] for e in events if e.name == "message.delta"))
        self.assertEqual("run.completed", events[-1].name)
        run = events[0].data["run_id"]
        again = list(self.host.stream("GET", f"/api/v1/runs/{run}/events?after=0", headers=self.headers))
        self.assertEqual("It is two.", "".join(e.data["delta"] for e in again if e.name == "message.delta"))


class Runs(FallbackCase):
    def test_a_step_is_taken_once_whoever_takes_it(self):
        self.first.script([calculate("6*7"), DOWN])
        self.second.script([calculate("1+1")])
        self.first.default = DOWN
        answer = self.run_()
        self.assertEqual((True, "It is two.", 3), (answer["success"], answer["answer"], answer["steps"]))
        models = [r["model"] for r in self.records(run_id=answer["run_id"]) if r["kind"] == "intent"]
        self.assertEqual(["first/dear", "first/dear", "second/cheap", "first/dear", "second/cheap"], models)
        # a call that failed is no message of the conversation
        self.assertEqual(["system", "user", "assistant", "tool", "assistant", "tool"],
                         [m["role"] for m in self.second.requests[-1].json["messages"]])
        intents = {r["seq"]: r for r in self.records(run_id=answer["run_id"]) if r["kind"] == "intent"}
        links = [intents[r["parent"]]["model"] for r in intents.values() if r["model"] == "second/cheap"]
        self.assertEqual(["first/dear"] * 2, links)
        tokens = sum(r.get("input_tokens", 0) for r in self.records(run_id=answer["run_id"]) if r.get("outcome") == "succeeded")
        self.assertEqual(tokens, answer["usage"]["input_tokens"])

    def test_iterations_are_not_used_up(self):
        self.first.default = DOWN
        self.assertTrue(self.run_(max_iterations=1)["success"])

    def test_the_last_failure_is_the_runs(self):
        self.first.default = DOWN
        definition = {"system_prompt": "x", "max_tokens": 40, "model": "first/alone"}
        agent = self.call("POST", "/api/v1/admin/agents", {"name": "b", "initial_definition": definition}, 201).json["agent_id"]
        answer = self.call("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "?"}).json
        self.assertEqual((False, "failed", "unavailable"), (answer["success"], answer["status"], answer["error"]["code"]))
        self.assertIn("in the place of first/alone", answer["error"]["message"])

    def test_a_host_that_ends_between_the_two_asks_the_second_alone(self):
        self.first.default = DOWN
        with Host(config=self.config + "encryption: {enabled: false}\n") as host:
            agent = host.agent(tools=())
            run = host.run(agent, "How often?")
            journal = host.get(f"/api/v1/runs/{run['run_id']}", expect=200).json["journal"]
            types = [e["type"] for e in journal]
            self.assertEqual(["started", "model.intent", "model.outcome", "model.intent", "model.outcome", "ended"], types)
            self.assertEqual({"model": "second/cheap", "intent": journal[1]["intent"]}, journal[2]["fallback"])
            host.stop()
            cut_journal(host.state, run["run_id"], 3)
            self.first.reset(), self.second.reset()
            host.start()
            for event in host.stream("GET", f"/api/v1/runs/{run['run_id']}/events?after=0"):
                last = event
            self.assertEqual(("run.completed", "It is two."), (last.name, last.data["answer"]))
            self.assertEqual((0, 1), self.asked())


    def test_a_replay_is_of_the_whole(self):
        self.first.default = DOWN
        body, key = {"agent_id": self.agent, "mission": "How often?"}, {"Idempotency-Key": "the-same"}
        answer = self.call("POST", "/api/v1/agents/execute", body, **key)
        self.assertEqual(answer.text, self.call("POST", "/api/v1/agents/execute", body, **key).text)
        self.assertEqual((1, 1), self.asked())
        self.assertEqual(TURNED, self.told())


class Bounds(FallbackCase):
    """Each call has a price, a right and a reservation of its own."""

    def test_what_the_first_had_reserved_is_the_seconds_to_reserve(self):
        self.first.default = DOWN
        self.budget(token_limit=100)
        self.assertEqual("It is two.", self.say(max_tokens=60))
        self.assertEqual((30, 0), self.spent())

    def test_an_answer_is_as_long_as_is_left_at_the_price_of_who_gives_it(self):
        self.first.default = DOWN
        self.budget(cost_limit={"amount": "0.8", "currency": "USD"})
        self.assertEqual("It is two.", self.say(max_tokens=60))
        self.assertLess(self.first.requests[-1].json["max_tokens"], 60)
        self.assertEqual(60, self.second.requests[-1].json["max_tokens"])

    def test_a_budget_that_does_not_suffice_refuses_the_second(self):
        """It is dearer than what is left, of which the first would have taken a part."""
        self.budget(cost_limit={"amount": "0.3", "currency": "USD"})
        answer = self.chat(expect=429, model="mid/any", max_tokens=40)
        self.assertRegex(answer.json["error"]["message"], "in the place of mid/any: .*cost_limit")
        self.assertEqual((0, 0), self.asked())
        self.assertEqual((0, 0), self.spent())
        self.assertEqual([("intent", "mid/any"), ("outcome", "mid/any"), ("refusal", "first/dear")], [(r["kind"], r["model"]) for r in self.records()])

    def test_a_price_that_nobody_knows_is_no_way_around_a_budget(self):
        self.first.default = DOWN
        self.budget(cost_limit={"amount": "1000", "currency": "USD"})
        self.assertIn("the price of second/unpriced is not known", self.chat(expect=429, model="first/other").text)
        self.assertEqual((1, 0), self.asked())

    more = """    - {id: mid, plugin: llm-openai, settings: {base_url: "http://127.0.0.1:1/v1", api_key: "sk-test", retries: 0}}"""
    rows = "    - {model: mid, models: [first/dear]}\n    - {model: first/other, models: [second/unpriced, second/cheap]}"

    def test_many_at_once_pass_no_limit(self):
        self.first.default = DOWN
        self.budget(token_limit=400)
        statuses = []
        threads = [threading.Thread(target=lambda: statuses.append(self.chat(expect=None, max_tokens=60).status)) for _ in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        used, reserved = self.spent()
        self.assertEqual(0, reserved)
        self.assertLessEqual(used, 400)
        self.assertEqual(used, 30 * statuses.count(200))
        self.assertEqual({200, 429}, set(statuses))


class Engines(FallbackCase):
    """A plugin that falls, and one that is quarantined."""

    program, arguments = BrokenHost, [*folder("fragile"), "--plugin-dir", OWN]
    more = "    - {id: frail, plugin: frail}\n    - {id: abroad, plugin: frail-abroad}"
    rows = "    - {model: frail/any, models: [second/cheap]}\n    - {model: abroad/any, models: [second/cheap]}"

    def ask(self, text, expect=200, model="frail/any", **more):
        return self.chat(expect=expect, model=model, messages=[{"role": "user", "content": text}], **more)

    def test_one_that_falls_behind_a_question_of_its_own_may_have_been_answered(self):
        origin = self.first.base_url.removesuffix("/v1")
        body = {"capability": "net.http", "reason": "test", "parameters": {"origins": [origin]}}
        self.host.post("/api/v1/admin/plugins/frail-abroad/grants", body, expect=201)
        self.assertEqual("It is two.", self.ask("END", model="abroad/any").json["choices"][0]["message"]["content"])
        before = self.asked()
        self.assertIn("plugin", self.ask(f"ASK {origin}/v1/chat/completions and END", expect=None, model="abroad/any").json["error"]["code"])
        self.assertEqual((before[0] + 1, before[1]), self.asked())

    def test_it_falls_and_is_quarantined_and_another_answers(self):
        for i in range(4):
            self.assertEqual("It is two.", self.ask(f"END {i}").json["choices"][0]["message"]["content"])
        row = self.host.get("/api/v1/admin/plugins/frail", expect=200).json
        self.assertEqual("quarantined", row["process"])
        self.assertEqual("It is two.", self.ask("good").json["choices"][0]["message"]["content"])
        self.assertEqual(5, self.second.count("/v1/chat/completions"))
        self.assertEqual({("frail/any", "failed", "plugin"), ("second/cheap", "succeeded", None)},
                         {(r["model"], r["outcome"], r.get("reason")) for r in self.records() if r["kind"] == "outcome"})
        self.host.post("/api/v1/admin/plugins/frail/restart", expect=200)
        self.host.post("/api/v1/admin/plugins/frail/disable", {}, expect=200)
        self.assertEqual("It is two.", self.ask("good").json["choices"][0]["message"]["content"])
        self.host.post("/api/v1/admin/plugins/frail/enable", {}, expect=200)
        self.assertEqual("onetwo", self.ask("good").json["choices"][0]["message"]["content"])


class Plugins(CallsCase):
    """A plugin that asks a model is bound by its grants in either place."""

    config = probes.CONFIG.replace("plugins:", """    - {{id: other, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  fallbacks:
    - {{model: mock/down, models: [other/up]}}
plugins:""", 1)

    def setUp(self):
        super().setUp()
        self.says = lambda request: DOWN if request.json["model"] == "down" else {"content": "up", "usage": {"prompt_tokens": 7, "completion_tokens": 3}}

    def grant_models(self, *models, **more):
        self.revoke_all("model.call")
        for one in models:
            self.grant("model.call", parameters={"models": one, **more})

    def calls(self):
        path = f"/api/v1/admin/audit?action=model.call&limit=500&run_id={self.run_['run_id']}"
        return [r for r in self.host.get(path, key=self.tenants["left"][0], expect=200).json["items"][::-1] if r.get("plugin_id")]

    def test_granted_together_or_each_by_itself(self):
        for grants in ((["mock/down", "other/up"],), (["mock/down"], ["other/*"])):
            with self.subTest(grants=grants):
                self.grant_models(*grants)
                [(answer, error)] = self.ask(model(model="mock/down"))
                self.assertIsNone(error)
                self.assertEqual(("up", "other/up", {"input_tokens": 7, "output_tokens": 3, "estimated": False}),
                                 (answer["content"], answer["model"], answer["usage"]))
                kinds = [(r["kind"], r.get("outcome"), r["plugin_id"]) for r in self.calls()]
                self.assertEqual([("intent", None, "probe-one"), ("outcome", "failed", "probe-one"), ("intent", None, "probe-one"),
                                  ("outcome", "succeeded", "probe-one")], kinds)
                self.assertEqual(self.calls()[0]["seq"], self.calls()[2]["parent"])

    def test_what_is_not_granted_is_not_asked_in_anybodys_place(self):
        self.grant_models(["mock/down"])
        [(answer, error)] = self.ask(model(model="mock/down"))
        self.assertIsNone(answer)
        self.assertRegex(error, 'permission_denied: in the place of mock/down: .*model "other/up" is not granted')
        self.assertEqual(["down"], [one["model"] for one in self.asked])
        self.assertEqual(["intent", "outcome", "refusal"], [r["kind"] for r in self.calls()])

    def test_tokens_of_a_grant_are_taken_once(self):
        self.grant_models(["mock/down", "other/up"], tokens=400)
        [(first, error), (second, _)] = self.ask(model(model="mock/down", max_tokens=50), model(model="mock/down", max_tokens=50))
        self.assertIsNone(error)
        self.assertEqual(["up", "up"], [first["content"], second["content"]])
        self.assertEqual([50] * 4, [one["max_tokens"] for one in self.asked])


class PluginsInTheHost(Plugins):
    trusted = True


class Words(unittest.TestCase):
    """A configuration that cannot be meant is refused, with its place."""

    def refused(self, rows):
        url = "http://127.0.0.1:1/v1"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "reeve.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(CONFIG.format(first=url, second=url, port=1, more="", rows=rows))
            done = subprocess.run([HOST, "--state-dir", os.path.join(folder, "state"), "--listen", "127.0.0.1:0", "--bus", "none", "--config", path],
                                  capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(78, done.returncode, done.stderr)
        return done.stderr

    def test_each(self):
        for rows, words in (("    - {model: nobody/x, models: [first/dear]}", "llm.fallbacks.*3.*model.*nobody"),
                            ("    - {model: second/x, models: [nobody]}", "llm.fallbacks.*3.*models.*0.*nobody"),
                            ("    - {model: second/x, models: [second/x]}", "models.*0.*second/x is there already"),
                            ("    - {model: second/x, models: [first/y, first/y]}", "models.*1.*first/y is there already"),
                            ("    - {model: first, models: [second/x]}", "model.*first is there already"),
                            ("    - {model: second/x, models: []}", "models"),
                            ("    - {model: second/x}", "models")):
            with self.subTest(rows=rows):
                self.assertRegex(self.refused(rows), words)


if __name__ == "__main__":
    main()
