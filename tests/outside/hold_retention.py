# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records that are old enough go, and what stays verifies: a host whose clock is moved.

what                | CI   | long
--------------------|------|------
each jump           | once | once
"""

import os
import subprocess
import tempfile
import time
import unittest

from faults import Faults
from reeve import CTL, SOURCE, Host, main

SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
AUDIT = "/api/v1/admin/audit"
DAY = 24 * 3600


class Retention(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.__exit__)
        self.host = Host("audit: {include_request_body: true}\n", state=self.faults.state, environment=self.faults.environment)
        self.addCleanup(self.host.close)

    def wait(self, condition):
        end = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), end, self.host.read_log()[-3000:])
            time.sleep(0.05)

    def first(self):
        return self.host.get(f"{AUDIT}/checkpoint", expect=200).json.get("first", 1)

    def start_at(self, days, believed=False):
        """So many days from now; the host looks at once."""
        self.host.stop()
        if believed:
            os.remove(os.path.join(self.host.state, "ledger", "clock.idx"))
        self.faults.set_clock(days * DAY)
        self.host.start()

    def both(self, *expected, since=None):
        """Two verifiers that share no code, on the state of a host that has stopped."""
        self.host.stop()
        for command in ([CTL, "--state-dir", self.host.state, "audit", "verify"], [SCRIPT, self.host.state]):
            done = subprocess.run(command + (["--since", since] if since else []), capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            for text in expected:
                self.assertIn(text, done.stdout)
        self.host.start()

    def test_old_records_go(self):
        self.host.start()
        self.host.agent()
        last = self.host.records()[0]["seq"]
        self.wait(lambda: os.path.exists(os.path.join(self.host.state, "ledger", "clock.idx")))
        # the same month: nothing goes; a leap of years, that nobody saw pass: nothing either
        self.start_at(3650)
        self.wait(lambda: "ahead of what this host has seen pass" in self.host.read_log())
        self.assertEqual(1, self.first())
        self.host.get(f"{AUDIT}/1", expect=200)
        self.start_at(3650 + 800, believed=True)
        self.wait(lambda: self.first() > last)
        first = self.first()
        gone = self.host.get(f"{AUDIT}/1/proof", expect=404).json
        self.assertIn(f"those from {first} on are there", gone["detail"])
        self.host.get(f"{AUDIT}/{first - 1}", expect=404)
        records = self.host.records()
        self.assertEqual(first, min(record["seq"] for record in records))
        named = [record for record in records if record["action"] == "audit.retire" and record["kind"] == "event"]
        self.assertEqual([f"default/1-{first - 1}"], [record["resource"]["id"] for record in named])
        self.assertEqual(["audit.retention_days=365"], [record["reason"] for record in named])
        # what was kept for them goes with them, on record; what is of later ones stays
        self.wait(lambda: [r["outcome"] for r in self.host.records(action="audit.forget", kind="outcome")] == ["succeeded"])
        self.host.agent()
        kept = [record for record in self.host.records(action="agents.create") if record.get("kept")]
        self.assertEqual("kept", self.host.get(f"{AUDIT}/{kept[0]['seq']}", expect=200).json["body"]["state"])
        with tempfile.TemporaryDirectory(prefix="reeve-retention-") as folder:
            self.check_proof(folder, first)
            path = os.path.join(folder, "export.json")
            self.host.ctl("audit", "export", "-o", path)
            done = self.verify("--export", path)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        self.assertTrue(self.host.post(f"{AUDIT}/verify", expect=200).json["valid"])
        self.both("default", "@platform")
        self.assertEqual(first, self.first())

    def verify(self, *arguments):
        key = os.path.join(self.host.state, "keys", "ledger.pub")
        return subprocess.run([CTL, "audit", "verify", *arguments, "--public-key", key], capture_output=True, text=True, timeout=60, check=False)

    def check_proof(self, folder, seq):
        path = os.path.join(folder, "kept.tlog-proof")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.host.get(f"{AUDIT}/{seq}/proof", expect=200).text)
        self.assertEqual(0, self.verify("--proof", path).returncode)
        key = os.path.join(self.host.state, "keys", "ledger.pub")
        done = subprocess.run([SCRIPT, "--proof", path, "--public-key", key], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_a_tenant_keeps_longer(self):
        self.host.start()
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "Acme", "settings": {"audit_retention_days": 2000}}, expect=201)
        refused = self.host.post("/api/v1/admin/tenants", {"tenant_id": "brief", "name": "B", "settings": {"audit_retention_days": 364}}, expect=400)
        self.assertIn("365", refused.text)
        acme = {"X-Tenant-ID": "acme"}
        self.host.get(f"{AUDIT}?limit=1", headers=acme, expect=200)
        kept = self.delete("gone")
        self.wait(lambda: os.path.exists(os.path.join(self.host.state, "ledger", "clock.idx")))
        self.start_at(800, believed=True)
        self.wait(lambda: self.first() > 1)
        self.host.get(f"{AUDIT}/1", headers=acme, expect=200)
        self.both("acme", "gone", since=kept)
        self.assertIn("gone", os.listdir(os.path.join(self.host.state, "ledger")))
        self.start_at(2900, believed=True)
        self.wait(lambda: self.host.get(f"{AUDIT}/1", headers=acme).status == 404)
        self.ended("gone", kept)

    def delete(self, tenant):
        """A tenant with a log, which asks for longer, and goes. Returns a checkpoint of it that was kept."""
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": "G", "settings": {"audit_retention_days": 2000}}, expect=201)
        self.host.get(f"{AUDIT}?limit=1", headers={"X-Tenant-ID": tenant}, expect=200)
        note = self.host.get(f"{AUDIT}/checkpoint", headers={"X-Tenant-ID": tenant}, expect=200).json["checkpoint"]
        self.host.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", prefix="reeve-kept-", delete=False) as file:
            file.write(note)
        self.addCleanup(os.remove, file.name)
        return file.name

    def ended(self, tenant, kept):
        """It went as a whole, and the platform's log says what it was; the name stays taken."""
        self.wait(lambda: tenant not in os.listdir(os.path.join(self.host.state, "ledger")))
        self.wait(lambda: f"{tenant}.ended.lock" not in os.listdir(os.path.join(self.host.state, "ledger")))
        ends = self.host.get(f"{AUDIT}?platform=true&action=ledger.ended", expect=200).json["items"]
        self.assertEqual([tenant], [end["resource"]["id"] for end in ends])
        self.assertRegex(ends[0]["reason"], "^records_1_to_[1-9][0-9]*$")
        self.assertRegex(ends[0]["output_digest"], "^[0-9a-f]{64}$")
        rules = [record["reason"] for record in self.host.records() if record["action"] == "audit.retire" and record["kind"] == "event"
                 and record["resource"]["id"].startswith(f"{tenant}/")]
        self.assertEqual(["tenant.audit_retention_days=2000"], rules)
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": "G"}, expect=409)
        self.host.get(f"{AUDIT}?limit=1", headers={"X-Tenant-ID": tenant}, expect=404)
        self.both("acme", since=kept)
        self.assertNotIn(tenant, os.listdir(os.path.join(self.host.state, "ledger")))


if __name__ == "__main__":
    main()
