# SPDX-License-Identifier: LGPL-2.1-or-later
"""Traces: what a collector gets of a mission, what those that are called see of the caller's trace, what a collector that does not
answer costs, and what stands in each line of the log."""

import json
import os
import re
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mock_openai import MockOpenAI
from otlp_collector import Collector
from reeve import SOURCE, Host, main
from test_missions import calculate

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{llm}", api_key: "sk-test-secret"}}}}
logging: {{level: debug}}
telemetry:
  otlp: {{endpoint: "{otlp}", interval_seconds: 1, headers: {{x-api-key: "env:OTLP_KEY"}}, {more}}}
  propagation: {{{propagation}}}
plugins:
  settings:
    tool-http: {{granted_origins: ["{tool}"], methods: [GET]}}
"""


def until(what, condition):
    end = time.monotonic() + 60
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.01)


class Tool:
    """A server that a tool calls; keeps the headers of each request."""

    def __init__(self):
        tool = self
        self.seen = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                tool.seen.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Length", "4")
                self.end_headers()
                self.wfile.write(b"fine")

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class TracingCase(unittest.TestCase):
    more = "traces: true"
    propagation = ""

    @classmethod
    def setUpClass(cls):
        cls.collector = Collector().start()
        cls.addClassCleanup(cls.collector.stop)
        cls.llm = MockOpenAI().start()
        cls.addClassCleanup(cls.llm.stop)
        cls.tool = Tool()
        cls.addClassCleanup(cls.tool.stop)
        cls.host = Host(config=CONFIG.format(llm=cls.llm.base_url, otlp=cls.collector.url, tool=cls.tool.url, more=cls.more,
                                             propagation=cls.propagation), environment={"OTLP_KEY": "otlp-secret"}).start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent(tools=("calculate", "http_request"))

    def execute(self, mission="x", headers=None, expect=200):
        return self.host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": mission}, headers=headers, expect=expect)

    def spans(self, trace, *names):
        """Those of a trace, by name, when all of @names have come."""
        def find():
            found = {}
            for span in self.collector.spans():
                if span["traceId"] == trace:
                    found.setdefault(span["name"], []).append(span)
            return found if set(names) <= set(found) else None
        return until(f"{names} of {trace}: {sorted({span['name'] for span in self.collector.spans()})}", find)

    def lines(self):
        with open(os.path.join(self.host.folder.name, "log"), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.startswith("{")]


class Missions(TracingCase):
    def test_tree(self):
        fetch = {"tool_calls": [{"name": "http_request", "arguments": {"url": self.tool.url + "/"}, "id": "call_7"}]}
        self.llm.script([fetch, {"content": "a very private answer"}])
        self.tool.seen.clear()
        before = len(self.llm.requests)
        answer = self.execute("a very private mission", headers={"traceparent": f"00-{TRACE}-{PARENT}-01", "tracestate": "vendor=1"})
        run = answer.json
        self.assertTrue(run["success"], run)
        spans = self.spans(TRACE, "POST /api/v1/agents/execute")
        by_id = {span["spanId"]: span for group in spans.values() for span in group}
        server, = spans["POST /api/v1/agents/execute"]
        invoke, = spans[f"invoke_agent {self.agent}"]
        chats, (tool,) = spans["chat gpt-test"], spans["execute_tool http_request"]
        # the tree, below the caller's span
        self.assertEqual(PARENT, server["parentSpanId"])
        self.assertEqual(2, server["kind"])
        self.assertEqual(server["spanId"], invoke["parentSpanId"])
        self.assertEqual([3, 3], [chat["kind"] for chat in chats])
        for span in (*chats, tool, *spans["admission model.call"], *spans["admission tool.call"]):
            self.assertEqual(invoke["spanId"], span["parentSpanId"], span)
        self.assertEqual(server["spanId"], spans["admission agents.execute"][0]["parentSpanId"])
        for span in by_id.values():
            parent = by_id.get(span["parentSpanId"])
            if parent is not None:
                self.assertLessEqual(parent["begin"], span["begin"], span["name"])
                self.assertLessEqual(span["end"], parent["end"], span["name"])
            else:
                self.assertIs(server, span)
        # what stands in them
        self.assertEqual({"http.request.method": "POST", "http.route": "/api/v1/agents/execute", "http.response.status_code": 200,
                          "reeve.operation": "agents.execute", "reeve.tenant_id": "default"},
                         {name: value for name, value in server["attributes"].items() if name not in ("reeve.request_id", "reeve.user_id")})
        self.assertEqual(answer.headers["X-Request-Id"], server["attributes"]["reeve.request_id"])
        self.assertEqual(f"00-{TRACE}-{server['spanId']}-01", answer.headers["traceparent"])
        self.assertEqual(("invoke_agent", self.agent, run["session_id"], run["run_id"]),
                         tuple(invoke["attributes"][name] for name in ("gen_ai.operation.name", "gen_ai.agent.id", "gen_ai.conversation.id", "reeve.run_id")))
        chat = chats[0]["attributes"]
        self.assertEqual(("chat", "openai", "gpt-test", "127.0.0.1"),
                         tuple(chat[name] for name in ("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model", "server.address")))
        self.assertEqual(["tool_calls"], chat["gen_ai.response.finish_reasons"])
        self.assertEqual(run["usage"]["input_tokens"], sum(span["attributes"]["gen_ai.usage.input_tokens"] for span in chats))
        self.assertEqual(run["usage"]["output_tokens"], invoke["attributes"]["gen_ai.usage.output_tokens"])
        self.assertEqual(("execute_tool", "http_request", "call_7"),
                         tuple(tool["attributes"][name] for name in ("gen_ai.operation.name", "gen_ai.tool.name", "gen_ai.tool.call.id")))
        self.assertEqual({"allowed"}, {span["attributes"]["reeve.admission.decision"] for name in spans if name.startswith("admission ") for span in spans[name]})
        # those that were called
        self.assertEqual([f"00-{TRACE}-{chat['spanId']}-01" for chat in sorted(chats, key=lambda span: span["begin"])],
                         [request.headers["traceparent"] for request in self.llm.requests[before:]])
        self.assertEqual([f"00-{TRACE}-{tool['spanId']}-01"], [headers["traceparent"] for headers in self.tool.seen])
        # what the caller's own systems wrote is for nobody else
        self.assertEqual([None] * 3, [headers.get("tracestate") for headers in [*self.tool.seen, *(request.headers for request in self.llm.requests[before:])]])
        self.assertNotIn("private", json.dumps(list(by_id.values())))

    def test_refused(self):
        self.llm.script([calculate("1/0", id="x"), {"tool_calls": [{"name": "no_such_tool", "arguments": {}}]}, {"content": "done"}])
        trace = "a" * 32
        self.execute(headers={"traceparent": f"00-{trace}-{PARENT}-01"})
        failed, = self.spans(trace, "POST /api/v1/agents/execute")["execute_tool calculate"]
        self.assertTrue(failed["failed"])
        self.assertIn("error.type", failed["attributes"])
        trace = "b" * 32
        self.host.post("/api/v1/agents/execute", {"agent_id": "agt_none", "mission": "x"}, headers={"traceparent": f"00-{trace}-{PARENT}-01"}, expect=404)
        spans = self.spans(trace, "POST /api/v1/agents/execute")
        server, = spans["POST /api/v1/agents/execute"]
        self.assertEqual((404, False, "not_found"), (server["attributes"]["http.response.status_code"], server["failed"], server["attributes"]["reeve.refused"]))
        trace = "c" * 32
        self.host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": "x"}, key="rv_nobody", expect=401, headers={"traceparent": f"00-{trace}-{PARENT}-01"})
        server, = self.spans(trace, "POST /api/v1/agents/execute")["POST /api/v1/agents/execute"]
        self.assertEqual(401, server["attributes"]["http.response.status_code"])
        self.assertNotIn("reeve.user_id", server["attributes"])
        viewer = self.host.user("viewer")
        trace = "d" * 32
        self.host.post("/api/v1/admin/agents", {"name": "x", "initial_definition": {}}, key=viewer["api_key"] if isinstance(viewer, dict) else viewer, expect=403,
                       headers={"traceparent": f"00-{trace}-{PARENT}-01"})
        server, = self.spans(trace, "POST /api/v1/admin/agents")["POST /api/v1/admin/agents"]
        self.assertEqual("permission_denied", server["attributes"]["reeve.refused"])

    def test_models_alone(self):
        trace = "e" * 32
        self.llm.script([{"content": "hello"}])
        self.host.post("/v1/chat/completions", {"model": "mock/gpt-test", "messages": [{"role": "user", "content": "x"}]},
                       headers={"traceparent": f"00-{trace}-{PARENT}-01"}, expect=200)
        spans = self.spans(trace, "POST /v1/chat/completions")
        server, = spans["POST /v1/chat/completions"]
        self.assertEqual(server["spanId"], spans["chat gpt-test"][0]["parentSpanId"])
        self.assertEqual(f"00-{trace}-{spans['chat gpt-test'][0]['spanId']}-01", self.llm.requests[-1].headers["traceparent"])

    def test_not_sampled(self):
        """What a caller does not record is not recorded here, and passed on as he showed it; a malformed context is none."""
        shown = f"00-{'f' * 32}-{PARENT}-00"
        self.llm.script([{"content": "hello"}])
        self.execute(headers={"traceparent": shown})
        self.assertEqual(shown, self.llm.requests[-1].headers["traceparent"])
        for bad in (f"00-{TRACE}-{PARENT}-01-x", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", "x"):
            self.llm.script([{"content": "hello"}])
            answer = self.execute(headers={"traceparent": bad})
            own = re.fullmatch("00-([0-9a-f]{32})-[0-9a-f]{16}-03", answer.headers["traceparent"]).group(1)
            self.assertNotEqual(TRACE, own)
            server, = self.spans(own, "POST /api/v1/agents/execute")["POST /api/v1/agents/execute"]
            self.assertNotIn("parentSpanId", server)
        self.assertNotIn("f" * 32, {span["traceId"] for span in self.collector.spans()})

    def test_many_at_once(self):
        """Missions of two tenants at once: nothing of one stands in the trace or the log of the other."""
        self.llm.script([])
        self.llm.default = {"content": "hello"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme"}, expect=201)
        key = self.host.user("admin", tenant="acme")
        other = self.host.post("/api/v1/admin/agents", {"name": "other", "initial_definition": {"system_prompt": "x"}}, key=key, expect=201).json["agent_id"]
        runs, failures = {}, []

        def work(index):
            try:
                for turn in range(4):
                    trace = f"{index * 16 + turn + 1:032x}"
                    foreign = index % 2 == 1
                    run = self.host.post("/api/v1/agents/execute", {"agent_id": other if foreign else self.agent, "mission": "x"}, key=key if foreign else "admin",
                                         headers={"traceparent": f"00-{trace}-{PARENT}-01"}, expect=200)
                    runs[trace] = ("acme" if foreign else "default", run.json["run_id"], run.headers["X-Request-Id"], run.json.get("agent_id"))
            except Exception as fault:  # pylint: disable=broad-except
                failures.append(fault)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        for trace, (tenant, run_id, request_id, agent_id) in runs.items():
            for name, group in self.spans(trace, "POST /api/v1/agents/execute").items():
                for span in group:
                    self.assertEqual(tenant, span["attributes"]["reeve.tenant_id"], name)
                    self.assertIn(span["attributes"].get("reeve.run_id"), (None, run_id))
            told = [line for line in self.lines() if line.get("trace_id") == trace or line.get("run_id") == run_id or line.get("request_id") == request_id]
            self.assertTrue(any("a run has ended" in line["message"] and line["agent_id"] == agent_id for line in told), told)
            for line in told:
                self.assertEqual((tenant, trace, request_id), (line.get("tenant_id", tenant), line["trace_id"], line["request_id"]), line)
                self.assertIn(line.get("run_id"), (None, run_id))

    def test_what_waits_is_logged_for_whom(self):
        """A service that says later: what its answer brings about, and the next try, are logged with all ids, whatever thread it comes on."""
        trace = "5" * 32
        self.llm.script([{"status": 503, "headers": {"Retry-After": "0"}}, {"status": 503, "headers": {"Retry-After": "0"}}, {"content": "now"}])
        answer = self.execute(headers={"traceparent": f"00-{trace}-{PARENT}-01"})
        run = answer.json["run_id"]
        told = [line for line in self.lines() if "trying again in" in line["message"] and line.get("trace_id") == trace]
        self.assertEqual(2, len(told), self.lines()[-20:])
        for line in told:
            self.assertEqual(("default", run, self.agent, answer.headers["X-Request-Id"], True),
                             (line["tenant_id"], line["run_id"], line["agent_id"], line["request_id"], "user_id" in line), line)
        # and nothing says of a run in words what it does not say by its ids
        self.assertEqual([], [line for line in self.lines() if "run_" in line["message"] and line.get("run_id", "none") not in line["message"]])

    def test_secrets(self):
        until("a request", lambda: self.collector.requests)
        self.assertEqual({"otlp-secret"}, {headers["x-api-key"] for _time, _path, headers in self.collector.requests})
        told = json.dumps(self.collector.spans()) + json.dumps(self.collector.resources)
        with open(os.path.join(self.host.folder.name, "log"), encoding="utf-8") as file:
            told += file.read()
        for secret in ("otlp-secret", "sk-test-secret", self.host.key):
            self.assertNotIn(secret, told)
        self.assertEqual({"reeve"}, {resource["service.name"] for resource in self.collector.resources})
        self.assertEqual(1, len({resource["service.instance.id"] for resource in self.collector.resources}))

    def test_what_leaves_is_told(self):
        """The start is on record, with the origin of the collector; health and the doctor say how it is."""
        records = [r for r in self.host.get("/api/v1/admin/audit?platform=true&action=telemetry.started", expect=200).json["items"]]
        self.assertEqual([("event", "collector", self.collector.url, "traces_and_metrics")],
                         [(r["kind"], r["resource"]["type"], r["resource"]["id"], r["reason"]) for r in records])
        self.assertEqual("delivering", self.host.get("/health", key=None, expect=200).json["telemetry"])
        check, = (item for item in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if item["id"] == "telemetry.collector")
        self.assertEqual("ok", check["state"], check)
        self.assertIn(self.collector.url, check["detail"])

    def test_metrics_of_models(self):
        """OpenTelemetry's conventions for clients of generative AI: names, units, bounds of buckets, attributes and their types."""
        chat = {"model": "mock/metered", "messages": [{"role": "user", "content": "x"}]}
        self.llm.script([{"content": "whole"}, {"content": "in pieces"}, {"status": 400}])
        self.host.post("/v1/chat/completions", chat, expect=200)
        self.host.post("/v1/chat/completions", {**chat, "stream": True, "stream_options": {"include_usage": True}}, expect=200)
        self.host.post("/v1/chat/completions", chat, expect=400)
        self.host.post("/v1/embeddings", {"model": "mock/metered", "input": "x"}, expect=200)
        usual = {"gen_ai.provider.name": "openai", "gen_ai.request.model": "metered", "server.address": "127.0.0.1", "server.port": self.llm.port}
        times = [0.01 * 2 ** power for power in range(14)]
        told = {"gen_ai.client.token.usage": ("{token}", [4 ** power for power in range(14)], {
                    ("chat", "metered", "gen_ai.token.type", "input"): 2, ("chat", "metered", "gen_ai.token.type", "output"): 2,
                    ("embeddings", "metered", "gen_ai.token.type", "input"): 1}),
                "gen_ai.client.operation.duration": ("s", times, {
                    ("chat", "metered", "error.type", None): 2, ("chat", None, "error.type", "invalid_argument"): 1,
                    ("embeddings", "metered", "error.type", None): 1}),
                "gen_ai.client.operation.time_to_first_chunk": ("s", times, {("chat", "metered", None, None): 1})}

        def points(name):
            return [point for point in self.collector.metrics().get(name, {"points": []})["points"]
                    if point["attributes"].get("gen_ai.request.model") == "metered"]
        until("all calls", lambda: 4 == sum(int(point["count"]) for point in points("gen_ai.client.operation.duration")))
        for name, (unit, bounds, counts) in told.items():
            with self.subTest(name=name):
                metric = self.collector.metrics()[name]
                self.assertEqual(("histogram", unit), (metric["kind"], metric["unit"]))
                found = {}
                for point in points(name):
                    left = dict(point["attributes"])
                    self.assertEqual(usual, {key: left.pop(key, None) for key in usual})
                    key = (left.pop("gen_ai.operation.name"), left.pop("gen_ai.response.model", None), *(left.popitem() if left else
                           ("error.type" if "duration" in name else None, None)))
                    self.assertEqual({}, left)
                    found[key] = int(point["count"])
                    self.assertEqual(bounds, [round(bound, 6) for bound in point["explicitBounds"]])
                    self.assertTrue(int(point["count"]) == 0 or point["sum"] > 0, point)
                self.assertEqual(counts, found)

    def test_every_metric_that_is_told(self):
        """Each that a collector gets is one of docs/metrics.md, of that kind, unit and with those attributes; and those of a mission are there."""
        self.llm.script([{"content": "said"}])
        self.execute()
        with open(os.path.join(SOURCE, "docs", "metrics.md"), encoding="utf-8") as file:
            rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \| ([^|]*) \|", file.read(), re.M)
        units = {"seconds": "s", "bytes": "By", "ratio": "1", "tokens": "{token}", "": ""}
        told = {name: (kind.replace("counter", "sum"), units[unit.strip()], set(re.findall("`([a-z_]+)`", labels))) for name, kind, unit, labels in rows}
        least = {"reeve_http_requests": {"endpoint": "/api/v1/agents/execute", "method": "POST", "status": "200", "tenant_id": "default"},
                 "reeve_http_request_duration_seconds": {"endpoint": "/api/v1/agents/execute", "method": "POST", "tenant_id": "default"},
                 "reeve_authenticated_requests": {"method": "api_key", "tenant_id": "default"},
                 "reeve_agent_executions": {"outcome": "succeeded", "tenant_id": "default"},
                 "reeve_agent_execution_duration_seconds": {"tenant_id": "default"},
                 "reeve_agent_execution_tokens": {"direction": "output", "tenant_id": "default"},
                 "reeve_model_calls": {"model": "mock/gpt-test", "outcome": "succeeded", "tenant_id": "default"},
                 "reeve_model_call_duration_seconds": {"model": "mock/gpt-test"},
                 "reeve_model_tokens": {"model": "mock/gpt-test", "direction": "input", "tenant_id": "default"},
                 "reeve_audit_events": {"kind": "intent", "tenant_id": "default"},
                 "reeve_ledger_record_bytes": {}, "reeve_ledger_sync_duration_seconds": {}, "reeve_ready": {}, "reeve_plugin_up": {"plugin": "llm-openai"},
                 "reeve_process_cpu_seconds": {}, "reeve_process_resident_memory_bytes": {}}

        def missing():
            metrics = self.collector.metrics()
            return [name for name, labels in least.items() if not any(labels == point["attributes"] for point in metrics.get(name, {"points": []})["points"])]
        until("a mission", lambda: not missing())
        for name, metric in self.collector.metrics().items():
            with self.subTest(name=name):
                if name.startswith("gen_ai."):
                    name = name.replace(".", "_") + ("_seconds" if metric["unit"] == "s" else "")
                kind, unit, labels = told[name]
                self.assertEqual((kind, unit), (metric["kind"], metric["unit"]))
                for point in metric["points"]:
                    self.assertLessEqual({key.replace(".", "_") for key in point["attributes"]}, labels)

    def tearDown(self):
        self.assertEqual([], self.collector.faults)


class Trouble(TracingCase):
    more = "queue: 16, timeout_ms: 2000, metrics: false"
    propagation = 'traceparent: ["http://127.0.0.1:1"]'

    def test_collectors_that_fail(self):
        self.llm.default = {"content": "hello"}
        # it is asked again, when it wants to be
        self.collector.answers = [(503, {"Retry-After": "1"}, b'{"code":14,"message":"busy"}'), (429, {}, b"{}"), "close"]
        answer = self.execute()
        trace = answer.headers["traceparent"].split("-")[1]
        self.spans(trace, "POST /api/v1/agents/execute")
        times = [moment for moment, path, _headers in self.collector.requests if path == "/v1/traces"]
        self.assertGreaterEqual(times[1] - times[0], 0.9)
        self.assertIn("busy", self.host.read_log())
        until("back again", lambda: "are taken by the collector" in self.host.read_log())
        # nobody outside was told
        self.assertNotIn("traceparent", self.llm.requests[-1].headers)
        until("well again", lambda: self.host.get("/health", key=None, expect=200).json["telemetry"] == "delivering")
        # a part is refused, and not sent again
        self.collector.answers = [(200, {}, b'{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}')]
        self.execute()
        until("said", lambda: "refused 3 of" in self.host.read_log() and "too old" in self.host.read_log())
        # it is not there: the host serves on, spans are dropped and counted
        self.collector.answers = ["stall"] * 100
        for _turn in range(12):
            self.execute()
        until("dropped", lambda: re.search("[0-9]+ spans were dropped", self.host.read_log()))
        until("told", lambda: self.host.get("/health/ready", key=None, expect=200).json["telemetry"] == "failing")
        check, = (item for item in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if item["id"] == "telemetry.collector")
        self.assertEqual("warn", check["state"], check)
        # and ends in time
        self.host.stop()
        self.assertEqual([], self.collector.faults)
        # killed while it sends, it starts again as ever
        self.host.start()
        self.execute()
        self.host.kill()
        self.collector.answers = []
        self.host.start()
        answer = self.execute()
        trace = answer.headers["traceparent"].split("-")[1]
        # what waits is sent when the host ends
        self.host.stop()
        self.assertIn("POST /api/v1/agents/execute", {span["name"] for span in self.collector.spans() if span["traceId"] == trace})


if __name__ == "__main__":
    main()
