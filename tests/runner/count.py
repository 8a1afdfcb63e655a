# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counting single test cases from what programs print."""

import re

PLAN = re.compile(r"^1\.\.(\d+)(?:\s+#\s*skip\b.*)?$", re.I)
LINE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*)$")
NODE = re.compile(r"^# (tests|pass|fail|cancelled|skipped|todo) (\d+)$")


class Tally:
    """Cases passed and skipped, and for each that failed its name and why."""

    def __init__(self, passed=0, skipped=0):
        self.passed = passed
        self.skipped = skipped
        self.failures = []

    def fail(self, name, why=""):
        self.failures.append((name, why))

    def add(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures

    @property
    def failed(self):
        return len(self.failures)

    @property
    def total(self):
        return self.passed + self.failed + self.skipped

    def __str__(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def is_tap(text):
    return any(PLAN.match(line) or line.startswith("TAP version") for line in text.splitlines())


def count_tap(program, text, good_exit):
    """The cases of one program that speaks TAP at its outermost level; a broken-off run is a failure."""
    tally = Tally()
    planned = None
    notes = []
    seen = 0
    for line in text.splitlines():
        if match := PLAN.match(line):
            planned = int(match.group(1))
        elif line.startswith("Bail out!"):
            tally.fail(program, line)
        elif match := LINE.match(line):
            seen += 1
            bad, name = match.group(1), match.group(3)
            if re.search(r"#\s*skip\b", name, re.I) and not bad:
                tally.skipped += 1
            elif re.search(r"#\s*todo\b", name, re.I) or not bad:
                tally.passed += 1
            else:
                tally.fail(f"{program}: {name}", "\n".join(notes[-40:]))
            notes = []
        else:
            notes.append(line)
    if planned is None or seen < planned:
        tally.fail(f"{program}: broke off", f"{seen} of {'?' if planned is None else planned} cases reported\n" + "\n".join(notes[-40:]))
    elif not good_exit and not tally.failures:
        tally.fail(f"{program}: exit", "every case passed, but the program failed\n" + "\n".join(notes[-40:]))
    return tally


def count_node(program, text, good_exit):
    """The cases of a run of node's own test runner, from the totals that it closes with."""
    totals = {match.group(1): int(match.group(2)) for line in text.splitlines() if (match := NODE.match(line))}
    tally = Tally(totals.get("pass", 0), totals.get("skipped", 0) + totals.get("todo", 0))
    bad = re.findall(r"^\s*not ok \d+ - (.*)$", text, re.M)
    for i in range(totals.get("fail", 0) + totals.get("cancelled", 0)):
        tally.fail(f"{program}: {bad[i] if i < len(bad) else 'case'}", text[-4000:] if i == 0 else "")
    if not good_exit and not tally.failures:
        tally.fail(f"{program}: exit", text[-4000:])
    return tally


def count_meson(name, record):
    """The cases of one entry of meson's testlog: TAP where spoken, else the program as one case."""
    stdout, stderr = record.get("stdout") or "", record.get("stderr") or ""
    result = record.get("result", "")
    tail = "\n".join((stdout + "\n" + stderr).splitlines()[-60:])
    good = result in ("OK", "EXPECTEDFAIL", "SKIP")
    if is_tap(stdout):
        tally = count_tap(name, stdout, record.get("returncode") == 0 and result not in ("TIMEOUT", "INTERRUPT"))
        if not good and not tally.failures:
            tally.fail(name, tail)
        for i, (failed, why) in enumerate(tally.failures[:1]):
            errors = "\n".join(stderr.splitlines()[-60:])
            tally.failures[i] = (failed, f"[{result}] {why}\n{errors}".strip())
        return tally
    tally = Tally()
    if result == "SKIP":
        tally.skipped = 1
    elif good:
        tally.passed = 1
    else:
        tally.fail(name, f"[{result}] {tail}")
    return tally
