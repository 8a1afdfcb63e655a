# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folder of keys is made, grows and is worked on, and the process is killed at each step: what is there opens, or says what is to be done.

what                                                                | CI                  | long
killed at the n-th call below keys, before it and in the middle:    | 5 of each, twice    | every one, twice
  the first start; a tenant for whose mark there is no slot left;   |                     |
  --accept-stores of one and of all; --rotate-master-key            |                     |
"""

import http.client
import os
import shutil
import subprocess
import unittest

from faults import KILL, KILL_HALF, NONE, Faults
from reeve import HOST, Host, main, size

STEPS = size(5, 1000)
# with @platform, default and those that are made: as many as there are slots at first
TENANTS = 14


class KilledAtEachStep(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.__exit__)
        self.host = Host(config="encryption: {enabled: true}\n", state=self.faults.state, environment=self.faults.environment)
        self.addCleanup(self.host.close)
        self.copy = os.path.join(self.faults.folder.name, "copy")
        self.key = os.path.join(self.host.folder.name, "other.key")

    def keep(self):
        shutil.copytree(self.host.state, self.copy)

    def put_back(self):
        shutil.rmtree(self.host.state, ignore_errors=True)
        if os.path.exists(self.copy):
            shutil.copytree(self.copy, self.host.state)
        if os.path.exists(self.key):
            os.unlink(self.key)

    def configure(self, source):
        with open(self.host.config, "w", encoding="utf-8") as file:
            file.write(f"encryption: {{enabled: true, key_source: '{source}'}}\n")

    def each_step(self, work):
        """Does the work once to count its steps; then again and again, killed at one of them. Yields after each."""
        self.put_back()
        self.faults.arm(NONE, path="/keys/")
        work(False)
        steps = self.faults.seen
        self.assertGreater(steps, 2)
        chosen = sorted({1 + i * (steps - 1) // max(STEPS - 1, 1) for i in range(STEPS)} if steps > STEPS else range(1, steps + 1))
        for kind in (KILL, KILL_HALF):
            for step in chosen:
                with self.subTest(kind=kind, step=step):
                    self.put_back()
                    self.faults.arm(kind, path="/keys/", first=step, last=step)
                    work(True)
                    self.assertEqual(1, self.faults.failed)
                    self.faults.disarm()
                    yield

    def command(self, *arguments):
        return subprocess.run([HOST, "--state-dir", self.host.state, "--config", self.host.config, *arguments],
                              capture_output=True, text=True, timeout=60, check=False, env=self.host.environment)

    def work_on(self, *arguments):
        def work(killed):
            done = self.command(*arguments)
            self.assertEqual(-9 if killed else 0, done.returncode, done)

        return work

    def check(self, tenants, action=None):
        """It opens, every store of it; what was recorded of the command is whole."""
        self.host.start()
        items = self.host.get("/api/v1/admin/encryption/stores?limit=500", expect=200).json["items"]
        # what nobody was told of may be half made
        self.assertEqual([], [item for item in items if item["problem"] is not None and item["store"] != "more"])
        self.assertGreaterEqual(len(items), 2 + tenants)
        records = [r for r in self.host.records(action=action)] if action else []
        self.assertEqual(sorted(r["seq"] for r in records if r["kind"] == "intent"), sorted(r["intent"] for r in records if r["kind"] == "outcome"))
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
        self.host.stop()

    def test_first_start(self):
        def work(killed):
            if not killed:
                self.host.start().stop()
                return
            with self.assertRaises((AssertionError, OSError, http.client.HTTPException)):
                self.host.start().stop()
            if self.host.process is not None:
                self.host.kill()

        for _ in self.each_step(work):
            self.check(0)

    def test_room_for_another_tenant(self):
        self.host.start()
        for i in range(TENANTS):
            self.host.post("/api/v1/admin/tenants", {"tenant_id": f"t{i}", "name": "t"}, expect=201)
        self.host.stop()
        marks = os.path.join(self.host.state, "keys", "marks")
        before = os.path.getsize(marks)
        self.keep()

        def work(killed):
            self.faults.pause()
            self.host.start()
            self.faults.go_on()
            try:
                self.host.post("/api/v1/admin/tenants", {"tenant_id": "more", "name": "t"}, expect=None if killed else 201)
            except (OSError, http.client.HTTPException):
                self.assertTrue(killed)
            if not killed:
                self.assertGreater(os.path.getsize(marks), before)
                self.faults.pause()
            else:
                self.host.process.wait(30)
            self.host.kill()

        for _ in self.each_step(work):
            self.host.start()
            for name in ("more", "another"):
                self.assertIn(self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": "t"}).status, (201, 409 if name == "more" else 201))
            self.host.stop()
            self.check(TENANTS + 1)

    def test_accept_one(self):
        self.host.start().stop()
        self.keep()
        for _ in self.each_step(self.work_on("--accept-stores", "default")):
            self.check(0, "encryption.accept")

    def test_accept_all(self):
        self.host.start().stop()
        self.keep()
        for _ in self.each_step(self.work_on("--accept-stores", "all")):
            # in the middle of it there are no marks, or half a key of theirs
            done = self.command("--accept-stores", "default")
            if done.returncode != 0:
                self.assertIn("--accept-stores all", done.stderr)
                self.work_on("--accept-stores", "all")(False)
            self.check(0, "encryption.accept")

    def test_rotate_master_key(self):
        self.host.start().stop()
        self.keep()
        command = self.work_on("--rotate-master-key", f"file:{self.key}")
        for _ in self.each_step(command):
            command(False)
            self.configure(f"file:{self.key}")
            self.check(0, "encryption.rotate_master")
            self.configure("auto")


if __name__ == "__main__":
    main()
