# SPDX-License-Identifier: LGPL-2.1-or-later
"""Usage and costs from outside: every sum against the ledger's own records."""

import csv
import io
import json
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

BASE = "/api/v1/admin/usage"
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  prices:
    local/gpt-4o-mini: {{input: "0.15", output: "0.6"}}
    local/euro: {{input: "1", output: "2", currency: EUR}}
"""
FAR = "2100-01-01T00:00:00Z"


class UsageCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant of its own for each test."""
        self.mock.script([])
        self.mock.default = {"content": "Every 4,000 hours.", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}
        self.tenant = self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": self.tenant}

    def call(self, method, path, body=None, expect=200, key="admin"):
        headers = self.headers if key == "admin" else {}
        return self.host.call(method, path, body, expect=expect, headers=headers, key=key)

    def get(self, path, expect=200, key="admin"):
        return self.call("GET", path, expect=expect, key=key).json

    def post(self, path, body, expect=200, key="admin"):
        return self.call("POST", path, body, expect, key).json

    def agent(self, name="a", tags=(), key="admin", **more):
        definition = {"system_prompt": "x", "max_tokens": 40}
        return self.post("/api/v1/admin/agents", {"name": name, "tags": list(tags), "initial_definition": definition, **more}, 201, key)["agent_id"]

    def user(self, name, roles=("operator",), **attributes):
        """The id of a user and a key of his."""
        user = self.post("/api/v1/admin/users", {"username": name, "roles": list(roles), "attributes": attributes}, 201)["user_id"]
        key = self.post("/api/v1/admin/keys", {"user_id": user, "name": name, "roles": list(roles)}, 201)
        return user, key["key_id"], key["key"]

    def execute(self, agent, key="admin"):
        answer = self.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "How often?"}, key=key)
        self.assertTrue(answer["success"], answer)
        return answer

    def chat(self, model="local/gpt-4o-mini", key="admin"):
        return self.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "How?"}]}, key=key)

    def sums(self, query="", **more):
        return self.get(f"{BASE}/aggregation?{query}", **more)

    def groups(self, by, query=""):
        return {g["key"]: g for g in self.sums(f"group_by={by}&{query}")["groups"]}

    def outcomes(self, action="model.call"):
        """The outcomes in the ledger, each with what its intent says."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.get(f"/api/v1/admin/audit?action={action}&limit=500{cursor}")
            found += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        intents = {r["seq"]: r for r in found if r["kind"] == "intent"}
        return [{**intents[r["intent"]], **r} for r in found if r["kind"] == "outcome"]


class Sums(UsageCase):
    def test_every_number_is_the_ledgers(self):
        ada, ada_id, ada_key = self.user("ada", department="maintenance", cost_center="CC-1001")
        bob, bob_id, bob_key = self.user("bob", department="quality")
        first, second = self.agent("a", ["project:line-4", "welding"]), self.agent("b", ["cost_center:CC-9"])
        for agent, key in ((first, ada_key), (first, bob_key), (second, ada_key)):
            self.execute(agent, key)
        self.chat(key=bob_key)
        self.chat("local/euro", ada_key)
        self.chat("local/unknown", ada_key)
        total = self.sums()
        records = self.outcomes()
        self.assertEqual(6, len(records))
        self.assertEqual(True, total["complete"])
        sums = total["totals"]
        for member, of in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            self.assertEqual(sum(r[of] for r in records), sums[member])
        self.assertEqual((180, 6, 3, 1), (sums["total_tokens"], sums["model_calls"], sums["runs"], sums["unpriced_model_calls"]))
        self.assertEqual([{"amount": "0.04", "currency": "EUR"}, {"amount": "0.036", "currency": "USD"}], sums["costs"])
        self.assertEqual(sum(r.get("cost", 0) for r in records), 76_000_000)
        self.assertEqual(total["record_count"], sums["record_count"])
        for by, field in (("model", "model"), ("agent", "agent_id"), ("key", "key_id")):
            groups = self.groups(by)
            for value in {r.get(field) for r in records}:
                mine = [r for r in records if r.get(field) == value]
                self.assertEqual((len(mine), sum(r["input_tokens"] for r in mine)), (groups[value]["model_calls"], groups[value]["input_tokens"]), by)
            self.assertEqual(180, sum(g["total_tokens"] for g in groups.values()))
        self.assertEqual({ada: 120, bob: 60}, {k: g["total_tokens"] for k, g in self.groups("user").items() if g["total_tokens"]})
        self.assertEqual({"maintenance": 120, "quality": 60},
                         {k: g["total_tokens"] for k, g in self.groups("department").items() if g["total_tokens"]})
        self.assertEqual({"CC-1001": 90, "CC-9": 30, None: 60},
                         {k: g["total_tokens"] for k, g in self.groups("cost_center").items() if g["total_tokens"]})
        self.assertEqual({"line-4": 60, None: 120}, {k: g["total_tokens"] for k, g in self.groups("project").items() if g["total_tokens"]})
        self.assertEqual((2, 60), tuple(self.sums(f"agent_id={first}")["totals"][n] for n in ("runs", "total_tokens")))
        self.assertEqual(30, self.sums("user_id=" + ada + "&model=local/euro")["totals"]["total_tokens"])
        by_agent = {g["key"]: g["total_tokens"] for g in total["by_agent"]}
        self.assertEqual({first: 60, second: 30, None: 90}, by_agent)
        self.assertEqual([], total["by_model"][0]["costs"][1:])

    def test_a_time_is_whole_hours_and_days(self):
        self.chat()
        now = self.get(BASE)["items"][0]["timestamp"]
        hour, day = now[:13] + ":00:00.000Z", now[:10] + "T00:00:00.000Z"
        self.assertEqual([30], [g["total_tokens"] for k, g in self.groups("hour").items() if k == hour])
        self.assertEqual({day: 30}, {k: g["total_tokens"] for k, g in self.groups("day").items()})
        self.assertEqual(30, self.sums(f"start={hour}&end={now}")["totals"]["total_tokens"])
        self.assertEqual(hour, self.sums(f"start={now}")["period_start"])
        self.assertEqual(0, self.sums(f"end={hour}&start=2020-01-01T00:00:00Z")["totals"]["total_tokens"])
        self.assertEqual(0, self.sums(f"start={FAR}")["totals"]["total_tokens"])

    def test_questions_that_make_no_sense_are_refused(self):
        for query in ("group_by=weather", "start=yesterday", "start=2026-02-01T00:00:00Z&end=2026-01-01T00:00:00Z", "agent_id=a&user_id=b",
                      "agent_id=a&group_by=user", "limit=0", "group_by=hour&start=2020-01-01T00:00:00Z", "colour=red"):
            self.sums(query, expect=400)
        self.assertEqual([], self.sums("agent_id=nobody&group_by=model")["groups"])

    def test_few_groups_and_the_others(self):
        for model in ("local/a", "local/b", "local/c"):
            self.chat(model)
        answer = self.sums("group_by=model&limit=1")
        self.assertEqual(1, len(answer["groups"]))
        self.assertEqual(90, answer["groups"][0]["total_tokens"] + answer["others"]["total_tokens"])

    def test_sums_as_a_table(self):
        _, _, ada = self.user("ada", department='=1+1,"x"')
        for model, key in (("local/gpt-4o-mini", ada), ("local/euro", ada), ("local/unknown", ada), ("local/gpt-4o-mini", "admin")):
            self.chat(model, key)
        end = "9999-01-01T00:00:00Z"
        shown = {by: self.sums(f"end={end}&group_by={by}" if by else f"end={end}") for by in ("", "department", "model")}
        limited = self.sums(f"end={end}&group_by=model&limit=1")
        for query, kinds in (("", {"model": shown[""]["by_model"], "agent": shown[""]["by_agent"]}),
                             ("&group_by=department", {"department": shown["department"]["groups"]}),
                             ("&group_by=model&limit=1", {"model": limited["groups"], "others": [{**limited["others"], "key": None}]})):
            answer = self.call("GET", f"{BASE}/aggregation?format=csv&end={end}{query}")
            self.assertEqual("text/csv; charset=utf-8; header=present", answer.headers["Content-Type"])
            rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
            self.assertEqual({"total", *kinds}, {r["kind"] for r in rows})
            for kind, groups in {"total": [{**shown[""]["totals"], "key": None}], **kinds}.items():
                for group in groups:
                    key = group["key"] or ""
                    mine = [r for r in rows if (r["kind"], r["key"]) == (kind, "'" + key if key.startswith("=") else key)]
                    for name in set(mine[0]) - {"kind", "key", "cost", "currency"}:
                        # each question is itself a call of the API that is counted
                        if name not in ("record_count", "api_calls"):
                            self.assertEqual(str(group[name]), mine[0][name], (kind, key, name))
                    self.assertEqual([(c["amount"], c["currency"]) for c in group["costs"]], [(r["cost"], r["currency"]) for r in mine if r["cost"]])
                    self.assertEqual({""}, {r["total_tokens"] for r in mine[1:]} or {""})
        self.assertIn("'=1+1", self.call("GET", f"{BASE}/aggregation?format=csv&group_by=department").text)
        self.sums("format=xml", expect=400)

    def test_who_may(self):
        for role, expect in (("auditor", 200), ("operator", 200), ("viewer", 403)):
            key = self.host.user(role, self.tenant)
            for path in (BASE, BASE + "/aggregation"):
                self.get(path, expect, key)

    def test_tenants_see_their_own(self):
        self.chat()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "another-" + self.tenant[:20], "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": "another-" + self.tenant[:20]}
        self.assertEqual(0, self.sums()["totals"]["total_tokens"])
        self.assertEqual([], self.get(BASE)["items"])


class Records(UsageCase):
    def test_records_are_paged_newest_first(self):
        agent = self.agent()
        runs = [self.execute(agent)["run_id"] for _ in range(3)]
        self.chat()
        everything = self.get(BASE)["items"]
        self.assertEqual(["model_call"] + ["run", "model_call"] * 3, [r["type"] for r in everything])
        paged, cursor = [], ""
        while cursor is not None:
            page = self.get(f"{BASE}?limit=2{cursor}")
            paged += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        self.assertEqual(everything, paged)
        task = self.get(f"{BASE}?run_id={runs[0]}&type=model_call")["items"]
        self.assertEqual([(20, 10, "local/gpt-4o-mini", {"amount": "0.009", "currency": "USD"}, agent)],
                         [(r["input_tokens"], r["output_tokens"], r["model"], r["cost"], r["agent_id"]) for r in task])
        self.assertEqual([], self.get(f"{BASE}?end={everything[-1]['timestamp'][:10]}T00:00:00Z")["items"])
        self.assertEqual(everything, self.get(f"{BASE}?start={everything[-1]['timestamp'][:10]}T00:00:00Z")["items"])
        self.assertEqual([], self.get(f"{BASE}?start={FAR}")["items"])
        self.get(f"{BASE}?cursor=x", 400)

    def test_a_price_that_is_not_known_is_no_zero(self):
        self.chat("local/unknown")
        self.chat()
        self.assertEqual([(True, {"amount": "0.009", "currency": "USD"}), (False, None)], [(r["priced"], r["cost"]) for r in self.get(BASE)["items"]])
        sums = self.sums()["totals"]
        self.assertEqual((1, 30, False, [{"amount": "0.009", "currency": "USD"}]), tuple(sums[n] for n in ("unpriced_model_calls", "unpriced_tokens", "priced", "costs")))
        self.assertEqual({"local/unknown": False, "local/gpt-4o-mini": True}, {k: g["priced"] for k, g in self.groups("model").items() if k})
        self.assertEqual(["USD", None], [r.get("currency") for r in sorted(self.outcomes(), key=lambda r: r["model"])])


class Costs(UsageCase):
    def report(self, expect=201, **body):
        return self.post("/api/v1/admin/costs/report", body, expect)

    def test_a_report_says_line_by_line_what_it_cost(self):
        _, _, ada = self.user("ada", department="maintenance")
        _, _, bob = self.user("bob", department="=quality")
        self.chat(key=ada)
        self.chat(key=ada)
        self.chat(key=bob)
        self.chat("local/unknown", bob)
        report = self.report()
        self.assertEqual([("local/gpt-4o-mini: input tokens", "0.06", "0.15", "0.0090"), ("local/gpt-4o-mini: output tokens", "0.03", "0.6", "0.0180")],
                         [(i["description"], i["quantity"], i["unit_price"], i["total"]) for i in report["line_items"]])
        self.assertEqual(("USD", "0.0270", [], "0.0270"), tuple(report[n] for n in ("currency", "subtotal", "adjustments", "total")))
        self.assertEqual([("=quality", "0.0090"), ("maintenance", "0.0180")], [(a["key"], a["total"]) for a in report["allocations"]])
        self.assertEqual([{"model": "local/unknown", "model_calls": 1, "tokens": 30}], report["unpriced"])
        path = f"/api/v1/admin/costs/reports/{report['report_id']}"
        adjusted = self.post(path + "/adjustments", {"amount": "-5.00", "reason": "credit"}, 201)
        self.assertEqual(("0.0270", "-4.9730", "-4.973", "-5.0000", "credit"),
                         (adjusted["subtotal"], adjusted["total"], adjusted["exact_total"], adjusted["adjustments"][0]["amount"],
                          adjusted["adjustments"][0]["reason"]))
        self.assertEqual(adjusted, self.get(path))
        self.assertEqual([adjusted], self.get("/api/v1/admin/costs/reports")["items"])
        rows = self.call("GET", path + "?format=csv").body.decode().split("\r\n")
        self.assertIn('line_item,local/gpt-4o-mini: input tokens,0.06,1000 tokens,0.15,0.0090,USD', rows)
        self.assertIn('adjustment,credit,,,,-5.0000,USD', rows)
        self.assertIn("allocation,'=quality,,,,0.0090,USD", rows)
        self.assertIn('unpriced,local/unknown,30,tokens,unknown,unknown,USD', rows)
        # what was reported stays as it is
        self.chat(key=ada)
        self.assertEqual(adjusted, self.get(path))
        self.assertEqual("0.0360", self.get("/api/v1/admin/costs")["subtotal"])
        # what cannot be added up is refused, and nothing of it stays
        for _ in range(9):
            last = self.post(path + "/adjustments", {"amount": "-999999999", "reason": "great"}, 201)
        most = self.post(path + "/adjustments", {"amount": "-999999999", "reason": "too great"}, 400)
        self.assertEqual("/amount", most["errors"][0]["pointer"])
        self.assertIn("-999999999", most["detail"])
        self.assertEqual(last, self.get(path))

    def test_currencies_are_never_added_up(self):
        self.chat()
        self.chat("local/euro")
        costs = self.get("/api/v1/admin/costs?allocate_by=key")
        self.assertEqual(("USD", "0.0090", ["EUR"]), (costs["currency"], costs["total"], costs["other_currencies"]))
        costs = self.get("/api/v1/admin/costs?currency=EUR")
        self.assertEqual(("EUR", "0.0400", ["USD"]), (costs["currency"], costs["total"], costs["other_currencies"]))

    def test_what_is_refused(self):
        report = self.report()["report_id"]
        self.assertEqual("0.0000", self.get(f"/api/v1/admin/costs/reports/{report}")["total"])
        path = f"/api/v1/admin/costs/reports/{report}/adjustments"
        for body in ({"amount": "1e3", "reason": "x"}, {"amount": "--1", "reason": "x"}, {"amount": "1"}, {"amount": 1, "reason": "x"}):
            self.post(path, body, 400)
        self.get("/api/v1/admin/costs/reports/rep_nobody", 404)
        self.report(400, allocate_by="weather")
        operator = self.host.user("operator", self.tenant)
        self.get("/api/v1/admin/costs", 200, operator)
        self.post(path, {"amount": "1", "reason": "x"}, 403, operator)
        self.get("/api/v1/admin/costs", 403, self.host.user("viewer", self.tenant))


class Reports(UsageCase):
    def test_what_was_used_elsewhere_is_spent_and_summed_up(self):
        agent = self.agent()
        path = BASE + "/reports"
        self.assertEqual({"success": True, "remaining": None}, self.post(path, {"agent_id": agent, "tokens_used": 5}, 201))
        self.call("PUT", "/api/v1/admin/budgets/org", {"token_limit": 1000})
        self.call("PUT", f"/api/v1/admin/budgets/agents/{agent}", {"token_limit": 100})
        self.assertEqual(70, self.post(path, {"agent_id": agent, "execution_id": "e-1", "tokens_used": 30}, 201)["remaining"])
        used = [self.get(f"/api/v1/admin/budgets/{scope}")["tokens_used"] for scope in ("org", f"agents/{agent}")]
        self.assertEqual([30, 30], used)
        sums = self.sums(f"agent_id={agent}")["totals"]
        self.assertEqual((35, 2, 0), (sums["total_tokens"], sums["report_count"], sums["model_calls"]))
        self.assertEqual([("report", agent, 30), ("report", agent, 5)],
                         [(r["type"], r["agent_id"], r["total_tokens"]) for r in self.get(BASE)["items"]])
        for body, expect in (({"agent_id": agent, "tokens_used": -1}, 400), ({"agent_id": "nobody", "tokens_used": 1}, 404), ({"agent_id": agent}, 400)):
            self.post(path, body, expect)
        self.post(path, {"agent_id": agent, "tokens_used": 1}, 403, self.host.user("operator", self.tenant))
        self.assertEqual(0, self.post(path, {"agent_id": agent, "tokens_used": 500}, 201)["remaining"])

    def test_a_report_says_whom_it_is_charged_to(self):
        agent, path = self.agent(tags=["department:assembly", "cost_center:CC-7"]), BASE + "/reports"
        body = {"agent_id": agent, "input_tokens": 20, "output_tokens": 10, "model": "local/gpt-4o-mini"}
        self.post(path, body, 201)
        told = {"department": "Paint shop", "cost_center": "CC-1001", "project": "P-9"}
        self.post(path, {**body, "session_id": "ses-1", "metadata": {**told, "line": 4}}, 201)
        self.post(path, {**body, "session_id": "jane@example.org", "metadata": {"project": "P-9"}}, 201)
        rows = self.get(f"{BASE}?type=report")["items"]
        pseudonym = rows[0]["session_id"]
        self.assertNotIn("jane", json.dumps(rows))
        self.assertEqual([(pseudonym, "assembly", "CC-7", "P-9"), ("ses-1", "Paint shop", "CC-1001", "P-9"), (None, "assembly", "CC-7", None)],
                         [tuple(r[n] for n in ("session_id", "department", "cost_center", "project")) for r in rows])
        self.assertEqual([r["seq"] for r in rows[1:2]], [r["seq"] for r in self.get(f"{BASE}?session_id=ses-1")["items"]])
        self.assertEqual({"Paint shop": 30, "assembly": 60}, {k: g["total_tokens"] for k, g in self.groups("department").items() if g["total_tokens"]})
        self.assertEqual({"CC-1001": 30, "CC-7": 60}, {k: g["total_tokens"] for k, g in self.groups("cost_center").items() if g["total_tokens"]})
        # intent and outcome say so, and every export
        logs = self.get("/api/v1/admin/audit?action=usage.report")["items"]
        of = [r for r in logs if r.get("session_id") == "ses-1"]
        self.assertEqual([("intent", told), ("outcome", told)], sorted((r["kind"], {n: r[n] for n in told}) for r in of))
        for metadata, pointer in (({"department": 5}, "/metadata/department"), ({"project": ""}, "/metadata/project"), ({"cost_center": "a\nb"}, "/metadata/cost_center"),
                                  ({"department": "x" * 65}, "/metadata/department"), ([], "/metadata")):
            self.assertEqual(pointer, self.post(path, {**body, "metadata": metadata}, 400)["errors"][0]["pointer"], metadata)

    def test_a_session_s_calls_are_found_by_it(self):
        agent = self.agent()
        run = self.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "How often?", "session_id": "ses-of-two"})
        self.execute(agent)
        rows = self.get(f"{BASE}?session_id=ses-of-two")["items"]
        self.assertEqual({(run["run_id"], "ses-of-two")}, {(r["run_id"], r["session_id"]) for r in rows})
        self.assertEqual({"model_call", "run"}, {r["type"] for r in rows} - {"tool_call"})

    def test_other_things_than_tokens_are_told_too(self):
        agent, path = self.agent(), BASE + "/reports"
        self.call("PUT", "/api/v1/admin/budgets/org", {"token_limit": 1000, "cost_limit": {"amount": "10", "currency": "USD"}})
        for body in ({"type": "tool_invocations", "amount": 4}, {"type": "execution_duration_ms", "amount": 1500}, {"type": "executions", "amount": 2},
                     {"type": "api_calls", "amount": 8}, {"type": "rag_queries", "amount": 6}, {"type": "cost", "cost": {"amount": "2.5", "currency": "USD"}},
                     {"input_tokens": 20, "output_tokens": 10, "model": "local/gpt-4o-mini", "session_id": "s", "metadata": {"line": 4}},
                     {"tokens_used": 5, "output_tokens": 2, "input_tokens": 3}):
            self.post(path, {"agent_id": agent, **body}, 201)
        sums = self.sums(f"agent_id={agent}")["totals"]
        self.assertEqual((4, 1500, 2, 6, 8, 30 + 5, 5, False),
                         tuple(sums[n] for n in ("total_tool_invocations", "total_execution_duration_ms", "runs", "rag_queries", "report_count", "total_tokens",
                                                 "unpriced_tokens", "priced")))
        # each report was a call of the API itself
        self.assertEqual(17, self.groups("agent")[agent]["api_calls"])  # the one that made it too
        self.assertEqual([{"amount": "2.509", "currency": "USD"}], sums["costs"])
        budget = self.get("/api/v1/admin/budgets/org")
        self.assertEqual((35, "2.509"), (budget["tokens_used"], budget["cost_used"]["amount"]))
        told = [(r["reported"], r.get("amount"), r["priced"]) for r in self.get(f"{BASE}?type=report")["items"]]
        self.assertEqual([(None, None, False), (None, None, True), (None, None, True), ("rag_queries", 6, None), ("api_calls", 8, None)], told[:5])
        # a budget counts one currency: what it cannot count is not taken
        refused = self.post(path, {"agent_id": agent, "type": "cost", "cost": {"amount": "1", "currency": "EUR"}}, 400)
        self.assertEqual("/cost", refused["errors"][0]["pointer"])
        for body, pointer in (({}, "/tokens_used"), ({"tokens_used": 5, "input_tokens": 3}, "/tokens_used"), ({"type": "cost"}, "/cost"),
                              ({"type": "api_calls"}, "/amount"), ({"tokens_used": 5, "amount": 1}, "/amount"),
                              ({"type": "cost", "amount": 1, "cost": {"amount": "1", "currency": "USD"}}, "/amount"), ({"type": "api_calls", "amount": 1, "tokens_used": 1}, "/type"),
                              ({"type": "weather", "amount": 1}, "/type"), ({"type": "cost", "cost": {"amount": 1, "currency": "USD"}}, "/cost/amount")):
            self.assertEqual(pointer, self.post(path, {"agent_id": agent, **body}, 400)["errors"][0]["pointer"], body)
        self.assertEqual(35, self.get("/api/v1/admin/budgets/org")["tokens_used"])
        self.assertEqual(sums, self.sums(f"agent_id={agent}")["totals"] | {"api_calls": sums["api_calls"], "failed": sums["failed"], "record_count": sums["record_count"],
                                                                           "refused": sums["refused"]})


class Sight(UsageCase):
    def test_what_lies_in_a_hidden_workspace_is_not_told_apart(self):
        workspace = self.post("/api/v1/admin/workspaces", {"name": "w"}, 201)["workspace_id"]
        hidden, shown = self.agent("hidden", workspace_id=workspace), self.agent("shown")
        self.execute(hidden)
        self.execute(shown)
        auditor = self.host.user("auditor", self.tenant)
        answer = self.sums("group_by=agent", key=auditor)
        self.assertNotIn(hidden, [g["key"] for g in answer["groups"]])
        self.assertEqual(60, answer["totals"]["total_tokens"])
        self.assertEqual(30, answer["others"]["total_tokens"])
        self.assertEqual(0, self.sums(f"agent_id={hidden}", key=auditor)["totals"]["total_tokens"])
        self.assertEqual({shown}, {r["agent_id"] for r in self.get(BASE, key=auditor)["items"]})
        self.assertEqual({hidden, shown}, {r["agent_id"] for r in self.get(BASE)["items"]})


if __name__ == "__main__":
    main()
