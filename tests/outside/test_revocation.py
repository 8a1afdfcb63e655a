#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Taken back is taken back at once: for each capability, in the middle of a call of the plugin's, and on what is open. What is open of the others:
test_plugin_tcp.py, test_grants_life.py (net.http), test_secrets.py, test_plugin_calls.py, test_plugin_limits.py, test_python.py (interpreter)."""

import os
import tempfile
import threading
import unittest

from mock_openai import MockOpenAI
from probes import ProbeCase
from reeve import Host, main
from test_confined import MODEL, until
from test_plugin_tcp import Server

TCP = "net.tcp"
ASK = "a plugin asks"
TWO = "tool-of-probe-two"


class Revocation(ProbeCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="reeve-revocation-")
        self.addCleanup(holder.cleanup)
        self.folder = os.path.realpath(holder.name)
        # what the plugin waits for in the middle of its call
        self.opened = threading.Event()
        self.gate = Server(lambda connection: (self.opened.wait(60), connection.sendall(b"x")))
        self.addCleanup(self.gate.close)
        self.grant_only(TCP, hosts=[self.gate.place])
        # capability: its call, and with which parameters it is granted
        self.calls = {
            "store.kv": (({"op": "put", "key": "a", "value": "1"},), {}),
            "store.blob": (({"op": "put", "key": "a"}, "data"), {}),
            "identity.read": (({},), {}),
            "fs.read": (({"op": "list", "path": ""},), {"folder": self.folder}),
            "fs.write": (({"op": "write", "path": "x"}, "data"), {"folder": self.folder}),
            "model.call": (({"messages": [{"role": "user", "content": ASK}]},), {}),
            "tool.call": (({"tool": TWO, "arguments": {"calls": []}},), {}),
        }

    def answer(self, request):
        """An agent lets the tool work, then is done; a plugin is answered."""
        messages = request.json["messages"]
        if messages[-1]["content"] == ASK:
            return {"content": "asked"}
        return {"content": "done"} if messages[-1]["role"] == "tool" else self.first

    def wait(self):
        return TCP, {"host": "127.0.0.1", "port": self.gate.port, "do": ["read:1"]}

    def within_a_call(self, capability, do):
        """What the plugin was answered before @do and behind it."""
        data, parameters = self.calls[capability]
        self.grant_only(capability, **parameters)
        self.opened.clear()
        key, agent = self.tenants["left"]
        calls = [dict(zip(("capability", "params", "bytes"), call)) for call in ((capability, *data), self.wait(), (capability, *data))]
        self.first = {"tool_calls": [{"name": "tool-of-probe-one", "arguments": {"calls": calls}}]}
        self.mock.script([])
        self.mock.default = self.answer
        told = {}
        run = threading.Thread(target=lambda: told.update(
            self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "go on"}, key=key, expect=200).json))
        run.start()
        self.assertTrue(self.gate.came.acquire(timeout=30), capability)
        do()
        self.opened.set()
        run.join(60)
        self.assertFalse(run.is_alive(), capability)
        entries = self.host.get(f"/api/v1/runs/{told['run_id']}", key=key, expect=200).json["journal"]
        text = [e["text"] for e in entries if e["type"] == "tool.outcome"][-1]
        return text

    def test_in_the_middle_of_a_call(self):
        """What it had before the answer of the revocation it has not behind it, though its own call goes on."""
        requested = {name for name, row in self.rows().items() if row["requested"]}
        self.assertEqual({TCP}, requested - set(self.calls))
        for capability in self.calls:
            with self.subTest(capability):
                text = self.within_a_call(capability, lambda c=capability: self.revoke_all(c))
                self.assertRegex(text, r'^\[\{"ok":', text)
                self.assertEqual(1, text.count("capability_revoked"), text)
                self.assertIn(f"no more has capability {capability}", text)
                # the twin: nothing was taken back
                self.assertNotIn('"error":', self.within_a_call(capability, lambda: None))

    def test_by_a_grant_for_the_tenant_alone(self):
        """Another tenant's grant opens nothing in its stead."""
        for capability in ("store.kv", "identity.read"):
            self.within_a_call(capability, lambda: None)
            text = self.within_a_call(capability, lambda c=capability: (self.grant(c, tenant_id="right"), [
                self.host.delete(f"/api/v1/admin/plugins/probe-one/grants/{g['grant_id']}", expect=204)
                for g in self.rows()[c]["granted"] if g["status"] == "active" and g["tenant_id"] is None]))
            self.assertIn("capability_revoked", text)


class RevocationInTheHost(Revocation):
    trusted = True


class OfTheHostsOwn(unittest.TestCase):
    """net.stream and knowledge.search, by the plugins that come with the host."""

    def grants(self, host, plugin, capability):
        rows = host.get(f"/api/v1/admin/plugins/{plugin}", expect=200).json["grants"]
        return next(row for row in rows if row["capability"] == capability)

    def take_back(self, host, plugin, capability):
        for grant in self.grants(host, plugin, capability)["granted"]:
            if grant["status"] == "active":
                host.delete(f"/api/v1/admin/plugins/{plugin}/grants/{grant['grant_id']}", expect=204)

    def test_a_stream_that_is_open(self):
        """A server that takes all of it and never ends is left at once, and nobody comes back."""
        went = threading.Event()

        def hold(connection):
            while connection.recv(65536):
                pass
            went.set()
            threading.Event().wait(60)

        server = Server(hold)
        self.addCleanup(server.close)
        sink = f"{{id: out, plugin: sink-syslog, tenants: [default], settings: {{host: 127.0.0.1, port: {server.port}}}}}"
        with Host(config=f"audit: {{sinks: [{sink}]}}\n") as host:
            host.get("/api/v1/me", expect=200)
            self.assertTrue(server.came.acquire(timeout=60), "no connection")
            self.assertTrue(went.wait(60), "it says no end")  # it has sent all, and waits for the other side's
            self.take_back(host, "sink-syslog", "net.stream")
            state = lambda: host.get("/api/v1/admin/audit/sinks", expect=200).json["items"][0]  # noqa: E731
            until(lambda: state()["failures"] > 0, "its delivery goes on")
            ends = lambda: host.records(action="net.stream", kind="outcome")  # noqa: E731
            until(ends, "the connection has no end")
            # cut, and not given up for its silence
            self.assertEqual("cancelled", ends()[-1].get("reason"), ends())
            until(lambda: "net.stream" in str(state().get("last_error")), f"it is not told why: {state()}")
            while server.came.acquire(timeout=0.1):
                pass
            host.get("/api/v1/me", expect=200)
            self.assertFalse(server.came.acquire(timeout=3), "it connects again")
            host.post("/api/v1/admin/plugins/sink-syslog/grants", {"capability": "net.stream", "reason": "test"}, expect=201)
            self.assertTrue(server.came.acquire(timeout=90), "it does not come back")

    def test_a_search(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        with Host(config=MODEL.format(mock.base_url)) as host:
            host.upload("x.txt", "The pump needs oil.", "text/plain", expect=201)
            agent = host.agent(tools=("semantic_search",))
            said = []
            for do in (lambda: None, lambda: self.take_back(host, "tool-search", "knowledge.search")):
                do()
                mock.script([{"tool_calls": [{"name": "semantic_search", "arguments": {"query": "oil"}}]}, {"content": "done"}])
                host.run(agent, "oil?")
                said.append([m["content"] for m in mock.requests[-1].json["messages"] if m["role"] == "tool"][-1])
            self.assertIn("pump", said[0])
            self.assertIn("no more has capability knowledge.search", said[1])


if __name__ == "__main__":
    main()
