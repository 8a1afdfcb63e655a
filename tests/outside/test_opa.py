# SPDX-License-Identifier: LGPL-2.1-or-later
"""A policy agent that is asked besides the tool policy: what it gets, what its answers do, what holds without it, and what is recorded.
It is a stand-in (mock_opa.py): no Open Policy Agent runs here."""

import json
import os
import sys
import tempfile
import threading
import time
import unittest

from mock_opa import MockOpa, Raw, Status, UNDEFINED, head
from mock_openai import MockOpenAI
from reeve import SOURCE, Host, main
from test_missions import calculate

sys.path.insert(0, os.path.join(SOURCE, "tests", "governance"))
from rego_reader import Module  # noqa: E402 pylint: disable=wrong-import-position

BASE = "/api/v1/admin/policies"
CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{llm}", api_key: "sk-test"}}}}
policy:
  opa: {{mode: also, url: "{opa}", {more}}}
"""

# answers all the same, and no decision
UNREADABLE = (("400", Status(400, "invalid_parameter")), ("404", Status(404, "resource_not_found")), ("401", Status(401, "unauthorized")),
              ("no JSON", Raw(head(200, 5) + b"true,")), ("a list", Raw(head(200, 2) + b"[]")), ("null", None), ("a number", 1), ("a text", "true"),
              ("no boolean", {"allow": "true"}), ("approval", {"allow": True, "approval_required": 1}),
              ("twice", Raw(head(200, 31) + b'{"result":false,"result": true}')), ("too long", {"allow": False, "reason": "x" * 70000}))


def until(what, condition):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.005)


class OpaCase(unittest.TestCase):
    more = "timeout_ms: 30000, backoff_ms: 1"

    @classmethod
    def setUpClass(cls):
        cls.llm = MockOpenAI().start()
        cls.addClassCleanup(cls.llm.stop)
        cls.opa = MockOpa().up()
        cls.addClassCleanup(cls.opa.close)
        cls.host = Host(config=CONFIG.format(llm=cls.llm.base_url, opa=cls.opa.url, more=cls.more)).start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent()

    def setUp(self):
        self.opa.decide = lambda question: True
        self.opa.questions.clear()
        if self.opa.thread is None:
            self.opa.up()

    def mission(self, expression="6*7", agent=None):
        """One tool call; returns what the model was told and the records of the call: intents and refusals."""
        self.llm.script([calculate(expression), {"content": "done"}])
        run = self.host.run(agent or self.agent, "x")
        self.assertTrue(run["success"], run)
        told = [m["content"] for m in self.llm.requests[-1].json["messages"] if m["role"] == "tool"][-1]
        records = [r for r in self.host.records(run_id=run["run_id"]) if r["action"] == "tool.call" and r["kind"] in ("intent", "refusal")]
        return told, [(r["kind"], r.get("reason")) for r in records]

    def evaluate(self, tool="calculate", **context):
        return self.host.post(BASE + "/evaluate", {"agent_id": self.agent, "tool_name": tool, "context": context}, expect=200).json

    def reached(self):
        """Until the host has seen that the agent is back."""
        until("an answer", lambda: self.evaluate()["trace"][-1]["rule"] == "decision")


class Answers(OpaCase):
    def test_what_it_is_asked(self):
        self.mission("41+1")
        question, = self.opa.questions
        self.assertEqual("/v1/data/agent_platform/policy/default/allow", question.path)
        self.assertNotIn("authorization", question.headers)
        asked = dict(question.input)
        self.assertEqual({"id": self.agent, "role": "executor"}, asked.pop("agent"))
        self.assertEqual(["admin"], asked.pop("user")["roles"])
        self.assertRegex(asked.pop("run_id"), "^run_")
        self.assertRegex(asked.pop("arguments_digest"), "^[0-9a-f]{64}$")
        self.assertRegex(asked.pop("time"), "^20..-..-..T..:..:")
        self.assertGreater(asked.pop("estimated_tokens"), 0)
        self.assertEqual({"tenant_id": "default", "tool": "calculate", "kind": "compute", "risk": "low", "external": False, "cost": 0,
                          "agent_tools": ["calculate"], "sandbox_level": None,
                          "facts": {"constraints": "held", "blocked": False, "approval": False, "allowlist": False, "standard": False, "trusted": False}},
                         asked)
        self.assertNotIn(b"41+1", question.body)
        self.assertNotIn(self.host.key.encode(), question.body)

    def test_allowed_calls_are_recorded_as_such(self):
        for answer in (True, {"allow": True}, {"allow": True, "reason": "fine", "approval_required": False, "more": [1]}):
            self.opa.decide = lambda question, answer=answer: answer
            told, records = self.mission()
            self.assertIn("42", told)
            self.assertEqual([("intent", "opa_allowed")], records)

    def test_refusals(self):
        for answer, word in ((False, "opa_denied"), ({"allow": False, "reason": "not on sundays"}, "opa_denied"), (UNDEFINED, "opa_undefined"),
                             ({}, "opa_undefined"), ({"reason": "x"}, "opa_undefined"), ({"allow": True, "approval_required": True}, "approval_required"),
                             ({"allow": False, "approval_required": True}, "approval_required")):
            with self.subTest(answer):
                self.opa.decide = lambda question, answer=answer: answer
                told, records = self.mission()
                self.assertIn(f"({word})", told)
                self.assertEqual([("refusal", word)], records)
        self.assertIn("not on sundays", self.host.read_log())

    def test_what_is_no_answer_leaves_it_to_the_tool_policy(self):
        whole = head(200, 15) + b'{"result":true}'
        for name, answer in (("500", Status(500)), ("503", Status(503)), ("half a head", Raw(whole[:20])), ("half a body", Raw(whole[:-5])),
                             ("nothing", Raw(b"")), ("no HTTP", Raw(b"hello\r\n\r\n"))):
            with self.subTest(name):
                self.reached()
                self.opa.decide = lambda question, answer=answer: answer
                told, records = self.mission()
                self.assertIn("42", told)
                self.assertEqual([("intent", "opa_unreachable")], records)
                self.opa.decide = lambda question: True

    def test_what_cannot_be_read_is_a_no(self):
        for name, answer in UNREADABLE:
            with self.subTest(name):
                self.opa.decide = lambda question, answer=answer: answer
                told, records = self.mission()
                self.assertIn("(opa_unreadable)", told)
                self.assertEqual([("refusal", "opa_unreadable")], records)
        self.assertIn("allow or approval_required is neither true nor false", self.host.read_log())

    def test_it_never_widens(self):
        self.host.put(BASE + "/org", {"tools": [{"tool_name": "calculate", "effect": "deny"}]}, expect=200)
        try:
            told, records = self.mission()
            self.assertIn("(tool_denied)", told)
            self.assertEqual([("refusal", "tool_denied")], records)
            self.assertEqual((False, "tool_denied"), (self.evaluate()["allowed"], self.evaluate()["reason"]))
            self.assertEqual([], self.opa.questions, "nobody is asked about what is denied anyway")
        finally:
            self.host.put(BASE + "/org", {"tools": [{"tool_name": "calculate", "effect": "allow"}]}, expect=200)

    def test_what_it_refuses_does_not_count(self):
        self.host.put(BASE + "/org", {"matrix": {"calculate": {"allowed": True, "rate_limit": "1/day"}}}, expect=200)
        try:
            for answer, word in ((False, "opa_denied"), (False, "opa_denied"), (True, "opa_allowed"), (True, "rate_limit_exceeded")):
                self.opa.decide = lambda question, answer=answer: answer
                self.assertEqual(word, self.mission()[1][0][1])
        finally:
            self.host.put(BASE + "/org", {"tools": [{"tool_name": "calculate", "effect": "allow"}]}, expect=200)

    def test_evaluate_asks_and_shows_it(self):
        self.opa.decide = lambda question: {"allow": False, "reason": "closed\n today"}
        found = self.evaluate(arguments={"expression": "1"})
        self.assertEqual((False, "deny", "opa_denied"), (found["allowed"], found["decision"], found["reason"]))
        self.assertEqual({"stage": "opa", "rule": "decision", "source": "opa", "revision": None, "set_by": None, "effect": "deny",
                          "reason": "closed  today"}, found["trace"][-1])
        self.opa.decide = lambda question: Status(500)
        found = self.evaluate()
        self.assertEqual((True, "unreachable", "unchecked", "it answered with status 500"),
                         (found["allowed"], *(found["trace"][-1][m] for m in ("rule", "effect", "reason"))))

    def test_down_and_up_again(self):
        self.opa.down()
        self.assertEqual([("intent", "opa_unreachable")], self.mission()[1])
        self.assertIn("does not answer, the tool policy alone decides", self.host.read_log())
        self.opa.up()
        self.opa.decide = lambda question: False
        self.reached()
        self.assertEqual([("refusal", "opa_denied")], self.mission()[1])
        self.assertIn("answers again", self.host.read_log())
        # it starts anew between two questions: what was a kept connection is none any more
        self.opa.down()
        self.opa.up()
        self.assertEqual([("refusal", "opa_denied")], self.mission()[1])

    def test_what_is_generated_decides_as_it_does(self):
        """The module that an administrator puts into his agent, run by the reader of the generator's tests."""
        self.host.put(BASE + "/org", {"tools": [{"tool_name": "calc*", "effect": "allow"}], "token_limit": 100000,
                                      "approval": {"approval_required": ["x"]}}, expect=200)
        self.addCleanup(self.host.put, BASE + "/org", {"tools": [{"tool_name": "calculate", "effect": "allow"}]}, expect=200)
        shown = self.host.get(BASE + "/rego", expect=200).json
        self.assertEqual(("default", None, 'agent_platform.policy["default"]'), (shown["org_id"], shown["agent_id"], shown["package"]))
        self.assertEqual(shown["module"], json.loads(self.host.ctl("policy", "rego", "default").stdout)["module"])
        module = Module(shown["module"])
        self.assertEqual("agent_platform.policy.default", module.package)
        for rule in ("decision", "allow"):
            self.opa.decide = lambda question, rule=rule: module.get(rule, question.input)
            self.assertEqual([("intent", "opa_allowed")], self.mission()[1])
            self.opa.decide = lambda question, rule=rule: module.get(rule, {**question.input, "estimated_tokens": 100001})
            self.assertEqual([("refusal", "opa_denied")], self.mission()[1])
        self.assertEqual([100000, 0, ["calc*"]], [module.get("token_limit", {}), module.get("execution_timeout", {}),
                                                  [p[5:-1].replace(".*", "*") for p in module.get("allowed_tools_patterns", {})]])
        self.opa.decide = lambda question: module.get("decision", question.input)
        self.assertEqual([("intent", "opa_allowed")], self.mission()[1])
        self.host.put(BASE + "/org", {"tools": [{"tool_name": "*", "effect": "allow"}]}, expect=200)
        self.opa.decide = lambda question: module.get("decision", {**question.input, "tool": "other", "agent_tools": None})
        found = self.evaluate()
        self.assertEqual(("opa_denied", "tool_not_allowed"), (found["reason"], found["trace"][-1]["reason"]))
        self.opa.decide = lambda question: module.get("decision", question.input)
        self.host.put(f"{BASE}/agents/{self.agent}", {"tools": [{"tool_name": "calculate", "effect": "allow"}]}, expect=200)
        self.addCleanup(self.host.delete, f"{BASE}/agents/{self.agent}", expect=204)
        own = self.host.get(f"{BASE}/rego?agent_id={self.agent}", expect=200).json
        self.assertIn(json.dumps(self.agent), own["module"])
        self.assertIn(json.dumps(self.agent), self.host.get(BASE + "/rego", expect=200).json["module"], "it has a module of its own")
        self.host.get(BASE + "/rego?agent_id=agt_none", expect=404)
        module = Module(own["module"])
        self.assertEqual([("intent", "opa_allowed")], self.mission()[1])

    def test_doctor(self):
        def found():
            return {i["id"]: i for i in self.host.get("/api/v1/admin/doctor", expect=200).json["items"]}["policy.opa"]
        self.assertEqual("ok", found()["state"])
        self.opa.healthy = False
        self.addCleanup(setattr, self.opa, "healthy", True)
        self.assertIn("status 500", found()["detail"])
        self.opa.down()
        self.assertEqual(("fail", True), (found()["state"], self.opa.url in found()["detail"]))


class Waiting(OpaCase):
    def test_nobody_else_waits_and_a_change_of_mind_holds(self):
        """Many calls wait for an agent that thinks; everything else is answered. Each call does what it was told for it, and nothing else."""
        allowed, think = [], threading.Event()

        def decide(question):
            think.wait(60)
            with self.opa.lock:
                answer = len(allowed) < 7
                if answer:
                    allowed.append(question.input["run_id"])
            return answer

        self.opa.decide = decide
        agents, answers = 12, []

        def run():
            answers.append(self.host.run(self.agent, "x"))

        self.llm.script([calculate("6*7")] * agents + [{"content": "done"}] * agents)
        threads = [threading.Thread(target=run) for _ in range(agents)]
        try:
            for thread in threads:
                thread.start()
            until("all are asked", lambda: len(self.opa.questions) == agents)
            for _ in range(20):
                self.host.get("/health", expect=200, key=None)
                self.host.get("/api/v1/me", expect=200)
        finally:
            think.set()
            for thread in threads:
                thread.join(60)
        self.assertEqual(agents, len(answers))
        records = [r for r in self.host.records(action="tool.call") if r["run_id"] in {a["run_id"] for a in answers}]
        self.assertEqual(set(allowed), {r["run_id"] for r in records if r["kind"] == "intent"})
        self.assertEqual({"opa_allowed"}, {r["reason"] for r in records if r["kind"] == "intent"})
        self.assertEqual([agents - len(allowed), {"opa_denied"}], [len([r for r in records if r["kind"] == "refusal"]),
                                                                  {r["reason"] for r in records if r["kind"] == "refusal"}])


class Garbled(OpaCase):
    """With a back-off that nobody outlives: it must not begin."""

    more = "timeout_ms: 30000, backoff_ms: 600000"

    def test_it_concerns_that_question_alone(self):
        for name, answer in UNREADABLE:
            with self.subTest(name):
                self.opa.decide = lambda question, answer=answer: answer
                self.assertEqual((False, "opa_unreadable"), tuple(self.evaluate()[m] for m in ("allowed", "reason")))
                self.opa.decide = lambda question: True
                found = self.evaluate()
                self.assertEqual((True, "decision"), (found["allowed"], found["trace"][-1]["rule"]))
        self.assertNotIn("does not answer", self.host.read_log())


class Slow(OpaCase):
    more = "timeout_ms: 500, backoff_ms: 600000"

    def test_time_is_bounded_and_it_is_not_asked_again_at_once(self):
        think = threading.Event()
        self.opa.decide = lambda question: think.wait(60) or True
        self.assertEqual([("intent", "opa_unreachable")], self.mission()[1])
        think.set()
        for _ in range(3):
            self.assertEqual([("intent", "opa_unreachable")], self.mission()[1])
        self.assertEqual("it was not reached a moment ago", self.evaluate()["trace"][-1]["reason"])
        self.assertLessEqual(len(self.opa.questions), 1)


class Closed(OpaCase):
    more = 'timeout_ms: 30000, backoff_ms: 1, unreachable: deny, token: "env:OPA_TEST_TOKEN", path: "v1/data/other/{tenant}/place/x-{tenant}", include_arguments: true'

    @classmethod
    def setUpClass(cls):
        os.environ["OPA_TEST_TOKEN"] = "canary-4711"
        cls.addClassCleanup(os.environ.pop, "OPA_TEST_TOKEN")
        super().setUpClass()

    def test_without_an_answer_there_is_no_call(self):
        self.opa.down()
        told, records = self.mission()
        self.assertIn("(opa_unreachable)", told)
        self.assertEqual([("refusal", "opa_unreachable")], records)
        found = self.evaluate()
        self.assertEqual((False, "opa_unreachable", "deny"), (found["allowed"], found["reason"], found["trace"][-1]["effect"]))
        self.opa.up()
        self.reached()
        self.assertEqual([("intent", "opa_allowed")], self.mission()[1])

    def test_token_path_and_arguments(self):
        self.mission("40+2")
        question, = self.opa.questions
        self.assertEqual(("/v1/data/other/default/place/x-default", "Bearer canary-4711"), (question.path, question.headers["authorization"]))
        self.assertEqual({"expression": "40+2"}, question.input["arguments"])
        shown = json.dumps(self.host.get("/api/v1/admin/config?key=policy", expect=200).json)
        self.assertNotIn("canary", shown + self.host.read_log())

    def test_a_question_that_is_too_long_is_no(self):
        found = self.evaluate(arguments={"expression": "1" * 1100000})
        self.assertEqual((False, "opa_denied", "the question is too long"), (found["allowed"], found["reason"], found["trace"][-1]["reason"]))
        self.assertEqual([], self.opa.questions)


class Off(unittest.TestCase):
    def test_nobody_is_asked(self):
        with Host() as host:
            checks = {i["id"]: i for i in host.get("/api/v1/admin/doctor", expect=200).json["items"]}
            self.assertEqual("not_applicable", checks["policy.opa"]["state"].replace("-", "_"))

    def test_cleartext_over_the_network_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            host = Host(config='profile: enterprise\npolicy: {opa: {mode: also, url: "http://192.0.2.1:8181"}}\n', state=os.path.join(folder, "state"))
            self.addCleanup(host.folder.cleanup)
            with self.assertRaisesRegex(AssertionError, "policy.opa.url"):
                host.start()
            host.log.close()
            host.process.stdout.close()


del OpaCase  # it has no tests of its own

if __name__ == "__main__":
    main()
