#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities model.call and tool.call: what a plugin asks of models and tools goes through the gate, in the name of who calls it, and no further than was granted."""

import threading
import time

from probes import ProbeCase
from reeve import main

MODEL, TOOL = "model.call", "tool.call"


def model(text="Say it.", **more):
    return MODEL, {"messages": [{"role": "user", "content": text}], **more}


def tool(name, *calls, **more):
    return TOOL, {"tool": name, "arguments": {"calls": [dict(zip(("capability", "params"), call)) for call in calls], **more}}


ONE, TWO = "tool-of-probe-one", "tool-of-probe-two"
CLOCK = ("clock", {})


class Calls(ProbeCase):
    def setUp(self):
        """The usual is granted: calls that hang two below one another."""
        for plugin in self.ids:
            for capability in (MODEL, TOOL):
                self.revoke_all(capability, plugin)
                self.grant(capability, plugin, parameters={"depth": 2})

    def ask(self, *calls, answers=(), plugin="probe-one", tenant="left", threads=1):
        """As ever, but that models which plugins ask are answered with @answers."""
        key, agent = self.tenants[tenant]
        arguments = {"calls": [dict(zip(("capability", "params"), call)) for call in calls], "threads": threads}
        self.mock.script([{"tool_calls": [{"name": f"tool-of-{plugin}", "arguments": arguments}]}, *answers, {"content": "done"}])
        self.run_ = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}, key=key, expect=200).json
        text = [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]
        return self.read(text)

    def read(self, text):
        import json
        self.assertEqual("[", text[:1], text)
        return [(r.get("ok"), None if "ok" in r else f"{r['error']}: {r['message']}") for r in json.loads(text)]

    def records(self, tenant="left", **wanted):
        items = self.host.get(f"/api/v1/admin/audit?run_id={self.run_['run_id']}&limit=500", key=self.tenants[tenant][0], expect=200).json["items"]
        return [r for r in reversed(items) if all(r.get(k) == v for k, v in wanted.items())]

    def test_a_model_answers(self):
        answer = self.one(*model("How much?", max_tokens=50, temperature=0.5), answers=[{"content": "forty-two"}])
        self.assertEqual(("forty-two", "mock/gpt-test", "stop"), tuple(answer[k] for k in ("content", "model", "finish_reason")))
        self.assertGreater(answer["usage"]["input_tokens"], 0)
        print(self.records())

    def test_a_tool_answers(self):
        answer = self.one(*tool(TWO, CLOCK))
        print(answer, self.records())


if __name__ == "__main__":
    main()
