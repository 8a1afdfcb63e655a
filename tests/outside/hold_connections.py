# SPDX-License-Identifier: LGPL-2.1-or-later
"""What cannot be recorded is not connected to: the disk of the ledger fails, or is full, within a call of a plugin, just before it asks."""

import json
import unittest

import faults as f
from faults import Faults
from mock_openai import MockOpenAI
from probes import CONFIG, UIDS
from reeve import main
from test_broken_plugins import OWN, BrokenHost, folder
from test_plugin_tcp import TCP, Server, echo


class Connections(unittest.TestCase):
    def ask(self, harm):
        """A plugin asks a model, in whose answer the harm is done, and then for a connection: the server and what it was told."""
        mock, server = MockOpenAI(api_key="sk-test").start(), Server(echo)
        self.addCleanup(mock.stop)
        self.addCleanup(server.close)
        told = []

        def answer(request):
            last = request.json["messages"][-1]
            if last["role"] == "user" and last["content"] == "now":
                harm()
                return {"content": "yes"}
            if last["role"] == "tool":
                told.append(last["content"])
                return {"content": "done"}
            calls = [{"capability": "model.call", "params": {"messages": [{"role": "user", "content": "now"}]}},
                     {"capability": TCP, "params": {"host": "127.0.0.1", "port": server.port, "do": ["send:x", "read:1"]}}]
            return {"tool_calls": [{"name": "tool-of-probe-one", "arguments": {"calls": calls}}]}
        mock.default = answer
        with Faults() as faults:
            self.faults = faults
            config = CONFIG.format(url=mock.base_url, trusted='["probe-one"]', more="", uids=next(UIDS))
            host = BrokenHost(config, state=faults.state, environment=faults.environment, arguments=[*folder("probes"), "--plugin-dir", OWN])
            with host:
                for capability, parameters in ((TCP, {"hosts": [server.place]}), ("model.call", {})):
                    host.post("/api/v1/admin/plugins/probe-one/grants", {"capability": capability, "reason": "test", "parameters": parameters}, expect=201)
                host.put("/api/v1/admin/policies/org", {"tools": [{"tool_name": "tool-of-*", "effect": "allow"}]}, expect=200)
                agent = host.agent(tools=("tool-of-probe-one",))
                run = host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}).json
                faults.disarm()
                self.journal = host.get(f"/api/v1/runs/{run['run_id']}").json.get("journal", []) if "run_id" in run else []
                host.kill()
                host.start()
                self.recorded = [r for r in host.records(action=TCP) if r["kind"] == "intent"]
        return server, told or [e["text"] for e in self.journal if e["type"] == "tool.outcome"]

    def test_while_it_can_be_recorded_it_is_made(self):
        server, told = self.ask(lambda: None)
        self.assertEqual((1, 1), (len(server.connections), len(self.recorded)))
        self.assertEqual({"text": "x", "bytes": 1, "errno": ""}, json.loads(told[0])[1]["ok"])

    def test_full_and_failing(self):
        """On a full disk the first intent may still find room."""
        for harm in (lambda: self.faults.fill(), lambda: self.faults.arm(f.IO, path="/ledger/")):
            server, _told = self.ask(harm)
            self.assertLessEqual(len(server.connections), len(self.recorded))


if __name__ == "__main__":
    main()
