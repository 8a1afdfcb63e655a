# SPDX-License-Identifier: LGPL-2.1-or-later
"""SIGTERM under load: within 10 s the host has ended with 0, nothing that it acknowledged is lost, the ledger verifies.

| what | CI | long |
| --- | --- | --- |
| stops under random load (runs, streams, idle connections, a busy bus), each followed by a start on the same state | 100 | 1,000 |
| hosts at a time, each with a state of its own | 2 | 2 |
| the ledger is verified | after each tenth stop | after each tenth |
| stops while a model does not answer, one after the other | 2 | 5 |
"""

import os
import random
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main, size
from stress import CONFIG, Load, answers
from test_bus import Bus

STOPS = size(100, 1000)
HANGING = size(2, 5)
WAITING = 4
HOSTS = 2
SECONDS = 10
LOAD = (0.02, 0.15)


class Side(threading.Thread):
    """One host, stopped and started again and again."""

    def __init__(self, bus, seed, stops):
        super().__init__()
        self.rng, self.stops, self.error, self.slowest, self.done = random.Random(seed), stops, None, 0, 0
        self.mock = MockOpenAI().start()
        self.mock.default = answers(random.Random(seed))
        self.host = Host(config=CONFIG.format(url=self.mock.base_url), bus="session" if bus else "none", environment=bus.environment if bus else None)
        self.bus = bus
        self.agents, self.runs = set(), {}

    def run(self):
        try:
            for number in range(self.stops):
                self.round(number)
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.host.close()
            self.mock.stop()

    def round(self, number):
        self.host.start()
        if number == 0:
            self.agent = self.host.agent()
        if number % 10 == 0:
            self.verify()
        with Load(self.host, self.agent, self.rng, threads=4, bus=self.bus) as load:
            time.sleep(self.rng.uniform(*LOAD))
            began = time.monotonic()
            self.host.stop()
            took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        self.done += load.done
        self.agents |= load.acknowledged["agents"]
        self.runs.update(load.acknowledged["runs"])
        if load.faults or took > SECONDS:
            raise AssertionError(f"stop {number} took {took:.1f} s: {load.faults[:5]}\n{self.host.read_log()}")

    def verify(self):
        report = self.host.post("/api/v1/admin/audit/verify", expect=200).json
        if not report["valid"]:
            raise AssertionError(report)
        for agent in self.rng.sample(sorted(self.agents), min(20, len(self.agents))):
            self.host.get(f"/api/v1/admin/agents/{agent}", expect=200)
        for run in self.rng.sample(sorted(self.runs), min(20, len(self.runs))):
            status = self.host.get(f"/api/v1/runs/{run}", expect=200).json["status"]
            if status != self.runs[run]:
                raise AssertionError(f"run {run} was answered as {self.runs[run]} and is {status}")


class Shutdown(unittest.TestCase):
    def test_stops_under_load(self):
        seed = int(os.environ.get("REEVE_TEST_SEED", time.time_ns() % 1000000))
        print(f"REEVE_TEST_SEED={seed}", flush=True)
        bus = Bus()
        self.addCleanup(bus.close)
        sides = [Side(bus if n == 0 else None, seed + n, STOPS // HOSTS) for n in range(HOSTS)]
        for side in sides:
            side.start()
        for side in sides:
            side.join()
        for side in sides:
            if side.error:
                raise side.error
        print(f"slowest stop {max(s.slowest for s in sides):.2f} s, {sum(s.done for s in sides)} requests", flush=True)
        self.assertGreater(sum(len(s.agents) for s in sides), STOPS // 4)
        self.assertGreater(sum(len(s.runs) for s in sides), STOPS // 4)

    def test_runs_that_wait_for_a_model_go_on_after_each_start(self):
        """Whoever waits is told; the run is left in its journal, and its answer is the right one in the end."""
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.default = {"content": "late", "delay": 60}
        with Host(config=CONFIG.format(url=mock.base_url)) as host:
            agent = host.agent()
            told = []
            clients = [threading.Thread(target=self.ask, args=(host, agent, told), daemon=True) for _ in range(WAITING)]
            for client in clients:
                client.start()
            for number in range(1, HANGING + 1):
                self.wait(lambda asked=number * WAITING: mock.count("/v1/chat/completions") == asked)
                began = time.monotonic()
                host.stop()
                self.assertLess(time.monotonic() - began, SECONDS)
                if number == HANGING:
                    mock.default = {"content": "It is 42."}
                host.start()
            for client in clients:
                client.join(30)
            self.assertEqual([503] * WAITING, [status for status, _ in told], told)
            self.judge(host, told)
            self.assertEqual((HANGING + 1) * WAITING, mock.count("/v1/chat/completions"))

    def judge(self, host, told):
        self.wait(lambda: not host.get("/api/v1/runs?status=running", expect=200).json["items"])
        for run in host.get("/api/v1/runs", expect=200).json["items"]:
            self.assertEqual(("succeeded", "It is 42.", 1), (run["status"], run["answer"], run["steps"]), run)
            self.assertEqual(1, sum(run["run_id"] in detail for _, detail in told), told)
        self.check_intents(host)

    def check_intents(self, host):
        """Each intent has one outcome: nothing is open, nothing was ended twice."""
        self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
        records = host.records()
        intents = [r["seq"] for r in records if r["kind"] == "intent" and r["action"] in ("agents.execute", "model.call")]
        outcomes = [r["intent"] for r in records if r["kind"] == "outcome" and r["action"] in ("agents.execute", "model.call")]
        self.assertEqual(sorted(intents), sorted(outcomes))

    def test_an_answer_that_was_shown_in_part_is_unknown(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.default = {"chunks": ["It ", "is ", "never ", "said."], "chunk_delay": 20}
        with Host(config=CONFIG.format(url=mock.base_url)) as host:
            agent = host.agent()
            events = host.stream("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "go", "stream": True})
            shown = next(e for e in events if e.name == "message.delta")
            stopping = threading.Thread(target=host.stop)
            stopping.start()
            self.assertNotIn("run.failed", [e.name for e in events])
            stopping.join()
            host.start()
            path = f"/api/v1/runs/{shown.data['run_id']}"
            # open runs are taken up once the host serves
            self.wait(lambda: host.get(path, expect=200).json["status"] != "running")
            self.assertEqual("unknown", host.get(path, expect=200).json["status"])
            self.assertEqual(1, mock.count("/v1/chat/completions"))
            self.check_intents(host)

    @staticmethod
    def ask(host, agent, told):
        answer = host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "go"})
        told.append((answer.status, answer.json.get("detail", "")))

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)


if __name__ == "__main__":
    main()
