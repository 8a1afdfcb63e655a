# SPDX-License-Identifier: LGPL-2.1-or-later
"""A real Prometheus scrapes a host: in OpenMetrics, which it asks for, and in its old text; what it stores is what happened; the rules load and run.

| what | CI | long |
| --- | --- | --- |
| missions before the scrapes that are compared | 5 | 50 |
| scrapes in each format that are taken | 3 | 60 |
"""

import json
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mock_openai import MockOpenAI
from reeve import SOURCE, Host, main, size

RULES = os.path.join(SOURCE, "data", "prometheus", "reeve-alerts.yml")
MISSIONS, SCRAPES = size(5, 50), size(3, 60)
HOST = """
profile: dev
metrics: {{require_authentication: true}}
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "k"}}}}
"""
# the second comes by way of a relay that asks for no format
PROMETHEUS = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: reeve
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: ["{host}"]}}]
  - job_name: plain
    authorization: {{credentials_file: "{key}"}}
    static_configs: [{{targets: ["{relay}"]}}]
"""


def until(what, condition):
    end = time.monotonic() + 120
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what()}")
        time.sleep(0.05)


class Relay:
    """Hands on GET without the Accept header, and keeps which formats were asked for and what came."""

    def __init__(self, url):
        relay = self
        self.asked, self.types = set(), set()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                relay.asked.add(self.headers.get("Accept", ""))
                request = urllib.request.Request(url + self.path, headers={"Authorization": self.headers["Authorization"]})
                with urllib.request.urlopen(request, timeout=30) as answer:
                    body, kind = answer.read(), answer.headers["Content-Type"]
                relay.types.add(kind)
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Prometheus:
    def __init__(self, config):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-prometheus-")
        path = os.path.join(self.folder.name, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(config)
        with open(os.path.join(self.folder.name, "log"), "wb") as log:
            self.process = subprocess.Popen(["prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.folder.name}/data",
                                             "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log)
        self.port = until(self.read_log, self.find_port)
        until(self.read_log, self.is_ready)

    def read_log(self):
        with open(os.path.join(self.folder.name, "log"), encoding="utf-8") as file:
            return file.read()

    def find_port(self):
        """It took a free one: the one that its own socket listens at."""
        if self.process.poll() is not None:
            raise AssertionError(self.read_log())
        own = set()
        for name in os.listdir(f"/proc/{self.process.pid}/fd"):
            try:
                own.add(os.readlink(f"/proc/{self.process.pid}/fd/{name}"))
            except OSError:
                pass
        with open("/proc/net/tcp", encoding="ascii") as file:
            for row in file.read().splitlines()[1:]:
                words = row.split()
                if words[3] == "0A" and f"socket:[{words[9]}]" in own:
                    return int(words[1].split(":")[1], 16)
        return None

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def get(self, path, **query):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}", timeout=30) as answer:
            document = json.load(answer)
        assert document["status"] == "success", document
        return document["data"]

    def value(self, text):
        """Of the only series that answers; None for none."""
        found = self.get("query", query=text)["result"]
        assert len(found) < 2, found
        return float(found[0]["value"][1]) if found else None

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


class Scraped(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(HOST.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)
        agent = cls.host.agent()
        for _turn in range(MISSIONS):
            cls.host.run(agent, "say something")
        cls.relay = Relay(cls.host.url)
        cls.addClassCleanup(cls.relay.stop)
        key = os.path.join(cls.host.folder.name, "scraper.key")
        with open(key, "w", encoding="utf-8") as file:
            file.write(cls.host.key)
        cls.prometheus = Prometheus(PROMETHEUS.format(rules=RULES, key=key, host=urllib.parse.urlsplit(cls.host.url).netloc, relay=cls.relay.address))
        cls.addClassCleanup(cls.prometheus.stop)
        for job in ("reeve", "plain"):
            until(cls.targets, lambda job=job: (cls.prometheus.value(f'sum_over_time(up{{job="{job}"}}[1h])') or 0) >= SCRAPES)

    @classmethod
    def targets(cls):
        return str(cls.prometheus.get("targets")["activeTargets"])

    def names(self, job):
        return {name for name in self.prometheus.get("label/__name__/values", **{"match[]": f'{{job="{job}"}}'}) if re.match("reeve_|gen_ai_", name)}

    def test_every_scrape_is_taken_whole(self):
        for job in ("reeve", "plain"):
            # an answer may come too late on a busy machine; one that came and was not understood is told as something else
            errors = {target["lastError"] for target in self.prometheus.get("targets")["activeTargets"] if target["labels"]["job"] == job}
            self.assertTrue(all(error == "" or "deadline exceeded" in error for error in errors), errors)
        self.assertEqual([], re.findall(r"(?i).*(?:out.of.order|duplicate|append failed).*", self.prometheus.read_log()))

    def test_the_formats(self):
        self.assertTrue(all("application/openmetrics-text" in accept for accept in self.relay.asked), self.relay.asked)
        self.assertEqual({"text/plain; version=0.0.4; charset=utf-8"}, self.relay.types)
        both = self.prometheus.get("targets/metadata", metric="reeve_http_request_duration_seconds")
        # only OpenMetrics has units
        self.assertEqual({("reeve", "histogram", "seconds"), ("plain", "histogram", "")}, {(row["target"]["job"], row["type"], row["unit"]) for row in both})
        # and counters are called the same in both
        self.assertEqual(self.names("reeve"), self.names("plain"))
        self.assertLessEqual({"reeve_agent_executions_total", "reeve_ready", "gen_ai_client_token_usage_bucket", "gen_ai_client_operation_duration_seconds_count"},
                             self.names("reeve"))

    def test_what_is_stored_is_what_happened(self):
        def total(name, more=""):
            # the newest of each series, also of one whose last scrape came too late
            return self.prometheus.value(f'sum(last_over_time({name}{{job="reeve"{more}}}[1h]))')
        for name, labels, expected in (("reeve_ready", "", 1), ("reeve_agent_executions_total", ',outcome="succeeded",tenant_id="default"', MISSIONS),
                                       ("reeve_model_calls_total", ',model="mock/gpt-test"', len(self.mock.requests)),
                                       ("gen_ai_client_operation_duration_seconds_count", ',gen_ai_request_model="gpt-test"', len(self.mock.requests))):
            with self.subTest(name=name):
                self.assertEqual(expected, total(name, labels))
        for kind in ("input", "output"):
            self.assertGreater(total("reeve_model_tokens_total", f',direction="{kind}"'), 0)
            self.assertEqual(total("reeve_model_tokens_total", f',direction="{kind}"'), total("gen_ai_client_token_usage_sum", f',gen_ai_token_type="{kind}"'))
        quantile = self.prometheus.value('histogram_quantile(0.95, sum by (le) (last_over_time(gen_ai_client_operation_duration_seconds_bucket{job="reeve"}[1h])))')
        self.assertTrue(0 < quantile < 81.92, quantile)

    def test_the_rules_run(self):
        with open(RULES, encoding="utf-8") as file:
            alerts = set(re.findall(r"- alert: (\w+)", file.read()))

        def evaluated():
            rules = [rule for group in self.prometheus.get("rules")["groups"] for rule in group["rules"]]
            return rules if all(rule["health"] == "ok" for rule in rules) else None
        rules = until(lambda: str(self.prometheus.get("rules")), evaluated)
        self.assertEqual(alerts, {rule["name"] for rule in rules})
        self.assertEqual([], [rule["name"] for rule in rules if rule["state"] == "firing"])


if __name__ == "__main__":
    main()
