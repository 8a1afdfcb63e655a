#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing of host/ gets past the watch over its locks: every lock and every call that must not be made under one is the watched one.

Looks at the symbols of the built objects, and at which functions of plugin-api call into a plugin.
"""

import glob
import os
import re
import subprocess
import unittest

BUILD = os.environ["REEVE_BUILD_DIR"]
SOURCE = os.environ["REEVE_SOURCE_DIR"]
BASE = os.path.join(SOURCE, "host", "base")
# locks that are not counted, and the other names of what is watched
FOREIGN = re.compile(r"(g_(rw_lock|rec_mutex|static_mutex|bit_lock|pointer_bit_lock)\w*|pthread_(mutex|rwlock|spin)\w*|mtx_lock"
                     r"|(open|openat|pread|pwrite|ftruncate)(64)?|readv|writev|preadv\w*|pwritev\w*|sendto|recvfrom|g_open|g_rename|renameat\w*"
                     r"|__(read|pread|pread64|recv|open|open64)(_chk|_2)|dlmopen|fopen(64)?|g_cond_wait\w*|g_mutex_\w*)")
MEANT = {"g_mutex_init", "g_mutex_clear"}


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def watched():
    return set(re.findall(r"\bCALL \([^,]*?,\s*(\w+)\s*,", read(BASE, "locks-calls.h")))


def objects():
    found = []
    for depth in ("*", "*/*", "*/*/*"):
        found += glob.glob(os.path.join(BUILD, "host", depth, "*.o"))
    return [path for path in found if "locks-watch" not in path]


class Watch(unittest.TestCase):
    def test_every_object_uses_the_watched_functions(self):
        paths = objects()
        self.assertGreater(len(paths), 100)
        names = watched()
        self.assertGreater(len(names), 50)
        told = subprocess.run(["nm", "--undefined-only", "--print-file-name", *paths], capture_output=True, text=True, check=True).stdout
        breaches = []
        for line in told.splitlines():
            path, symbol = line.split(":")[0], line.split()[-1].split("@")[0]
            if symbol in names or (FOREIGN.fullmatch(symbol) and symbol not in MEANT):
                breaches.append(f"{os.path.relpath(path, BUILD)}: {symbol}")
        self.assertEqual(breaches, [])
        self.assertIn("reeve_locks_watch_g_mutex_lock", told)
        self.assertIn("reeve_locks_watch_fsync", told)

    def test_every_call_into_a_plugin_is_watched(self):
        calls = set()
        for path in glob.glob(os.path.join(SOURCE, "plugin-api", "reeve-*.c")):
            if os.path.basename(path) in ("reeve-context.c", "reeve-storage-keys.c"):
                continue  # these call the host
            for function in re.split(r"\n}\n", read(path)):
                name = re.search(r"\n(reeve_\w+) \([^;{]*\)\n{", function)
                if name and re.search(r"_GET_(IFACE|CLASS) \(", function):
                    calls.add(name.group(1))
        self.assertGreater(len(calls), 30)
        self.assertEqual(calls - watched(), set())
