#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runner counts what happened: no crash, no empty program and no broken-off run passes for a good one."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, HERE)

from runner import ahead, build, count  # noqa: E402


def tap(text, good_exit=True):
    tally = count.count_tap("prog", text, good_exit)
    return tally.passed, tally.failed, tally.skipped


class Tap(unittest.TestCase):
    def test_good(self):
        self.assertEqual(tap("TAP version 13\nok 1 /a\nok 2 /b\n1..2\n"), (2, 0, 0))

    def test_failed_case(self):
        self.assertEqual(tap("1..2\nok 1 /a\nnot ok 2 /b\n", False), (1, 1, 0))

    def test_skipped_case(self):
        self.assertEqual(tap("1..2\nok 1 /a # SKIP none here\nok 2 /b\n"), (1, 0, 1))

    def test_crash_in_mid_run(self):
        self.assertEqual(tap("1..3\nok 1 /a\n", False), (1, 1, 0))

    def test_crash_before_the_plan(self):
        self.assertEqual(tap("TAP version 13\n", False), (0, 1, 0))

    def test_crash_after_the_last_case(self):
        self.assertEqual(tap("1..1\nok 1 /a\n", False), (1, 1, 0))

    def test_bail_out(self):
        self.assertEqual(tap("1..1\nBail out! no\n", False)[1], 2)

    def test_output_that_looks_like_a_case(self):
        self.assertEqual(tap("1..1\n# ok 7 said a test\nokay\nok 1 /a\n"), (1, 0, 0))

    def test_reason_of_a_failure(self):
        tally = count.count_tap("prog", "1..1\n# expected 1, got 2\nnot ok 1 /a\n", False)
        self.assertEqual(tally.failures, [("prog: /a", "# expected 1, got 2")])


class Meson(unittest.TestCase):
    def count(self, **record):
        tally = count.count_meson("prog", record)
        return tally.passed, tally.failed, tally.skipped

    def test_tap(self):
        self.assertEqual(self.count(stdout="1..2\nok 1 a\nok 2 b\n", result="OK", returncode=0), (2, 0, 0))

    def test_tap_timed_out(self):
        self.assertEqual(self.count(stdout="1..1\nok 1 a\n", result="TIMEOUT", returncode=-15), (1, 1, 0))

    def test_plain_program(self):
        self.assertEqual(self.count(stdout="hello", result="OK", returncode=0), (1, 0, 0))
        self.assertEqual(self.count(stdout="hello", stderr="boom", result="FAIL", returncode=1), (0, 1, 0))

    def test_tap_with_no_case(self):
        self.assertEqual(self.count(stdout="1..0\n", result="ERROR", returncode=1), (0, 1, 0))

    def test_errors_are_shown(self):
        tally = count.count_meson("prog", {"stdout": "1..1\nnot ok 1 a\n", "stderr": "assertion failed", "result": "FAIL", "returncode": 1})
        self.assertIn("assertion failed", tally.failures[0][1])


class Node(unittest.TestCase):
    def test_totals(self):
        text = "TAP version 13\nok 1 - a\nnot ok 2 - b\n1..2\n# tests 3\n# pass 1\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n"
        tally = count.count_node("npm", text, False)
        self.assertEqual((tally.passed, tally.failed, tally.skipped), (1, 1, 1))
        self.assertEqual(tally.failures[0][0], "npm: b")

    def test_died(self):
        self.assertEqual(count.count_node("npm", "Error: no module\n", False).failed, 1)


class Ahead(unittest.TestCase):
    """What is done beside the suites is waited for, and whatever ends it is a failure."""

    def start(self, *jobs):
        started = ahead.Ahead(jobs)
        self.addCleanup(started.stop)
        return started

    def test_what_it_returned(self):
        started = self.start(("first", lambda: count.Tally(3, 1)), ("second", os.getpid))
        self.assertEqual(started.process.pid, started.wait("second"))
        tally = started.tally("first", lambda: self.fail("it was done already"))
        self.assertEqual((3, 0, 1), (tally.passed, tally.failed, tally.skipped))

    def test_no_job_is_done_here(self):
        self.assertEqual(5, self.start().tally("lint", lambda: count.Tally(5)).passed)

    def test_idle(self):
        scheduler = self.start(("ask", lambda: os.sched_getscheduler(0))).wait("ask")
        self.assertEqual((os.SCHED_IDLE, os.SCHED_OTHER), (scheduler, os.sched_getscheduler(0)))

    def test_a_fault_is_one(self):
        def fail():
            raise build.Failed("ninja failed")

        started = self.start(("fails", fail), ("crashes", lambda: 1 // 0), ("good", lambda: count.Tally(1)))
        for name, words in (("fails", "^ninja failed$"), ("crashes", "ZeroDivisionError")):
            with self.assertRaisesRegex(build.Failed, words):
                started.wait(name)
            self.assertEqual(1, started.tally(name, None).failed)
        self.assertEqual(1, started.wait("good").passed)

    def test_its_death_is_a_fault(self):
        started = self.start(("dies", lambda: os.kill(os.getpid(), signal.SIGKILL)))
        with self.assertRaisesRegex(build.Failed, "ended before it"):
            started.wait("dies")

    def test_a_folder_built_there(self):
        builder = build.Builder("nowhere", [], 1)
        builder.elsewhere = self.start(("good", os.getpid)).wait
        builder.elsewhere = lambda wait=builder.elsewhere: wait("good")
        builder.build()
        self.assertTrue(builder.ready)
        bad = build.Builder("nowhere", [], 1)
        bad.elsewhere = lambda: self.start(("bad", lambda: 1 // 0)).wait("bad")
        for _again in range(2):
            with self.assertRaisesRegex(build.Failed, "ZeroDivisionError"):
                bad.build()

    def test_nothing_runs_on(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pid")
            started = self.start(("long", lambda: subprocess.run(["sh", "-c", f"echo $$ > {path}.new; mv {path}.new {path}; exec sleep 1000"], check=True)))
            while not os.path.exists(path):
                time.sleep(0.01)
            started.stop()
            with open(path, encoding="ascii") as file:
                pid = int(file.read())
        while os.path.exists(f"/proc/{pid}/status"):
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                if "\nState:\tZ" in file.read():
                    break
            time.sleep(0.01)


class Targets(unittest.TestCase):
    """A folder builds what its suites need, and leaves out only what is a test of others."""

    targets = [{"id": name, "filename": [f"/b/{path}"], "build_by_default": default}
               for name, path, default in (("host", "host/host", True), ("mine", "tests/mine", True), ("theirs", "tests/theirs", True),
                                           ("helper", "tests/helper", True), ("data", "tests/data", False), ("other", "tests/other", False))]
    tests = [{"suite": ["x:mine"], "cmd": ["/b/tests/mine"], "depends": ["mine", "helper", "data"]},
             {"suite": ["x:theirs"], "cmd": ["/b/tests/theirs"], "depends": ["theirs", "other"]},
             {"suite": ["x:theirs"], "cmd": ["python3", "/s/look.py", "/b/tests/helper"], "depends": ["helper"]},
             {"suite": ["x:theirs", "x:mine"], "cmd": ["python3", "/s/both.py", "/b/host/host"], "depends": []}]

    def chosen(self, *suites):
        return build.choose_targets("/b", self.targets, self.tests, set(suites))

    def test_what_others_need_alone_is_left_out(self):
        self.assertEqual(["host/host", "tests/data", "tests/helper", "tests/mine"], self.chosen("mine"))

    def test_all_suites_need_all(self):
        self.assertEqual(["host/host", "tests/data", "tests/helper", "tests/mine", "tests/other", "tests/theirs"], self.chosen("mine", "theirs"))


class Python(unittest.TestCase):
    """tests/tap.py, which the tests from outside run under."""

    def run_file(self, text, *names):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "test_x.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("import os, sys, unittest\nclass T(unittest.TestCase):\n" + text)
            done = subprocess.run([sys.executable, os.path.join(HERE, "tap.py"), path, *names], capture_output=True, text=True, check=False)
        return done.returncode, *tap(done.stdout, done.returncode == 0)

    def test_cases(self):
        text = "  def test_a(self): pass\n  def test_b(self): self.fail()\n  @unittest.skip('no')\n  def test_c(self): pass\n"
        self.assertEqual(self.run_file(text), (1, 1, 1, 1))

    def test_named(self):
        self.assertEqual(self.run_file("  def test_a(self): pass\n  def test_b(self): self.fail()\n", "T.test_a"), (0, 1, 0, 0))

    def test_subtests_are_one_case(self):
        text = "  def test_a(self):\n    for i in range(3):\n      with self.subTest(i=i): self.assertEqual(i, 1)\n"
        self.assertEqual(self.run_file(text), (1, 0, 1, 0))

    def test_setup_of_class_fails(self):
        text = "  @classmethod\n  def setUpClass(cls): raise OSError\n  def test_a(self): pass\n"
        self.assertEqual(self.run_file(text), (1, 0, 1, 0))

    def test_output_of_tests_does_not_count(self):
        text = "  def test_a(self):\n    print('ok 9 fake'); sys.stdout.flush(); os.system('echo not ok 8 fake')\n"
        self.assertEqual(self.run_file(text), (0, 1, 0, 0))

    def test_no_case(self):
        self.assertEqual(self.run_file("  pass\n")[0], 1)

    def test_does_not_load(self):
        code, passed, failed, _ = self.run_file("  import nothing_of_that_name\n")
        self.assertEqual((code, passed, failed), (1, 0, 1))


if __name__ == "__main__":
    unittest.main()
