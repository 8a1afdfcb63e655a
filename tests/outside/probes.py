# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two plugins that ask for the capabilities they are told to, in a real host: tests of capabilities, each in both forms.

    class Something(ProbeCase): …           # in processes of their own
    class SomethingInTheHost(Something):
        trusted = True
"""

import itertools
import json
import os
import unittest

from mock_openai import MockOpenAI
from test_broken_plugins import OWN, BrokenHost, folder

CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
plugins:
  trusted: {trusted}
  uid_base: {uids}
{more}
"""

# a user's processes are counted on the whole machine: hosts beside each other share none
UIDS = itertools.count(1000000000 + os.getpid() % 100000 * 10000, 1000)


class ProbeCase(unittest.TestCase):
    trusted = False
    more = ""
    config = CONFIG
    ids = ("probe-one", "probe-two")
    place = "probes"
    kind = BrokenHost

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI(api_key="sk-test").start()
        cls.addClassCleanup(cls.mock.stop)
        trusted = json.dumps(list(cls.ids)) if cls.trusted else "[]"
        cls.host = cls.kind(cls.config.format(url=cls.mock.base_url, trusted=trusted, more=cls.more, uids=next(UIDS)),
                              arguments=[*folder(cls.place), "--plugin-dir", OWN]).start()
        cls.addClassCleanup(cls.host.close)
        cls.tenants = {}
        for name in ("left", "right"):
            cls.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": name}, expect=201)
            cls.tenants[name] = cls.made_in(name)

    @classmethod
    def made_in(cls, tenant):
        """A key of a tenant and its agent with both tools."""
        key = cls.host.user("admin", tenant=tenant)
        cls.host.put("/api/v1/admin/policies/org", {"tools": [{"tool_name": "tool-of-*", "effect": "allow"}]}, key=key, expect=200)
        body = {"name": "prober", "initial_definition": {"system_prompt": "Test.", "tools": [f"tool-of-{plugin}" for plugin in cls.ids]}}
        return key, cls.host.post("/api/v1/admin/agents", body, key=key, expect=201).json["agent_id"]

    def ask(self, *calls, plugin="probe-one", tenant="left", threads=1):
        """What the plugin was answered, call by call: (answer, None) or (None, name of the error: message). A call is a capability, its
        parameters and, where it transfers, bytes: then the answer has what came with it as "bytes"."""
        key, agent = self.tenants[tenant]
        arguments = {"calls": [dict(zip(("capability", "params", "bytes"), call)) for call in calls], "threads": threads}
        self.mock.script([{"tool_calls": [{"name": f"tool-of-{plugin}", "arguments": arguments}]}, {"content": "done"}])
        self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}, key=key, expect=200)
        text = [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]
        self.assertEqual("[", text[:1], text)
        return [({**r["ok"], **{k: r[k] for k in ("bytes", "sha256") if k in r}} if "bytes" in r else r.get("ok"), None if "ok" in r else f"{r['error']}: {r['message']}") for r in json.loads(text)]

    def one(self, name, params, *data, **where):
        """The answer of one call that works."""
        [(answer, error)] = self.ask((name, params, *data), **where)
        self.assertIsNone(error)
        return answer

    def refused(self, name, params, *data, **where):
        """The last of @data is a pattern of the error."""
        *data, pattern = data
        [(_answer, error)] = self.ask((name, params, *data), **where)
        self.assertRegex(error or "it worked", pattern)

    # ---- grants ----

    def rows(self, plugin="probe-one"):
        return {r["capability"]: r for r in self.host.get(f"/api/v1/admin/plugins/{plugin}", expect=200).json["grants"]}

    def revoke_all(self, capability, plugin="probe-one"):
        for grant in self.rows(plugin)[capability]["granted"]:
            if grant["status"] == "active":
                self.host.delete(f"/api/v1/admin/plugins/{plugin}/grants/{grant['grant_id']}", expect=204)

    def grant(self, capability, plugin="probe-one", expect=201, **more):
        body = {"capability": capability, "reason": "test", **more}
        return self.host.post(f"/api/v1/admin/plugins/{plugin}/grants", body, expect=expect).json

    def grant_only(self, capability, plugin="probe-one", **parameters):
        self.revoke_all(capability, plugin)
        return self.grant(capability, plugin, parameters=parameters)
