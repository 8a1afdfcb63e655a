# SPDX-License-Identifier: LGPL-2.1-or-later
"""Witnesses of the ledger: a fake one for each way to fail, cosignatures in proofs, both verifiers, and an older state that was put back."""

import glob
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from fake_witness import Witness
from reeve import CTL, SOURCE, Host, main

SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
CHECKPOINT = "/api/v1/admin/audit/checkpoint"
ORIGIN = "reeve-ledger/default"
FAULTS = {"honest": None, "stalling": "stall", "cutting": "cut", "garbling": "garbage", "forging": "wrong_key", "mistaken": "other", "broken": 500,
          "mute": "empty", "vague": "no_size"}


def until(what, host):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{host.get(CHECKPOINT).json}\n{host.read_log()}")


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


class Base(unittest.TestCase):
    """Witnesses, each with a host's keys, and a host that has them all."""

    def make(self, names, quorum):
        state = tempfile.mkdtemp(prefix="reeve-witnesses-")
        self.addCleanup(shutil.rmtree, state)
        self.state = os.path.join(state, "state")
        self.witnesses = {name: Witness(f"{name}.example/w", self.log_keys) for name in names}
        for witness in self.witnesses.values():
            self.addCleanup(witness.close)
        rows = "".join(f'    - {{name: {name}, url: "{witness.url}", key: "{witness.vkey}"}}\n' for name, witness in self.witnesses.items())
        self.host = Host(f"audit:\n  checkpoint_seconds: 1\n  witness_quorum: {quorum}\n  witnesses:\n{rows}", state=self.state)
        self.addCleanup(self.host.close)

    def log_keys(self):
        with open(os.path.join(self.state, "keys", "ledger.pub"), encoding="ascii") as file:
            return file.read().split()

    def shown(self):
        return self.host.get(CHECKPOINT, expect=200).json

    def states(self):
        return {row["name"]: row["state"] for row in self.shown()["witnesses"]}

    def wait_witnessed(self, size, *names):
        """Until all of them have cosigned so many records."""
        def look():
            found = self.shown().get("witnessed", {"size": 0})
            return found if found["size"] >= size and all(f"— {name}.example/w " in found["checkpoint"] for name in names) else None
        return until(look, self.host)

    def wait_kept(self, *names):
        """Until a checkpoint of each log is kept that all of them have cosigned."""
        def has_all(scope):
            try:
                with open(os.path.join(self.state, "ledger", scope, "witnessed"), encoding="utf-8") as file:
                    return all(f"— {name}.example/w " in note for note in [file.read()] for name in names)
            except FileNotFoundError:
                return False
        for scope in ("default", "@platform"):
            until(lambda one=scope: has_all(one), self.host)

    def quorum(self, *names):
        return [word for name in names for word in ("--witness", self.witnesses[name].vkey)]


class Cosigned(Base):
    def test_all_of_it(self):
        self.make(["first", "second"], 2)
        self.witnesses["second"].unknown.add(ORIGIN)
        self.host.start()
        self.refused()
        self.witnesses["second"].unknown.clear()
        self.proofs()
        self.another_key()
        self.offline()

    def refused(self):
        """Who does not know the log is told of; the other cosigns, and too few have."""
        until(lambda: ("second", "refusing", "it does not know this log") in
              [(row["name"], row["state"], row.get("last_error")) for row in self.shown()["witnesses"]], self.host)
        until(lambda: ORIGIN in self.witnesses["first"].seen, self.host)
        check = [row for row in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if row["id"] == "audit.witnesses"][0]
        self.assertEqual("warn", check["state"])

    def proofs(self):
        size = self.shown()["size"]
        self.wait_witnessed(size, "first", "second")
        proof = os.path.join(self.state, "7.tlog-proof")
        with open(proof, "w", encoding="utf-8") as file:
            file.write(self.host.get(f"/api/v1/admin/audit/{size}/proof", expect=200).text)
        stranger = Witness("first.example/w", self.log_keys)
        self.addCleanup(stranger.close)
        key = ["--proof", proof, "--public-key", os.path.join(self.state, "keys", "ledger.pub")]
        for verifier in ([CTL, "audit", "verify"], [sys.executable, SCRIPT]):
            for words, code in ((self.quorum("first", "second"), 0), ([*self.quorum("first"), "--witness", stranger.vkey], 1),
                                ([*self.quorum("first"), "--witness", stranger.vkey, "--quorum", "1"], 0), (["--witness", stranger.vkey], 1)):
                done = run(*verifier, *key, *words)
                self.assertEqual(code, done.returncode, (verifier, words, done))
        self.assertEqual(2, run(CTL, "audit", "verify", *key, "--witness", "no+key").returncode)

    def another_key(self):
        self.host.post("/api/v1/admin/audit/rotate-key", expect=200)
        self.assertEqual(2, len(self.log_keys()))
        self.wait_witnessed(self.shown()["size"], "first", "second")

    def offline(self):
        """A state that was left: cosigned or not, and with a cosignature that was changed."""
        self.wait_kept("first", "second")
        self.host.stop()
        path = os.path.join(self.state, "ledger", "default", "witnessed")
        with open(path, encoding="utf-8") as file:
            note = file.read()
        good = self.quorum("first", "second")
        lines = note.splitlines(keepends=True)
        other = "A" if lines[-1][-20] != "A" else "B"
        for text, words, code in ((note, good, 0), (note, [], 0),
                                  ("".join(lines[:-1]), good, 1), ("".join(lines[:-1]), [*good, "--quorum", "1"], 0), ("", good, 1),
                                  (note[:-20] + other + note[-19:], good, 1), (note + "— x\n", [], 1), (note.replace("— first", "— fir\0st"), [], 1), (None, [], 0), (None, good, 1)):
            with self.subTest(text=text, words=words):
                os.unlink(path)
                if text is not None:
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(text)
                first = run(CTL, "--state-dir", self.state, "audit", "verify", *words)
                second = run(sys.executable, SCRIPT, self.state, *words)
                self.assertEqual((code, code), (first.returncode, second.returncode), (first, second))
                with open(path, "w", encoding="utf-8") as file:
                    file.write(note)


class Configured(Base):
    def test_what_is_wrong_is_named(self):
        self.make(["one"], 0)
        with open(self.host.config, encoding="utf-8") as file:
            good = file.read()
        row = next(line for line in good.splitlines() if "name: one" in line)
        for text, words in ((good.replace("+", "-"), ["audit.witnesses[0].key", "is no key of a witness"]),
                            (good + row.replace("one,", "two,", 1) + "\n", ["audit.witnesses[1].key", "stands there twice"]),
                            (good + row + "\n", ["audit.witnesses[1].name", "one stands there twice"]),
                            (good.replace("quorum: 0", "quorum: 2"), ["audit.witness_quorum", "of 1 witnesses"]),
                            (good.replace("http:", "ftp:"), ["url"])):
            with open(self.host.config, "w", encoding="utf-8") as file:
                file.write(text)
            with self.subTest(words=words):
                with self.assertRaises(AssertionError) as raised:
                    self.host.start()
                self.host.forget()
                for word in words:
                    self.assertIn(word, str(raised.exception))


class Faults(Base):
    def test_each_recovers(self):
        """One witness for each fault, all at once: nothing of it gets into what is kept, and the next try is good."""
        self.make(FAULTS, 1)
        for name, fault in FAULTS.items():
            self.witnesses[name].faults += [fault] if fault else []
        self.host.start()
        for name, witness in self.witnesses.items():
            witness.wait(lambda one=witness: not one.faults and ORIGIN in one.seen)
        until(lambda: set(self.shown()["witnesses"][i]["size"] > 0 for i in range(len(FAULTS))) == {True}, self.host)
        self.wait_kept("honest")
        note = self.shown()["witnessed"]["checkpoint"]
        with open(os.path.join(self.state, "x.note"), "w", encoding="utf-8") as file:
            file.write(note)
        self.host.ctl("audit", "verify", "--since", os.path.join(self.state, "x.note"), *self.quorum(*FAULTS), "--quorum", "1")


class Stalling(Base):
    def test_one_keeps_nobody_but_itself(self):
        """While a request to one witness hangs, the other cosigns one log after the other."""
        self.make(["stuck", "good"], 1)
        stuck, good = self.witnesses["stuck"], self.witnesses["good"]
        spans = []

        def on_hang(begins):
            with good.changed:
                spans.append([len(good.asked), None]) if begins else spans[-1].__setitem__(1, len(good.asked))

        def meanwhile():
            """Logs that the good one has cosigned during one such request."""
            with good.changed:
                return max((len({row[0] for row in good.asked[begin:end] if row[3] == 200}) for begin, end in spans), default=0)

        stuck.on_hang = on_hang
        stuck.faults += ["hang"] * 1000
        self.host.start()
        for tenant in ("acme", "borg", "cyan"):
            self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
            self.host.get("/api/v1/admin/audit?limit=1", headers={"X-Tenant-ID": tenant}, expect=200)
        until(lambda: meanwhile() >= 2, self.host)


class PutBack(Base):
    def test_an_older_state_is_found(self):
        self.make(["only"], 0)
        self.host.start()
        self.wait_kept("only")
        self.host.stop()
        copy = self.state + ".old"
        shutil.copytree(self.state, copy)
        self.host.start()
        for _ in range(30):
            newest = self.shown()["size"]
        self.wait_witnessed(newest, "only")
        self.host.stop()
        shutil.rmtree(self.state)
        os.rename(copy, self.state)
        self.assertEqual(0, run(CTL, "--state-dir", self.state, "audit", "verify", *self.quorum("only")).returncode, "by itself it is good")
        self.host.start()
        until(lambda: self.states()["only"] == "conflicting", self.host)
        self.assertIn("ALARM: witness only and the log of default contradict each other", self.host.read_log())
        check = [row for row in self.host.get("/api/v1/admin/doctor", expect=200).json["items"] if row["id"] == "audit.witnesses"][0]
        self.assertEqual("fail", check["state"])
        until(lambda: self.is_recorded(b"rolled_back"), self.host)
        # once it is longer than what the witness has cosigned, it is another history
        while self.shown()["size"] <= newest + 20:
            pass
        self.witnesses["only"].wait(lambda: any(row[0] == ORIGIN and row[3] == 422 for row in self.witnesses["only"].asked))
        self.assertEqual("conflicting", self.states()["only"])

    def is_recorded(self, reason):
        for path in glob.glob(os.path.join(self.state, "ledger", "@platform", "*.log")):
            with open(path, "rb") as file:
                if b'"audit.witness_conflict"' in (data := file.read()) and b'"reason":"%b"' % reason in data:
                    return True
        return False


if __name__ == "__main__":
    main()
