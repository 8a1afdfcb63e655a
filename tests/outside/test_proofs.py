# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proofs of audit records, from outside: made by a host, verified by reevectl with nothing but the public key, bound to the tenant."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest

from reeve import CTL, SOURCE, Host, main

SECOND = {"X-Tenant-ID": "second"}
SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
AUDIT = "/api/v1/admin/audit"


class Proofs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(config="audit: {checkpoint_seconds: 3600}\n")
        cls.addClassCleanup(cls.host.close)
        cls.host.start()
        cls.host.post("/api/v1/admin/tenants", {"tenant_id": "second", "name": "Second"}, expect=201)
        cls.host.agent()
        cls.folder = tempfile.mkdtemp(prefix="reeve-proofs-", dir=cls.host.state)
        cls.key = os.path.join(cls.host.state, "keys", "ledger.pub")

    def verify(self, text, key=None):
        path = os.path.join(self.folder, "one.tlog-proof")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([CTL, "--human", "audit", "verify", "--proof", path, "--public-key", key or self.key], capture_output=True, text=True,
                              timeout=60, check=False)

    def newest(self):
        return self.host.get(f"{AUDIT}?limit=1", expect=200).json["items"][0]

    def test_of_the_newest_record(self):
        """It is behind the last checkpoint: one is signed for it."""
        record = self.newest()
        answer = self.host.get(f"{AUDIT}/{record['seq']}/proof", expect=200)
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"), answer.headers)
        self.assertTrue(answer.text.startswith("c2sp.org/tlog-proof@v1\nextra "))
        done = self.verify(answer.text)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn(f"default  record {record['seq']} of", done.stdout)
        self.assertIn(f'"action":"{record["action"]}"', done.stdout.replace('": "', '":"'))

    def test_reevectl_saves_one(self):
        path = os.path.join(self.folder, "saved.tlog-proof")
        record = self.newest()
        self.host.ctl("audit", "proof", str(record["seq"]), "-o", path)
        shown = self.host.ctl("audit", "proof", str(record["seq"])).stdout
        with open(path, encoding="utf-8") as file:
            saved = file.read()
        self.assertEqual(saved.splitlines()[:3], shown.splitlines()[:3])
        self.assertEqual(0, self.verify(saved).returncode)

    def test_what_is_changed_proves_nothing(self):
        text = self.host.get(f"{AUDIT}/1/proof", expect=200).text
        lines = text.split("\n")
        changed = [text.replace("index 0", "index 1"), text[:-10] + "\n", text.replace("reeve-ledger/default", "reeve-ledger/second"),
                   "\n".join(line for n, line in enumerate(lines) if n != 3), text.replace("extra ", "extra AAAA"), ""]
        for one in changed:
            done = self.verify(one)
            self.assertEqual(1, done.returncode, done.stdout)
            self.assertRegex(done.stderr, "the (proof|checkpoint|record)")
        with Host() as other:
            done = self.verify(text, os.path.join(other.state, "keys", "ledger.pub"))
        self.assertEqual(1, done.returncode)
        self.assertIn("another key", done.stderr)

    def test_a_key_is_needed(self):
        done = subprocess.run([CTL, "audit", "verify", "--proof", "x"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("public-key", done.stderr)

    def test_bound_to_the_tenant_and_the_permission(self):
        self.host.get(f"{AUDIT}/999999/proof", expect=404)
        self.host.get(f"{AUDIT}/0/proof", expect=404)
        viewer = self.host.user("viewer")
        self.assertIn("audit:read", self.host.get(f"{AUDIT}/1/proof", key=viewer, expect=403).json["detail"])
        self.host.get(f"{AUDIT}?limit=1", headers=SECOND, expect=200)
        text = self.host.get(f"{AUDIT}/1/proof", headers=SECOND, expect=200).text
        self.assertIn("\nreeve-ledger/second\n", text)
        self.assertIn("second  record 1 of", self.verify(text).stdout)

    def test_the_log_of_the_platform(self):
        """There for the platform admin, by every way of reading; to all others, whatever their role and tenant, there is no such log."""
        reads = [(method, f"{AUDIT}{path}{'' if method == 'POST' else '?platform=true'}", {"platform": True} if method == "POST" else None)
                 for method, path in (("GET", ""), ("GET", "/1"), ("GET", "/1/proof"), ("GET", "/export"), ("GET", "/checkpoint"), ("GET", "/sinks"),
                                      ("POST", "/verify"))]
        roles = [role["role_id"] for role in self.host.get("/api/v1/admin/roles?limit=100", expect=200).json["items"]
                 if role["role_id"] != "super_admin"]  # which is given in no tenant
        readers = 0
        for tenant in (None, "second"):
            for role in roles:
                key = self.host.user(role, tenant)
                own = self.host.get(f"{AUDIT}/checkpoint", key=key).status
                readers += own == 200
                for method, path, body in reads:
                    self.assertEqual(404 if own == 200 else 403, self.host.call(method, path, body, key=key).status, (role, path))
        self.assertGreater(readers, 3)
        for method, path, body in reads:
            for headers in ({}, SECOND):
                self.host.call(method, path, body, headers=headers, expect=200)
        record = self.host.get(f"{AUDIT}/1?platform=true", expect=200).json
        self.assertEqual(("@platform", 1), (record["scope"], record["seq"]))
        self.assertEqual("@platform", self.host.get(f"{AUDIT}/checkpoint?platform=true", expect=200).json["tenant_log"])
        self.assertEqual(0, self.verify(self.host.get(f"{AUDIT}/1/proof?platform=true", expect=200).text).returncode)
        self.assertIn('"@platform"', self.host.ctl("audit", "query", "--platform").stdout)
        self.assertIn('"scope":"@platform"', self.host.ctl("audit", "export", "--platform", "--format", "json").stdout)
        self.host.get(f"{AUDIT}?platform=maybe", expect=400)

    def test_checkpoint(self):
        shown = self.host.get(f"{AUDIT}/checkpoint", expect=200).json
        self.assertRegex(shown["checkpoint"], re.compile(rf"\Areeve-ledger/default\n{shown['size']}\n.{{44}}\n\n\u2014 reeve-ledger \S+\n\Z"))


class Kept(unittest.TestCase):
    """A checkpoint that was copied away shows what the folder alone cannot."""

    def test_an_older_state_put_back(self):
        with Host() as host, tempfile.TemporaryDirectory(prefix="reeve-kept-") as folder:
            host.agent()
            early = host.get(f"{AUDIT}/checkpoint", expect=200).json
            host.stop()
            old = os.path.join(folder, "old")
            subprocess.run(["cp", "-a", host.state, old], check=True)
            host.start()
            host.agent()
            late = host.get(f"{AUDIT}/checkpoint", expect=200).json
            host.stop()
            for name, kept in (("early", early), ("late", late)):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(kept["checkpoint"])
            both = ("--since", os.path.join(folder, "early"), "--since", os.path.join(folder, "late"))
            self.assertEqual(0, self.verify(host.state, *both).returncode)
            # alone it is a good state
            self.assertEqual(0, self.verify(old, *both[:2]).returncode)
            done = self.verify(old, *both)
            self.assertEqual(1, done.returncode)
            self.assertRegex(done.stdout, rf"records are there, {late['size']} were in the checkpoint that was kept")
            with open(os.path.join(folder, "early"), "a", encoding="utf-8") as file:
                file.write("x")
            done = self.verify(host.state, *both)
            self.assertEqual(1, done.returncode)
            self.assertIn("the checkpoint that was kept", done.stderr)

    @staticmethod
    def verify(state, *more):
        return subprocess.run([CTL, "--state-dir", state, "audit", "verify", *more], capture_output=True, text=True, timeout=60, check=False)


class Sizes(unittest.TestCase):
    """What records take on the disk, all told: segments, tiles, caches, checkpoint; some packed, the last ones not yet."""

    MOST = 400

    def test_after_some_thousand(self):
        with Host(config="audit: {checkpoint_seconds: 3600}\n") as host:
            agent = host.agent(tools=())
            calls = [threading.Thread(target=self.chat, args=(host, agent, 325)) for _ in range(4)]
            for call in calls:
                call.start()
            for call in calls:
                call.join()
            log = os.path.join(host.state, "ledger", "default")
            before, texts = self.measure(log), self.texts(host)
            host.stop()
            host.start()  # what it finds complete is packed, behind whoever asks
            end = time.monotonic() + 60
            while not all(self.forms(log)[:-1]):
                self.assertLess(time.monotonic(), end, self.forms(log))
                time.sleep(0.05)
            self.assertEqual(texts, self.texts(host))
            size = host.get(f"{AUDIT}/checkpoint", expect=200).json["size"]
            after = self.measure(log)
            self.assertGreater(size, 5000)
            self.assertLess(after, before)
            self.assertLessEqual(after / size, self.MOST)
            # so is what is packed, alone
            first, then = sorted(name for name in os.listdir(log) if name.endswith(".log"))[:2]
            self.assertLessEqual(os.path.getsize(os.path.join(log, first)) / (int(then[:20]) - 1) + 34, self.MOST / 2)
            self.assertTrue(host.post(f"{AUDIT}/verify", expect=200).json["valid"])
            host.stop()
            for command in ([CTL, "--state-dir", host.state, "audit", "verify"], [SCRIPT, host.state]):
                done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
                self.assertEqual(0, done.returncode, done)

    @staticmethod
    def chat(host, agent, count):
        for _ in range(count):
            host.post("/api/v1/chat", {"message": "Hello.", "agent_id": agent}, expect=200)

    @staticmethod
    def measure(folder):
        return sum(os.lstat(os.path.join(path, name)).st_size for path, _, names in os.walk(folder) for name in names)

    @staticmethod
    def forms(log):
        """Of each segment, whether it is packed."""
        forms = []
        for name in sorted(name for name in os.listdir(log) if name.endswith(".log")):
            with open(os.path.join(log, name), "rb") as file:
                forms.append(file.read(4) == b"RVP1")
        return forms

    @staticmethod
    def texts(host):
        """Some records as they were hashed, out of the beginning, the end and the joints of blocks."""
        return [host.get(f"{AUDIT}/{seq}/proof", expect=200).text.splitlines()[1] for seq in (1, 2, 255, 256, 257, 3000, 4000, 5000)]


class Rotation(unittest.TestCase):
    """Another key signs from now on; what the earlier ones have signed still verifies."""

    ROTATE = f"{AUDIT}/rotate-key"

    def both(self, state):
        """The verdict of two verifiers that share no code."""
        done = [subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
                for command in ([CTL, "--state-dir", state, "audit", "verify"], [SCRIPT, state])]
        self.assertEqual(done[0].returncode, done[1].returncode, done)
        return done[0]

    def proof(self, host, name, seq, key):
        """(proof, verdict) of a record, by the public keys in a file."""
        path = os.path.join(host.state, name)
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(host.get(f"{AUDIT}/{seq}/proof", expect=200).text)
        done = [subprocess.run([*command, "--proof", path, "--public-key", key], capture_output=True, text=True, timeout=60, check=False)
                for command in ([CTL, "audit", "verify"], [SCRIPT])]
        self.assertEqual(done[0].returncode, done[1].returncode, done)
        return done[0].returncode

    def test_rotation(self):
        with Host(config="audit: {checkpoint_seconds: 3600}\n") as host:
            public, first = os.path.join(host.state, "keys", "ledger.pub"), os.path.join(host.state, "first.pub")
            shutil.copy(public, first)
            self.assertEqual(0, self.proof(host, "early", 1, public))
            answers = [host.post(self.ROTATE, {}, expect=200).json for _ in range(2)]
            self.assertEqual(answers[0]["signer"], answers[1]["previous_signer"])
            with open(public, encoding="utf-8") as file:
                lines = file.read().splitlines()
            self.assertEqual([answer["public_key"] for answer in answers], lines[1:])
            self.assertEqual([0, 0], [self.proof(host, "early", 1, key) for key in (public, first)])
            self.assertEqual([0, 1], [self.proof(host, "late", 1, key) for key in (public, first)])
            self.assertEqual(0, self.both(host.state).returncode)
            host.stop()
            self.assertEqual(0, self.both(host.state).returncode)
            self.check_lists(host, public, lines)
            # one that began and did not come to its end: the next start takes the key off the list
            self.write(public, [*lines, self.alien()])
            host.start()
            with open(public, encoding="utf-8") as file:
                self.assertEqual(lines, file.read().splitlines())
            self.assertTrue(host.post(f"{AUDIT}/verify", expect=200).json["valid"])
            host.stop()
            self.assertEqual(0, self.both(host.state).returncode)

    def check_lists(self, host, public, lines):
        """The list of keys is what the platform's log says, neither more nor less."""
        for bad in (lines[:2], [lines[0], lines[2]], lines[1:], [*lines, self.alien()], [lines[1], lines[0], lines[2]], [self.alien()]):
            self.write(public, bad)
            self.assertEqual(1, self.both(host.state).returncode, bad)
        self.write(public, lines)
        self.assertEqual(0, self.both(host.state).returncode)

    @staticmethod
    def write(path, lines):
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @staticmethod
    def alien():
        """The public key of somebody else."""
        with Host() as other, open(os.path.join(other.state, "keys", "ledger.pub"), encoding="utf-8") as file:
            return file.read().strip()

    def test_refused(self):
        with Host() as host:
            self.assertIn("system:config", host.post(self.ROTATE, {}, key=host.user("auditor"), expect=403).json["detail"])


if __name__ == "__main__":
    main()
