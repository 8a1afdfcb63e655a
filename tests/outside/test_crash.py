# SPDX-License-Identifier: LGPL-2.1-or-later
"""kill -9 under load: what was acknowledged is there, the ledger verifies and knows of it."""

import http.client
import threading
import time
import unittest

from reeve import Host, main

ROUNDS = 3
CLIENTS = 8
SECONDS = 0.7


class Crash(unittest.TestCase):
    def test_nothing_acknowledged_is_lost(self):
        with Host() as host:
            agents, documents = set(), set()
            for cut in range(ROUNDS):
                with self.subTest(round=cut):
                    self.load(host, agents, documents)
                    host.start()
                    self.check(host, agents, documents)

    def load(self, host, agents, documents):
        """Clients create until the host is killed under them; only what was answered 201 counts."""
        threads = [threading.Thread(target=self.client, args=(host, n, agents, documents)) for n in range(CLIENTS)]
        before = len(agents) + len(documents)
        for thread in threads:
            thread.start()
        time.sleep(SECONDS)
        host.kill()
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive())
        self.assertGreater(len(agents) + len(documents), before)

    @staticmethod
    def client(host, number, agents, documents):
        body = {"name": "load", "initial_definition": {"system_prompt": "x"}}
        try:
            while True:
                if number % 4:
                    answer = host.post("/api/v1/admin/agents", body)
                    if answer.status == 201:
                        agents.add(answer.json["agent_id"])
                else:
                    answer = host.upload("a.txt", "the press needs oil " * 20, "text/plain", expect=None)
                    if answer.status == 201:
                        documents.add(answer.json["document_id"])
        except (OSError, http.client.HTTPException):
            pass

    def check(self, host, agents, documents):
        for collection, name, expected in (("admin/agents", "agent_id", agents), ("documents", "document_id", documents)):
            self.assertLessEqual(expected, self.all_ids(host, collection, name))
        report = host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)
        created = [r for r in self.all_records(host) if r["action"] == "agents.create"]
        intents = {r["seq"] for r in created if r["kind"] == "intent"}
        closed = [r["intent"] for r in created if r["kind"] == "outcome"]
        self.assertEqual(len(closed), len(set(closed)))
        self.assertEqual(intents, set(closed))

    @staticmethod
    def all_ids(host, collection, name):
        ids, cursor = set(), None
        while True:
            path = f"/api/v1/{collection}?limit=500" + (f"&cursor={cursor}" if cursor else "")
            page = host.get(path, expect=200).json
            ids |= {item[name] for item in page["items"]}
            cursor = page["next_cursor"]
            if cursor is None:
                return ids

    @staticmethod
    def all_records(host):
        records, cursor = [], None
        while True:
            path = "/api/v1/admin/audit?limit=500&action=agents.create" + (f"&cursor={cursor}" if cursor else "")
            page = host.get(path, expect=200).json
            records += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return records


if __name__ == "__main__":
    main()
