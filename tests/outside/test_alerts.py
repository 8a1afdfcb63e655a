# SPDX-License-Identifier: LGPL-2.1-or-later
"""Alert rules and dashboards: promtool runs every rule against a story in which it fires and one in which it must not, and every metric that
rules and dashboards name is one that a host shows, with those labels."""

import glob
import json
import os
import re
import subprocess
import tempfile
import unittest

from reeve import SOURCE, Host, main

RULES = os.path.join(SOURCE, "data", "prometheus", "reeve-alerts.yml")
DASHBOARDS = sorted(glob.glob(os.path.join(SOURCE, "data", "grafana", "*.json")))
WINDOW, AT = 130, "2h"  # minutes of the story, and when it is looked at
# what Prometheus itself adds
AROUND = {"up", "ALERTS"}
LABELS = {"job", "instance", "le"}


def steady(start, step, count=WINDOW):
    return f"{start}+{step}x{count}"


def hour_then(before, after):
    """Grows by `before` a minute for an hour and a half, then by `after`."""
    return f"0+{before}x90 {before * 90}+{after}x40"


LATENCY = 'reeve_http_request_duration_seconds_bucket{{endpoint="{path}",le="{le}"}}'
SYNC = 'reeve_ledger_sync_duration_seconds_bucket{{le="{le}"}}'


def buckets(form, fast, slow, **fill):
    """Growing buckets: `fast` a minute below a tenth of a second, `slow` a minute below ten."""
    return {form.format(le="0.1", **fill): steady(0, fast), form.format(le="10.0", **fill): steady(0, fast + slow),
            form.format(le="+Inf", **fill): steady(0, fast + slow)}


# alert: (series in which it fires, series in which it does not)
STORIES = {
    "ReeveHostDown": ({'up{job="reeve"}': f"0x{WINDOW}"}, {'up{job="reeve"}': f"1x{WINDOW}", 'up{job="x"}': f"0x{WINDOW}"}),
    "ReeveHostNotReady": ({"reeve_ready": f"0x{WINDOW}"}, {"reeve_ready": f"1x{WINDOW}"}),
    "ReeveSelfTestUnrecorded": ({"reeve_self_test_passed": f"0x{WINDOW}"}, {"reeve_self_test_passed": f"1x{WINDOW}"}),
    "ReeveErrorRate": ({'reeve_http_requests_total{status="200"}': steady(0, 60), 'reeve_http_requests_total{status="500"}': steady(0, 6)},
                       {'reeve_http_requests_total{status="200"}': steady(0, 60), 'reeve_http_requests_total{status="500"}': steady(0, 1),
                        'reeve_http_requests_total{status="404"}': steady(0, 60)}),
    "ReeveLatency": (buckets(LATENCY, 60, 30, path="/api/v1/me"),
                     {**buckets(LATENCY, 60, 1, path="/api/v1/me"), **buckets(LATENCY, 1, 60, path="/api/v1/agents/execute")}),
    "ReeveWorkersFull": ({"reeve_worker_jobs_refused_total": steady(0, 1)}, {"reeve_worker_jobs_refused_total": f"7x{WINDOW}"}),
    "ReeveFilesShort": ({"reeve_process_open_fds": f"950x{WINDOW}", "reeve_process_max_fds": f"1000x{WINDOW}"},
                        {"reeve_process_open_fds": f"800x{WINDOW}", "reeve_process_max_fds": f"1000x{WINDOW}"}),
    "ReevePluginDown": ({'reeve_plugin_up{plugin="a"}': f"0x{WINDOW}"}, {'reeve_plugin_up{plugin="a"}': f"1x{WINDOW}"}),
    "ReeveLedgerCannotWrite": ({"reeve_ledger_writable": f"0x{WINDOW}"}, {"reeve_ledger_writable": f"1x{WINDOW}"}),
    "ReeveStoreCannotWrite": ({"reeve_store_writable": f"0x{WINDOW}"}, {"reeve_store_writable": f"1x{WINDOW}"}),
    "ReeveLedgerSlow": (buckets(SYNC, 60, 30), buckets(SYNC, 600, 1)),
    "ReeveSinkBehind": ({'reeve_sink_lag_seconds{sink="siem"}': f"400x{WINDOW}"}, {'reeve_sink_lag_seconds{sink="siem"}': f"60x{WINDOW}"}),
    "ReeveWitnessMissing": ({"reeve_witness_logs_failing": f"2x{WINDOW}"}, {"reeve_witness_logs_failing": f"0x{WINDOW}"}),
    "ReeveWitnessConflict": ({"reeve_witness_logs_conflicting": f"1x{WINDOW}"}, {"reeve_witness_logs_conflicting": f"0x{WINDOW}"}),
    "ReeveBudgetNearlySpent": ({'reeve_budget_used_ratio{tenant_id="a",scope="org"}': f"0.8x{WINDOW}"},
                               {'reeve_budget_used_ratio{tenant_id="a",scope="org"}': f"0.79x{WINDOW}"}),
    "ReeveBudgetSpent": ({'reeve_budget_used_ratio{tenant_id="a",scope="org"}': f"1x{WINDOW}"},
                         {'reeve_budget_used_ratio{tenant_id="a",scope="org"}': f"0.5x{WINDOW}"}),
    "ReeveBudgetRefusals": ({'reeve_budget_refusals_total{tenant_id="a"}': steady(0, 1)}, {'reeve_budget_refusals_total{tenant_id="a"}': f"5x{WINDOW}"}),
    "ReevePolicyViolations": ({'reeve_gate_refusals_total{stage="authorise",reason="r",tenant_id="a"}': steady(0, 5)},
                              {'reeve_gate_refusals_total{stage="authorise",reason="r",tenant_id="a"}': steady(0, 1),
                               'reeve_gate_refusals_total{stage="door",reason="not_found",tenant_id="a"}': steady(0, 50)}),
    "ReevePermissionDenials": ({'reeve_permission_denials_total{tenant_id="a"}': steady(0, 10)}, {'reeve_permission_denials_total{tenant_id="a"}': steady(0, 1)}),
    "ReeveFailedLogins": ({'reeve_failed_logins_total{scheme="bearer"}': steady(0, 10)}, {'reeve_failed_logins_total{scheme="bearer"}': steady(0, 1)}),
    "ReeveKeyUsage": ({'reeve_authenticated_requests_total{method="api_key",tenant_id="a"}': hour_then(60, 1200)},
                      {'reeve_authenticated_requests_total{method="api_key",tenant_id="a"}': hour_then(60, 120)}),
    "ReeveTokensAnomaly": ({'reeve_model_tokens_total{model="m",direction="input",tenant_id="a"}': hour_then(600, 60000)},
                           {'reeve_model_tokens_total{model="m",direction="input",tenant_id="a"}': hour_then(600, 1200)}),
    "ReeveModelErrors": ({'reeve_model_errors_total{model="m",reason="timeout"}': steady(0, 3), 'reeve_model_calls_total{model="m",outcome="failed"}': steady(0, 10)},
                         {'reeve_model_errors_total{model="m",reason="timeout"}': steady(0, 1), 'reeve_model_calls_total{model="m",outcome="failed"}': steady(0, 10)}),
}


def story(name, series, fires):
    return {"name": name, "interval": "1m", "input_series": [{"series": s, "values": v} for s, v in series.items()],
            "promql_expr_test": [{"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": AT,
                                  "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1}] if fires else []}]}


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def expressions():
    """(where, expression) of all rules and panels."""
    with open(RULES, encoding="utf-8") as file:
        text = re.sub(r"^ *#.*$", "", file.read(), flags=re.M)
    for name, body in re.findall(r"- alert: (\w+)\n\s+expr: (\|\n(?: {10,}.*\n)+|.*\n)", text):
        yield name, body
    for path in DASHBOARDS:
        with open(path, encoding="utf-8") as file:
            board = json.load(file)
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{board['title']}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield f"{board['title']}: ${variable['name']}", variable["query"]


class Alerts(unittest.TestCase):
    maxDiff = None

    def test_the_rules_are_rules(self):
        code, said = promtool("check", "rules", RULES)
        self.assertEqual((0, f"{len(STORIES)} rules found"), (code, re.search(r"\d+ rules found", said).group()))

    def test_each_fires_when_it_must_and_only_then(self):
        tests = [story(name, series, fires) for name, both in STORIES.items() for series, fires in zip(both, (True, False))]
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump({"rule_files": [os.path.abspath(RULES)], "evaluation_interval": "1m", "tests": tests}, file)
            file.flush()
            code, said = promtool("test", "rules", file.name)
        self.assertEqual(0, code, said)

    def test_what_they_name_is_there(self):
        shown = {}
        with Host() as host:
            kinds = {item["name"]: item["type"] for item in host.get("/api/v1/admin/metrics?platform=true", expect=200).json["items"]}
        with open(os.path.join(SOURCE, "docs", "metrics.md"), encoding="utf-8") as file:
            labels = dict(re.findall(r"^\| `((?:reeve|gen_ai)_[a-z_]+)` \| \w+ \| [^|]* \| ([^|]*) \|", file.read(), re.M))
        for name, kind in kinds.items():
            for ending in {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}[kind]:
                shown[name + ending] = set(re.findall(r"`(\w+)`", labels[name])) | LABELS
        found = 0
        for where, expression in expressions():
            bare = re.sub(r'"[^"]*"', '""', expression)
            for name, inner in re.findall(r"\b(reeve_\w+)(?:\{([^}]*)\})?", bare):
                with self.subTest(where=where, name=name):
                    found += 1
                    self.assertIn(name, shown)
                    self.assertLessEqual(set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inner)), shown[name])
            for group in re.findall(r"by \(([^)]*)\)", bare):
                names = set().union(*(shown[n] for n in re.findall(r"\breeve_\w+", bare)))
                self.assertLessEqual(set(re.split(r",\s*", group)), names, where)
        self.assertGreater(found, len(STORIES))

    def test_dashboards(self):
        titles = []
        for path in DASHBOARDS:
            with open(path, encoding="utf-8") as file:
                board = json.load(file)
            titles.append(board["title"])
            self.assertEqual(len(board["panels"]), len({panel["id"] for panel in board["panels"]}))
        self.assertEqual(["Reeve: Agent Ops", "Reeve: LLM Performance", "Reeve: Tenant Budgets"], titles)


if __name__ == "__main__":
    main()
