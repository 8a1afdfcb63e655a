# SPDX-License-Identifier: LGPL-2.1-or-later
"""Missions through a real host and a mock of an OpenAI-compatible service: what is answered, recorded, streamed, and what a restart does."""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import HOST, Host, main

CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""


def calculate(expression, **more):
    return {"tool_calls": [{"name": "calculate", "arguments": {"expression": expression}, **more}]}


def cut_journal(state, run_id, length):
    """Cuts the journal of a run back to so many records, in a state no host has open; the run is then unfinished again."""
    with sqlite3.connect(os.path.join(state, "store", "tenants", "default.db")) as store:
        (stream,) = store.execute("SELECT stream FROM streams WHERE name = ?", (f"run/{run_id}",)).fetchone()
        store.execute("DELETE FROM stream_entries WHERE entry > ? AND entry < ?", (stream << 32 | length, stream + 1 << 32))
        store.execute("UPDATE streams SET last = ? WHERE stream = ?", (length, stream))
        store.execute("UPDATE c_runs SET body = json_set (json_remove (body, '$.result'), '$.status', 'running'), f_status = 'running' "
                      "WHERE id = ?", (run_id,))
    store.close()


class MissionCase(unittest.TestCase):
    config = CONFIG

    def setUp(self):
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        self.host = Host(config=self.config.format(url=self.mock.base_url)).start()
        self.addCleanup(self.host.close)
        self.agent = self.host.agent()


class Missions(MissionCase):
    def test_three_model_and_two_tool_calls_leave_six_intents_and_six_outcomes(self):
        self.mock.script([calculate("6*7"), calculate("42+1"), {"content": "It is 43."}])
        answer = self.host.run(self.agent, "What is 6*7+1?")
        self.assertEqual(("succeeded", True, "It is 43.", 3), (answer["status"], answer["success"], answer["answer"], answer["steps"]))
        self.assertEqual(["calculate", "calculate"], [c["name"] for c in answer["tool_calls"]])
        self.assertEqual(3, self.mock.count("/v1/chat/completions"))
        records = self.host.records(run_id=answer["run_id"])
        first = self.host.get(f"/api/v1/admin/audit/{answer['audit']['first']}", expect=200).json
        last = self.host.get(f"/api/v1/admin/audit/{answer['audit']['last']}", expect=200).json
        seen = {r["seq"]: r for r in [*records, first, last]}
        kinds = [r["kind"] for r in seen.values()]
        self.assertEqual((6, 6), (kinds.count("intent"), kinds.count("outcome")), seen)
        intents = {r["seq"] for r in seen.values() if r["kind"] == "intent"}
        self.assertEqual(intents, {r["intent"] for r in seen.values() if r["kind"] == "outcome"})
        self.assertEqual("agents.execute", first["action"])
        self.assertEqual("succeeded", last["outcome"])
        self.assertEqual(first["seq"], last["intent"])

    def test_tool_results_reach_the_model(self):
        self.mock.script([calculate("2^10"), {"content": "1024"}])
        self.host.run(self.agent, "2^10?")
        messages = self.mock.requests[-1].json["messages"]
        self.assertEqual(["system", "user", "assistant", "tool"], [m["role"] for m in messages])
        self.assertIn("1024", messages[-1]["content"])

    def test_usage_is_summed(self):
        self.mock.script([{**calculate("1+1"), "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}},
                          {"content": "2", "usage": {"prompt_tokens": 20, "completion_tokens": 1, "total_tokens": 21}}])
        usage = self.host.run(self.agent, "1+1?")["usage"]
        self.assertEqual((30, 6, 36), (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]))

    def test_max_iterations(self):
        self.mock.script([calculate("1+1") for _ in range(5)])
        answer = self.host.run(self.agent, "for ever", max_iterations=2)
        self.assertEqual(("failed", False, "max_iterations"), (answer["status"], answer["success"], answer["error"]["code"]))
        self.assertEqual(2, self.mock.count("/v1/chat/completions"))

    def test_bad_arguments_are_told_to_the_model(self):
        self.mock.script([{"tool_calls": [{"name": "calculate", "arguments": "{\"expression\": "}]},
                          {"tool_calls": [{"name": "calculate", "arguments": {"wrong": 1}}]},
                          {"tool_calls": [{"name": "no_such_tool", "arguments": {}}]}, {"content": "I give up."}])
        answer = self.host.run(self.agent, "calculate something")
        self.assertEqual("I give up.", answer["answer"])
        told = [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"]
        self.assertEqual(3, len(told))
        for text in told:
            self.assertIn("error", text)
        self.assertTrue(all(c["is_error"] for c in answer["tool_calls"]))

    def test_a_failing_service_fails_the_run_truthfully(self):
        self.mock.script([{"status": 500, "error": {"message": "broken"}}] * 5)
        answer = self.host.run(self.agent, "anything")
        self.assertEqual((False, "failed"), (answer["success"], answer["status"]))
        self.assertTrue(answer["error"]["code"])
        shown = self.host.get(f"/api/v1/runs/{answer['run_id']}", expect=200).json
        self.assertEqual("failed", shown["status"])
        self.assertEqual("ended", shown["journal"][-1]["type"])

    def test_a_billed_call_is_not_repeated(self):
        self.mock.script([{"close": "before"}, {"content": "second"}])
        answer = self.host.run(self.agent, "anything")
        self.assertEqual((False, "unknown"), (answer["success"], answer["status"]))
        self.assertEqual(1, self.mock.count("/v1/chat/completions"))

    def test_calls_with_the_same_id_are_two_calls(self):
        twice = [calculate("6*7", id="same")["tool_calls"][0], calculate("1+1", id="same")["tool_calls"][0]]
        self.mock.script([{"tool_calls": twice}, {"content": "Both."}])
        answer = self.host.run(self.agent, "Both, please.")
        self.assertEqual(("succeeded", 2), (answer["status"], len(answer["tool_calls"])), answer)
        told = [m for m in self.mock.chats()[-1]["messages"] if m["role"] == "tool"]
        self.assertEqual(["42", "2"], [m["content"] for m in told])

    def test_impossible_usage_loses_no_outcome(self):
        most = 9223372036854775807
        usage = {"prompt_tokens": most, "completion_tokens": most, "total_tokens": -1}
        self.mock.script([{"content": "Yes.", "usage": usage}] * 2)
        answer = self.host.run(self.agent, "Well?")
        self.assertEqual("succeeded", answer["status"], answer)
        self.assertLess(answer["usage"]["total_tokens"], 100000)
        body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Well?"}]}
        self.host.post("/v1/chat/completions", body, expect=200)
        kinds, end = [], time.monotonic() + 10
        # the outcome of a call that changes nothing here is written behind its answer
        while (not kinds or kinds.count("intent") != kinds.count("outcome")) and time.monotonic() < end:
            kinds = [r["kind"] for r in self.host.records()]
        self.assertEqual(kinds.count("intent"), kinds.count("outcome"))

    def test_timeout(self):
        slow = self.host.agent(timeout_seconds=1)
        self.mock.script([{"content": "late", "delay": 40}])
        began = time.monotonic()
        answer = self.host.run(slow, "hurry")
        self.assertEqual(("failed", "timeout"), (answer["status"], answer["error"]["code"]))
        self.assertLess(time.monotonic() - began, 30)

    def test_cancel(self):
        self.mock.script([{"content": "late", "delay": 20}])
        result = {}
        thread = threading.Thread(target=lambda: result.update(self.host.run(self.agent, "slow")))
        thread.start()
        run_id = self.wait_running()
        cancelled = self.host.post(f"/api/v1/runs/{run_id}/cancel", expect=200).json
        thread.join(20)
        self.assertEqual("cancelled", cancelled["status"])
        self.assertEqual("cancelled", result["status"])
        self.assertEqual(409, self.host.post(f"/api/v1/runs/{run_id}/cancel").status)

    def wait_running(self):
        for _ in range(500):
            items = self.host.get("/api/v1/runs?status=running", expect=200).json["items"]
            if items and self.mock.requests:
                return items[0]["run_id"]
            time.sleep(0.02)
        self.fail("no run is under way")

    def test_an_unknown_or_unpublished_agent_does_not_start(self):
        said = [self.host.post("/api/v1/agents/execute", {"agent_id": "agt_none", "mission": "x"}, expect=404).json["detail"],
                self.host.post("/api/v1/chat", {"agent_id": "agt_none", "message": "x"}, expect=404).json["detail"],
                self.host.get("/api/v1/admin/agents/agt_none", expect=404).json["detail"]]
        chat = {"model": "agent/agt_none", "messages": [{"role": "user", "content": "x"}]}
        said.append(self.host.post("/v1/chat/completions", chat, expect=404).json["error"]["message"])
        self.assertEqual({"no such thing among the agents"}, set(said))
        self.assertEqual(0, self.mock.count("/v1/chat/completions"))

    def test_lists(self):
        self.mock.script([{"content": "a"}, {"content": "b"}])
        runs = [self.host.run(self.agent, m)["run_id"] for m in ("one", "two")]
        page = self.host.get("/api/v1/runs?limit=1", expect=200).json
        self.assertEqual([runs[1]], [r["run_id"] for r in page["items"]])
        rest = self.host.get(f"/api/v1/runs?limit=1&cursor={page['next_cursor']}", expect=200).json
        self.assertEqual([runs[0]], [r["run_id"] for r in rest["items"]])


    def test_a_key_that_the_service_quotes_goes_no_further(self):
        for script in ({"status": 500, "error": {"message": "bad key sk-test"}}, {"content": "x", "stream_error": {"message": "bad key sk-test"}}):
            self.mock.script([script] * 5)
            events = list(self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "x", "stream": True}))
            self.assertEqual("run.failed", events[-1].name)
            self.assertNotIn("sk-test", str(events))
            self.assertNotIn("sk-test", self.host.get(f"/api/v1/runs/{events[0].data['run_id']}", expect=200).text)
        self.assertNotIn("sk-test", self.host.read_log())


class Configuration(unittest.TestCase):
    def test_what_cannot_be_had_is_named_with_its_place(self):
        for text, key in (("store: {plugin: nosuch}\n", "store.plugin"),
                          ("llm:\n  providers:\n    - {id: x, plugin: nosuch}\n", "llm.providers"),
                          ("llm:\n  providers:\n    - {id: x, plugin: llm-openai, settings: {base_url: \"ftp://x\"}}\n", "llm.providers"),
                          ("authentication:\n  providers:\n    - {id: x, plugin: nosuch}\n", "authentication.providers")):
            with self.subTest(key=key):
                with self.assertRaises(AssertionError) as raised:
                    Host(config=text).start()
                self.assertIn("exit 78", str(raised.exception))
                self.assertRegex(str(raised.exception), r"reeve\.yaml:\d+: " + key.replace(".", r"\."))


class Schema(unittest.TestCase):
    def test_migrations_are_shown_and_the_newest_is_taken_back(self):
        with Host() as host:
            agent = host.agent()
            busy = self.schema(host, "history")
            self.assertEqual(75, busy.returncode, busy.stderr)
            host.stop()
            shown = self.schema(host, "history")
            self.assertEqual(0, shown.returncode, shown.stderr)
            rows = [json.loads(line) for line in shown.stdout.splitlines()]
            self.assertEqual(["@platform", "default"], [row["scope"] for row in rows])
            for row in rows:
                self.assertEqual(row["newest"], row["number"])
                self.assertEqual(list(range(1, row["number"] + 1)), [entry["number"] for entry in row["history"]])
            # whatever opens a store brings it to its newest migration first, so one step down is all that can be gone
            taken = self.schema(host, "down")
            self.assertEqual(0, taken.returncode, taken.stderr)
            for row in map(json.loads, taken.stdout.splitlines()):
                self.assertEqual((row["newest"] - 1, (row["newest"], "down")), (row["number"], (row["history"][-1]["number"], row["history"][-1]["direction"])))
            self.assertEqual(0, self.schema(host, "up").returncode)
            self.assertEqual(1, self.schema(host, "sideways").returncode)
            host.start()
            host.get(f"/api/v1/admin/agents/{agent}", expect=200)

    @staticmethod
    def schema(host, word):
        return subprocess.run([HOST, "--state-dir", host.state, "--schema", word], capture_output=True, text=True, timeout=60, check=False)


class Streams(MissionCase):
    def test_events_in_order_and_resumed_from_the_journal(self):
        self.mock.script([calculate("6*7"), {"content": "It is forty-two, as calculated.", "chunk_delay": 0.02}])
        events = list(self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "6*7?", "stream": True}))
        names = [e.name for e in events]
        self.assertEqual("run.started", names[0])
        self.assertEqual("run.completed", names[-1])
        for name in ("step.started", "tool.call", "tool.result", "message.delta"):
            self.assertIn(name, names)
        sequences = [e.data["sequence"] for e in events]
        self.assertEqual(sorted(set(sequences)), sequences)
        text = "".join(e.data["delta"] for e in events if e.name == "message.delta")
        self.assertEqual("It is forty-two, as calculated.", text)
        self.assertEqual(text, events[-1].data["answer"])
        run_id = events[0].data["run_id"]
        for position in range(len(events)):
            path = f"/api/v1/runs/{run_id}/events?after={sequences[position]}"
            rest = list(self.host.stream("GET", path))
            self.assertEqual(self.fold(events[position + 1:]), self.fold(rest), f"after event {position}")

    @staticmethod
    def fold(events):
        """Names and data, consecutive pieces of text joined: how text is cut is not part of the promise."""
        folded = []
        for event in events:
            if event.name == "message.delta" and folded and folded[-1][0] == "message.delta":
                folded[-1] = ("message.delta", folded[-1][1] + event.data["delta"])
            elif event.name == "message.delta":
                folded.append(("message.delta", event.data["delta"]))
            else:
                folded.append((event.name, event.data))
        return folded

    def test_follow_while_it_runs(self):
        self.mock.script([{"content": "one two three four five six", "chunk_delay": 0.2}])
        first = []
        stream = self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "count", "stream": True})
        for event in stream:
            first.append(event)
            if event.name == "message.delta":
                break
        stream.close()
        path = f"/api/v1/runs/{first[0].data['run_id']}/events?after={first[-1].data['sequence']}"
        rest = list(self.host.stream("GET", path))
        text = "".join(e.data["delta"] for e in [*first, *rest] if e.name == "message.delta")
        self.assertEqual("one two three four five six", text)
        self.assertEqual("run.completed", rest[-1].name)


class Conversations(MissionCase):
    def test_turns_are_remembered(self):
        self.mock.script([{"content": "Hello Ada."}, {"content": "You are Ada."}])
        first = self.host.post("/api/v1/chat", {"message": "I am Ada.", "agent_id": self.agent}, expect=200).json
        conversation = first["conversation_id"]
        second = self.host.post("/api/v1/chat", {"message": "Who am I?", "agent_id": self.agent, "conversation_id": conversation}, expect=200).json
        self.assertEqual(conversation, second["conversation_id"])
        sent = [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] in ("user", "assistant")]
        self.assertEqual(["I am Ada.", "Hello Ada.", "Who am I?"], sent)
        shown = self.host.get(f"/api/v1/conversations/{conversation}", expect=200).json
        self.assertEqual(["user", "assistant"] * 2, [m["role"] for m in shown["messages"]])
        self.host.delete(f"/api/v1/conversations/{conversation}", expect=204)
        self.host.get(f"/api/v1/conversations/{conversation}", expect=404)
        self.assertEqual([], self.host.get("/api/v1/conversations", expect=200).json["items"])

    def test_a_conversation_is_its_owners(self):
        self.mock.script([{"content": "Hello."}] * 3)
        other = self.host.user("operator")
        mine = self.host.post("/api/v1/chat", {"message": "hi", "agent_id": self.agent}, expect=200).json["conversation_id"]
        self.host.get(f"/api/v1/conversations/{mine}", key=other, expect=404)
        self.host.post("/api/v1/chat", {"message": "hi", "agent_id": self.agent, "conversation_id": mine}, key=other, expect=404)
        self.host.post("/api/v1/chat", {"message": "hi", "agent_id": self.agent, "conversation_id": "cnv_none"}, expect=404)


class Restarts(MissionCase):
    # cut_journal opens the store as plain SQLite
    config = CONFIG + "encryption: {{enabled: false}}\n"

    def test_a_run_cut_at_every_moment_ends_truthfully_and_repeats_nothing(self):
        """kill -9 while each effect is under way: the run ends, nothing is sent twice."""
        for cut in range(3):
            with self.subTest(cut=cut):
                self.mock.reset()
                script = [calculate("6*7"), calculate("1+1"), {"content": "done"}]
                script[cut] = {**script[cut], "delay": 2}
                self.mock.script(script)
                thread = threading.Thread(target=self.run_quietly)
                thread.start()
                while self.mock.count("/v1/chat/completions") <= cut:
                    time.sleep(0.02)
                self.host.kill()
                thread.join(20)
                self.host.start()
                run = self.wait_ended()
                self.assertEqual("unknown", run["status"])
                self.assertFalse(run["success"])
                self.assertEqual(cut + 1, self.mock.count("/v1/chat/completions"))

    def test_a_journal_cut_after_every_record_ends_in_the_same_answer_or_unknown(self):
        """The state of a finished run, its journal cut back to each length, goes on in a new host."""
        script = [calculate("6*7"), {"content": "It is 42."}]
        self.mock.script(script)
        answer = self.host.run(self.agent, "6*7?")
        journal = self.host.get(f"/api/v1/runs/{answer['run_id']}", expect=200).json["journal"]
        types = [e["type"] for e in journal]
        self.assertEqual(["started", "model.intent", "model.outcome", "tool.intent", "tool.outcome", "model.intent", "model.outcome", "ended"], types)
        self.host.stop()
        for length in range(1, len(types)):
            with self.subTest(last=f"{length} {types[length - 1]}"):
                lost = types[length - 1].endswith(".intent")
                rest = script[types[:length].count("model.outcome"):]
                self.go_on(answer["run_id"], length, rest, lost)

    def go_on(self, run_id, length, rest, lost):
        with tempfile.TemporaryDirectory(prefix="reeve-cut-") as folder:
            state = os.path.join(folder, "state")
            shutil.copytree(self.host.state, state)
            cut_journal(state, run_id, length)
            self.mock.reset()
            self.mock.script(rest)
            with Host(config=self.config.format(url=self.mock.base_url), state=state) as host:
                run = self.wait_ended(host)
                self.assertEqual(run_id, run["run_id"])
                self.assertEqual(0 if lost else len(rest), self.mock.count("/v1/chat/completions"))
                self.assertEqual(("unknown", False) if lost else ("succeeded", True), (run["status"], run["success"]))
                self.assertEqual("" if lost else "It is 42.", run["answer"])
                self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def run_quietly(self):
        try:
            self.host.run(self.agent, "cut me")
        except OSError:
            pass

    def wait_ended(self, host=None):
        for _ in range(500):
            items = (host or self.host).get("/api/v1/runs?limit=1", expect=200).json["items"]
            if items and items[0]["status"] != "running":
                return items[0]
            time.sleep(0.02)
        self.fail("the run has not ended")


if __name__ == "__main__":
    main()
