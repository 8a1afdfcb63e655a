# SPDX-License-Identifier: LGPL-2.1-or-later
"""Budgets of money: each currency is counted for itself, whichever limit comes when, across restarts and crashes."""

import os
import subprocess
import time
import unittest
from decimal import Decimal

from mock_openai import MockOpenAI
from reeve import CTL, SOURCE, Host, main

BASE = "/api/v1/admin/budgets"
AUDIT = "/api/v1/admin/audit"
SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/dollar
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  prices:
    local/dollar: {{input: "0.15", output: "0.6"}}
    local/euro: {{input: "0.1", output: "0.3", currency: EUR}}
    local/free: {{input: "0", output: "0", currency: CHF}}
    local/yen: {{input: "9000000", output: "0", currency: JPY}}
    local/talk: {{input: "0", output: "9000000", currency: JPY}}
{more}
"""
NANO = Decimal(10) ** 9


class MoneyCase(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = {"content": "Every 4,000 hours.", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, more=cls.more)).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant of its own for each test."""
        self.tenant = self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower()
        self.headers = {"X-Tenant-ID": self.tenant}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)

    def call(self, method, path, body=None, expect=200):
        return self.host.call(method, path, body, expect=expect, headers=self.headers)

    def put(self, limits, expect=200, scope="org"):
        return self.call("PUT", f"{BASE}/{scope}", limits, expect).json

    def budget(self, scope="org"):
        return self.call("GET", f"{BASE}/{scope}").json

    def chat(self, model, expect=200):
        body = {"model": f"local/{model}", "messages": [{"role": "user", "content": "How often?"}], "max_tokens": 40}
        return self.call("POST", "/v1/chat/completions", body, expect)

    def costs(self, scope="org"):
        return {c["currency"]: c["amount"] for c in self.budget(scope)["costs_used"]}

    def records(self, action):
        """Newest first; an answer may go out while its outcome is on the way to the disk."""
        end = time.monotonic() + 30
        while True:
            found = self.call("GET", f"{AUDIT}?action={action}&limit=500").json["items"]
            kinds = [r["kind"] for r in found]
            if kinds.count("intent") == kinds.count("outcome") or time.monotonic() > end:
                return found
            time.sleep(0.01)

    def ledger(self):
        """What the ledger says was spent, by currency; at no record of it more than any limit there is."""
        records = self.records("model.call")
        sums = {}
        for record in reversed(records):
            if record["kind"] == "outcome" and "currency" in record:
                sums[record["currency"]] = sums.get(record["currency"], 0) + int(record.get("cost_wide", record.get("cost", 0)))
        return {currency: format((Decimal(cost) / NANO).normalize(), "f") for currency, cost in sums.items() if cost}


class Currencies(MoneyCase):
    def test_a_limit_that_comes_later_counts_its_own_currency(self):
        self.put({"token_limit": 100000})
        for model in ("dollar", "euro", "euro", "dollar", "free", "euro"):
            self.chat(model)
        self.assertEqual({"EUR": "0.015", "USD": "0.018"}, self.costs())
        self.assertIsNone(self.budget()["cost_used"])
        # three calls of a half cent are spent already; at least two more are in it
        budget = self.put({"cost_limit": {"amount": "0.05", "currency": "EUR"}})
        self.assertEqual(({"amount": "0.015", "currency": "EUR"}, {"amount": "0.035", "currency": "EUR"}), (budget["cost_used"], budget["cost_remaining"]))
        for model, its in (("dollar", "USD"), ("free", "CHF")):
            message = self.chat(model, 429).json["error"]["message"]
            self.assertIn("cost_limit in EUR", message)
            self.assertIn(f"the price of local/{model} is in {its}", message)
        calls = 3
        while self.chat("euro", None).status == 200:
            calls += 1
        self.assertTrue(4 < calls <= 10, calls)
        spent = Decimal(self.budget()["cost_used"]["amount"])
        self.assertEqual(Decimal("0.005") * calls, spent)
        self.assertEqual(self.ledger(), self.costs())
        intents = [r for r in self.records("model.call") if r["kind"] == "intent"]
        self.assertEqual({"EUR", "USD", None}, {r.get("currency") for r in intents})

    def test_another_currency_is_no_way_out(self):
        euros = {"cost_limit": {"amount": "0.02", "currency": "EUR"}}
        dollars = {"cost_limit": {"amount": "9", "currency": "USD"}}
        self.put(euros)
        self.chat("euro")
        for _ in range(2):
            refused = self.put(dollars, 409)
            self.assertIn("has spent EUR in this period: a limit in USD", refused["detail"])
            # nor with no limit between; what is spent meanwhile is counted, each for itself
            self.put({})
            self.chat("euro")
            self.chat("dollar")
        self.assertEqual({"EUR": "0.015", "USD": "0.018"}, self.costs())
        self.put(dollars, 409)
        self.assertEqual({"amount": "0.015", "currency": "EUR"}, self.put(euros)["cost_used"])
        self.chat("dollar", 429)
        # where nothing is spent in the old one, nothing is let go
        user = "users/" + self.call("POST", "/api/v1/admin/users", {"username": "ada", "roles": ["operator"]}, 201).json["user_id"]
        self.put({"cost_limit": {"amount": "1", "currency": "CHF"}}, scope=user)
        self.put(dollars, scope=user)
        # who deletes a budget and makes another has another, which counts from then on: both are on record
        self.call("DELETE", BASE + "/org", expect=204)
        self.assertEqual(({"amount": "0", "currency": "USD"}, []), tuple(self.put(dollars)[n] for n in ("cost_used", "costs_used")))
        self.chat("dollar")
        self.assertEqual({"USD": "0.009"}, self.costs())

    def test_restarts_and_crashes_find_the_same_sums(self):
        self.put({"token_limit": 100000})
        for model in ("dollar", "euro", "euro"):
            self.chat(model)
        budget = self.budget()
        self.records("model.call")
        self.host.kill()
        self.host.start()
        self.assertEqual(budget, self.budget())
        self.chat("euro")
        self.host.stop()
        self.host.start()
        self.assertEqual({"EUR": "0.015", "USD": "0.009"}, self.costs())
        self.chat("dollar")
        limited = self.put({"cost_limit": {"amount": "0.03", "currency": "USD"}})
        self.assertEqual({"amount": "0.018", "currency": "USD"}, limited["cost_used"])
        self.records("model.call")
        self.host.kill()
        self.host.start()
        self.assertEqual(limited, self.budget())
        self.assertIn("is in EUR", self.chat("euro", 429).json["error"]["message"])
        self.assertEqual(self.ledger(), self.costs())


class Embedded(unittest.TestCase):
    """What this machine computes costs nothing, of any currency; until it is given a price."""

    def ask(self, host, expect):
        return host.post("/v1/chat/completions", {"model": "extractive/default", "messages": [{"role": "user", "content": "?"}]}, expect=expect)

    def test_a_budget_of_money_lets_it_through(self):
        with Host() as host:
            for currency in ("USD", "EUR"):
                host.call("PUT", f"{BASE}/org", {"cost_limit": {"amount": "0", "currency": currency}}, expect=200)
                self.ask(host, 200)
            self.assertIn(host.get(f"{BASE}/org", expect=200).json["cost_used"], ({"amount": "0", "currency": "EUR"},))
            answer = host.run(host.agent(tools=()), "How often?")
            self.assertEqual({"amount": "0", "currency": "USD"}, answer["usage"]["cost"])
            row, = (one for one in host.get("/api/v1/admin/prices", expect=200).json["items"] if one["origin"] == "embedded")
            self.assertEqual(("extractive/*", "0"), (row["model_name"], row["input_token_price"]))

    def test_one_that_has_a_price(self):
        with Host(config="llm:\n  prices: {extractive/default: {input: '1', output: '1'}}\n") as host:
            host.call("PUT", f"{BASE}/org", {"cost_limit": {"amount": "0", "currency": "USD"}}, expect=200)
            self.ask(host, 429)


class Wide(MoneyCase):
    """Amounts that no number of JSON has: exact in budgets, usage and ledger, which both verifiers take."""

    def test_ten_million_are_one_amount(self):
        agent = self.call("POST", "/api/v1/admin/agents", {"name": "a", "initial_definition": {"system_prompt": "x"}}, 201).json["agent_id"]
        self.put({"cost_limit": {"amount": "900000000", "currency": "JPY"}})
        report = {"agent_id": agent, "type": "cost", "cost": {"amount": "10000000.000000001", "currency": "JPY"}}
        self.call("POST", "/api/v1/admin/usage/reports", report, 201)
        self.mock.script([{"content": "Yes.", "usage": {"prompt_tokens": 2000, "completion_tokens": 1}}])
        body = {"model": "local/yen", "messages": [{"role": "user", "content": "word " * 2500}], "max_tokens": 40}
        self.call("POST", "/v1/chat/completions", body)
        intent, outcome = (next(r for r in self.records("model.call") if r["kind"] == kind) for kind in ("intent", "outcome"))
        self.assertEqual(("18000000000000000", "JPY"), (outcome["cost_wide"], outcome["currency"]))
        self.assertGreater(int(intent["reserved_cost_wide"]), 18 * 10**15)
        self.assertFalse({"cost", "reserved_cost"} & {*intent, *outcome})
        self.assertEqual({"10000000000000001"}, {r["cost_wide"] for r in self.records("usage.report")})
        budget = self.budget()
        self.assertEqual(("28000000.000000001", "0"), (budget["cost_used"]["amount"], budget["cost_reserved"]["amount"]))
        usage = self.call("GET", "/api/v1/admin/usage/aggregation").json["totals"]
        self.assertEqual([{"amount": "28000000.000000001", "currency": "JPY"}], usage["costs"])
        self.records("model.call")
        self.host.kill()
        self.host.start()
        self.assertEqual(budget, self.budget())
        path = os.path.join(self.host.folder.name, "export.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.call("GET", AUDIT + "/export?format=json").text)
        proof = os.path.join(self.host.folder.name, "proof")
        with open(proof, "w", encoding="utf-8") as file:
            file.write(self.call("GET", f"{AUDIT}/{outcome['seq']}/proof").text)
        self.host.stop()
        key = os.path.join(self.host.state, "keys", "ledger.pub")
        for command in ([CTL, "--state-dir", self.host.state, "audit", "verify"], [SCRIPT, self.host.state], [SCRIPT, "--proof", proof, "--public-key", key],
                        [CTL, "audit", "verify", "--export", path, "--public-key", key], [CTL, "audit", "verify", "--proof", proof, "--public-key", key]):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(0, done.returncode, (command, done))
        self.host.start()

    def test_a_call_that_may_cost_more_than_can_be_said_names_the_member(self):
        self.put({"token_limit": 10**9})
        body = {"model": "local/talk", "messages": [{"role": "user", "content": "How often?"}], "max_tokens": 2 * 10**6}
        refused = self.call("POST", "/v1/chat/completions", body, 400).json["error"]
        self.assertEqual(("max_tokens", "invalid_argument"), (refused["param"], refused["code"]))
        self.assertIn("more than a record can say, which is 9223372036.854775806 JPY", refused["message"])
        self.call("POST", "/v1/chat/completions", {**body, "max_tokens": 10**6}, 200)

    def test_what_is_more_than_can_be_said_is_no_less(self):
        agent = self.call("POST", "/api/v1/admin/agents", {"name": "a", "initial_definition": {"system_prompt": "x"}}, 201).json["agent_id"]
        self.put({"cost_limit": {"amount": "900000000", "currency": "JPY"}})
        report = {"agent_id": agent, "tokens_used": 2 * 10**9, "model": "local/yen"}
        refused = self.call("POST", "/api/v1/admin/usage/reports", report, 400).json
        self.assertEqual("/tokens_used", refused["errors"][0]["pointer"])
        self.assertIn("more than a record can say, which is 9223372036.854775806 JPY", refused["errors"][0]["message"])
        self.assertEqual([], self.budget()["costs_used"])
        self.mock.script([{"content": "Yes.", "usage": {"prompt_tokens": 10**12, "completion_tokens": 1}}])
        self.chat("yen")
        outcome = next(r for r in self.records("model.call") if r["kind"] == "outcome")
        self.assertEqual((str(2**63 - 1), "more_than_recorded"), (outcome["cost_wide"], outcome["reason"]))
        for end in (None, self.host.kill, self.host.stop):
            if end:
                end()
                self.host.start()
            budget = self.budget()
            self.assertEqual("0", budget["cost_remaining"]["amount"])
            self.assertGreater(Decimal(budget["cost_used"]["amount"]), 4 * 10**9)
            self.chat("yen", 429)



class Platform(MoneyCase):
    more = 'budgets: {platform: {cost_limit: {amount: "0.5", currency: EUR}, reset_period_days: 3660}, org: {token_limit: 100000}}'

    def test_what_tenants_share_is_in_one_currency_too(self):
        self.chat("euro")
        message = self.chat("dollar", 429).json["error"]["message"]
        self.assertIn("the budget platform (cost_limit in EUR, set by the configuration) cannot be kept: the price of local/dollar is in USD", message)
        given = Decimal(self.host.get(BASE + "/platform").json["cost_used"]["amount"])
        self.assertTrue(Decimal("0.005") <= given <= Decimal("0.5"), given)
        self.records("model.call")
        self.host.kill()
        self.host.start()
        platform = self.host.get(BASE + "/platform").json
        self.assertEqual(("0.005", "0.005"), (platform["cost_used"]["amount"], platform["leases"][0]["cost_given"]["amount"]))
        # the tenant's own takes the place of the configuration's, and gives it back, in each currency
        self.assertEqual({"EUR": "0.005"}, self.costs())
        self.put({"cost_limit": {"amount": "0.015", "currency": "EUR"}})
        self.chat("euro")
        self.call("DELETE", BASE + "/org", expect=204)
        self.assertEqual({"EUR": "0.01"}, self.costs())
        self.put({"cost_limit": {"amount": "0.015", "currency": "EUR"}})
        self.chat("euro", 429)


if __name__ == "__main__":
    main()
