# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs of an agent beyond its limit wait for their turn: in order, fairly, visibly, and through a restart."""

import re
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
limits: {{requests_per_minute: 0}}
agents: {{queue_length: {length}, queue_timeout: {timeout}}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
EXECUTE = "/api/v1/agents/execute"
PATIENCE = 60


class Gate:
    """The model: it says nothing until it is let, and knows who asked, in which order, and how many at once."""

    def __init__(self):
        self.lock = threading.Condition()
        self.asked = []
        self.allowed = 0
        self.now = self.most = 0

    def answer(self, request):
        with self.lock:
            self.asked.append(request.json["messages"][-1]["content"])
            self.now += 1
            self.most = max(self.most, self.now)
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.allowed > 0, PATIENCE)
            self.allowed -= 1
            self.now -= 1
        return {"content": "Done."}

    def allow(self, number=1):
        with self.lock:
            self.allowed += number
            self.lock.notify_all()

    def wait(self, number):
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.asked) >= number, PATIENCE), self.asked


class QueueCase(unittest.TestCase):
    length, timeout = 64, 300

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url, length=cls.length, timeout=cls.timeout)).start()
        cls.addClassCleanup(cls.host.close)

    def setUp(self):
        """A tenant and a model of its own for each test."""
        self.gate = Gate()
        self.mock.default = self.gate.answer
        self.tenant = self.id().rsplit(".", 1)[1].replace("_", "-")[:48].strip("-").lower()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": self.tenant, "name": "T"}, expect=201)
        self.headers = {"X-Tenant-ID": self.tenant}
        self.ada, self.bob = (self.host.user("operator", self.tenant) for _ in range(2))
        self.answers = {}
        self.threads = []
        self.addCleanup(self.finish)

    def finish(self):
        self.gate.allow(1000)
        for thread in self.threads:
            thread.join(PATIENCE)

    def agent(self, limit):
        own = {"max_concurrent_runs": limit} if limit is not None else {}
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": [], **own}}
        return self.host.post("/api/v1/admin/agents", body, headers=self.headers, expect=201).json["agent_id"]

    def start(self, key, agent, *missions):
        """Each by a client of its own, who waits for its answer."""

        def ask(mission):
            self.answers[mission] = self.host.post(EXECUTE, {"agent_id": agent, "mission": mission}, key=key)

        self.begin(ask, missions)

    def begin(self, ask, missions):
        for mission in missions:
            self.threads.append(threading.Thread(target=ask, args=(mission,)))
            self.threads[-1].start()

    def runs(self, status):
        return self.host.get(f"/api/v1/runs?status={status}&limit=500", headers=self.headers, expect=200).json["items"]

    def wait_for(self, what):
        end = time.monotonic() + PATIENCE
        while not what():
            self.assertLess(time.monotonic(), end, self.host.read_log())
            time.sleep(0.005)

    def wait_queued(self, number):
        self.wait_for(lambda: len(self.runs("queued")) == number)

    def queue(self, agent, key, first, others):
        """One run has the model; the others wait."""
        self.start(key, agent, first)
        self.gate.wait(1)
        self.start(key, agent, *others)
        self.wait_queued(len(others))

    def show(self, run):
        return self.host.get(f"/api/v1/runs/{run['run_id']}", headers=self.headers, expect=200).json

    def join(self):
        for thread in self.threads:
            thread.join(PATIENCE)
        self.threads.clear()


class Turns(QueueCase):
    def test_a_greedy_user_does_not_keep_another_waiting(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "ada 0", [f"ada {n}" for n in range(1, 7)])
        self.start(self.bob, agent, "bob 0", "bob 1")
        self.wait_queued(8)
        places = sorted(self.show(run)["queue"]["place"] for run in self.runs("queued"))
        self.assertEqual(list(range(1, 9)), places)
        self.gate.allow(9)
        self.join()
        users = [mission.split()[0] for mission in self.gate.asked]
        self.assertEqual(["ada", "ada", "bob", "ada", "bob", "ada", "ada", "ada", "ada"], users)
        self.assertEqual(1, self.gate.most)
        self.assertEqual({(200, "succeeded")}, {(a.status, a.json["status"]) for a in self.answers.values()})
        self.assertEqual([], self.runs("queued"))

    def test_no_more_at_once_than_the_strictest_allows(self):
        self.host.put(f"/api/v1/admin/tenants/{self.tenant}", {"settings": {"max_concurrent_runs": 2}}, expect=200)
        agent, other = self.agent(5), self.agent(1)
        self.start(self.ada, agent, *[f"a {n}" for n in range(8)])
        self.start(self.bob, other, *[f"b {n}" for n in range(3)])
        self.gate.wait(3)
        self.wait_queued(8)
        self.assertEqual(3, self.gate.now)
        self.assertEqual({(2, 6, 2), (1, 2, 1)},
                         {tuple(self.show(r)["queue"][n] for n in ("running", "waiting", "max_concurrent_runs")) for r in self.runs("queued")})
        self.gate.allow(11)
        self.join()
        self.assertEqual(3, self.gate.most)
        self.assertEqual({"succeeded"}, {a.json["status"] for a in self.answers.values()})

    def limit(self, number):
        self.host.put(f"/api/v1/admin/tenants/{self.tenant}", {"settings": {"max_concurrent_runs": number}}, expect=200)

    def test_the_limit_is_the_one_in_force(self):
        self.limit(3)
        agent = self.agent(None)
        self.start(self.ada, agent, "0", "1", "2")
        self.gate.wait(3)
        self.start(self.ada, agent, "3", "4", "5")
        self.wait_queued(3)
        # lowered: two end, and nobody goes
        self.limit(1)
        self.gate.allow(2)
        self.wait_for(lambda: len(self.answers) == 2)
        self.assertEqual({(1, 3, 1)}, {tuple(self.show(r)["queue"][n] for n in ("running", "waiting", "max_concurrent_runs"))
                                       for r in self.runs("queued")})
        # raised: those that wait go at once, and nobody has ended or come
        self.limit(10)
        self.gate.wait(6)
        self.assertEqual([], self.runs("queued"))
        self.gate.allow(4)
        self.join()
        self.assertEqual({"succeeded"}, {a.json["status"] for a in self.answers.values()})

    def test_a_new_version_raises_the_limit(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", ["1", "2"])
        path = f"/api/v1/admin/agents/{agent}/versions"
        definition = {"system_prompt": "x", "tools": [], "max_concurrent_runs": 3}
        made = self.host.post(path, {"version_number": "2.0.0", "definition": definition}, headers=self.headers, expect=201).json["version_id"]
        self.host.post(f"{path}/{made}/publish", headers=self.headers, expect=200)
        self.gate.wait(3)
        self.gate.allow(3)
        self.join()
        self.assertEqual({"succeeded"}, {a.json["status"] for a in self.answers.values()})

    def test_nothing_is_reserved_for_who_waits(self):
        agent = self.agent(1)
        base = f"/api/v1/admin/budgets/agents/{agent}"
        self.host.put(base, {"token_limit": 1000000}, headers=self.headers, expect=200)
        self.queue(agent, self.ada, "0", ["1", "2"])
        one = self.host.get(base, headers=self.headers).json["tokens_reserved"]
        intents = [r for r in self.host.get("/api/v1/admin/audit?action=model.call", headers=self.headers).json["items"] if r["kind"] == "intent"]
        self.assertEqual([one], [r["reserved_tokens"] for r in intents])
        self.gate.allow(3)
        self.join()
        self.assertEqual(0, self.host.get(base, headers=self.headers).json["tokens_reserved"])

    def waiting(self):
        found = re.findall(rf'^reeve_waiting_runs{{tenant_id="{self.tenant}"}} (\S+)$', self.host.get("/metrics", key=None, expect=200).text, re.M)
        return [float(number) for number in found]

    def test_who_waits_does_not_go(self):
        """What it waits for its turn is no part of how long a run took: neither in its answer, nor in the sums, nor in its record."""
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", [])
        began = time.monotonic()
        self.start(self.ada, agent, "1")
        self.wait_queued(1)
        waits = time.monotonic()
        self.assertEqual([1], self.waiting())
        self.wait_for(lambda: time.monotonic() - waits > 4 * (waits - began) + 0.3)
        waited = time.monotonic() - waits
        self.gate.allow(2)
        self.join()
        # what is left of the time in which it was there, at most
        most = (time.monotonic() - began - waited) * 1000
        self.assertLessEqual(self.answers["1"].json["duration_ms"], most)
        self.wait_for(lambda: len(self.took()) == 2)
        self.assertLessEqual(self.took()[0] / 1000, most, "the last one of both")
        self.assertEqual([0], self.waiting())

    def took(self):
        items = self.host.get("/api/v1/admin/audit?action=agents.execute", headers=self.headers, expect=200).json["items"]
        return [record["latency_us"] for record in items if record["kind"] == "outcome"]

    def test_a_stream_says_that_it_waits(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", [])
        events = self.host.stream("POST", EXECUTE, {"agent_id": agent, "mission": "s", "stream": True}, key=self.bob)
        first = next(events)
        self.assertEqual("run.queued", first.name)
        self.gate.allow(2)
        rest = [event.name for event in events]
        self.assertEqual("run.started", rest[0])
        self.assertEqual("run.completed", rest[-1])
        again = [e.name for e in self.host.stream("GET", f"/api/v1/runs/{first.data['run_id']}/events", headers=self.headers)]
        self.assertEqual(["run.queued", *rest], again)

    def test_one_that_waits_is_cancelled(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", ["1", "2"])
        waiting = {run["mission"]: run for run in self.runs("queued")}
        gone = self.host.post(f"/api/v1/runs/{waiting['1']['run_id']}/cancel", headers=self.headers, expect=200).json
        self.assertEqual("cancelled", gone["status"])
        self.assertNotIn("queue", gone)
        self.assertEqual(1, self.show(waiting["2"])["queue"]["place"])
        self.gate.allow(2)
        self.join()
        self.assertEqual(("cancelled", False), (self.answers["1"].json["status"], self.answers["1"].json["success"]))
        self.assertEqual((["0", "2"], "succeeded"), (self.gate.asked, self.answers["2"].json["status"]))

    def test_a_tenant_that_goes_takes_its_queue_along(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", ["1", "2", "3"])
        self.host.delete(f"/api/v1/admin/tenants/{self.tenant}", expect=204)
        self.gate.allow(4)
        self.join()
        self.assertEqual(["0"], self.gate.asked)
        self.assertNotIn("succeeded", [answer.json.get("status") for answer in self.answers.values()])


class Restart(QueueCase):
    def test_who_waited_goes_on_waiting(self):
        agent = self.agent(1)
        for number, end in enumerate((self.host.kill, self.host.stop)):
            self.gate = Gate()
            self.mock.default = self.gate.answer
            self.answers.clear()
            self.start(self.ada, agent, f"{number}-0")
            self.gate.wait(1)
            for mission in (f"{number}-1", f"{number}-2"):
                self.start(self.ada, agent, mission)
                self.wait_for(lambda m=mission: m in [run["mission"] for run in self.runs("queued")])
            queued = {run["mission"]: run for run in self.runs("queued")}
            for mission, run in queued.items():
                self.assertIn(run["run_id"], self.again(agent, mission, 409)["detail"])
            if end == self.host.stop:
                self.gate.allow(1)  # it ends while the host stops, and nobody goes after it
            try:
                end()
            except ConnectionError:
                pass
            self.join()
            self.gate.allow(10)
            self.host.start()
            self.wait_for(lambda: not self.runs("queued") and not self.runs("running"))
            for run in queued.values():
                shown = self.show(run)
                self.assertEqual("succeeded", shown["status"], shown)
                self.assertEqual(["started", "begun"], [entry["type"] for entry in shown["journal"]][:2])
                # who asks again under his key gets the answer of the run that was taken up
                answer = self.again(agent, run["mission"], 200)
                self.assertEqual((run["run_id"], "succeeded", "Done."), tuple(answer[m] for m in ("run_id", "status", "answer")))
                self.assertEqual(answer, self.again(agent, run["mission"], 200))
            # one whose turn came just before the stop may have asked twice
            self.assertEqual([f"{number}-1", f"{number}-2"], list(dict.fromkeys(m for m in self.gate.asked if m in queued)))

    def start(self, key, agent, *missions):
        """Who asked loses the connection, or is told to come back."""

        def ask(mission):
            try:
                self.answers[mission] = self.host.post(EXECUTE, {"agent_id": agent, "mission": mission}, key=key,
                                                       headers={"Idempotency-Key": mission})
            except OSError:
                pass
            except Exception as error:  # http.client's own, of a connection that is cut
                self.assertIn("http.client", type(error).__module__)

        self.begin(ask, missions)

    def again(self, agent, mission, status):
        return self.host.post(EXECUTE, {"agent_id": agent, "mission": mission}, key=self.ada, headers={"Idempotency-Key": mission},
                              expect=status).json


class Full(QueueCase):
    length, timeout = 4, 300

    def test_a_queue_has_an_end_and_a_place_for_others(self):
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", ["1", "2"])
        refused = self.host.post(EXECUTE, {"agent_id": agent, "mission": "3"}, key=self.ada, expect=429)
        self.assertRegex(refused.headers["Retry-After"], r"^[1-9][0-9]*$")
        self.assertTrue(refused.json["type"].endswith("rate-limited"))
        self.assertIn(f"agent {agent} runs 1 at once (max_concurrent_runs of its definition)", refused.json["detail"])
        self.assertIn("2 of 4 wait, 2 of them of this user", refused.json["detail"])
        self.start(self.bob, agent, "bob")
        self.wait_queued(3)
        self.gate.allow(4)
        self.join()
        self.assertEqual(["0", "1", "2", "bob"], sorted(self.gate.asked))
        self.assertEqual({200}, {answer.status for answer in self.answers.values()})

    def refusals(self, action):
        """What was written that is no intent or outcome of a run that went or waited."""
        items = self.host.get(f"/api/v1/admin/audit?action={action}&limit=500", headers=self.headers, expect=200).json["items"]
        return [(r["kind"], r["outcome"], r["reason"]) for r in items if r.get("reason") == "rate_limited"]

    def intents(self):
        items = self.host.get("/api/v1/admin/audit?action=agents.execute&limit=500", headers=self.headers, expect=200).json["items"]
        return len([r for r in items if r["kind"] == "intent"])

    def test_refusals_in_a_row_are_one_record_and_no_intent(self):
        """As those of a limit of requests; at each door of a run, and another user's by itself."""
        agent = self.agent(1)
        self.queue(agent, self.ada, "0", ["1", "2"])
        before = self.intents()
        chat = {"model": f"agent/{agent}", "messages": [{"role": "user", "content": "x"}]}
        for _ in range(5):
            self.host.post(EXECUTE, {"agent_id": agent, "mission": "x"}, key=self.ada, expect=429)
            self.host.post("/api/v1/chat", {"agent_id": agent, "message": "x"}, key=self.ada, expect=429)
            self.host.post("/v1/chat/completions", chat, key=self.ada, expect=429)
        self.wait_for(lambda: self.refusals("agents.execute") == [("refusal", "blocked", "rate_limited")])
        self.start(self.bob, agent, "bob")
        self.wait_queued(3)
        for _ in range(5):
            self.host.post(EXECUTE, {"agent_id": agent, "mission": "x"}, key=self.bob, expect=429)
        self.wait_for(lambda: len(self.refusals("agents.execute")) == 2)
        self.assertEqual((before + 1, []), (self.intents(), self.refusals("chat.create") + self.refusals("completions.create")))
        # who may not execute it, or does not see it, hears that
        viewer = self.host.user("viewer", self.tenant)
        self.host.post(EXECUTE, {"agent_id": agent, "mission": "x"}, key=viewer, expect=403)
        self.gate.allow(4)
        self.join()

    def test_a_hidden_agent_is_never_full(self):
        place = self.host.post("/api/v1/admin/workspaces", {"name": "w"}, headers=self.headers, expect=201).json["workspace_id"]
        definition = {"system_prompt": "x", "tools": [], "max_concurrent_runs": 1}
        body = {"name": "a", "workspace_id": place, "initial_definition": definition}
        agent = self.host.post("/api/v1/admin/agents", body, headers=self.headers, expect=201).json["agent_id"]
        user = self.host.get("/api/v1/me", key=self.ada, expect=200).json["user_id"]
        self.host.post(f"/api/v1/admin/workspaces/{place}/members", {"user_id": user}, headers=self.headers, expect=201)
        self.queue(agent, self.ada, "0", ["1", "2"])
        admin = self.host.user("admin", self.tenant)
        self.start(admin, agent, "admin")
        self.wait_queued(3)
        ask = {"agent_id": agent, "mission": "x"}
        for key, status in ((self.ada, 429), (admin, 429), (self.bob, 404)):
            self.host.post(EXECUTE, ask, key=key, expect=status)
        self.host.delete(f"/api/v1/admin/workspaces/{place}/members/{user}", headers=self.headers, expect=204)
        self.host.post(EXECUTE, ask, key=self.ada, expect=404)
        self.gate.allow(4)
        self.join()

    def test_a_refusal_is_no_answer_to_the_same_key(self):
        agent = self.agent(1)
        body, keyed = {"agent_id": agent, "mission": "again"}, {"Idempotency-Key": "again"}
        self.queue(agent, self.ada, "0", ["1", "2"])
        self.host.post(EXECUTE, body, key=self.ada, headers=keyed, expect=429)
        # nobody waits for the record of what was refused, which is the only one
        self.wait_for(lambda: self.refusals("agents.execute") == [("refusal", "blocked", "rate_limited")])
        used = self.host.get("/api/v1/admin/usage/aggregation", headers=self.headers, expect=200).json["totals"]
        self.assertEqual((0, 0, 1), tuple(used[n] for n in ("runs", "failed", "refused")))
        self.gate.allow(4)
        self.join()
        first = self.host.post(EXECUTE, body, key=self.ada, headers=keyed, expect=200).json
        self.assertEqual(first, self.host.post(EXECUTE, body, key=self.ada, headers=keyed, expect=200).json)
        self.assertEqual(["0", "1", "2", "again"], sorted(self.gate.asked))


class Late(QueueCase):
    length, timeout = 4, 1

    def test_nobody_waits_for_ever(self):
        agent = self.agent(1)
        self.start(self.ada, agent, "0")
        self.gate.wait(1)
        answer = self.host.post(EXECUTE, {"agent_id": agent, "mission": "late"}, key=self.bob, expect=200).json
        self.assertEqual(("failed", False, "queue_timeout"), (answer["status"], answer["success"], answer["error"]["code"]))
        self.gate.allow(1)
        self.join()
        self.assertEqual(["0"], self.gate.asked)
        outcome = [r for r in self.host.get("/api/v1/admin/audit?action=agents.execute", headers=self.headers).json["items"]
                   if r["kind"] == "outcome" and r["outcome"] == "failed"]
        self.assertEqual(["queue_timeout"], [r["reason"] for r in outcome])


del QueueCase

if __name__ == "__main__":
    main()
