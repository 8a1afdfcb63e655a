# SPDX-License-Identifier: LGPL-2.1-or-later
"""No budget is ever passed: many callers at once, new principals, kill -9 under load, streams that are cut.

what                                  | CI  | long
--------------------------------------|-----|------
calls at once on one small budget     | 400 | 4,000
principals that are new               | 20  | 200
rounds of a host killed under load    | 4   | 40
budgets that change places under load | 9   | 99
streams cut at 25, 50 and 75 %        | 3   | 60
tenants on one small platform budget  | 3   | 8
calls of theirs in a round, cut short | 120 | 3,000
rounds of those, killed               | 2   | 20
"""

import collections
import decimal
import http.client
import random
import threading
import time
import unittest

import faults as f
from faults import Faults
from mock_openai import MockOpenAI, count_tokens
from reeve import Host, main, size

BASE = "/api/v1/admin/budgets"
CALLS = size(400, 4000)
PRINCIPALS = size(20, 200)
ROUNDS = size(4, 40)
CHANGES = size(9, 99)
CUTS = size(3, 60)
CLIENTS = 16
TENANTS = size(3, 8)
PLATFORM_CALLS = size(120, 3000)
PLATFORM_ROUNDS = size(2, 20)
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
  prices:
    local/gpt-4o-mini: {{input: "0.15", output: "0.6"}}
    local/euro: {{input: "0.1", output: "0.3", currency: EUR}}
"""
CHAT = {"model": "local/gpt-4o-mini", "messages": [{"role": "user", "content": "How often is the oil changed?"}], "max_tokens": 64}


def honest(request):
    """A service that keeps to max_tokens."""
    tokens = min(request.json.get("max_tokens", 64), random.randint(1, 64))
    return {"content": "oil " * tokens, "usage": {"prompt_tokens": count_tokens(request.json["messages"]), "completion_tokens": tokens}}


class HoldCase(unittest.TestCase):
    more = ""

    def setUp(self):
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        self.mock.default = honest
        self.host = self.make_host().start()
        self.addCleanup(self.host.close)

    def make_host(self):
        return Host(config=CONFIG.format(url=self.mock.base_url) + self.more)

    def at_once(self, count, work):
        """Runs work(n) for n below count on CLIENTS threads; what they raise is raised here."""
        numbers, lock, raised = iter(range(count)), threading.Lock(), []

        def client():
            try:
                while not raised:
                    with lock:
                        number = next(numbers, None)
                    if number is None:
                        return
                    work(number)
            except Exception as error:  # pylint: disable=broad-except
                raised.append(error)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(240)
            self.assertFalse(thread.is_alive())
        for error in raised:
            raise error

    def calls(self):
        """Intents and outcomes of model calls, oldest first; an answer may go out while its outcome is on the way to the disk."""
        end = time.monotonic() + 30
        while True:
            found = self.read_calls()
            kinds = [r["kind"] for r in found]
            if kinds.count("intent") == kinds.count("outcome") or time.monotonic() > end:
                return found
            time.sleep(0.01)

    def read_calls(self):
        found, cursor = [], ""
        while cursor is not None:
            page = self.host.get(f"/api/v1/admin/audit?action=model.call&limit=500{cursor}").json
            found += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        return [r for r in reversed(found) if r["kind"] in ("intent", "outcome")]

    def check(self, budgets):
        """At no prefix of the ledger has a scope spent more than its limit, nothing is reserved for ever, and the sum is the counter.
        budgets: scope -> function of an intent: is it charged?"""
        records = self.calls()
        intents = {r["seq"]: r for r in records if r["kind"] == "intent"}
        for scope, charged in budgets.items():
            budget, spent, money = self.host.get(f"{BASE}/{scope}").json, 0, collections.Counter()
            for record in records:
                intent = intents.get(record.get("intent"))
                if record["kind"] != "outcome" or "reserved_tokens" not in intent or not charged(intent):
                    continue
                tokens = record.get("input_tokens", 0) + record.get("output_tokens", 0)
                unknown = record["outcome"] == "unknown" and tokens == 0
                spent += intent["reserved_tokens"] if unknown else tokens
                # of what an outcome does not know, its intent does
                money[intent["currency"]] += intent.get("reserved_cost", 0) if unknown else record.get("cost", 0)
                self.assertLessEqual(spent, budget["token_limit"], f"{scope} after record {record['seq']}")
            self.assertEqual((spent, 0), (budget["tokens_used"], budget["tokens_reserved"]), scope)
            self.assertEqual(+money, {c["currency"]: int(decimal.Decimal(c["amount"]) * 10**9) for c in budget["costs_used"]})
            if budget["cost_limit"]:
                self.assertLessEqual(money[budget["cost_limit"]["currency"]], decimal.Decimal(budget["cost_limit"]["amount"]) * 10**9)
        return intents


class AtOnce(HoldCase):
    def test_many_callers_on_a_small_budget(self):
        agent = self.host.agent(tools=(), max_tokens=64)
        self.host.put(BASE + "/org", {"token_limit": 6000, "cost_limit": {"amount": "5", "currency": "USD"}}, expect=200)
        self.host.put(f"{BASE}/agents/{agent}", {"token_limit": 2000}, expect=200)
        found = []

        def call(number):
            if number % 4 == 0:
                answer = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "How often?"})
                found.append(200 if answer.status == 200 and answer.json["success"] else 429)
            else:
                found.append(self.host.post("/v1/chat/completions", CHAT).status)

        self.at_once(CALLS, call)
        self.assertEqual({200, 429}, set(found))
        self.check({"org": lambda intent: True, f"agents/{agent}": lambda intent: intent.get("agent_id") == agent})

    def test_principals_that_are_new(self):
        """The first calls of one who was just made do not race past the limit."""
        keys = []
        for number in range(PRINCIPALS):
            user = self.host.post("/api/v1/admin/users", {"username": f"new-{number}", "roles": ["operator"]}, expect=201).json["user_id"]
            key = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, expect=201).json
            self.host.put(f"{BASE}/users/{user}", {"token_limit": 120}, expect=200)
            keys.append((user, key["key"]))
        self.at_once(PRINCIPALS * 8, lambda n: self.host.post("/v1/chat/completions", CHAT, key=keys[n % PRINCIPALS][1]))
        self.check({f"users/{user}": lambda intent, user=user: intent["actor"]["id"] == user for user, _key in keys})


class Killed(HoldCase):
    def test_the_sum_of_the_ledger_is_the_counter(self):
        self.host.put(BASE + "/org", {"token_limit": 40000 * ROUNDS}, expect=200)
        for cut in range(ROUNDS):
            with self.subTest(round=cut):
                before = self.mock.count("/v1/chat/completions")
                threads = [threading.Thread(target=self.client) for _ in range(CLIENTS)]
                for thread in threads:
                    thread.start()
                wanted, end = before + random.randint(20, 120), time.monotonic() + 30
                while self.mock.count("/v1/chat/completions") < wanted and time.monotonic() < end:
                    time.sleep(0.001)
                self.host.kill()
                for thread in threads:
                    thread.join(30)
                    self.assertFalse(thread.is_alive())
                self.host.start()
                self.check({"org": lambda intent: True})
        self.host.stop()
        self.host.start()
        self.check({"org": lambda intent: True})

    def client(self):
        try:
            model = random.choice(("local/gpt-4o-mini", "local/euro"))
            while self.host.post("/v1/chat/completions", {**CHAT, "model": model}).status in (200, 429):
                model = random.choice(("local/gpt-4o-mini", "local/euro"))
        except (OSError, http.client.HTTPException):
            pass


class Replaced(HoldCase):
    """A tenant's own budget takes the place of the configuration's, and gives it back, while calls go on: none is lost, and none is counted twice."""

    more = "budgets: {org: {token_limit: 100000000}}\n"

    def test_budgets_change_places_under_load(self):
        stop, raised = threading.Event(), []

        def client():
            try:
                while not stop.is_set():
                    self.host.post("/v1/chat/completions", CHAT, expect=200)
            except Exception as error:  # pylint: disable=broad-except
                raised.append(error)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for number in range(CHANGES):
            before, end = self.mock.count("/v1/chat/completions"), time.monotonic() + 30
            while self.mock.count("/v1/chat/completions") < before + 8 and time.monotonic() < end:
                time.sleep(0.001)
            if number % 2 == 0:
                self.host.put(BASE + "/org", {"token_limit": 100000000 + number}, expect=200)
            else:
                self.host.call("DELETE", BASE + "/org", expect=204)
        stop.set()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())
        self.assertEqual([], raised)
        spent = sum(r.get("input_tokens", 0) + r.get("output_tokens", 0) for r in self.calls() if r["kind"] == "outcome")
        budget = self.host.get(BASE + "/org").json
        # what was under way at a change is taken over as it was reserved
        self.assertGreaterEqual(budget["tokens_used"], spent)
        self.assertEqual(0, budget["tokens_reserved"])
        self.host.kill()
        self.host.start()
        self.assertEqual(budget, self.host.get(BASE + "/org").json)


class FullDisk(HoldCase):
    """What has happened while nothing could be written is not forgotten: not by this host, and not by the next one."""

    def make_host(self):
        self.faults = Faults()
        self.faults.__enter__()
        self.addCleanup(self.faults.__exit__, None, None, None)
        return Host(config=CONFIG.format(url=self.mock.base_url), state=self.faults.state, environment=self.faults.environment)

    def wait_ready(self):
        end = time.monotonic() + 60
        while self.host.get("/health/ready", key=None).status != 200 and time.monotonic() < end:
            time.sleep(0.02)
        self.host.get("/health/ready", key=None, expect=200)

    def test_an_outcome_that_could_not_be_written(self):
        self.host.put(BASE + "/org", {"token_limit": 100000, "cost_limit": {"amount": "90", "currency": "USD"}}, expect=200)
        self.host.post("/v1/chat/completions", CHAT, expect=200)
        before = self.host.get(BASE + "/org").json["tokens_used"]

        def full(_request):
            self.faults.fill()
            return {"content": "oil", "usage": {"prompt_tokens": 20, "completion_tokens": 10}}

        self.mock.default = full
        self.host.post("/v1/chat/completions", CHAT)
        budget = self.host.get(BASE + "/org").json
        self.assertGreaterEqual(budget["tokens_used"] + budget["tokens_reserved"], before + 30)
        self.mock.default = honest
        self.faults.disarm()
        self.wait_ready()
        self.host.post("/v1/chat/completions", CHAT, expect=200)
        budget = self.host.get(BASE + "/org").json
        self.assertGreaterEqual(budget["tokens_used"] + budget["tokens_reserved"], before + 30 + 1)
        for end in (self.host.kill, self.host.stop):
            end()
            self.host.start()
            # the sum of the ledger, in which nobody knows what that one took
            self.check({"org": lambda intent: True})
            self.assertGreaterEqual(self.host.get(BASE + "/org").json["tokens_used"], budget["tokens_used"])

    def test_a_period_that_never_came_to_the_disk(self):
        """A call begins the next day while the disk is full, the clock is set back, a call spends, and the host is killed: the next host finds
        the same day, and gives nothing a second time."""
        self.host.put(BASE + "/org", {"token_limit": 910, "reset_period_days": 1}, expect=200)
        self.mock.default = lambda _request: {"content": "oil", "usage": {"prompt_tokens": 300, "completion_tokens": 1}}
        self.host.post("/v1/chat/completions", CHAT, expect=200)
        first = self.host.get(BASE + "/org").json
        known = len(self.calls())
        self.faults.set_clock(86400 + 3600)
        self.faults.arm(f.FULL, path="/ledger/")
        self.host.post("/v1/chat/completions", CHAT, expect=503)
        self.faults.set_clock(0)
        self.faults.disarm()
        self.wait_ready()
        # nothing says so but the memory of this host
        self.assertEqual(known, len(self.calls()))
        begun = self.host.get(BASE + "/org").json
        self.assertEqual((first["period"] + 1, 0, 0), tuple(begun[n] for n in ("period", "tokens_used", "tokens_reserved")))
        for killed in (True, True, False):
            self.host.post("/v1/chat/completions", CHAT, expect=200)
            self.calls()
            spent = self.host.get(BASE + "/org").json
            self.assertEqual(begun["period"], spent["period"])
            self.host.kill() if killed else self.host.stop()
            self.host.start()
            self.assertEqual(spent, self.host.get(BASE + "/org").json)
        self.assertEqual(903, spent["tokens_used"])
        self.assertIn("budget org (token_limit 910", self.host.post("/v1/chat/completions", CHAT, expect=429).json["error"]["message"])

    def test_another_length_of_the_period(self):
        """A day becomes a month in the middle of it: what was spent stays, whatever ends and whatever day it is then."""
        self.host.put(BASE + "/org", {"token_limit": 100000, "reset_period_days": 1}, expect=200)
        self.host.post("/v1/chat/completions", CHAT, expect=200)
        daily = self.host.get(BASE + "/org").json
        monthly = self.host.put(BASE + "/org", {"token_limit": 100000, "reset_period_days": 30}, expect=200).json
        same = ("tokens_used", "period", "last_reset_at")
        self.assertEqual([daily[n] for n in same], [monthly[n] for n in same])
        self.calls()
        self.host.kill()
        self.faults.set_clock(2 * 86400)
        self.host.start()
        self.assertEqual(monthly, self.host.get(BASE + "/org").json)
        self.host.post("/v1/chat/completions", CHAT, expect=200)
        self.check({"org": lambda intent: True})
        # and back: the days that have gone by meanwhile are over
        spent = self.host.get(BASE + "/org").json["tokens_used"]
        again = self.host.put(BASE + "/org", {"token_limit": 100000, "reset_period_days": 1}, expect=200).json
        self.assertEqual((spent, monthly["period"]), (again["tokens_used"], again["period"]))
        self.calls()
        self.host.kill()
        self.host.start()
        self.assertEqual(again, self.host.get(BASE + "/org").json)


class Platform(HoldCase):
    """Tenants share one limit in slices: together they never spend more, and nothing is lost with a host that dies."""

    LIMIT, MONEY = 30 * PLATFORM_CALLS * PLATFORM_ROUNDS, PLATFORM_CALLS * PLATFORM_ROUNDS // 60
    more = f'budgets: {{platform: {{token_limit: {LIMIT}, cost_limit: {{amount: "{MONEY}", currency: USD}}, reset_period_days: 3660}}}}\n'

    def setUp(self):
        super().setUp()
        self.tenants = [f"part-{n}" for n in range(TENANTS)]
        for tenant in self.tenants:
            self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        # the first is bounded itself as well
        self.host.put(f"{BASE}/org", {"token_limit": self.LIMIT // 4}, headers={"X-Tenant-ID": self.tenants[0]}, expect=200)

    def spent(self, tenant):
        """Tokens and money by a tenant's ledger."""
        found, cursor, headers = [], "", {"X-Tenant-ID": tenant}
        while cursor is not None:
            page = self.host.get(f"/api/v1/admin/audit?action=model.call&limit=500{cursor}", headers=headers).json
            found += page["items"]
            cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
        ends = {r["intent"]: r for r in found if r["kind"] == "outcome"}
        tokens = money = 0
        for intent in (r for r in found if r["kind"] == "intent"):
            end = ends[intent["seq"]]
            taken = end.get("input_tokens", 0) + end.get("output_tokens", 0)
            unknown = end["outcome"] == "unknown" and taken == 0
            tokens += intent["reserved_tokens"] if unknown else taken
            money += intent.get("reserved_cost", 0) if unknown else end.get("cost", 0)
        return tokens, money

    def look(self):
        """What is spent never falls, so what holds at the end of a round held all the time. Nothing is under way: all else has come back."""
        platform = self.host.get(f"{BASE}/platform").json
        total = money = 0
        for tenant in self.tenants:
            tokens, cost = self.spent(tenant)
            lease = next((lease["tokens_given"] for lease in platform["leases"] if lease["tenant_id"] == tenant), 0)
            row = next(b for b in self.host.get(BASE, headers={"X-Tenant-ID": tenant}).json["items"] if b["scope"] == "platform")
            self.assertEqual((tokens, tokens, 0), (lease, row["tokens_used"], row["tokens_reserved"]), tenant)
            total, money = total + tokens, money + cost
        self.assertEqual((total, money), (platform["tokens_used"], round(float(platform["cost_used"]["amount"]) * 1e9)))
        self.assertLessEqual(total, self.LIMIT)
        self.assertLessEqual(money, self.MONEY * 10**9)
        return total

    def call(self, number):
        """False: the host has gone."""
        try:
            answer = self.host.post("/v1/chat/completions", CHAT, headers={"X-Tenant-ID": self.tenants[number % TENANTS]})
            self.assertIn(answer.status, (200, 429), answer)
            self.answers.append(answer)
            return True
        except (OSError, http.client.HTTPException):
            return False

    def test_together_never_more(self):
        for cut in range(PLATFORM_ROUNDS):
            with self.subTest(round=cut):
                self.answers, gone = [], []

                def call(number):
                    if not gone and not self.call(number):
                        gone.append(number)

                flood = threading.Thread(target=self.at_once, args=(PLATFORM_CALLS, call))
                flood.start()
                wanted, end = random.randint(PLATFORM_CALLS // 4, PLATFORM_CALLS * 3 // 4), time.monotonic() + 60
                while flood.is_alive() and len(self.answers) < wanted and time.monotonic() < end:
                    time.sleep(0.001)
                self.host.kill()
                flood.join(60)
                self.assertFalse(flood.is_alive())
                self.host.start()
                self.look()
        # the rest, to the end: nobody is refused while there is something, and who is, is told by whom
        self.answers = []
        self.at_once(PLATFORM_CALLS * PLATFORM_ROUNDS, self.call)
        refused = [answer for answer in self.answers if answer.status == 429]
        self.assertTrue(any("the budget platform (" in a.text and "set by the configuration" in a.text for a in refused), refused[:1])
        self.host.stop()
        self.host.start()
        self.look()
        platform = self.host.get(f"{BASE}/platform").json
        self.assertTrue(platform["tokens_remaining"] < 200 or float(platform["cost_remaining"]["amount"]) < 0.05, platform)


class Cut(HoldCase):
    def test_a_cut_stream_costs_what_was_said(self):
        """Recorded within five in a hundred, or a few tokens, of what the service had read and said."""
        self.host.put(BASE + "/org", {"token_limit": 100000000}, expect=200)
        for number in range(CUTS):
            share = (0.25, 0.5, 0.75)[number % 3]
            words = 400
            raw = self.raw(words, share)
            self.mock.script([{"raw": raw}])
            body = {**CHAT, "stream": True, "max_tokens": 2000}
            list(self.host.stream("POST", "/v1/chat/completions", body))
            outcome = [r for r in self.calls() if r["kind"] == "outcome"][-1]
            truth = count_tokens(CHAT["messages"]) + int(words * share)
            spent = outcome["input_tokens"] + outcome["output_tokens"]
            self.assertLessEqual(abs(spent - truth), max(3, truth * 0.05), f"cut at {share}")
            self.assertEqual(1, outcome["estimated"])
        self.check({"org": lambda intent: True})

    @staticmethod
    def raw(words, share):
        """The beginning of a stream of one token an event."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n"
        event = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":" oil"},"finish_reason":null}]}\n\n'
        return head + event * int(words * share)


if __name__ == "__main__":
    main()
