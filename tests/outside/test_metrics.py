# SPDX-License-Identifier: LGPL-2.1-or-later
"""Metrics and service levels as a host serves them: both text formats by promtool, who may read what, and that docs/metrics.md tells all."""

import os
import re
import subprocess
import unittest

from mock_openai import MockOpenAI
from reeve import SOURCE, Host, main

CONFIG = """
profile: dev
limits: {{requests_per_minute: 0}}
budgets: {{org: {{token_limit: 100000}}}}
llm:
  default: mock/gpt-4o-mini
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "k"}}}}
  prices: {{"mock/gpt-4o-mini": {{input: 1, output: 2}}}}
"""
OPEN = "application/openmetrics-text; version=1.0.0"
SAMPLE = re.compile(r'([a-z_0-9]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)",?')


def samples(text):
    """(name, {label: value}, number) of each line that is none of comment."""
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, number = SAMPLE.fullmatch(line).groups()
            yield name, dict(LABEL.findall(labels or "")), float(number)


def value(text, name, **labels):
    return sum(number for n, found, number in samples(text) if n == name and labels.items() <= found.items())


def families(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))


def promtool(*arguments, text=""):
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


class Metrics(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)
        cls.exercise()

    @classmethod
    def exercise(cls):
        """Something of everything that is counted where it happens."""
        host = cls.host
        for tenant in ("acme", "other"):
            host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
            setattr(cls, tenant, host.user("admin", tenant))
        cls.viewer = host.user("viewer")
        agent = host.post("/api/v1/admin/agents", {"name": "one", "initial_definition": {"system_prompt": "x"}}, expect=201).json
        host.run(agent["agent_id"], "say something")
        host.post("/v1/chat/completions", {"model": "mock/unpriced", "messages": [{"role": "user", "content": "?"}]}, expect=200)
        host.get("/api/v1/admin/users", key=cls.viewer, expect=403)
        host.get("/api/v1/me", key="rv_nobody_nothing", expect=401)
        host.get("/nothing/here", expect=404)
        host.get("/api/v1/me", key=cls.acme, expect=200)

    def scrape(self, accept=None, key=None, expect=200, **headers):
        fields = {name.replace("_", "-"): text for name, text in headers.items()}
        if accept:
            fields["Accept"] = accept
        return self.host.get("/metrics", key=key, headers=fields, expect=expect)

    def test_prometheus_reads_it(self):
        answer = self.scrape()
        self.assertEqual("text/plain; version=0.0.4; charset=utf-8", answer.headers["Content-Type"])
        self.assertEqual((0, ""), promtool("check", "metrics", text=answer.text))

    def test_openmetrics(self):
        answer = self.scrape(OPEN)
        self.assertEqual("application/openmetrics-text; version=1.0.0; charset=utf-8", answer.headers["Content-Type"])
        self.assertTrue(answer.text.endswith("\n# EOF\n"))
        self.assertEqual(1, answer.text.count("# EOF"))
        plain, named = families(self.scrape().text), families(answer.text)
        self.assertEqual({name.removesuffix("_total") if kind == "counter" else name: kind for name, kind in plain.items()}, named)
        for name, unit in re.findall(r"^# UNIT (\S+) (\S+)$", answer.text, re.M):
            self.assertTrue(name.endswith("_" + unit), name)

    def test_what_happened_is_counted(self):
        text = self.scrape().text
        for name, labels, least in (
                ("reeve_http_requests_total", {"endpoint": "/api/v1/me", "method": "GET", "status": "200", "tenant_id": "acme"}, 1),
                ("reeve_http_requests_total", {"endpoint": "/api/v1/me", "status": "401", "tenant_id": ""}, 1),
                ("reeve_http_requests_total", {"endpoint": "unmatched", "status": "404"}, 1),
                ("reeve_http_request_duration_seconds_count", {"endpoint": "/api/v1/agents/execute", "tenant_id": "default"}, 1),
                ("reeve_authenticated_requests_total", {"method": "api_key", "tenant_id": "acme"}, 1),
                ("reeve_failed_logins_total", {"scheme": "bearer"}, 1),
                ("reeve_permission_denials_total", {"tenant_id": "default"}, 1),
                ("reeve_gate_refusals_total", {"stage": "door", "reason": "permission_denied"}, 1),
                ("reeve_agent_executions_total", {"outcome": "succeeded", "tenant_id": "default"}, 1),
                ("reeve_agent_execution_steps_sum", {"tenant_id": "default"}, 1),
                ("reeve_agent_execution_tokens_total", {"direction": "input"}, 1),
                ("reeve_model_calls_total", {"model": "mock/gpt-4o-mini", "outcome": "succeeded"}, 1),
                ("reeve_model_tokens_total", {"model": "mock/gpt-4o-mini", "direction": "output"}, 1),
                ("reeve_model_cost_total", {"model": "mock/gpt-4o-mini", "currency": "USD", "tenant_id": "default"}, 1e-9),
                ("reeve_model_unpriced_tokens_total", {"model": "mock/unpriced", "tenant_id": "default"}, 1),
                ("reeve_audit_events_total", {"kind": "refusal", "tenant_id": "default"}, 1),
                ("reeve_ledger_record_bytes_total", {}, 1000),
                ("reeve_ledger_sync_duration_seconds_count", {}, 5),
                ("reeve_budget_used_ratio", {"scope": "org", "tenant_id": "default"}, 1e-6),
                ("reeve_ready", {}, 1), ("reeve_ledger_writable", {}, 1), ("reeve_store_writable", {}, 1),
                ("reeve_store_cache_open", {}, 4), ("reeve_store_cache_hits_total", {}, 10), ("reeve_store_cache_misses_total", {}, 4),
                ("reeve_plugin_up", {"plugin": "storage-sqlite"}, 1),
                ("reeve_process_open_fds", {}, 10), ("reeve_process_resident_memory_bytes", {}, 1 << 20), ("reeve_process_cpu_seconds_total", {}, 1e-3)):
            with self.subTest(name=name, labels=labels):
                self.assertGreaterEqual(value(text, name, **labels), least)
        bounds = {labels["le"] for name, labels, _n in samples(text) if name == "reeve_http_request_duration_seconds_bucket"}
        self.assertLessEqual({"0.5", "1.0", "2.5", "+Inf"}, bounds)

    def test_the_gate_was_tried_before_anybody_was_served(self):
        self.assertEqual("passed", self.host.get("/health/ready", key=None, expect=200).json["self_test"])
        self.assertEqual(1, value(self.scrape().text, "reeve_self_test_passed"))
        records = self.host.get("/api/v1/admin/audit?platform=true&limit=500", expect=200).json["items"]
        self.assertLessEqual({("self_test.permission", "permission_denied"), ("self_test.policy", "tool_not_in_definition")},
                             {(r["action"], r.get("reason")) for r in records if r["kind"] == "refusal" and r["outcome"] == "blocked"})

    def test_a_path_is_its_route(self):
        for number in range(3):
            self.host.get(f"/api/v1/admin/agents/agt_{number}", expect=404)
        endpoints = {labels["endpoint"] for name, labels, _n in samples(self.scrape().text) if name == "reeve_http_requests_total"}
        self.assertIn("/api/v1/admin/agents/{agent_id}", endpoints)
        self.assertEqual([], [e for e in endpoints if "agt_" in e])

    def test_who_may_read_them(self):
        self.scrape(Host="metrics.example", expect=401)
        for name in ("Forwarded", "Via", "X_Forwarded_For", "X_Real_IP"):
            self.scrape(**{name: "for=127.0.0.1"}, expect=401)
        self.scrape(Host="LOCALHOST:9000")
        self.scrape(key="rv_nobody_nothing", expect=401)
        self.scrape(key=self.viewer, expect=403)
        self.assertIn("reeve_ready", self.scrape(key="admin").text)

    def test_a_tenant_reads_its_own(self):
        text = self.scrape(key=self.acme).text
        self.assertEqual({"acme"}, {labels["tenant_id"] for _name, labels, _n in samples(text)})
        self.assertNotIn("reeve_ready", text)
        self.assertEqual((0, ""), promtool("check", "metrics", text=text))
        items = self.host.get("/api/v1/admin/metrics", headers={"X-Tenant-ID": "acme"}, expect=200).json["items"]
        self.assertEqual({"acme"}, {point["labels"]["tenant_id"] for item in items for point in item["points"]})
        # its name is the word for those that are not told apart
        self.assertEqual([], list(samples(self.scrape(key=self.other).text)))
        for path in ("/api/v1/admin/metrics", "/api/v1/admin/sla"):
            for key in (self.acme, self.viewer):
                self.assertIn("platform admin", self.host.get(path, key=key, expect=403).json["detail"])
                self.host.get(path + "?platform=true", key=key, expect=403)
            self.host.get(path, key=None, expect=401)

    def test_json_says_the_same(self):
        items = self.host.get("/api/v1/admin/metrics?platform=true&name=reeve_http", expect=200).json["items"]
        self.assertEqual(["reeve_http_requests", "reeve_http_request_duration_seconds"], [item["name"] for item in items])
        point = next(p for p in items[1]["points"] if p["labels"] == {"endpoint": "/api/v1/me", "method": "GET", "tenant_id": "acme"})
        self.assertLessEqual(point["buckets"][-1]["count"], point["count"])
        self.assertGreater(point["sum"], 0)

    def test_service_levels(self):
        before = self.host.get("/api/v1/admin/sla", headers={"X-Tenant-ID": "acme"}, expect=200).json
        for _i in range(10):
            self.host.get("/api/v1/me", key=self.acme, expect=200)
        after = self.host.get("/api/v1/admin/sla?window=300", headers={"X-Tenant-ID": "acme"}, expect=200).json
        # the question itself is counted when it has been answered
        self.assertGreaterEqual(after["total_requests"], before["total_requests"] + 10)
        self.assertEqual(("acme", 0, 0.0, 300), (after["tenant_id"], after["total_errors"], after["error_rate_percent"], after["window_seconds"]))
        self.assertLessEqual(0 < after["latency_p50_seconds"], after["latency_p50_seconds"] <= after["latency_p95_seconds"] <= after["latency_p99_seconds"])
        whole = self.host.get("/api/v1/admin/sla?platform=true", expect=200).json
        self.assertIsNone(whole["tenant_id"])
        self.assertEqual(whole["total_requests"], sum(t["total_requests"] for t in whole["tenants"]))
        self.assertLessEqual({"acme", "default"}, {t["tenant_id"] for t in whole["tenants"]})
        self.host.get("/api/v1/admin/sla?window=1", expect=400)

    def test_everything_is_told_in_the_documentation(self):
        with open(os.path.join(SOURCE, "docs", "metrics.md"), encoding="utf-8") as file:
            rows = re.findall(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \| ([^|]*) \| ([^|]*) \|", file.read(), re.M)
        told = {name: (kind, tuple(re.findall(r"`([a-z_]+)`", labels))) for name, kind, _unit, labels in rows}
        shown = {}
        for item in self.host.get("/api/v1/admin/metrics?platform=true", expect=200).json["items"]:
            labels = tuple(item["points"][0]["labels"]) if item["points"] else told.get(item["name"], (None, None))[1]
            shown[item["name"]] = (item["type"], labels)
        self.assertEqual(shown, told)


class Settings(unittest.TestCase):
    def test_credentials_may_be_required(self):
        for prefix in ("mill", "mill_"):
            with Host(f"metrics: {{require_authentication: true, prefix: {prefix}}}\n") as host:
                host.get("/metrics", key=None, expect=401)
                self.assertIn("\nmill_ready 1\n", host.get("/metrics", expect=200).text)

    def test_none_at_all(self):
        with Host("metrics: {enabled: false}\n") as host:
            for path in ("/metrics", "/api/v1/admin/metrics", "/api/v1/admin/sla"):
                host.get(path, expect=404)
            host.get("/metrics", key=None, expect=404)


if __name__ == "__main__":
    main()
