#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How much of the machine a plugin's process may have: what its manifest asks for, what was granted, what the ceiling leaves. Each limit is
reached with its errno, and below it all works."""

import errno
import json
import os
import threading
import unittest

from probes import ProbeCase
from reeve import main, sanitized
from test_confined import plugin, until

HUNGRY = "hungry"
NO_SPACE = 0 if sanitized() else errno.ENOMEM


class HungryCase(ProbeCase):
    ids = (HUNGRY,)
    place = HUNGRY

    def eat(self, what, amount=0):
        """The number of its error, or 0."""
        key, agent = self.tenants["left"]
        self.mock.script([{"tool_calls": [{"name": "tool-of-hungry", "arguments": {"what": what, "amount": amount}}]}, {"content": "done"}])
        self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "eat"}, key=key, expect=200)
        return int([m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1])

    def granted(self, capability, **parameters):
        self.grant_only(capability, HUNGRY, **parameters)

    def taken_back(self, capability):
        self.revoke_all(capability, HUNGRY)

    def states(self, amount):
        """How its process was found while it used so many milliseconds of the processors."""
        self.eat("space", 1)
        path = f"/proc/{plugin(self.host, HUNGRY)['pid']}/stat"
        worker = threading.Thread(target=lambda: self.assertEqual(0, self.eat("cpu", amount)))
        worker.start()
        found = set()
        while worker.is_alive():
            with open(path, encoding="utf-8", errors="replace") as file:
                found.add(file.read().rpartition(")")[2].split()[0])
            worker.join(0.005)
        return found


class Limits(HungryCase):
    def test_memory(self):
        row = self.rows(HUNGRY)["memory"]
        self.assertEqual((True, "effective"), (row["offered"], row["state"]))
        self.assertEqual((0, NO_SPACE), (self.eat("space", 1200), self.eat("space", 2100)))  # Memory=2048
        self.granted("memory", amount=1024)
        until(lambda: self.eat("space", 1200) == NO_SPACE, "the grant narrows nothing")
        self.assertEqual(0, self.eat("space", 300))
        self.granted("memory", amount=8192)  # more than it asks for
        until(lambda: self.eat("space", 1200) == 0, "the grant widens nothing")
        self.assertEqual(NO_SPACE, self.eat("space", 2100))
        self.taken_back("memory")
        until(lambda: self.eat("space", 2100) == 0, "it is not as usual")
        self.assertEqual(NO_SPACE, self.eat("space", 4100))
        self.granted("memory")

    def test_threads(self):
        # of an ordinary user's, RLIMIT_NPROC counts all that the user runs
        most = errno.EAGAIN if os.geteuid() == 0 else 0
        self.assertEqual((0, most), (self.eat("threads", 4), self.eat("threads", 24)))  # Threads=24
        self.granted("threads", amount=12)
        until(lambda: self.eat("threads", 12) == most, "the grant narrows nothing")
        self.taken_back("threads")
        until(lambda: self.eat("threads", 24) == 0, "it is not as usual")
        self.assertEqual(most, self.eat("threads", 64))
        self.granted("threads")

    def test_code_that_is_made(self):
        row = self.rows(HUNGRY)["jit"]
        self.assertEqual((True, "waiting"), (row["offered"], row["state"]))
        self.assertIn("both written and executed", row["risk"])
        self.assertEqual(errno.EACCES, self.eat("code"))
        self.assertIn("sealed", plugin(self.host, HUNGRY)["layers"])
        self.granted("jit")
        until(lambda: self.eat("code") == 0, "the grant changes nothing")
        now = plugin(self.host, HUNGRY)
        self.assertFalse({"mdwe", "sealed"} & set(now["layers"]))
        self.assertLessEqual({"mdwe", "sealed"}, set(now["layers_missing"]))
        self.taken_back("jit")
        until(lambda: self.eat("code") == errno.EACCES, "it keeps what was taken back")

    def test_processors(self):
        self.assertNotIn("T", self.states(600))
        self.granted("cpu", amount=10)
        until(lambda: "T" in self.states(600), "nothing holds it up")
        self.taken_back("cpu")
        self.granted("cpu")
        until(lambda: "T" not in self.states(600), "it is held up for ever")

    def test_what_cannot_be_granted(self):
        for capability, amount in (("memory", 511), ("threads", 7), ("cpu", 0)):
            answer = self.grant(capability, HUNGRY, expect=400, parameters={"amount": amount})
            self.assertIn("/parameters/amount", json.dumps(answer))
        self.grant("jit", HUNGRY, expect=400, parameters={"amount": 1})


class Hardened(Limits):
    """The same in namespaces, where an ordinary user's threads count by themselves too."""

    more = "  profiles: {hungry: hardened}"


class Ceiling(HungryCase):
    more = "  ceiling: {memory: 1024, threads: 10, cpu: 50}"

    def test_nothing_goes_beyond(self):
        for capability, most in (("memory", 1024), ("threads", 10), ("cpu", 50)):
            self.assertIn(f"plugins.ceiling.{capability}", self.grant(capability, HUNGRY, expect=403, parameters={"amount": most + 1})["detail"])
            self.assertEqual({"amount": most}, self.rows(HUNGRY)[capability]["ceiling"]["parameters"])
        # it asks for 2048, and was granted all of it
        self.assertEqual(NO_SPACE, self.eat("space", 1200))
        self.assertEqual([{"amount": 1024}], [e["parameters"] for e in self.rows(HUNGRY)["memory"]["effective"]])


if __name__ == "__main__":
    main()
