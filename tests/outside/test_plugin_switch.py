#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A platform admin disables plugins and enables them again: who may, what becomes of calls, tools, documents, models and sinks meanwhile, what a
restart changes (nothing), and what cannot be disabled."""

import http.server
import json
import os
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main
from test_broken_plugins import OWN, BrokenHost, folder
from test_bus import BusCase
from test_confined import FRAGILE, give, is_alive, until

PLUGINS = "/api/v1/admin/plugins"
MODELS = """
llm:
  {default}
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
    - {{id: own, plugin: llm-extractive}}
"""


class Site(http.server.ThreadingHTTPServer):
    """Takes what it gets; answers when it is let."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.asked, self.go, self.got = threading.Event(), threading.Event(), []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A host that is killed breaks off."""

    def close(self):
        self.go.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def do_GET(self):  # noqa: N802
        self.server.asked.set()
        self.server.go.wait(60)
        self.answer(b"the slow answer")

    def do_POST(self):  # noqa: N802
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(b"{}")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class SwitchCase(unittest.TestCase):
    def start(self, config="", **more):
        host = Host(config, **more).start()
        self.addCleanup(host.close)
        return host

    def site(self):
        site = Site()
        self.addCleanup(site.close)
        return site

    def mock(self):
        mock = MockOpenAI(api_key="sk-test").start()
        self.addCleanup(mock.stop)
        return mock

    def disable(self, host, plugin, reason=None, expect=200, **more):
        return host.post(f"{PLUGINS}/{plugin}/disable", {"reason": reason} if reason else None, expect=expect, **more).json

    def enable(self, host, plugin, expect=200, **more):
        return host.post(f"{PLUGINS}/{plugin}/enable", expect=expect, **more).json

    def show(self, host, plugin):
        return host.get(f"{PLUGINS}/{plugin}", expect=200).json

    def tools(self, host):
        return {tool["name"] for tool in host.get("/api/v1/tools", expect=200).json["items"]}


class Who(SwitchCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def test_the_platform_admin_alone(self):
        host = self.host
        host.post("/api/v1/admin/tenants", {"tenant_id": "left", "name": "left"}, expect=201)
        keys = [host.user("admin", tenant="left")] + [host.user(role) for role in ("admin", "agent_designer", "operator", "auditor", "viewer")]
        for key in keys:
            self.disable(host, "tool-calculate", expect=403, key=key)
        self.disable(host, "tool-calculate", expect=401, key="rk_none")
        self.assertTrue(self.show(host, "tool-calculate")["enabled"])
        self.disable(host, "tool-calculate")
        for key in keys:
            self.enable(host, "tool-calculate", expect=403, key=key)
        self.assertFalse(self.show(host, "tool-calculate")["enabled"])
        self.enable(host, "tool-calculate")

    def test_faults(self):
        host = self.host
        for verb in ("disable", "enable"):
            for body, pointer in (({"reasons": "x"}, "/reasons"), ([], ""), ("x", "")):
                answer = host.post(f"{PLUGINS}/tool-http/{verb}", body, expect=400)
                self.assertEqual([pointer], [e["pointer"] for e in answer.json["errors"]], answer)
            host.post(f"{PLUGINS}/nobody/{verb}", expect=404)
            host.post(f"{PLUGINS}/..%2F..%2Fstate/{verb}", expect=404)
        for reason in ("", "x" * 1001, 7):
            answer = host.post(f"{PLUGINS}/tool-http/disable", {"reason": reason}, expect=400)
            self.assertEqual("/reason", answer.json["errors"][0]["pointer"])
        self.assertTrue(self.show(host, "tool-http")["enabled"])

    def test_what_the_host_cannot_be_without(self):
        for plugin, kind, key in (("storage-sqlite", "storage", "store.plugin"), ("auth-api-key", "auth", "authentication.providers")):
            for verb in ("disable", "enable"):
                detail = self.host.post(f"{PLUGINS}/{plugin}/{verb}", expect=409).json["detail"]
                self.assertIn(f"is of kind {kind}", detail)
                self.assertIn(f"take it out of {key}", detail)
            self.assertTrue(self.show(self.host, plugin)["enabled"])

    def test_once_more_changes_nothing(self):
        host = self.host
        first = self.disable(host, "tool-search", "the first reason")
        again = self.disable(host, "tool-search", "another reason")
        self.assertEqual(first, again)
        self.assertEqual(("the first reason", host.get("/api/v1/me").json["user_id"]), (again["disabled_reason"], again["disabled_by"]))
        enabled = self.enable(host, "tool-search")
        self.assertEqual(enabled, self.enable(host, "tool-search"))
        self.assertFalse({"disabled_by", "disabled_at", "disabled_reason"} & set(enabled))

    def test_a_replay_does_nothing(self):
        host, headers = self.host, {"Idempotency-Key": "d1"}
        first = self.disable(host, "tool-http", "why", headers=headers)
        self.enable(host, "tool-http")
        self.assertEqual(first, self.disable(host, "tool-http", "why", headers=headers))
        self.assertTrue(self.show(host, "tool-http")["enabled"])
        self.disable(host, "tool-http", "why else", headers=headers, expect=422)
        records = [r for r in host.records(action="plugins.disable") if r["kind"] == "intent"]
        self.assertTrue(records)
        self.assertLessEqual({"plugin"}, {r["resource"]["type"] for r in records})

    def test_two_at_once(self):
        """Whatever comes of it, what is shown, what is on disk and what is offered agree."""
        host = self.host
        for _ in range(4):
            calls = [threading.Thread(target=call, args=(host, "tool-calculate")) for call in (self.disable, self.enable) * 4]
            for call in calls:
                call.start()
            for call in calls:
                call.join()
            on = self.show(host, "tool-calculate")["enabled"]
            self.assertEqual(on, "calculate" in self.tools(host))
            self.assertEqual(on, not os.path.exists(os.path.join(host.state, "plugins", "tool-calculate.disabled")))
        self.enable(host, "tool-calculate")

    def test_the_command_line(self):
        host = self.host
        shown = json.loads(host.ctl("plugins", "disable", "sink-webhook", "--reason", "ticket 4711").stdout)
        self.assertEqual((False, "ticket 4711"), (shown["enabled"], shown["disabled_reason"]))
        self.assertIn("ticket 4711", host.ctl("plugins", "show", "sink-webhook").stdout)
        self.assertFalse(next(p for p in json.loads(host.ctl("--json", "plugins", "list").stdout)["items"] if p["plugin_id"] == "sink-webhook")["enabled"])
        self.assertTrue(json.loads(host.ctl("plugins", "enable", "sink-webhook").stdout)["enabled"])
        host.ctl("plugins", "disable", "nobody", expect=4)
        self.assertIn("plugins disable", host.ctl("plugins", "disable", "--help").stdout)


class Calls(SwitchCase):
    def calculate(self, host, mock):
        """What the model is told, and which tools it was offered."""
        mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}, {"content": "done"}])
        host.run(self.agent, "6*7?")
        told = [m["content"] for m in mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]
        return told, {t["function"]["name"] for t in mock.requests[-1].json.get("tools", [])}

    def refused(self, host, mock):
        told, offered = self.calculate(host, mock)
        self.assertIn("plugin tool-calculate is disabled since ", told)
        self.assertIn(": it errs; `reevectl plugins enable tool-calculate` ", told)
        self.assertNotIn("calculate", offered)
        self.assertNotIn("calculate", self.tools(host))

    def check_tool(self, trusted):
        mock = self.mock()
        host = self.start(MODELS.format(url=mock.base_url, default="") + f"plugins: {{trusted: {trusted}}}\n")
        self.agent = host.agent()
        self.assertIn("42", self.calculate(host, mock)[0])
        pid = self.show(host, "tool-calculate").get("pid")
        now = self.disable(host, "tool-calculate", "it errs")
        self.assertEqual((False, None), (now["enabled"], now.get("pid")))
        if pid:
            until(lambda: not is_alive(pid), "its process goes on")
        self.refused(host, mock)
        host.kill()
        host.start()
        now = self.show(host, "tool-calculate")
        self.assertEqual((False, "it errs", "found"), (now["enabled"], now["disabled_reason"], now["state"]))
        self.refused(host, mock)
        self.assertEqual("loaded", self.enable(host, "tool-calculate")["state"])
        told, offered = self.calculate(host, mock)
        self.assertIn("42", told)
        self.assertIn("calculate", offered)
        self.assertIn("calculate", self.tools(host))
        host.kill()
        host.start()
        self.assertIn("42", self.calculate(host, mock)[0])

    def test_a_tool(self):
        self.check_tool("[]")

    def test_a_tool_in_the_host_itself(self):
        self.check_tool("[tool-calculate]")

    def test_a_call_under_way_ends_as_it_does(self):
        mock, site = self.mock(), self.site()
        host = self.start(MODELS.format(url=mock.base_url, default="") + f'plugins: {{settings: {{tool-http: {{granted_origins: ["{site.url}"]}}}}}}\n')
        agent = host.agent(tools=("http_request",))
        ask = {"tool_calls": [{"name": "http_request", "arguments": {"url": site.url}}]}
        mock.script([ask, ask, {"content": "done"}])
        answers = []
        call = threading.Thread(target=lambda: answers.append(host.run(agent, "fetch it")))
        call.start()
        self.assertTrue(site.asked.wait(60))
        pid = self.show(host, "tool-http")["pid"]
        self.assertFalse(self.disable(host, "tool-http", "enough")["enabled"])
        self.assertTrue(is_alive(pid))
        site.go.set()
        call.join()
        self.assertEqual("done", answers[0]["answer"])
        told = [m["content"] for m in mock.requests[-1].json["messages"] if m["role"] == "tool"]
        self.assertIn("the slow answer", told[0])
        self.assertIn("plugin tool-http is disabled", told[1])
        until(lambda: not is_alive(pid), "its process goes on")
        self.assertEqual((0, "stopped"), tuple(self.show(host, "tool-http")[k] for k in ("crashes", "process")))

    def test_an_extractor(self):
        host = self.start()
        host.upload("a.txt", "a text", "text/plain", expect=201)
        self.disable(host, "extractor-text", "a flaw")
        for _ in range(2):
            answer = host.upload("b.txt", "another text", "text/plain", expect=415)
            self.assertRegex(answer.json["detail"], "documents of type text/plain cannot be read: plugin extractor-text is disabled since .*: a flaw;")
            host.stop()
            host.start()
        self.enable(host, "extractor-text")
        host.upload("b.txt", "another text", "text/plain", expect=201)

    def test_models(self):
        mock = self.mock()
        host = self.start(MODELS.format(url=mock.base_url, default=""))

        def chat(model=None, expect=200):
            body = {"messages": [{"role": "user", "content": "hello"}], **({"model": model} if model else {})}
            return host.post("/v1/chat/completions", body, expect=expect).json

        mock.script([{"content": "of the mock"}])
        self.assertEqual("of the mock", chat("mock/x")["choices"][0]["message"]["content"])
        self.disable(host, "llm-openai", "the contract ended")
        count = len(mock.requests)
        for _ in range(2):
            self.assertIn("plugin llm-openai is disabled", json.dumps(chat("mock/x", expect=503)))
            # the next one is the one that is asked where nobody is named
            self.assertEqual({"own"}, {m["provider"] for m in host.get("/api/v1/models", expect=200).json["items"]})
            self.assertEqual("embedded", next(m for m in host.get("/api/v1/models").json["items"] if m["default"])["kind"])
            host.stop()
            host.start()
        self.disable(host, "llm-extractive")
        self.assertIn("plugin llm-extractive is disabled", json.dumps(chat("own/extractive", expect=503)))
        host.stop()
        host.start()
        self.assertIn("plugin llm-extractive is disabled", json.dumps(chat("own/extractive", expect=503)))
        self.assertEqual(count, len(mock.requests))
        self.enable(host, "llm-openai")
        self.enable(host, "llm-extractive")
        mock.script([{"content": "again"}])
        self.assertEqual("again", chat("mock/x")["choices"][0]["message"]["content"])
        chat("own/extractive")

    def test_a_sink_keeps_its_queue(self):
        site = self.site()
        row = f'{{id: hook, plugin: sink-webhook, tenants: [default], settings: {{url: "{site.url}/hook"}}}}'
        host = self.start(f"audit:\n  sinks:\n    - {row}\n")

        def sink():
            return host.get("/api/v1/admin/audit/sinks", expect=200).json["items"][0]

        def got():
            return b"".join(site.got).count(b'"agents.create"')

        host.agent()
        until(lambda: got() >= 2, "nothing is delivered")
        self.disable(host, "sink-webhook", "the other side moves")
        until(lambda: self.show(host, "sink-webhook")["process"] == "stopped", "its process goes on")
        count = len(site.got)
        host.agent()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            self.assertEqual(("disabled", 0), (sink()["state"], sink()["failures"]))
            time.sleep(0.1)
        self.assertIn("the other side moves", sink()["last_error"])
        host.kill()
        host.start()
        host.agent()
        self.assertGreaterEqual(sink()["lag"], 4)
        self.assertEqual("stopped", self.show(host, "sink-webhook")["process"])
        self.assertEqual(count, len(site.got))
        self.enable(host, "sink-webhook")
        until(lambda: got() >= 6, "what waited is not delivered")
        until(lambda: sink()["state"] == "up_to_date", "it does not catch up")

    def test_what_the_configuration_disables(self):
        host = self.start("plugins: {disabled: [tool-calculate, auth-api-key, nobody]}\n")
        now = self.show(host, "tool-calculate")
        self.assertEqual((False, "plugins.disabled"), (now["enabled"], now["disabled_by"]))
        self.assertNotIn("calculate", self.tools(host))
        self.assertIn("plugins.disabled of the configuration", host.post(f"{PLUGINS}/tool-calculate/enable", expect=409).json["detail"])
        self.disable(host, "tool-calculate", "once more")
        self.assertEqual(now, self.show(host, "tool-calculate"))
        self.assertTrue(self.show(host, "auth-api-key")["enabled"])
        for plugin in ("auth-api-key", "nobody"):
            self.assertIn(f"plugins.disabled names {plugin} without effect", host.read_log())

    def test_what_is_kept_is_damaged(self):
        """Somebody wanted it disabled: so it stays."""
        host = self.start()
        self.disable(host, "tool-calculate", "why")
        host.stop()
        with open(os.path.join(host.state, "plugins", "tool-calculate.disabled"), "w", encoding="utf-8") as file:
            file.write("{")
        host.start()
        now = self.show(host, "tool-calculate")
        self.assertEqual((False, None), (now["enabled"], now.get("disabled_by")))
        self.assertTrue(self.enable(host, "tool-calculate")["enabled"])



class Doctor(SwitchCase):
    def found(self, host):
        return {item["id"]: item for item in host.get("/api/v1/admin/doctor", expect=200).json["items"]}

    def test_all_is_well(self):
        found = self.found(self.start())
        for check in ("refused", "quarantined", "disabled", "consent", "weaker"):
            self.assertEqual("ok", found[f"plugins.{check}"]["state"], found[f"plugins.{check}"])

    def test_each_with_what_mends_it(self):
        host = self.start("plugins: {trusted: [tool-search], accept_weaker: {extractor-text: [landlock]}, disabled: [sink-splunk]}\n")
        self.disable(host, "tool-http", "ticket 1")
        found = self.found(host)
        self.assertEqual("warn", found["plugins.disabled"]["state"])
        self.assertRegex(found["plugins.disabled"]["detail"], r"tool-http: since .* by usr_\w+: ticket 1 \(`reevectl plugins enable tool-http`\)")
        self.assertRegex(found["plugins.disabled"]["detail"], r"sink-splunk: take it out of plugins.disabled \(.*reeve.yaml:1\)")
        self.assertEqual("warn", found["plugins.weaker"]["state"])
        self.assertIn("extractor-text: may run without landlock", found["plugins.weaker"]["detail"])
        self.assertRegex(found["plugins.weaker"]["detail"], r"tool-search: runs in the host's own process.*plugins.trusted, .*reeve.yaml:1")
        self.enable(host, "tool-http")
        self.assertNotIn("tool-http", self.found(host)["plugins.disabled"]["detail"])

    def test_quarantined(self):
        host = BrokenHost(arguments=FRAGILE).start()
        self.addCleanup(host.close)
        for word in ("one", "two", "three"):
            give(host, f"END {word}")
        found = self.found(host)
        self.assertEqual("fail", found["plugins.quarantined"]["state"])
        self.assertRegex(found["plugins.quarantined"]["detail"], r"fragile: 5 crashes in 10 minutes.*\(`reevectl plugins restart fragile`\)")
        self.assertNotIn("fragile", found["plugins.refused"]["detail"])

    def test_waits_for_consent(self):
        host = BrokenHost(arguments=[*folder("careful"), "--plugin-dir", OWN]).start()
        self.addCleanup(host.close)
        found = self.found(host)["plugins.consent"]
        self.assertEqual("warn", found["state"])
        self.assertIn("careful: tool.call (`reevectl plugins grant careful tool.call ", found["detail"])
        host.post(f"{PLUGINS}/careful/grants", {"capability": "tool.call", "reason": "test"}, expect=201)
        self.assertNotIn("careful: tool.call", self.found(host)["plugins.consent"]["detail"])


class OnTheBus(BusCase):
    def test_disable_and_enable(self):
        def call(method, *arguments):
            return json.loads(self.call(f"io.reeve.Plugins1.{method}", *arguments))

        self.assertEqual((False, "why"), tuple(call("Disable", "tool-http", "why")[k] for k in ("enabled", "disabled_reason")))
        self.assertFalse(self.host.get(f"{PLUGINS}/tool-http", expect=200).json["enabled"])
        self.assertTrue(call("Enable", "tool-http")["enabled"])
        self.assertNotIn("disabled_reason", call("Disable", "tool-http", ""))
        self.assertIn("io.reeve.Error.Conflict", self.refused("io.reeve.Plugins1.Disable", "storage-sqlite", ""))


if __name__ == "__main__":
    main()
