# SPDX-License-Identifier: LGPL-2.1-or-later
"""Data keys are changed, both ways, while the store is written; the host is killed meanwhile.

what                                             | CI          | long
rotations under load, each way, then a restart   | 6 rotations | 200
kill -9 under load and rotation                  | 12 rounds   | 300
"""

import http.client
import os
import random
import re
import threading
import time
import unittest

from reeve import Host, main, size

ROTATIONS = size(6, 200)
KILLS = size(12, 300)
WRITERS = 3
ROTATE = "/api/v1/admin/encryption/rotate"
AGENT = {"name": "load", "initial_definition": {"system_prompt": "x" * 2000}}


class Load:
    """Clients that write until they are told to stop, or the host is gone; knows what was acknowledged and what was not."""

    def __init__(self, host):
        self.host, self.agents, self.odd, self.over = host, set(), [], False
        self.threads = [threading.Thread(target=self.write) for _ in range(WRITERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_exception):
        self.over = True
        for thread in self.threads:
            thread.join(60)

    def write(self):
        while not self.over:
            try:
                answer = self.host.post("/api/v1/admin/agents", AGENT)
            except (OSError, http.client.HTTPException):
                return
            if answer.status == 201:
                self.agents.add(answer.json["agent_id"])
            else:
                self.odd.append(answer)

    def wait(self, count):
        """Until so many more were acknowledged."""
        wanted = len(self.agents) + count
        while len(self.agents) < wanted and any(thread.is_alive() for thread in self.threads):
            time.sleep(0.005)


def all_agents(host):
    found, cursor = set(), None
    while True:
        page = host.get("/api/v1/admin/agents?limit=500" + (f"&cursor={cursor}" if cursor else ""), expect=200).json
        found |= {item["agent_id"] for item in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            return found


class Rotation(unittest.TestCase):
    def setUp(self):
        self.host = Host("encryption: {enabled: true}\nlimits: {requests_per_minute: 0}\n").start()
        self.addCleanup(self.host.close)
        self.acknowledged = set()

    def key_numbers(self):
        with open(os.path.join(self.host.state, "keys", "tenants", "default.key"), encoding="ascii") as file:
            return [int(n) for n in re.findall(r"^tenant:default:v(\d+):", file.read(), re.M)]

    def check(self):
        self.assertLessEqual(self.acknowledged, all_agents(self.host))
        report = self.host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)

    def test_writers_go_on(self):
        with Load(self.host) as load:
            for number in range(ROTATIONS):
                method = ("copy", "rewrite")[number % 2]
                load.wait(10)
                done = self.host.post(ROTATE, {"store": "default", "method": method}, expect=200).json
                self.assertEqual(f"tenant:default:v{number + 2}", done["stores"][0]["data_key"])
                self.assertEqual([number + 2], self.key_numbers())
                load.wait(10)
        self.assertEqual([], load.odd)
        self.acknowledged = load.agents
        self.check()
        self.host.stop()
        self.host.start()
        self.check()

    def test_killed_at_any_moment(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        for cut in range(KILLS):
            with self.subTest(round=cut, seed=seed):
                with Load(self.host) as load:
                    thread = threading.Thread(target=self.rotate_for_ever)
                    load.wait(5)
                    thread.start()
                    time.sleep(moments.random() * 0.4)
                    self.host.kill()
                    thread.join(60)
                self.acknowledged |= load.agents
                self.host.start()
                self.check()
        # whatever was begun is ended by the next one
        self.host.post(ROTATE, {"store": "default"}, expect=200)
        self.assertEqual(1, len(self.key_numbers()))
        self.check()

    def rotate_for_ever(self):
        number = 0
        try:
            while True:
                self.host.post(ROTATE, {"store": "default", "method": ("copy", "rewrite")[number % 2]})
                number += 1
        except (OSError, http.client.HTTPException):
            pass


if __name__ == "__main__":
    main()
