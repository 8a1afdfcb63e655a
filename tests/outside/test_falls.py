#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins that end, or hang, before they say hello: in a constructor, or in the first line of a script. They count as crashes, and end in quarantine."""

import threading
import unittest

from reeve import main
from test_broken_plugins import OWN, BrokenHost, folder
from test_confined import children, events, give_up, held_up, plugin, until

SCRIPTS = ("falls-script", "hangs-script")


class Falls(unittest.TestCase):
    def start(self, config=""):
        host = BrokenHost(config=config, arguments=[*folder("falls"), "--plugin-dir", OWN]).start()
        self.addCleanup(host.close)
        for name in SCRIPTS:
            body = {"capability": "interpreter", "parameters": {}, "reason": "ticket 1"}
            host.post(f"/api/v1/admin/plugins/{name}/grants", body, expect=201)
        return host

    def ask(self, host, name, number):
        answer = host.upload(f"x.{name}", f"text {number}", f"text/x-{name}", expect=None)
        self.assertGreaterEqual(answer.status, 400)
        return answer.text

    def quarantine(self, host, name, why):
        for number in range(5):
            self.assertEqual(number, plugin(host, name)["crashes"])
            self.assertRegex(self.ask(host, name, number), why)
            self.assertRegex(plugin(host, name)["reason"], why)
        now = plugin(host, name)
        self.assertEqual(("failed", "quarantined", 5, None), tuple(now[k] for k in ("state", "process", "crashes", "pid")))
        event = until(lambda: [e for e in events(host, "plugin.quarantined") if name in str(e)], "no event")[0]
        self.assertRegex(event["reason"], why)
        self.assertIn("is quarantined: 5 crashes in 10 minutes", self.ask(host, name, 6))
        self.assertEqual({}, children(host))

    def test_a_constructor_that_exits(self):
        self.quarantine(self.start(), "falls-loading", "its runner ended before it was ready: it ended by itself, with code 5")

    def test_a_script_that_exits(self):
        host = self.start()
        self.quarantine(host, "falls-script", "its runner ended by itself, with code 3")
        host.kill()
        host.start()
        self.assertEqual("quarantined", plugin(host, "falls-script")["process"])
        self.assertEqual(0, host.post("/api/v1/admin/plugins/falls-script/restart", expect=200).json["crashes"])
        self.assertIn("with code 3", self.ask(host, "falls-script", 7))
        self.assertEqual(1, plugin(host, "falls-script")["crashes"])

    def test_what_hangs_has_the_time_of_a_setup(self):
        host = self.start("plugins: {setup_timeout: 3}\n")
        self.quarantine(host, "hangs-loading", "its runner does not answer")
        self.quarantine(host, "hangs-script", r"its runner did not say hello within 3 s \(plugins.setup_timeout\), and was killed")

    def load(self, host, *names):
        """Asks each, and does not wait for what comes of it."""
        workers = [threading.Thread(target=lambda n=n: give_up(lambda: host.upload("x", f"of {n}", f"text/x-{n}", expect=None))) for n in names]
        for worker in workers:
            worker.start()
        return workers

    def end(self, host, workers):
        host.stop()
        for worker in workers:
            worker.join()

    def test_a_constructor_has_its_share_of_the_processors(self):
        host = self.start("plugins: {setup_timeout: 120}\n")
        workers = self.load(host, "spins-loading")
        until(lambda: held_up(host), "nothing holds it up")
        self.end(host, workers)

    def test_all_of_them_leave_the_host_a_share(self):
        """Each may use what it likes, and together they may not."""
        host = self.start("plugins: {setup_timeout: 120, cpu_share: 2}\n")
        workers = self.load(host, "spins-one", "spins-two")
        both = set()
        until(lambda: both.update(held_up(host)) or len(both) == 2, "nothing holds them up")
        self.end(host, workers)


if __name__ == "__main__":
    main()
