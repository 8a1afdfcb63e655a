# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 of a whole host under mixed load: what was acknowledged is there, the ledger verifies, store and ledger agree.

what                                         | CI  | long
---------------------------------------------|-----|------
rounds of a whole host                       | 12  | 100
rounds on store and ledger alone (test-kill) | 88  | 4,900
together                                     | 100 | 5,000
"""

import http.client
import random
import threading
import time
import unittest

from reeve import Host, main, size

ROUNDS = size(12, 100)
CLIENTS = 6
SECONDS = 0.25
MISSION = "How much oil does the press need?"


class Crash(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        with Host(config="limits: {requests_per_minute: 1000000}") as host:
            self.agent = host.agent(tools=("semantic_search",))
            host.upload("press.md", "# Press\n\nThe press needs 12 litres of oil.\n")
            known = {"agents": set(), "documents": set(), "runs": set()}
            for cut in range(ROUNDS):
                with self.subTest(round=cut):
                    self.load(host, known)
                    host.start()
                    # all of it is read again and again: as cheap as can be, and thoroughly at the end
                    self.check(host, known, every_run=cut == ROUNDS - 1)

    def load(self, host, known):
        """Clients work until the host is killed under them; only what was answered as done counts."""
        threads = [threading.Thread(target=self.client, args=(host, n, known)) for n in range(CLIENTS)]
        before = sum(map(len, known.values()))
        end = time.monotonic() + 30
        for thread in threads:
            thread.start()
        while sum(map(len, known.values())) == before and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(random.random() * SECONDS)
        host.kill()
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive())
        self.assertGreater(sum(map(len, known.values())), before)

    def client(self, host, number, known):
        body = {"name": "load", "initial_definition": {"system_prompt": "x"}}
        try:
            while True:
                if number % 3 == 0:
                    answer = host.post("/api/v1/admin/agents", body)
                    if answer.status == 201:
                        known["agents"].add(answer.json["agent_id"])
                elif number % 3 == 1:
                    answer = host.upload("a.txt", "the lathe needs grease " * 20, "text/plain", expect=None)
                    if answer.status == 201:
                        known["documents"].add(answer.json["document_id"])
                else:
                    answer = host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": MISSION})
                    if answer.status == 200 and answer.json["success"]:
                        known["runs"].add(answer.json["run_id"])
        except (OSError, http.client.HTTPException):
            pass

    def check(self, host, known, every_run):
        runs = self.wait_for_runs(host)
        self.assertLessEqual(known["agents"], {item["agent_id"] for item in self.all_items(host, "admin/agents")})
        self.assertLessEqual(known["documents"], {item["document_id"] for item in self.all_items(host, "documents")})
        self.assertLessEqual(known["runs"], {name for name, item in runs.items() if item["status"] == "succeeded"})
        report = host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)
        intents, outcomes = self.read_ledger(host)
        for name in runs if every_run else list(runs)[:20]:
            journal = host.get(f"/api/v1/runs/{name}", expect=200).json["journal"]
            named = [entry["intent"] for entry in journal if "intent" in entry]
            # that of the whole run was there before its identifier
            self.assertEqual({name}, {intents[seq].get("run_id", name) for seq in named})
        for seq, record in intents.items():
            if record["action"] != "audit.verify":
                self.assertEqual(1, outcomes.count(seq), record)

    def wait_for_runs(self, host):
        """Those that the host has taken up again end soon."""
        end = time.monotonic() + 60
        while True:
            runs = {item["run_id"]: item for item in self.all_items(host, "runs")}
            going = [name for name, item in runs.items() if item["status"] == "running"]
            if not going:
                return runs
            self.assertLess(time.monotonic(), end, going)
            time.sleep(0.02)

    @staticmethod
    def read_ledger(host):
        intents, outcomes = {}, []
        for record in Crash.all_items(host, "admin/audit"):
            if record["kind"] == "intent":
                intents[record["seq"]] = record
            elif record["kind"] == "outcome":
                outcomes.append(record["intent"])
        return intents, outcomes

    @staticmethod
    def all_items(host, path):
        items, cursor = [], None
        while True:
            page = host.get(f"/api/v1/{path}?limit=500" + (f"&cursor={cursor}" if cursor else ""), expect=200).json
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


if __name__ == "__main__":
    main()
