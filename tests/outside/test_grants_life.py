#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Grants over time: an end that comes while a confined plugin's call is under way, a host that is killed right behind its answer, a plugin that is
taken away and comes back."""

import os
import shutil
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone

from reeve import main, size
from test_broken_plugins import FOLDERS, OWN, BrokenHost
from test_grants import GrantsCase


def moment(seconds):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class OverTheWire(GrantsCase):
    """tool-http runs in a process of its own: what it has under way is the host's, and is cut there."""

    def begin(self):
        """A call whose answer does not come; gives what the model was told of it."""
        before = len(self.site.requests)
        self.site.script([{"status": 200, "body": "late", "delay": 600}])
        told = []
        run = threading.Thread(target=lambda: told.append(self.ask(self.site.url + "/slow")))
        run.start()
        end = time.monotonic() + 30
        while len(self.site.requests) == before and time.monotonic() < end:
            time.sleep(0.01)
        self.assertEqual("runner", self.host.get("/api/v1/admin/plugins/tool-http").json["runs_in"])

        def finish():
            run.join(60)
            self.assertFalse(run.is_alive())
            return told[0]
        finish.run = run
        return finish

    def test_an_end_cuts_what_is_under_way(self):
        self.revoke_all()
        self.grant(parameters={"origins": [self.site.url]}, until=moment(12))
        finish = self.begin()
        self.assertIn("was taken back while it was used", finish())
        self.assertEqual("ended", self.row()["state"])
        self.assertIn("the time it was granted for ended at", self.ask(self.site.url + "/echo"))
        # the plugin itself goes on
        self.assertEqual(0, self.host.get("/api/v1/admin/plugins/tool-http").json["crashes"])
        self.grant(parameters={"origins": [self.site.url]})
        self.assertIn("HTTP 200", self.ask(self.site.url + "/echo"))

    def test_the_end_of_one_of_two_cuts_nothing(self):
        self.revoke_all()
        ends = self.grant(parameters={"origins": [self.site.url]}, until=moment(12))["grant_id"]
        other = self.grant(parameters={"origins": [self.site.url]})["grant_id"]
        finish = self.begin()
        end = time.monotonic() + 30
        while next(g["status"] for g in self.row()["granted"] if g["grant_id"] == ends) == "active" and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual("effective", self.row()["state"])
        time.sleep(1)  # were it cut, it would be by now
        self.assertTrue(finish.run.is_alive())
        self.revoke(other)
        self.assertIn("was taken back while it was used", finish())


class Killed(GrantsCase):
    def restart(self):
        self.host.kill()
        self.host.start()

    def test_what_was_answered_holds(self):
        for _ in range(size(3, 30)):
            made = self.grant(parameters={"origins": [self.site.url]})
            self.restart()
            self.assertEqual(made, next(g for g in self.row()["granted"] if g["grant_id"] == made["grant_id"]))
            self.assertIn("HTTP 200", self.ask(self.site.url + "/echo"))
            self.revoke(made["grant_id"])
            self.restart()
            self.assertEqual("revoked", next(g["status"] for g in self.row()["granted"] if g["grant_id"] == made["grant_id"]))
            self.assertIn("not be reached", self.ask(self.site.url + "/echo"))

    def test_a_switch_that_was_answered_holds(self):
        for verb, enabled in (("disable", False), ("enable", True)) * size(2, 20):
            self.host.post(f"/api/v1/admin/plugins/tool-http/{verb}", expect=200)
            self.restart()
            self.assertEqual(enabled, self.host.get("/api/v1/admin/plugins/tool-http", expect=200).json["enabled"])


class TakenAway(unittest.TestCase):
    GRANTS = "/api/v1/admin/plugins/probe-one/grants"

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-plugins-")
        self.addCleanup(self.folder.cleanup)
        shutil.copytree(os.path.join(FOLDERS, "probes"), os.path.join(self.folder.name, "here"))
        self.host = BrokenHost(arguments=["--plugin-dir", os.path.join(self.folder.name, "here"), "--plugin-dir", OWN]).start()
        self.addCleanup(self.host.close)

    def row(self, capability):
        return next(r for r in self.host.get("/api/v1/admin/plugins/probe-one", expect=200).json["grants"] if r["capability"] == capability)

    def granted(self):
        row = self.row("store.kv")
        return {g["grant_id"]: (g["status"], g["source"]) for g in row["granted"]}, row["state"]

    def move(self, before, after):
        """While the host is down."""
        self.host.stop()
        shutil.move(os.path.join(self.folder.name, before), os.path.join(self.folder.name, after))
        self.host.start()

    def test_grants_wait_for_it(self):
        made = self.host.post(self.GRANTS, {"capability": "store.kv", "reason": "test", "parameters": {"max_bytes": 1000}}, expect=201).json["grant_id"]
        default = next(g for g, (_status, source) in self.granted()[0].items() if source == "default")
        self.host.delete(f"{self.GRANTS}/{default}", expect=204)
        self.host.post("/api/v1/admin/plugins/probe-one/disable", {"reason": "test"}, expect=200)
        before = self.granted()
        self.move("here/probe-one", "away")
        self.host.get("/api/v1/admin/plugins/probe-one", expect=404)
        self.host.get("/api/v1/admin/plugins/nobody/grants", expect=404)
        self.host.post(self.GRANTS, {"capability": "store.kv", "reason": "test"}, expect=404)
        # what it was granted can be seen, and taken back
        left = self.host.get(self.GRANTS, expect=200).json["items"]
        self.assertEqual([made], [g["grant_id"] for g in left if g["capability"] == "store.kv"])
        other = next(g["grant_id"] for g in left if g["capability"] == "identity.read")
        self.host.delete(f"{self.GRANTS}/{other}", expect=204)
        self.host.post("/api/v1/admin/plugins/probe-one/enable", expect=404)
        self.move("away", "here/probe-one")
        self.assertEqual("revoked", self.row("identity.read")["state"])
        # what was granted holds, what was taken back does not come back as a default, and who was disabled still is
        self.assertEqual(before, self.granted())
        self.assertEqual((("revoked", "default"), ("active", "administrator"), "effective"), (before[0][default], before[0][made], before[1]))
        self.assertEqual("test", self.host.get("/api/v1/admin/plugins/probe-one", expect=200).json["disabled_reason"])
        self.host.post("/api/v1/admin/plugins/probe-one/enable", expect=200)


if __name__ == "__main__":
    main()
