#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The race checker still sees: each race of race.c, made with all the suppressions in force, is reported."""

import os
import subprocess
import unittest

BUILD = os.environ["REEVE_BUILD_DIR"]
SOURCE = os.environ["REEVE_SOURCE_DIR"]
PROGRAM = os.path.join(BUILD, "tests", "sanitizers", "race")


def run(*arguments):
    options = "suppressions=" + os.path.join(SOURCE, "tests", "sanitizers", "tsan.supp") + ":history_size=7:exitcode=66"
    env = {**os.environ, "LD_PRELOAD": os.path.join(BUILD, "tests", "sanitizers", "libglib-sync.so"), "TSAN_OPTIONS": options}
    return subprocess.run([PROGRAM, *arguments], env=env, capture_output=True, text=True, check=False, timeout=60)


class Races(unittest.TestCase):
    def test_every_race_is_reported(self):
        names = run().stdout.split()
        self.assertGreater(len(names), 8)
        for name in names:
            done = run(name)
            self.assertEqual(done.returncode, 66, f"{name}: {done.stdout}{done.stderr}")
            self.assertRegex(done.stderr, r"(?s)WARNING: ThreadSanitizer: data race.*#\d+ \w+ \S*race\.c:", name)
