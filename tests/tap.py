#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the unittest cases of one file (`tap.py FILE [NAME...]`) and reports each in the Test Anything Protocol.

The protocol has standard output to itself: whatever tests and the programs they start print there goes to standard error.
"""

import importlib.util
import os
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """Writes a line for each case as it ends."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.count = 0
        self.bad = 0
        self.faults = []
        self.skip = None
        self.inside = False

    def line(self, good, name, note=""):
        self.count += 1
        self.bad += not good
        self.out.write(f"{'ok' if good else 'not ok'} {self.count} {name}{note}\n")
        self.out.flush()

    def startTest(self, test):
        super().startTest(test)
        self.faults, self.skip, self.inside = [], None, True

    def stopTest(self, test):
        super().stopTest(test)
        self.inside = False
        if self.faults:
            self.line(False, test.id())
        elif self.skip is not None:
            self.line(True, test.id(), f" # SKIP {self.skip}")
        else:
            self.line(True, test.id())

    def fault(self, test, err):
        text = "".join(traceback.format_exception(*err))
        self.out.write("".join(f"# {line}\n" for line in f"{test.id()}\n{text}".splitlines()))
        if self.inside:
            self.faults.append(test)
        else:
            # a class or module could not be set up: its cases do not start
            self.line(False, test.id())

    def addError(self, test, err):
        self.fault(test, err)

    def addFailure(self, test, err):
        self.fault(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.fault(subtest, err)

    def addSkip(self, test, reason):
        self.skip = reason

    def addExpectedFailure(self, test, err):
        """An expected failure passes."""

    def addUnexpectedSuccess(self, test):
        self.faults.append(test)


def load(path, names):
    """The cases of the file, all or those named (Class or Class.test)."""
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    loader = unittest.TestLoader()
    return loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)


def main():
    sys.dont_write_bytecode = True
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    result = TapResult(out)
    load(sys.argv[1], sys.argv[2:]).run(result)
    out.write(f"1..{result.count}\n")
    out.flush()
    return 1 if result.bad or not result.count else 0


if __name__ == "__main__":
    sys.exit(main())
