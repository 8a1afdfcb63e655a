# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever is done to the files of a ledger, two verifiers that share no code find it, and name the same first bad record.

what                                       | CI  | long
-------------------------------------------|-----|-------
changes to a state that was cleanly left   | 100 | 10,000
changes to one whose host was killed       |  30 |  2,000
changes to a proof                         | 100 |  5,000
"""

import glob
import importlib.util
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import zlib

from reeve import BUILD, CTL, SOURCE, main, size

SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
MAKER = os.path.join(BUILD, "tests", "helpers", "ledger-states")
TILED = 256  # records of a tile, and of a packed block
FIRST = 400  # records before an older state is kept; those that lie in complete files are packed then
SEED = random.SystemRandom().randrange(2**32) if size(0, 1) else 5


def load_script():
    spec = importlib.util.spec_from_file_location("reeve_verify", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


second = load_script()


def first_verifier(state, *since):
    done = subprocess.run([CTL, "--json", "--state-dir", state, "audit", "verify", *(word for path in since for word in ("--since", path))],
                          capture_output=True, text=True, timeout=120, check=False)
    if not done.stdout:
        return {"valid": False, "error": done.stderr, "logs": []}
    return json.loads(done.stdout)


def second_verifier(state, *since):
    try:
        return second.verify_state(state, since)
    except (second.Bad, OSError) as error:
        return {"valid": False, "error": str(error), "logs": []}


def judge(verdict):
    """What both must agree on: of each log whether it is good, and its first bad record."""
    return sorted((log["scope"], log["valid"], 0 if log["valid"] else log.get("bad_seq", 0)) for log in verdict["logs"]), verdict["valid"]


class Segment:
    """One file of a log, packed or not, as its records: [number, text, chain hash]."""

    def __init__(self, path, chain=bytes(32)):
        self.path, self.records, data, at = path, [], read(path), 0
        self.packed = data[:4] == second.PACKED
        while self.packed and at < len(data):
            at, entries = second.unpack(data, at, 0)
            for entry in entries:
                chain = second.sha256(chain + entry)
                self.records.append([json.loads(entry[4:])["seq"], entry[4:], chain])
        while at < len(data):
            end = at + 4 + int.from_bytes(data[at:at + 4], "big")
            if end + 32 > len(data):
                break
            self.records.append([json.loads(data[at + 4:end])["seq"], data[at + 4:end], data[end:end + 32]])
            at = end + 32

    def blocks(self):
        """What is packed together."""
        return [list(block) for _, block in itertools.groupby(self.records, lambda record: (record[0] - 1) // TILED)]

    def save(self):
        with open(self.path, "wb") as file:
            for block in self.blocks() if self.packed else []:
                data = zlib.compress(b"".join(len(text).to_bytes(4, "big") + text for _, text, _ in block))
                file.write(second.PACKED + b"".join(number.to_bytes(4, "big") for number in (len(block), len(data), zlib.crc32(data))))
                file.write(data + block[-1][2])
            for _, text, chain in [] if self.packed else self.records:
                file.write(len(text).to_bytes(4, "big") + text + chain)


class States:
    """A state left cleanly, one whose host was killed, an older one, and a fork of that, all under one key."""

    def __init__(self, folder):
        self.folder, work = folder, os.path.join(folder, "work")
        os.mkdir(work)
        self.make(work, FIRST)
        self.copy(work, "old")
        with subprocess.Popen([MAKER, work, "160", "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as maker:
            maker.stdout.readline()
            maker.send_signal(signal.SIGSTOP)  # all of it of one moment
            self.copy(work, "killed")
            maker.send_signal(signal.SIGCONT)
        self.copy(work, "clean")
        self.copy(os.path.join(folder, "old"), "fork")
        self.make(os.path.join(folder, "fork"), 160)

    @staticmethod
    def make(state, count):
        subprocess.run([MAKER, state, str(count)], check=True, timeout=120)

    def copy(self, state, name):
        shutil.copytree(state, os.path.join(self.folder, name))

    def path(self, *parts):
        return os.path.join(self.folder, *parts)


class Change:
    """One random change of a state. expect: the first bad record where it is known; None where only the verifiers have to agree."""

    def __init__(self, state, states, dice):
        self.state, self.states, self.dice, self.expect = state, states, dice, None
        self.log = os.path.join(state, "ledger", dice.choice(("acme", "acme", "beta", "@platform")))
        self.kind = dice.choice([name for name in dir(self) if name.startswith("do_")])
        getattr(self, self.kind)()

    def files(self):
        found = []
        for folder, _, names in os.walk(self.log):
            found += [os.path.join(folder, name) for name in names if not name.endswith((".idx", ".lock"))]
        return sorted(found)

    def segments(self):
        return self.segments_of([path for path in self.files() if path.endswith(".log")])

    @staticmethod
    def segments_of(paths):
        segments = []
        for path in paths:
            segments.append(Segment(path, segments[-1].records[-1][2] if segments else bytes(32)))
        return segments

    def segment(self):
        return self.dice.choice(self.segments())

    def rewrite(self, path, change):
        with open(path, "rb") as file:
            data = change(bytearray(file.read()))
        with open(path, "wb") as file:
            file.write(data)

    def any_file(self, change):
        self.rewrite(self.dice.choice(self.files()), change)

    def do_flip(self):
        def flip(data):
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
            return data
        self.any_file(flip)

    def do_cut(self):
        self.any_file(lambda data: data[:self.dice.randrange(len(data))])

    def do_remove(self):
        def remove(data):
            at = self.dice.randrange(len(data))
            del data[at:at + self.dice.randrange(1, 600)]
            return data
        self.any_file(remove)

    def do_insert(self):
        def insert(data):
            at = self.dice.randrange(len(data) + 1)
            return data[:at] + self.dice.randbytes(self.dice.randrange(1, 100)) + data[at:]
        self.any_file(insert)

    def do_drop(self):
        segment = self.segment()
        n = self.dice.randrange(len(segment.records))
        self.expect = segment.records[n][0]
        del segment.records[n]
        segment.save()

    def do_repeat(self):
        segment = self.segment()
        n = self.dice.randrange(len(segment.records))
        self.expect = segment.records[n][0] + 1
        segment.records.insert(n, segment.records[n])
        segment.save()

    def do_reorder(self):
        segment = self.segment()
        a, b = (self.dice.randrange(len(segment.records)) for _ in range(2))
        if a == b:
            return self.do_drop()
        self.expect = min(segment.records[a][0], segment.records[b][0])
        segment.records[a], segment.records[b] = segment.records[b], segment.records[a]
        return segment.save()

    def do_edit(self):
        segment = self.segment()
        record = self.dice.choice(segment.records)
        record[1] = record[1].replace(b'"time":1', b'"time":2')
        self.expect = record[0]
        block = next(block for block in segment.blocks() if record in block)
        # a block has one chain hash; which record it is, its tile says, where that ends with it
        if segment.packed and block[-1][0] % TILED != 0:
            self.expect = block[0][0]
        segment.save()

    def forge(self, change):
        """Changes a record and computes every chain hash behind it anew, as somebody would who knows how; he has not the key."""
        segments, chain, number = self.segments(), bytes(32), 0
        last = self.dice.randrange(1, sum(len(segment.records) for segment in segments) + 1)
        for segment in segments:
            kept = []
            for seq, text, _ in segment.records:
                if seq == last:
                    text = change(text)
                if text is None:
                    continue
                number += 1
                text = text.replace(b'"seq":%d,' % seq, b'"seq":%d,' % number)
                chain = second.sha256(chain + len(text).to_bytes(4, "big") + text)
                kept.append([number, text, chain])
            segment.records = kept
            segment.save()
            if not kept:
                os.unlink(segment.path)
        return last

    def do_forge_edit(self):
        seq = self.forge(lambda text: text.replace(b'"time":1', b'"time":2'))
        if os.path.exists(os.path.join(self.log, "tile", "0", f"{(seq - 1) // TILED:03}")):
            self.expect = seq

    def do_forge_drop(self):
        self.forge(lambda text: None)

    def do_unlink(self):
        os.unlink(self.dice.choice(self.files()))

    def do_add(self):
        folder = os.path.dirname(self.dice.choice(self.files()))
        name = self.dice.choice(("notes", "00000000000000000000.log", "00000000000000099999.log", "009", "tile2"))
        with open(os.path.join(folder, name), "wb") as file:
            file.write(b"x")

    def do_swap(self):
        a, b = self.dice.choice(self.files()), self.dice.choice(self.files())
        if a == b:
            return self.do_flip()
        os.rename(a, a + ".x")
        os.rename(b, a)
        return os.rename(a + ".x", b)

    def do_remove_log(self):
        shutil.rmtree(self.log)
        self.expect = 1

    def do_older_file(self):
        """A file of the older state, or of the fork, put back. An older checkpoint alone changes no record: it is that of a host that was killed."""
        other = self.dice.choice(("old", "fork"))
        files = [path for path in self.files() if other == "fork" or not path.endswith("checkpoint")]
        for path in self.dice.sample(files, len(files)):
            source = os.path.join(self.states.path(other), os.path.relpath(path, self.state))
            if os.path.exists(source) and self.differ(source, path):
                shutil.copy(source, path)
                return
        self.do_flip()

    @staticmethod
    def differ(*paths):
        """Packed or not, the same records are the same."""
        if paths[0].endswith(".log"):
            return len({tuple(text for _, text, _ in Segment(path).records) for path in paths}) > 1
        return read(paths[0]) != read(paths[1])

    def do_other_checkpoint(self):
        source = os.path.join(os.path.dirname(self.log), "beta" if not self.log.endswith("beta") else "acme", "checkpoint")
        shutil.copy(source, os.path.join(self.log, "checkpoint"))


def read(path):
    with open(path, "rb") as file:
        return file.read()


class Tampering(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="reeve-tamper-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.states = States(cls.temporary.name)

    def check(self, state, *since):
        """Both verifiers; they agree."""
        one, two = first_verifier(state, *since), second_verifier(state, *since)
        self.assertEqual(judge(one), judge(two), (one, two))
        return one

    def each(self, base, count, judge_one):
        state = self.states.path("now")
        for n in range(count):
            shutil.copytree(self.states.path(base), state)
            change = Change(state, self.states, random.Random(SEED * 1000003 + n))
            with self.subTest(n=n, seed=SEED, kind=change.kind, log=os.path.basename(change.log), expect=change.expect):
                judge_one(change, self.check(state))
            shutil.rmtree(state)

    def test_good_states(self):
        for name in ("clean", "killed", "old", "fork"):
            self.assertTrue(self.check(self.states.path(name))["valid"], name)
        forms = [read(path)[:4] == second.PACKED for path in sorted(glob.glob(self.states.path("clean", "ledger", "acme", "*.log")))]
        self.assertEqual(sorted(forms, reverse=True), forms)
        self.assertGreaterEqual(sum(forms), 3, "packed files are changed, too")
        self.assertIn(False, forms)

    def test_a_record_of_another_block(self):
        """What then is a block alone is bad for its number, before its chain hash is."""
        state = self.states.path("strange")
        shutil.copytree(self.states.path("clean"), state)
        segments = Change.segments_of(sorted(glob.glob(os.path.join(state, "ledger", "acme", "*.log"))))
        self.assertTrue(segments[0].packed)
        segments[0].records[5] = segments[-1].records[0]
        segments[0].save()
        self.assertEqual([6], [log["bad_seq"] for log in self.check(state)["logs"] if not log["valid"]])

    def within(self, seconds):
        """Whoever waits for ever, fails."""
        def late(*_):
            raise AssertionError(f"not done within {seconds} s")

        signal.signal(signal.SIGALRM, late)
        signal.alarm(seconds)
        self.addCleanup(signal.alarm, 0)

    def test_pipes(self):
        """What is no regular file is bad, and nobody waits for what never comes out of it. The lock is no file of a log."""
        state, names = self.states.path("pipes"), ("checkpoint", "base", "witnessed", "tile/0/000", None, "../ledger.lock")
        self.within(120)
        for name in names:
            with self.subTest(name=name):
                shutil.copytree(self.states.path("clean"), state)
                self.addCleanup(shutil.rmtree, state, ignore_errors=True)
                log = os.path.join(state, "ledger", "acme")
                path = os.path.join(log, name) if name else sorted(glob.glob(os.path.join(log, "*.log")))[1]
                if os.path.exists(path):
                    os.unlink(path)
                os.mkfifo(path)
                verdict = self.check(state)
                self.assertEqual(name == "../ledger.lock", verdict["valid"], verdict)
                if name in ("checkpoint", "base", "witnessed", None):
                    bad = [log["error"] for log in verdict["logs"] if not log["valid"]]
                    self.assertRegex(bad[0], re.escape(os.path.basename(path)) + " is no regular file")
                shutil.rmtree(state)

    def test_a_bomb(self):
        """A block of far more, and far smaller, records than its head says."""
        state = self.states.path("bomb")
        shutil.copytree(self.states.path("clean"), state)
        path = sorted(glob.glob(os.path.join(state, "ledger", "acme", "*.log")))[1]
        data = zlib.compress(b"\0\0\0\1a" * (second.MAX_RAW // 5))
        with open(path, "wb") as file:
            file.write(second.PACKED + b"".join(number.to_bytes(4, "big") for number in (200, len(data), zlib.crc32(data))) + data + bytes(32))
        self.within(60)
        first = int(os.path.basename(path)[:20])
        self.assertEqual([first], [log["bad_seq"] for log in self.check(state)["logs"] if not log["valid"]])

    def test_a_file_too_large(self):
        """A segment that was made longer than any is, with nothing in it but zeros."""
        state = self.states.path("large")
        shutil.copytree(self.states.path("clean"), state)
        path = sorted(glob.glob(os.path.join(state, "ledger", "acme", "*.log")))[-1]
        os.truncate(path, 2**31 + 1)
        self.within(60)
        first = int(os.path.basename(path)[:20])
        self.assertEqual([first], [log["bad_seq"] for log in self.check(state)["logs"] if not log["valid"]])

    def test_a_state_left_cleanly(self):
        """Each change is found, and where it is known, so is the first record that is bad."""
        found = []

        def found_it(change, verdict):
            self.assertFalse(verdict["valid"], verdict)
            if change.expect is not None:
                bad = [log["bad_seq"] for log in verdict["logs"] if log["scope"] == os.path.basename(change.log)]
                self.assertEqual([change.expect], bad, verdict)
            found.append(change.kind)

        self.each("clean", size(100, 10000), found_it)
        self.assertEqual(size(100, 10000), len(found))

    def test_a_state_whose_host_was_killed(self):
        """What is behind the last checkpoint is held by the chain alone: here the verifiers have to agree, not to find everything."""
        self.each("killed", size(30, 2000), lambda change, verdict: self.assertIn(verdict["valid"], (True, False)))

    def checkpoint(self, name, scope="acme"):
        return self.states.path(name, "ledger", scope, "checkpoint")

    def test_replay_and_fork(self):
        """Each state is good alone; a checkpoint that was kept shows which is not the one that was."""
        for name, kept, reason in (("old", "clean", "records are there"), ("fork", "clean", "forked|was in the checkpoint|records are there")):
            verdict = self.check(self.states.path(name), self.checkpoint(kept), self.checkpoint(kept, "@platform"))
            self.assertFalse(verdict["valid"], verdict)
            bad = next(log for log in verdict["logs"] if log["scope"] == "acme")
            self.assertRegex(bad["error"], reason)
            self.assertGreater(bad["bad_seq"], FIRST + 1)
        for name in ("clean", "fork"):
            self.assertTrue(self.check(self.states.path(name), self.checkpoint("old"), self.checkpoint("old", "beta"))["valid"])

    def test_a_log_cut_off_and_signed_again(self):
        """An older copy of the log with a checkpoint of its own is put in: what the host keeps apart tells. Who can change that, too, is
        told by a checkpoint that was copied away alone."""
        state = self.states.path("signed-again")
        shutil.copytree(self.states.path("clean"), state)
        shutil.rmtree(os.path.join(state, "ledger", "acme"))
        shutil.copytree(self.states.path("old", "ledger", "acme"), os.path.join(state, "ledger", "acme"))
        self.assertEqual([False, FIRST + 2], self.judge_acme(self.check(state)))
        shutil.copy(self.states.path("old", "checkpoints", "acme"), os.path.join(state, "checkpoints", "acme"))
        self.assertTrue(self.check(state)["valid"])
        self.assertEqual([False, FIRST + 2], self.judge_acme(self.check(state, self.checkpoint("clean"))))

    @staticmethod
    def judge_acme(verdict):
        return next([log["valid"], log["bad_seq"]] for log in verdict["logs"] if log["scope"] == "acme")


class Proofs(unittest.TestCase):
    def test_changed(self):
        from reeve import Host  # pylint: disable=import-outside-toplevel

        with Host() as host, tempfile.TemporaryDirectory(prefix="reeve-proof-") as folder:
            for _ in range(270):
                host.get("/api/v1/me", expect=200)
            good = host.get("/api/v1/admin/audit/200/proof", expect=200).body
            public, path = os.path.join(host.state, "keys", "ledger.pub"), os.path.join(folder, "proof")
            dice, key = random.Random(SEED), second.load_keys(public)
            self.assertEqual(200, second.verify_proof(good, key)["seq"])
            for n in range(size(100, 5000)):
                data = bytearray(good)
                for _ in range(dice.randrange(1, 3)):
                    at = dice.randrange(len(data))
                    data[at:at + dice.choice((0, 1, 1, 1, 45))] = dice.choice((b"", b"A", b"\n", b"0", bytes((dice.randrange(256),))))
                if bytes(data) == good:
                    continue
                with self.subTest(n=n, seed=SEED):
                    self.assertRaises(second.Bad, second.verify_proof, bytes(data), key)
                    if n % 10 == 0:
                        with open(path, "wb") as file:
                            file.write(data)
                        done = subprocess.run([CTL, "audit", "verify", "--proof", path, "--public-key", public], capture_output=True, timeout=60,
                                              check=False)
                        self.assertEqual(1, done.returncode, done.stdout)


if __name__ == "__main__":
    main()
