#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prices from outside: who may import, what is refused, what is in force, and that a later price changes nothing of what was."""

import json
import os
import subprocess
import unittest

from mock_openai import MockOpenAI
from reeve import HOST, Host, main

PRICES = "/api/v1/admin/prices"
USAGE = "/api/v1/admin/usage"
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
    - {{id: cloud, plugin: llm-openai, settings: {{base_url: "https://api.openai.com/v1", api_key: "sk-test"}}}}
  prices:
    local/fixed: {{input: "1", output: "2"}}
{more}
"""


def row(model, price, **more):
    return {"model_name": model, "input_token_price": price, "output_token_price": price, **more}


def listing(*rows):
    return {"source": "a contract", "date": "2026-01-31", "prices": list(rows)}


class Prices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = {"content": "Every 4,000 hours.", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, more="")).start()
        cls.addClassCleanup(cls.host.close)

    def configure(self, more):
        with open(self.host.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(url=self.mock.base_url, more=more))

    def load(self, *rows, expect=200, **more):
        return self.host.put(PRICES, listing(*rows), expect=expect, **more).json

    def price(self, model):
        answer = self.host.get(f"{PRICES}/effective?model={model}", expect=200).json
        self.assertEqual(answer["priced"], answer["price"] is not None)
        return answer["price"]

    def chat(self, model, expect=200):
        return self.host.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "How?"}]}, expect=expect).json

    def rows(self):
        found, cursor = [], ""
        while cursor is not None:
            page = self.host.get(f"{PRICES}?limit=20{cursor}", expect=200).json
            found += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        return found

    def test_what_is_built_in_is_of_the_service_alone(self):
        self.assertEqual(("0.00015", "0.0006", "USD", "built_in"),
                         tuple(self.price("cloud/gpt-4o-mini")[n] for n in ("input_token_price", "output_token_price", "currency", "origin")))
        self.assertRegex(self.price("cloud/gpt-4o")["date"], "^20[0-9]{2}-[0-9]{2}-[0-9]{2}$")
        # the same name on a machine of one's own costs nothing of that: nobody knows what
        self.assertIsNone(self.price("local/gpt-4o-mini"))
        self.assertEqual(("1", "configuration"), tuple(self.price("local/fixed")[n] for n in ("input_token_price", "origin")))
        listed = self.rows()
        self.assertEqual(sorted(r["model_name"] for r in listed), [r["model_name"] for r in listed])
        self.assertIn(("gpt-4o-mini", "api.openai.com"), [(r["model_name"], r["service"]) for r in listed])
        self.host.get(f"{PRICES}/effective", expect=400)

    def test_a_later_price_changes_nothing_of_what_was(self):
        agent = {"X-Tenant-ID": "later"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "later", "name": "T"}, expect=201)

        def chat(model="local/changing", expect=200):
            self.host.post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": "How?"}]}, headers=agent, expect=expect)

        def costs():
            return [(r["priced"], r["cost"] and (r["cost"]["amount"], r["cost"]["currency"])) for r in self.host.get(USAGE, headers=agent).json["items"]]

        self.load()
        chat()
        self.assertEqual([(False, None)], costs())
        first = self.load(row("changing", "0.1"))
        chat()
        self.load(row("local/changing", "0.2", currency="EUR"))
        chat()
        self.load(row("changing", "0"))
        chat()
        expected = [(True, ("0", "USD")), (True, ("0.006", "EUR")), (True, ("0.003", "USD")), (False, None)]
        self.assertEqual(expected, costs())
        self.load()
        self.assertEqual(expected, costs())
        sums = self.host.get(f"{USAGE}/aggregation?model=local/changing", headers=agent).json["totals"]
        self.assertEqual((4, 1, 30, False, [("0.006", "EUR"), ("0.003", "USD")]),
                         (sums["model_calls"], sums["unpriced_model_calls"], sums["unpriced_tokens"], sums["priced"],
                          [(c["amount"], c["currency"]) for c in sums["costs"]]))
        kept = self.host.get(f"{PRICES}/imports?limit=500", expect=200).json["items"]
        self.assertIn(first, kept)
        self.assertEqual(sorted(i["created_at"] for i in kept), [i["created_at"] for i in kept])
        # a budget of money does not let through what it could not count
        self.host.put("/api/v1/admin/budgets/org", {"cost_limit": {"amount": "10", "currency": "USD"}}, headers=agent, expect=200)
        self.assertIn("price of local/changing", self.host.post("/v1/chat/completions", {"model": "local/changing", "messages": [{"role": "user", "content": "?"}]},
                                                                headers=agent, expect=429).text)
        self.load(row("changing", "0.1"))
        chat()

    def test_all_or_nothing(self):
        self.load(row("kept", "0.5"))
        before = self.rows()
        for rows, pointer in (((row("a", "0.1"), row("a", "0.2")), "/prices/1/model_name"), ((row("a", "1e3"),), "/prices/0/input_token_price"),
                              ((row("a", 1),), "/prices/0/input_token_price"), ((row("a", "-1"),), "/prices/0/input_token_price"),
                              ((row("a", "1", currency="euro"),), "/prices/0/currency"), ((row("a", "1", colour="red"),), "/prices/0/colour"),
                              (({"model_name": "a"},), "/prices/0"), ((row("a", "999999999"),), "/prices/0/input_token_price")):
            faults = self.load(*rows, expect=400)["errors"]
            self.assertTrue(any(f["pointer"].startswith(pointer) for f in faults), faults)
        self.host.put(PRICES, {**listing(), "date": "2026-02-30"}, expect=400)
        self.host.put(PRICES, {"prices": []}, expect=400)
        self.assertEqual(before, self.rows())

    def test_who_may(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "who", "name": "T"}, expect=201)
        for role, read in (("admin", 200), ("operator", 200), ("auditor", 200), ("viewer", 403), ("agent_designer", 403)):
            key = self.host.user(role, "who")
            self.host.get(PRICES, key=key, expect=read)
            self.host.get(f"{PRICES}/effective?model=local/fixed", key=key, expect=read)
            self.host.put(PRICES, listing(), key=key, expect=403)
            self.host.get(f"{PRICES}/imports", key=key, expect=403)
        record = next(r for r in self.host.get("/api/v1/admin/audit?action=prices.import").json["items"] if r["kind"] in ("refusal", "outcome"))
        self.assertEqual("prices.import", record["action"])

    def test_an_import_outlives_the_host_and_a_file_takes_the_place_of_the_built_in(self):
        self.load(row("local/lasting", "0.25"))
        path = os.path.join(self.host.folder.name, "prices.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(listing(row("of-the-file", "0.75"), row("lasting", "9")), file)
        self.host.stop()
        self.configure(f'  prices_file: "{path}"')
        self.host.start()
        self.assertEqual([("0.25", "imported"), ("0.75", "built_in"), None],
                         [p and (p["input_token_price"], p["origin"]) for p in map(self.price, ("local/lasting", "local/of-the-file", "cloud/gpt-4o-mini"))])
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"source": "s", "date": "2026-01-31",\n"prices": [\n{"model_name": "m",\n "input_token_price": 1, "output_token_price": "1"}]}')
        done = self.host.ctl("prices", "import", path, expect=1)
        self.assertEqual(1, done.returncode)
        self.assertIn("prices.json: line 4: /prices/0/input_token_price: is not text", done.stderr)
        self.host.stop()
        done = subprocess.run([HOST, "--state-dir", self.host.state, "--listen", "127.0.0.1:0", "--bus", "none", "--config", self.host.config],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((78, ""), (done.returncode, done.stdout), done)
        self.assertRegex(done.stderr, r"reeve\.yaml:\d+: llm\.prices_file: .*line 4: /prices/0/input_token_price")
        self.configure("")
        self.host.start()
        with open(path, "w", encoding="utf-8") as file:
            json.dump(listing(row("by-hand", "0.125")), file)
        done = self.host.ctl("prices", "import", path, "--dry-run")
        self.assertEqual((0, None), (done.returncode, self.price("local/by-hand")), done.stderr)
        done = self.host.ctl("prices", "import", path)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual("0.125", self.price("local/by-hand")["input_token_price"])
        self.assertEqual("0.125", json.loads(self.host.ctl("--json", "prices", "show", "local/by-hand").stdout)["price"]["input_token_price"])


if __name__ == "__main__":
    main()
