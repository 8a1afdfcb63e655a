# SPDX-License-Identifier: LGPL-2.1-or-later
"""Records that are old enough go, and what stays verifies: a host whose clock is moved.

what                                                        | CI             | long
each jump                                                   | once           | once
a log's end, killed at the n-th call to the disk            | every fifth n  | every n, and in the middle of a write
what holds records: a sink, an intent, a second place, a key | once           | once
"""

import base64
import http.client
import os
import subprocess
import tempfile
import threading
import time
import unittest

from faults import ALL, IO, KILL, KILL_HALF, SYNC, Faults
from mock_openai import MockOpenAI
from reeve import CTL, SOURCE, Host, main, size
from test_sinks import Servers

SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
AUDIT = "/api/v1/admin/audit"
DAY = 24 * 3600


class Base(unittest.TestCase):
    def setUp(self):
        self.faults = Faults()
        self.addCleanup(self.faults.__exit__)
        self.host = Host(self.configure(), state=self.faults.state, environment=self.faults.environment)
        self.addCleanup(self.host.close)

    def configure(self):
        return "audit: {include_request_body: true}\n"

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
        self.verify_files(*expected, since=since)
        self.host.start()

    def verify_files(self, *expected, since=None):
        for command in ([CTL, "--state-dir", self.host.state, "audit", "verify"], [SCRIPT, self.host.state]):
            done = subprocess.run(command + (["--since", since] if since else []), capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(0, done.returncode, done.stdout + done.stderr)
            for text in expected:
                self.assertIn(text, done.stdout)

    def apply(self):
        """All logs are looked at now: what was said of them."""
        end = time.monotonic() + 60
        while (answer := self.host.post(f"{AUDIT}/retention")).status == 503:  # the host looks by itself
            self.assertLess(time.monotonic(), end, answer)
            time.sleep(0.02)
        self.assertEqual(200, answer.status, answer)
        return {item["tenant_log"]: item for item in answer.json["items"]}


class Retention(Base):
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

    def test_a_law_keeps_longer(self):
        for frameworks, rule in ((["soc2", "hipaa"], "compliance.frameworks[hipaa]=2190"), (["sox", "hipaa"], "compliance.frameworks[sox]=2555"),
                                 (["gdpr"], "audit.retention_days=365")):
            with Host(f"compliance: {{frameworks: [{', '.join(frameworks)}]}}\n") as host:
                shown = host.get(f"{AUDIT}/retention", expect=200).json
                self.assertEqual((rule, int(rule.split("=")[1])), (shown["rule"], shown["days"]))
                longer = {"X-Tenant-ID": "long"}
                host.post("/api/v1/admin/tenants", {"tenant_id": "long", "name": "L", "settings": {"audit_retention_days": 3000}}, expect=201)
                self.assertEqual("tenant.audit_retention_days=3000", host.get(f"{AUDIT}/retention", headers=longer, expect=200).json["rule"])

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


WAYS = size((KILL,), (KILL, KILL_HALF))
STEP = size(5, 1)
TENANTS = size(16, 80)


class Killed(Base):
    """The end of a log, killed at each of its steps: the next start goes on, or nothing has happened and it ends it anew."""

    def configure(self):
        return "audit: {checkpoint_seconds: 3600}\n"

    def test_at_each_step(self):
        for way in WAYS:
            if way != WAYS[0]:
                self.doCleanups()
                self.setUp()
            self.make(way)
            for number in range(TENANTS):
                name = f"t{way}-{number:02}"
                try:
                    killed = self.kill_at(name, way, 1 + number * STEP, self.due(number))
                except Exception as error:
                    raise AssertionError(f"killed (way {way}) at call {1 + number * STEP}") from error
                if not killed:
                    break
            self.assertFalse(killed, "there are more steps than were tried")
            self.assertGreater(number, 2, "there are fewer steps than an end has")
            self.both()

    def due(self, number):
        """Each a month after the one before: the host finds one at a time."""
        return 4000 + (number + 1) * 30

    def make(self, way):
        self.host.start()
        for number in range(TENANTS):
            name = f"t{way}-{number:02}"
            self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": "T", "settings": {"audit_retention_days": self.due(number) - 1}}, expect=201)
            self.host.get(f"{AUDIT}?limit=1", headers={"X-Tenant-ID": name}, expect=200)
            self.host.delete(f"/api/v1/admin/tenants/{name}", expect=204)
        self.start_at(4000, believed=True)

    def kill_at(self, name, way, first, day):
        folder = os.path.join(self.host.state, "ledger")
        self.apply()
        self.assertIn(name, os.listdir(folder))
        self.faults.set_clock(day * DAY + 3600)
        self.faults.arm(way, calls=ALL, path="/ledger/", first=first, last=first)
        try:
            self.apply()
        except (OSError, http.client.HTTPException):
            pass
        self.faults.disarm()
        killed = self.faults.failed > 0
        if killed:
            self.host.process.wait(30)
            self.host.forget()
            if way != KILL_HALF:  # half a record right behind a checkpoint counts as damage until the next start cuts it off
                self.verify_files()
            self.host.start()
            self.assertTrue(self.host.post(f"{AUDIT}/verify", {"platform": True}, expect=200).json["valid"])
        self.wait(lambda: name not in os.listdir(folder))
        self.wait(lambda: f"{name}.ended.lock" not in os.listdir(folder))
        ends = self.host.get(f"{AUDIT}?platform=true&action=ledger.ended&resource={name}", expect=200).json["items"]
        self.assertEqual(1, len(ends), ends)
        return killed


class Pairs(Base):
    """What holds records that are old enough, one after the other, while months pass."""

    def configure(self):
        self.servers = Servers()
        self.addCleanup(self.servers.close)
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        return f"""
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{self.mock.base_url}", api_key: "sk-test"}}}}
audit:
  when_unavailable: second_sink
  second: {{folder: {self.faults.folder.name}/second}}
  sinks:
    - {{id: hook, plugin: sink-webhook, tenants: [default], settings: {{url: "{self.servers.url}/hook", secret: "whsec_c2VjcmV0", timeout_seconds: 2}}}}
    - {{id: lost, plugin: sink-webhook, tenants: [acme], settings: {{url: "{self.servers.url}/blocked"}}}}
"""

    def test_all(self):
        self.day = 0
        self.host.start()
        self.a_sink()
        self.another_key()
        self.an_intent()
        self.the_second_place()
        self.both("acme", since=self.kept)

    def move(self, days):
        """Months pass, and the host sees them pass."""
        end = self.day + days
        while self.day < end:
            self.day = min(end, self.day + 30)
            self.faults.set_clock(self.day * DAY)
            said = self.apply()
        return said

    def shown(self, **headers):
        return self.host.get(f"{AUDIT}/retention", headers=headers, expect=200).json

    def doctor(self):
        item = next(i for i in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if i["id"] == "audit.old_records")
        return item["state"], item["detail"]

    def a_sink(self):
        """One that was stopped holds what it lacks, for 31 days at most."""
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "A"}, expect=201)
        self.wait(lambda: self.servers.ids("hook"))
        self.servers.down |= {"hook", "blocked"}
        self.host.get(f"{AUDIT}?limit=1", headers={"X-Tenant-ID": "acme"}, expect=200)
        note = self.host.get(f"{AUDIT}/checkpoint", expect=200).json["checkpoint"]
        self.kept = os.path.join(self.faults.folder.name, "kept")
        with open(self.kept, "w", encoding="utf-8") as file:
            file.write(note)
        last = self.host.records()[-1]["seq"]
        self.move(375)
        # the intents of the sinks themselves hold records too, until they are begun anew
        self.wait(lambda: ["sink", "sink"] == [self.apply().get(scope, {}).get("waits_for") for scope in ("acme", "default")])
        self.assertEqual(("sink", 1, 365), tuple(self.shown()[name] for name in ("waits_for", "first", "days")))
        self.assertEqual("warn", self.doctor()[0], self.doctor())
        self.assertIn("wait for a sink", self.doctor()[1])
        self.servers.down.discard("hook")
        self.wait(lambda: f"default/{last}" in self.servers.ids("hook"))
        self.wait(lambda: self.apply().get("default", {}).get("dropped", 0) >= last)
        self.assertEqual(1, self.shown(**{"X-Tenant-ID": "acme"})["first"])
        self.move(35)
        self.wait(lambda: not self.apply().get("acme"))
        first = self.shown(**{"X-Tenant-ID": "acme"})["first"]
        self.assertGreater(first, 1)
        self.servers.down.clear()
        self.wait(lambda: self.servers.ids("blocked"))
        self.assertEqual(f"acme/{first}", self.servers.ids("blocked")[0])
        # nothing was passed over at the one that came back
        got = sorted({int(name.split("/")[1]) for name in self.servers.ids("hook")})
        self.assertEqual(list(range(1, len(got) + 1)), got)
        self.assertEqual([], self.servers.wrong)

    def signers(self, scope):
        """Ids of the keys that have signed base and checkpoint."""
        ids = []
        for name in ("base", "checkpoint"):
            with open(os.path.join(self.host.state, "ledger", scope, name), encoding="utf-8") as file:
                ids.append(base64.b64decode(file.read().split("\n\n")[1].split(" ")[2])[:4].hex())
        return ids

    def another_key(self):
        """Nothing of a log rests on the old one, and both are good."""
        before = self.signers("default")
        now = self.host.post(f"{AUDIT}/rotate-key", expect=200).json["signer"]
        self.assertNotIn(now, before)
        for scope in ("default", "@platform", "acme"):
            self.assertEqual([now, now], self.signers(scope))
        self.both("acme", since=self.kept)
        self.assertEqual([now, now], self.signers("default"))

    def an_intent(self):
        """Without an outcome: its file stays, until it has one."""
        go_on = threading.Event()
        self.addCleanup(go_on.set)
        self.mock.default = lambda request: {"content": "Done.", **({} if go_on.wait(60) else {})}
        agent = self.host.agent(tools=())
        answers = []
        thread = threading.Thread(target=lambda: answers.append(self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"})))
        thread.start()
        self.wait(lambda: self.mock.count("/v1/chat/completions"))
        seq = next(r["seq"] for r in self.host.records() if r["action"] == "model.call" and r["kind"] == "intent")
        said = self.move(420)
        self.assertEqual("outcome", said["default"]["waits_for"])
        self.assertLessEqual(self.shown()["first"], seq)
        self.assertIn("wait for an outcome", self.doctor()[1])
        go_on.set()
        thread.join(60)
        self.assertEqual(200, answers[0].status, answers[0])
        self.wait(lambda: self.apply().get("default", {}).get("dropped", 0) > seq)
        self.wait(lambda: not self.apply() and self.doctor()[0] == "ok")

    def the_second_place(self):
        """A log that goes on there loses nothing, and says so; at home again it does."""
        first = self.shown()["first"]
        # not its syncs: behind one that failed it comes home at the next start
        self.faults.arm(IO, calls=ALL & ~SYNC, path="/ledger/default/")
        self.host.get(f"{AUDIT}?limit=1", expect=200)
        self.wait(lambda: self.host.get("/health/ready", key=None).json.get("ledger") == "second_place")
        said = self.move(60)
        self.assertIn("second place", said["default"]["last_error"])
        self.assertEqual(first, self.shown()["first"])
        self.assertEqual("fail", self.doctor()[0])
        self.faults.disarm()
        self.wait(lambda: self.host.get("/health/ready", key=None).json.get("ledger") == "writable")
        self.wait(lambda: self.apply().get("default", {}).get("dropped", 0) > first)
        self.wait(lambda: not self.apply() and self.doctor()[0] == "ok")


if __name__ == "__main__":
    main()
