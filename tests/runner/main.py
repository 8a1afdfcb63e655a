# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the suites asked for, prints what failed and why, and closes with `N passed, N failed`."""

import argparse
import glob
import os
import subprocess
import sys

from . import ahead, build, count, fuzz, lint

DEFAULT = ["unit", "conformance", "outside", "hold", "hostile", "fuzz", "sanitize", "threads", "npm", "lint"]
EXTRA = ["bench", "long", "fuzz-long"]
# the folder that a suite needs besides that of the plain build
FOLDERS = {"fuzz": "fuzz", "sanitize": "asan", "threads": "tsan"}


class Run:
    """The build folders and the options that the suites share."""

    def __init__(self, options):
        self.jobs = options.jobs
        # tests from outside wait for clocks and sockets most of the time: three have the work of two, hardly
        self.waiting = options.jobs + options.jobs // 2
        self.runs = options.fuzz_runs
        self.seconds = options.fuzz_seconds
        self.folders = build.builders(options.jobs)
        self.ahead = ahead.Ahead()

    def start_ahead(self, suites):
        """What suites behind the first need is made while those before them wait; nothing, where something is measured."""
        later = suites[1:]
        if set(suites) & set(EXTRA) or not set(later) & {*FOLDERS, "lint"}:
            return
        try:
            self.folders["plain"].build()
        except build.Failed:
            return  # said by each suite
        builders = {f"build {suite}": self.folders[FOLDERS[suite]] for suite in later if suite in FOLDERS}
        jobs = [(name, builder.build) for name, builder in builders.items()]
        if "lint" in later:
            jobs.append(("lint", lambda: lint.run(self.folders["plain"])))
        self.ahead = ahead.Ahead(jobs)
        for name, builder in builders.items():
            builder.elsewhere = lambda name=name: self.ahead.wait(name)

    def unit(self):
        return self.folders["plain"].meson_test("unit", "unit")

    def conformance(self):
        return self.folders["plain"].meson_test("conformance", "conformance")

    def outside(self):
        return self.folders["plain"].meson_test("outside", "outside", jobs=self.waiting)

    def hold(self):
        """Faults, floods and proofs at the size that fits into CI; `long` runs the same programs at full size."""
        return self.folders["plain"].meson_test("hold", "hold")

    def hostile(self):
        """Plugins that attack: each attack free, strict and hardened."""
        return self.folders["plain"].meson_test("hostile", "hostile")

    def fuzz(self):
        return fuzz.run(self.folders["fuzz"], self.runs)

    def sanitize(self):
        tally = count.Tally()
        for suite in ("unit", "conformance", "outside"):
            timer = build.Timer()
            part = self.folders["asan"].meson_test("sanitize-" + suite, suite, jobs=self.waiting if suite == "outside" else None)
            print(f"  {suite} under ASan and UBSan: {part} ({timer})", flush=True)
            tally.add(part)
        return tally

    def threads(self):
        return self.folders["tsan"].meson_test("threads", "threads")

    def lint(self):
        tally = self.folders["plain"].meson_test("lint", "lint")
        tally.add(self.ahead.tally("lint", lambda: lint.run(self.folders["plain"])))
        return tally

    def npm(self):
        tally = count.Tally()
        here = os.path.join(build.TOP, "tests", "npm")
        tests = sorted(glob.glob(here + "/test-*.mjs"))
        if not tests:
            tally.fail("npm: nothing ran", "tests/npm has no test-*.mjs")
            return tally
        try:
            self.folders["plain"].build()
        except build.Failed as failed:
            tally.fail("npm: build", str(failed))
            return tally
        env = {**os.environ, "REEVE_BUILD_DIR": self.folders["plain"].folder, "REEVE_SOURCE_DIR": build.TOP, "LC_ALL": "C.UTF-8"}
        for test in tests:
            command = [os.path.join(build.TOP, "tests", "isolated"), "node", "--test", "--test-reporter=tap", test]
            done = subprocess.run(command, cwd=here, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
            part = count.count_node(os.path.basename(test), done.stdout + done.stderr, done.returncode == 0)
            if not part.total:
                part.fail(f"{os.path.basename(test)}: nothing ran", done.stdout[-2000:] + done.stderr[-2000:])
            tally.add(part)
        return tally

    def bench(self):
        tally = self.folders["release"].meson_test("bench", "bench", "all")
        with open(os.path.join(self.folders["release"].folder, "meson-logs", "bench-all.txt"), encoding="utf-8", errors="replace") as file:
            print(file.read())
        return tally

    def long(self):
        tally = self.folders["plain"].meson_test("long", "hold", "all", {"REEVE_TEST_SIZE": "long"}, timeout=0)
        with open(os.path.join(self.folders["plain"].folder, "meson-logs", "long-all.txt"), encoding="utf-8", errors="replace") as file:
            print(file.read())
        tally.add(self.folders["tsan"].meson_test("long-threads", "threads", more_env={"REEVE_TEST_SIZE": "long"}, timeout=0))
        tally.add(lint.run(self.folders["plain"], lint.DEEP_CHECKS))
        tally.add(self.fuzz_long())
        return tally

    def fuzz_long(self):
        """The fuzz targets for ten minutes each, with a table of what they reached; part of `long`."""
        return fuzz.run_long(self.folders["fuzz"], self.folders["cover"], self.seconds)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="tests/run", description="Builds and tests Reeve; the last line counts single cases.")
    parser.add_argument("--suite", action="append", choices=DEFAULT + EXTRA, metavar="NAME", help="only this suite: " + ", ".join(DEFAULT + EXTRA))
    parser.add_argument("--deps", action="store_true", help="only install the packages that tests need")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8), help="processes at a time")
    parser.add_argument("--fuzz-runs", type=int, default=fuzz.RUNS, metavar="N", help="inputs for each fuzz target")
    parser.add_argument("--fuzz-seconds", type=int, default=fuzz.LONG_SECONDS, metavar="N", help="time of each fuzz target in the suites long and fuzz-long")
    return parser.parse_args(arguments)


def show(failures):
    for name, why in failures:
        print(f"FAILED {name}")
        for line in why.splitlines():
            print("    " + line)
    sys.stdout.flush()


def main():
    options = parse(sys.argv[1:])
    run = Run(options)
    whole = count.Tally()
    clock = build.Timer()
    suites = options.suite or DEFAULT
    try:
        run.start_ahead(suites)
        for suite in suites:
            timer = build.Timer()
            print(f"== {suite}", flush=True)
            tally = getattr(run, suite.replace("-", "_"))()
            show(tally.failures)
            print(f"{suite}: {tally} ({timer})", flush=True)
            whole.add(tally)
    finally:
        run.ahead.stop()
    print(f"took {clock}")
    for name, _why in whole.failures:
        print(f"FAILED {name}")
    print(whole, flush=True)
    return 1 if whole.failed else 0
