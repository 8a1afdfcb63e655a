#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities model.call and tool.call: what a plugin asks of models and tools goes through the gate, in the name of who calls it, and no
further than was granted."""

import json
import threading
import time

from probes import ProbeCase
from reeve import main

MODEL, TOOL = "model.call", "tool.call"
ONE, TWO = "tool-of-probe-one", "tool-of-probe-two"
CLOCK = ("clock", {})
PLUGIN_SAYS = "A plugin asks: "


def model(text="how much?", **more):
    return MODEL, {"messages": [{"role": "user", "content": PLUGIN_SAYS + text}], **more}


def arguments(calls, **more):
    return {"calls": [dict(zip(("capability", "params"), call)) for call in calls], **more}


def tool(name, *calls, **more):
    return TOOL, {"tool": name, "arguments": arguments(calls, **more)}


def nested(depth, *calls, names=(ONE, TWO)):
    """Calls that hang below one another, so many of tools, the innermost of which makes @calls."""
    for level in range(depth):
        calls = (tool(names[(depth - level) % len(names)], *calls),)
    return calls[0]


def read(text):
    """[(answer, error)] of what a probe says."""
    return [(r.get("ok"), None if "ok" in r else f"{r['error']}: {r['message']}") for r in json.loads(text)]


class CallsCase(ProbeCase):
    depth = 8

    def setUp(self):
        for plugin in self.ids:
            for capability in (MODEL, TOOL):
                self.revoke_all(capability, plugin)
                self.grant(capability, plugin, parameters={"depth": self.depth})
        self.mock.script([])
        self.says = {"content": "forty-two"}
        self.asked = []

    def answer(self, request):
        """An agent lets its tool work, then is done; a plugin is told what the test says."""
        messages = request.json["messages"]
        if messages[-1]["role"] == "user" and messages[-1]["content"].startswith(PLUGIN_SAYS):
            self.asked.append(request.json)
            return self.says(request) if callable(self.says) else self.says
        if messages[-1]["role"] == "tool":
            return {"content": "done"}
        return {"tool_calls": [json.loads(messages[-1]["content"])]}

    def start(self, *calls, plugin="probe-one", tenant="left", key=None, agent=None, expect=200, **more):
        """A run whose agent lets the plugin's tool make these calls."""
        self.mock.default = self.answer
        own, made = self.tenants[tenant]
        mission = json.dumps({"name": f"tool-of-{plugin}", "arguments": arguments(calls, **more)})
        self.run_ = self.host.post("/api/v1/agents/execute", {"agent_id": agent or made, "mission": mission}, key=key or own, expect=expect).json
        return self.run_

    def told(self, run, tenant="left"):
        """What the tool said."""
        entries = self.host.get(f"/api/v1/runs/{run['run_id']}", key=self.tenants[tenant][0], expect=200).json["journal"]
        return [e["text"] for e in entries if e["type"] in ("tool.outcome", "tool.refused")][-1]

    def ask(self, *calls, tenant="left", **more):
        return read(self.told(self.start(*calls, tenant=tenant, **more), tenant))

    def within(self, answer, depth):
        """What the innermost of nested calls was answered."""
        for _ in range(depth):
            [(answer, error)] = read(answer["text"])
        return answer, error

    def records(self, tenant="left", **wanted):
        items = self.host.get(f"/api/v1/admin/audit?run_id={self.run_['run_id']}&limit=500", key=self.tenants[tenant][0], expect=200).json["items"]
        return [r for r in reversed(items) if all(r.get(k) == v for k, v in wanted.items())]

    def wait_for(self, what, seconds=30):
        end = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def begin(self, *calls, **more):
        """The same in a thread, as soon as a model is asked; returns what waits for its end."""
        result = {}
        before = len(self.asked)
        thread = threading.Thread(target=lambda: result.update(self.start(*calls, **more)))
        thread.start()
        self.wait_for(lambda: len(self.asked) > before)

        def end():
            thread.join(60)
            self.assertFalse(thread.is_alive())
            return result
        return end

    def under_way(self, tenant="left"):
        items = self.host.get("/api/v1/runs?status=running", key=self.tenants[tenant][0], expect=200).json["items"]
        return items[0]["run_id"]


class Calls(CallsCase):
    def test_a_model_answers(self):
        answer = self.one(*model("how much?", max_tokens=50, temperature=0.5))
        self.assertEqual(("forty-two", "mock/gpt-test", "stop"), tuple(answer[k] for k in ("content", "model", "finish_reason")))
        self.assertEqual({"input_tokens", "output_tokens", "estimated"}, set(answer["usage"]))
        [asked] = self.asked
        self.assertEqual(([{"role": "user", "content": PLUGIN_SAYS + "how much?"}], 50, 0.5), (asked["messages"], asked["max_tokens"], asked["temperature"]))
        self.assertNotIn("tools", asked)

    def test_a_tool_answers(self):
        answer = self.one(*tool(TWO, CLOCK))
        self.assertFalse(answer["is_error"])
        [(inner, error)] = read(answer["text"])
        self.assertEqual(({"time"}, None), (set(inner), error))

    def test_what_is_recorded(self):
        self.one(*tool(TWO, model()))
        outer, = self.records(kind="intent", tool_name=ONE)
        inner, = self.records(kind="intent", tool_name=TWO)
        asked, = self.records(kind="intent", plugin_id="probe-two")
        self.assertNotIn("plugin_id", outer)
        self.assertEqual(("tool.call", "probe-one", outer["seq"]), (inner["action"], inner["plugin_id"], inner["parent"]))
        self.assertEqual(("model.call", "mock/gpt-test", inner["seq"]), (asked["action"], asked["model"], asked["parent"]))
        for record in (inner, asked):
            for member in ("actor", "key_id", "agent_id", "trace_id", "run_id", "scope", "door"):
                self.assertEqual(outer[member], record[member], member)
        for intent in (outer, inner, asked):
            outcome, = self.records(kind="outcome", intent=intent["seq"])
            self.assertEqual(("succeeded", intent.get("plugin_id"), intent["parent"]), (outcome["outcome"], outcome.get("plugin_id"), outcome["parent"]))
        outcome, = self.records(kind="outcome", intent=asked["seq"])
        self.assertGreater(outcome["input_tokens"], 0)
        chain = self.host.get(f"/api/v1/runs/{self.run_['run_id']}/delegation", key=self.tenants["left"][0], expect=200).json["entries"]
        self.assertEqual([(inner["seq"], "probe-one"), (asked["seq"], "probe-two")], [(e["sequence"], e["plugin_id"]) for e in chain
                                                                                      if e["entry"] == "policy_check" and "plugin_id" in e])
        self.assertEqual(sorted(e["sequence"] for e in chain), [e["sequence"] for e in chain])
        # what the run took is all that models took for it
        usage = [r for r in self.records(kind="outcome", action="model.call")]
        self.assertEqual(sum(r["input_tokens"] for r in usage), self.run_["usage"]["input_tokens"])
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", key=self.tenants["left"][0], expect=200).json)

    def test_malformed(self):
        good = {"messages": [{"role": "user", "content": "x"}]}
        for params in ({}, {"messages": []}, {"messages": "x"}, {"messages": [1]}, {"messages": [{"role": "tool", "content": "x"}]},
                       {"messages": [{"role": "user"}]}, {"messages": [{"role": "user", "content": ["x"]}]}, {"messages": good["messages"] * 257},
                       {**good, "max_tokens": 0}, {**good, "max_tokens": 1000001}, {**good, "max_tokens": "5"}, {**good, "temperature": 2.1},
                       {**good, "temperature": -0.1}, {**good, "temperature": "hot"}, {**good, "model": 1}, {**good, "model": ""}, {**good, "model": "m" * 201}):
            self.refused(MODEL, params, "invalid_argument: model.call: ")
        for params in ({}, {"tool": 1}, {"tool": ""}, {"tool": "t" * 65}, {"tool": TWO, "arguments": 1}, {"tool": TWO, "arguments": []}):
            self.refused(TOOL, params, "invalid_argument: tool.call: ")
        self.refused(TOOL, {"tool": "none-such"}, "not_found: there is no tool")
        self.assertEqual([], self.asked)

    def test_without_a_grant(self):
        for capability, call in ((MODEL, model()), (TOOL, tool(TWO, CLOCK))):
            self.assertEqual((True, "effective"), tuple(self.rows()[capability][k] for k in ("offered", "state")))
            self.revoke_all(capability)
            self.refused(*call, f"capability_revoked: plugin probe-one no more has capability {capability}")
            self.grant(capability, tenant_id="right")
            self.refused(*call, "capability")
            self.one(*call, tenant="right")
        self.assertEqual([], [r for r in self.records() if "plugin_id" in r])

    def test_only_what_is_on_the_list(self):
        for models in (["mock/gpt-test"], ["gpt-test"], ["other/x", "mock/*"]):
            self.grant_only(MODEL, models=models)
            self.one(*model())
        for models in (["mock/gpt-tes"], ["mock/gpt"], ["other/*"], ["/*"], ["mock"], ["*"], ["moc/*"]):
            self.grant_only(MODEL, models=models)
            self.refused(*model(), 'permission_denied: model.call: model "mock/gpt-test" is not granted to plugin probe-one')
        refusal = self.records(kind="refusal")[-1]
        self.assertEqual(("model.call", "probe-one", "permission_denied"), tuple(refusal[k] for k in ("action", "plugin_id", "reason")))
        self.grant_only(TOOL, tools=[ONE, "other"])
        self.refused(*tool(TWO, CLOCK), f'permission_denied: tool.call: tool "{TWO}" is not granted')
        self.one(*tool(ONE, CLOCK))
        # a second grant adds to the first, in its tenant
        self.grant(TOOL, tenant_id="left", parameters={"tools": [TWO]})
        self.one(*tool(TWO, CLOCK))
        self.refused(*tool(TWO, CLOCK), "permission_denied", tenant="right")

    # ---- the gate ----

    def test_a_policy_refuses(self):
        key = self.tenants["left"][0]
        rules = {"tools": [{"tool_name": "tool-of-*", "effect": "allow"}]}
        try:
            self.host.put("/api/v1/admin/policies/org", {**rules, "matrix": {TWO: {"allowed": False}}}, key=key, expect=200)
            self.refused(*tool(TWO, CLOCK), "permission_denied: .*")
            self.assertEqual([("tool.call", TWO, "probe-one")], [tuple(r[k] for k in ("action", "tool_name", "plugin_id")) for r in self.records(kind="refusal")])
            # nobody can be asked in the middle of a call: what would need it is refused, and says so
            self.host.put("/api/v1/admin/policies/org", {**rules, "approval": {"approval_required": [TWO]}}, key=key, expect=200)
            self.refused(*tool(TWO, CLOCK), "permission_denied: .*approval_required")
            self.one(*tool(ONE, CLOCK))
        finally:
            self.host.put("/api/v1/admin/policies/org", rules, key=key, expect=200)

    def test_the_agent_has_no_more_tools_through_its_plugins(self):
        key = self.tenants["left"][0]
        body = {"name": "narrow", "initial_definition": {"system_prompt": "Test.", "tools": [ONE]}}
        agent = self.host.post("/api/v1/admin/agents", body, key=key, expect=201).json["agent_id"]
        self.refused(*tool(TWO, CLOCK), "permission_denied: .*tool_not_in_definition", agent=agent)
        self.one(*tool(ONE, CLOCK), agent=agent)

    def test_a_caller_who_may_no_more(self):
        admin = self.tenants["left"][0]
        user = self.host.post("/api/v1/admin/users", {"username": f"op-{time.monotonic_ns()}", "roles": ["operator"]}, key=admin, expect=201).json["user_id"]
        made = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "t", "roles": ["operator"]}, key=admin, expect=201).json
        self.says = {"content": "late", "delay": 1}
        end = self.begin(model(), tool(TWO, CLOCK), model(), key=made["key"])
        self.host.call("PATCH", f"/api/v1/admin/users/{user}", {"roles": ["viewer"]}, key=admin, expect=200)
        run = end()
        intents = {(r["action"], r["plugin_id"]) for r in self.records_of(run) if "plugin_id" in r and r["kind"] == "intent"}
        self.assertEqual({("model.call", "probe-one")}, intents)
        self.assertEqual(1, len(self.asked))

    def records_of(self, run):
        items = self.host.get("/api/v1/admin/audit?limit=500", key=self.tenants["left"][0], expect=200).json["items"]
        run_id = run.get("run_id") or next(r["run_id"] for r in items if "run_id" in r)
        return [r for r in items if r.get("run_id") == run_id]

    def test_a_budget_bounds_what_plugins_ask(self):
        headers = {"key": self.tenants["right"][0]}
        self.host.put("/api/v1/admin/budgets/org", {"token_limit": 100000}, expect=200, **headers)
        try:
            answers = self.ask(model(max_tokens=1000000), model(max_tokens=100), tenant="right")
            self.assertEqual([None, None], [e for _, e in answers])
            # the answer is asked for no longer than the budget leaves room for
            self.assertLess(self.asked[0]["max_tokens"], 100000)
            used = self.host.get("/api/v1/admin/budgets/org", expect=200, **headers).json["tokens_used"]
            self.assertEqual(used, sum(r.get("input_tokens", 0) + r.get("output_tokens", 0) for r in self.records("right", kind="outcome", action="model.call")))
        finally:
            self.host.delete("/api/v1/admin/budgets/org", **headers)

    # ---- tokens of a grant ----

    def taken(self, since=0):
        """What models took of probe-one's grant, of the runs up to now."""
        items = self.host.get("/api/v1/admin/audit?action=model.call&limit=500", key=self.tenants["left"][0], expect=200).json["items"]
        return sum(r.get("input_tokens", 0) + r.get("output_tokens", 0) for r in items if r.get("plugin_id") == "probe-one" and r["seq"] > since)

    def test_the_tokens_of_a_grant_are_never_passed(self):
        self.says = lambda request: {"content": "yes", "usage": {"prompt_tokens": 10, "completion_tokens": min(90, request.json["max_tokens"])}}
        since = self.host.get("/api/v1/admin/audit?limit=1", key=self.tenants["left"][0], expect=200).json["items"][0]["seq"]
        self.grant_only(MODEL, tokens=1000, depth=1)
        answers = self.ask(*[model(max_tokens=100)] * 4, threads=16)
        self.assertIn(None, [e for _, e in answers])
        self.assertEqual({"budget_exceeded"}, {e.split(":")[0] for _, e in answers if e})
        self.assertLessEqual(self.taken(since), 1000)
        # nothing is lost of what was reserved: one after another they take all of it, but for what no answer fits into
        self.ask(*[model(max_tokens=100)] * 16)
        self.assertLessEqual(self.taken(since), 1000)
        self.assertGreater(self.taken(since), 900)
        self.refused(*model(max_tokens=100), "budget_exceeded: model.call: .*tokens are left of what the grant gives in this tenant")
        self.assertEqual("budget_exceeded", self.records(kind="refusal")[-1]["reason"])
        # so it is behind a crash; another tenant has as many of its own
        self.host.kill()
        self.host.start()
        self.refused(*model(max_tokens=100), "budget_exceeded")
        self.one(*model(max_tokens=100), tenant="right")
        # a second grant has tokens of its own
        self.grant(MODEL, parameters={"tokens": 200, "depth": 1})
        self.one(*model(max_tokens=100))

    def test_what_fails_gives_its_tokens_back(self):
        self.grant_only(MODEL, tokens=300)
        self.says = {"status": 400}
        self.assertEqual([True] * 12, [e is not None and "budget" not in e for _, e in self.ask(*[model(max_tokens=200)] * 12)])
        self.says = {"content": "yes", "usage": {"prompt_tokens": 1, "completion_tokens": 1}}
        self.one(*model(max_tokens=200))

    def test_the_tokens_of_a_tools_grant_bound_what_models_take_below(self):
        self.says = {"content": "yes", "usage": {"prompt_tokens": 50, "completion_tokens": 50}}
        self.grant_only(TOOL, tokens=250, depth=8)
        outer = self.one(*tool(TWO, *[model(max_tokens=60)] * 4))
        errors = [e for _, e in read(outer["text"])]
        self.assertEqual([None, None], errors[:2])
        self.assertRegex(errors[3], "budget_exceeded")
        # probe-two by itself is bound by its own grants alone
        self.one(*model(max_tokens=60), plugin="probe-two")

    def test_a_grant_that_stands_above_itself_pays_once(self):
        self.says = {"content": "yes", "usage": {"prompt_tokens": 50, "completion_tokens": 50}}
        self.grant_only(TOOL, tokens=1000, depth=8)
        outer = self.one(*tool(ONE, *[tool(ONE, model(max_tokens=100))] * 8))
        self.assertEqual([None] * 8, [self.within(answer, 1)[1] for answer, _ in read(outer["text"])])
        # what is left is 200
        outer = self.one(*tool(ONE, *[tool(ONE, model(max_tokens=100))] * 3))
        errors = [self.within(answer, 1)[1] for answer, _ in read(outer["text"])]
        self.assertEqual([None, None], errors[:2])
        self.assertRegex(errors[2], "budget_exceeded")

    def test_the_token_limit_of_an_execution_holds_for_many_at_once(self):
        key = self.tenants["left"][0]
        rules = {"tools": [{"tool_name": "tool-of-*", "effect": "allow"}]}
        self.says = lambda request: {"content": "yes", "usage": {"prompt_tokens": 30, "completion_tokens": request.json["max_tokens"]}, "delay": 0.5}
        self.host.put("/api/v1/admin/policies/org", {**rules, "token_limit": 4000}, key=key, expect=200)
        try:
            answers = self.ask(model(max_tokens=900), threads=12)
        finally:
            self.host.put("/api/v1/admin/policies/org", rules, key=key, expect=200)
        self.assertIn(None, [e for _, e in answers])
        self.assertEqual({"permission_denied"}, {e.split(":")[0] for _, e in answers if e})
        outcomes = self.records(kind="outcome", action="model.call", plugin_id="probe-one")
        self.assertLessEqual(sum(r.get("input_tokens", 0) + r.get("output_tokens", 0) for r in outcomes), 4000)

    def test_what_a_plugin_leaves_behind_counts_for_the_token_limit_of_its_execution(self):
        """Each of its tool's calls begins a question that goes out, and ends before the answer."""
        key = self.tenants["left"][0]
        rules = {"tools": [{"tool_name": "tool-of-*", "effect": "allow"}]}
        self.says = {"content": "late", "delay": 20}
        small = {"prompt_tokens": 1, "completion_tokens": 1}

        def answer(request):
            messages = request.json["messages"]
            if messages[-1]["role"] == "user" and messages[-1]["content"].startswith(PLUGIN_SAYS):
                return self.answer(request)
            if sum(m["role"] == "tool" for m in messages) >= 5:
                return {"content": "done", "usage": small}
            return {"usage": small, "tool_calls": [{"name": ONE, "arguments": arguments([model(max_tokens=1500)], after=0, stay=1500)}]}

        self.mock.default = answer
        self.host.put("/api/v1/admin/policies/org", {**rules, "token_limit": 4500}, key=key, expect=200)
        try:
            body = {"agent_id": self.tenants["left"][1], "mission": "go on"}
            self.host.post("/api/v1/agents/execute", body, key=key, expect=200)
        finally:
            self.host.put("/api/v1/admin/policies/org", rules, key=key, expect=200)
        # nobody knows how far the service came with them
        self.assertGreater(len(self.asked), 1)
        self.assertLessEqual(sum(asked["max_tokens"] for asked in self.asked), 4500)

    def test_the_answer_is_no_longer_than_the_grant_has_tokens(self):
        self.grant_only(MODEL, tokens=500)
        self.one(*model(max_tokens=100000))
        self.assertLess(self.asked[0]["max_tokens"], 500)

    # ---- depth and width ----

    def test_depth_ends_recursion(self):
        for depth in (1, 3, 8):
            [(answer, error)] = self.ask(nested(depth, CLOCK))
            self.assertIsNone(error)
            answer, error = self.within(answer, depth)
            self.assertEqual(({"time"}, None), (set(answer), error))
        [(answer, error)] = self.ask(nested(9, CLOCK))
        answer, error = self.within(answer, 8)
        self.assertRegex(error, "permission_denied: tool.call: .*nothing that was granted goes deeper")
        self.assertEqual("permission_denied", self.records(kind="refusal")[-1]["reason"])

    def test_a_grants_depth_counts_for_all_below(self):
        self.grant_only(TOOL, depth=1)
        self.one(*tool(TWO, CLOCK))
        for call in (tool(ONE, CLOCK), model()):
            answer = self.one(*tool(TWO, call))
            self.assertRegex(read(answer["text"])[0][1], "permission_denied: .*deeper")
        self.one(*tool(ONE, CLOCK), plugin="probe-two")
        self.grant_only(TOOL, depth=2)
        answer = self.one(*tool(TWO, model()))
        self.assertIsNone(read(answer["text"])[0][1])

    def test_many_at_once(self):
        answers = self.ask(tool(TWO, model()), threads=12)
        self.assertEqual([None] * 12, [e for _, e in answers])
        self.assertEqual([None] * 12, [self.within(a, 1)[1] for a, _ in answers])

    def test_many_that_call_themselves_all_end(self):
        """More of them at once than there are workers, each as deep as can be, of plugins that call themselves and one another."""
        self.mock.default = self.answer
        began = time.monotonic()
        results = [None] * 4
        runs = [threading.Thread(target=lambda i=i: results.__setitem__(i, self.wide((ONE,) if i % 2 else (TWO, ONE)))) for i in range(len(results))]
        for run in runs:
            run.start()
        for run in runs:
            run.join(120)
        self.assertNotIn(None, results)
        ends = [end for result in results for end in result]
        self.assertEqual(32, len(ends))
        # a plugin that has no place for another one says so, and none waits for itself until its time is over
        self.assertLessEqual({end.split(":")[0] for end in ends}, {"", "busy"})
        self.assertLess(time.monotonic() - began, 25)
        self.one(*tool(TWO, CLOCK))

    def wide(self, names):
        mission = json.dumps({"name": ONE, "arguments": arguments([nested(7, model(), names=names)], threads=8)})
        key, agent = self.tenants["left"]
        run = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": mission}, key=key, timeout=120, expect=200).json
        ends = []
        for answer, error in read(self.told(run)):
            for _ in range(7):
                if error is None:
                    [(answer, error)] = read(answer["text"])
            ends.append(error or "")
        return ends

    # ---- ends ----

    def test_one_that_is_cancelled_cuts_what_it_asked_for(self):
        self.says = {"content": "late", "delay": 30}
        began = time.monotonic()
        end = self.begin(tool(TWO, model()))
        run_id = self.under_way()
        self.host.post(f"/api/v1/runs/{run_id}/cancel", key=self.tenants["left"][0], expect=200)
        self.assertEqual("cancelled", end()["status"])
        self.assertLess(time.monotonic() - began, 25)
        self.run_ = {"run_id": run_id}
        self.wait_for(lambda: len(self.records(kind="outcome", plugin_id="probe-two")) == 1)
        self.wait_for(lambda: len(self.records(kind="outcome", plugin_id="probe-one")) == 1)
        outcomes = {r["action"]: r["outcome"] for r in self.records(kind="outcome") if "plugin_id" in r}
        self.assertEqual({"model.call": "unknown", "tool.call": "succeeded" if self.trusted else "unknown"}, outcomes)

    def test_a_grant_that_is_taken_back_cuts_what_is_under_way(self):
        self.says = {"content": "late", "delay": 30}
        began = time.monotonic()
        end = self.begin(tool(TWO, model()), CLOCK)
        self.revoke_all(MODEL, "probe-two")
        run = end()
        [(answer, _), (clock, _)] = read(self.told(run))
        self.assertRegex(read(answer["text"])[0][1], "capability_revoked: .*probe-two")
        self.assertIn("time", clock)
        self.assertLess(time.monotonic() - began, 25)
        [outcome] = self.records_where(run, kind="outcome", plugin_id="probe-two")
        self.assertEqual(("model.call", "unknown"), (outcome["action"], outcome["outcome"]))
        # the grant above holds all below
        end = self.begin(tool(ONE, model()))
        self.revoke_all(TOOL, "probe-one")
        [(answer, error)] = read(self.told(end()))
        if error is None:
            # the one that it asked was told as well: it may have answered before it was cut
            self.assertRegex(read(answer["text"])[0][1], "cancelled")
        else:
            self.assertFalse(self.trusted)
            self.assertRegex(error, "capability_revoked: .*probe-one")

    def records_where(self, run, **wanted):
        self.run_ = run
        return self.records(**wanted)

    def test_outside_of_a_call(self):
        for call in (model(), tool(TWO, CLOCK)):
            self.assertEqual([], self.ask(call, after=300))
            [(_, error)] = self.ask(kept=True)
            self.assertRegex(error, "capability: ")
        self.assertEqual([], self.asked)
        # one that was begun ends with its call
        self.says = {"content": "late", "delay": 30}
        self.ask(model(), model(), after=0)
        began = time.monotonic()
        self.assertNotIn(None, [e for _, e in self.ask(kept=True)])
        self.assertLess(time.monotonic() - began, 25)

    def test_so_many_questions_and_no_more(self):
        answers = self.ask(*[(TOOL, {"tool": "none-such"})] * 140, threads=8)
        errors = [e.split(":")[0] for _, e in answers]
        self.assertEqual((1000, 120), (errors.count("not_found"), errors.count("rate_limited")))

    def test_how_it_is_shown(self):
        rows = self.rows()
        self.assertEqual(("to ask", "ask models, at the expense of who calls it"), tuple(rows[MODEL][k] for k in ("reason", "meaning")))
        self.assertEqual(("to let others work", "call other tools in the name of who calls it"), tuple(rows[TOOL][k] for k in ("reason", "meaning")))
        self.assertEqual("what the tools do is done by this plugin", rows[TOOL]["risk"])
        self.assertIsNone(rows[MODEL]["risk"])


class CallsInTheHost(Calls):
    trusted = True


class Deadline(CallsCase):
    more = "tools: {timeout: 2}"

    def test_the_time_of_a_call_is_that_of_what_it_asks_for(self):
        self.says = {"content": "late", "delay": 30}
        began = time.monotonic()
        told = self.told(self.start(model()))
        self.assertRegex(told, "timeout|deadline")
        self.assertLess(time.monotonic() - began, 25)
        self.wait_for(lambda: self.records(kind="outcome", plugin_id="probe-one"))
        [outcome] = self.records(kind="outcome", plugin_id="probe-one")
        self.assertEqual("unknown", outcome["outcome"])


class Ceiling(CallsCase):
    more = "  ceiling: {capabilities: [tool.call, model.call, clock]}"

    def test_under_a_ceiling(self):
        self.one(*tool(TWO, model()))


class CeilingOfCalls(CallsCase):
    """What the deployment lets plugins call at all, whatever they were granted."""

    depth = 2
    more = f"  ceiling: {{models: [mock/gpt-test, far/*], tools: [{TWO}], tokens: 600, depth: 2}}"

    def test_what_cannot_be_granted(self):
        for capability, parameters, key in ((MODEL, {"models": ["mock/gpt-test", "mock/other"]}, "models"), (MODEL, {"models": ["mock/*"]}, "models"),
                                            (TOOL, {"tools": [TWO, ONE]}, "tools"), (MODEL, {"tokens": 601}, "tokens"), (TOOL, {"depth": 3}, "depth")):
            self.assertIn(f"plugins.ceiling.{key}", self.grant(capability, expect=403, parameters=parameters)["detail"])
        for capability, parameters in ((MODEL, {"models": ["mock/gpt-test", "far/away", "far/*", "short"], "tokens": 600, "depth": 2}), (TOOL, {"tools": [TWO]})):
            self.grant(capability, parameters=parameters)

    def test_it_is_shown_beside_the_grant(self):
        self.grant_only(MODEL, models=["far/away", "short"], tokens=500)
        rows = self.rows()
        self.assertEqual({"models": ["mock/gpt-test", "far/*"], "tokens": 600, "depth": 2}, rows[MODEL]["ceiling"]["parameters"])
        self.assertEqual({"tools": [TWO], "tokens": 600, "depth": 2}, rows[TOOL]["ceiling"]["parameters"])
        self.assertEqual([{"models": ["far/away", "short"], "tokens": 500, "depth": 1}], [e["parameters"] for e in rows[MODEL]["effective"]])
        self.assertEqual([{"tools": [TWO], "tokens": 600, "depth": 2}], [e["parameters"] for e in rows[TOOL]["effective"]])
        shown = self.host.ctl("plugins", "show", "probe-one").stdout
        for word in ("far/*", '"tokens":600', '"depth":2', TWO):
            self.assertIn(word, shown)

    def test_what_is_beyond_is_not_called(self):
        self.one(*model())
        self.refused(*model(model="mock/other"), 'permission_denied: model.call: model "mock/other" is beyond .*plugins.ceiling.models')
        self.assertEqual("permission_denied", self.records(kind="refusal")[-1]["reason"])
        self.refused(*tool(ONE, CLOCK), f'permission_denied: tool.call: tool "{ONE}" is beyond .*plugins.ceiling.tools')
        self.one(*tool(TWO, CLOCK), plugin="probe-two")

    def test_depth(self):
        self.assertIsNone(self.within(self.one(*tool(TWO, tool(TWO, CLOCK))), 1)[1])
        answer, error = self.within(self.one(*tool(TWO, tool(TWO, tool(TWO, CLOCK)))), 2)
        self.assertRegex(error, "permission_denied: .*plugins.ceiling.depth, 2")

    def test_tokens_of_all_grants_together(self):
        self.says = {"content": "yes", "usage": {"prompt_tokens": 50, "completion_tokens": 50}}
        since = self.host.get("/api/v1/admin/audit?limit=1", key=self.tenants["left"][0], expect=200).json["items"][0]["seq"]
        taken = lambda: sum(r.get("input_tokens", 0) + r.get("output_tokens", 0) for r in self.host.get(
            "/api/v1/admin/audit?action=model.call&limit=500", key=self.tenants["left"][0], expect=200).json["items"]
            if r.get("plugin_id") == "probe-two" and r["seq"] > since)
        for _ in range(3):
            self.grant_only(MODEL, "probe-two", tokens=400, depth=2)
            self.ask(*[model(max_tokens=60)] * 2, plugin="probe-two", threads=4)
        self.assertLessEqual(taken(), 600)
        self.assertGreater(taken(), 300)
        self.refused(*model(max_tokens=60), "budget_exceeded: .*plugins.ceiling.tokens gives the plugin in this tenant", plugin="probe-two")
        self.grant_only(MODEL, "probe-two", depth=2)
        self.refused(*model(max_tokens=60), "budget_exceeded: .*plugins.ceiling.tokens", plugin="probe-two")
        self.one(*model(max_tokens=60), plugin="probe-two", tenant="right")


class CeilingThatIsLowered(CallsCase):
    """What was granted before stays as it is, and gives no more than that."""

    depth = 3

    def test_depth(self):
        chain = tool(TWO, tool(TWO, tool(TWO, CLOCK)))
        self.assertIsNone(self.within(self.one(*chain), 2)[1])
        self.host.stop()
        with open(self.host.config, "a", encoding="utf-8") as file:
            file.write("  ceiling: {depth: 2}\n")
        self.host.start()
        self.assertEqual([3], [grant["parameters"]["depth"] for grant in self.rows(TWO.removeprefix("tool-of-"))[TOOL]["granted"] if grant["status"] == "active"])
        self.assertIsNone(self.within(self.one(*tool(TWO, tool(TWO, CLOCK))), 1)[1])
        self.assertRegex(str(self.within(self.one(*chain), 2)[1]), "permission_denied: .*plugins.ceiling.depth, 2")


if __name__ == "__main__":
    main()
