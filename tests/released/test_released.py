#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing that a plugin of a released version relies on is gone: its list of the interface, line by line, and libabigail's two dumps."""

import glob
import os
import re
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import abidiff  # noqa: E402

BUILD = os.environ["REEVE_BUILD_DIR"]
API = os.path.join(abidiff.TOP, "plugin-api")
VERSIONS = sorted(glob.glob(os.path.join(HERE, "[0-9]*.[0-9]*")))
REMEDY = "a released interface only grows; where it did no more, and a reserved slot is used: python3 tests/released/abidiff.py build tests/released/VERSION"


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().splitlines() if not line.startswith("#")]


def find_losses(old, new):
    """Lines of the old list that the new one breaks. What a plugin was compiled with stays where it was; a reserved slot may be used, and a structure
    that says its size may have more behind it."""
    there = set(new)
    sizes = dict(re.findall(r"^struct (\w+) (\d+)$", "\n".join(new), re.M))
    grows = set(re.findall(r"^struct (\w+)\.struct_size ", "\n".join(old), re.M))
    for line in old:
        size = re.fullmatch(r"struct (\w+) (\d+)", line)
        if line in there or re.match(r"struct \w+\.reserved ", line):
            continue
        if size and size[1] in grows and int(sizes.get(size[1], 0)) > int(size[2]):
            continue
        yield line


class Released(unittest.TestCase):
    maxDiff = None

    def test_there_is_one(self):
        self.assertTrue(VERSIONS)
        for version in VERSIONS:
            found = set(os.listdir(version))
            self.assertLessEqual({"plugin.c", "plugin.so", "reeve-plugin-1.abi", "library.abi.gz", "types.abi.gz"}, found)

    def test_the_list_has_lost_nothing(self):
        for version in VERSIONS:
            self.assertEqual([], list(find_losses(lines(os.path.join(version, "reeve-plugin-1.abi")), lines(os.path.join(API, "reeve-plugin-1.abi")))), REMEDY)

    def test_a_loss_is_seen(self):
        old = ["guint f (void)", "enum E A 1", "struct C 16", "struct C.a 0+8", "struct C.reserved 8+8", "struct S 8", "struct S.struct_size 0+4", "struct S.b 4+4"]
        self.assertEqual([], list(find_losses(old, [*old, "guint g (void)"])))
        used = ["struct C.b 8+8" if line.startswith("struct C.reserved") else line for line in old]
        self.assertEqual([], list(find_losses(old, used)))
        longer = ["struct S 16" if line == "struct S 8" else line for line in old] + ["struct S.c 8+8"]
        self.assertEqual([], list(find_losses(old, longer)))
        for now, lost in (("guint64 f (void)", 0), ("enum E A 2", 1), ("struct C 24", 2), ("struct C.a 8+8", 3), ("struct S 4", 5), ("struct S.b 8+4", 7)):
            self.assertEqual([old[lost]], list(find_losses(old, [*old[:lost], now, *old[lost + 1:]])))

    def test_the_library(self):
        for version in VERSIONS:
            self.assertEqual("", abidiff.compare(os.path.join(version, "library.abi.gz"), abidiff.find("library", BUILD, "")), REMEDY)

    def test_types(self):
        with tempfile.TemporaryDirectory() as work:
            library = abidiff.find("types", BUILD, work)
            for version in VERSIONS:
                self.assertEqual("", abidiff.compare(os.path.join(version, "types.abi.gz"), library), REMEDY)

    def test_a_changed_type_is_seen(self):
        """Where no size and no place changes: the type of an argument of an interface's function."""
        with tempfile.TemporaryDirectory() as work:
            headers = os.path.join(work, "headers")
            shutil.copytree(API, headers, ignore=shutil.ignore_patterns("[!r]*"))
            path = os.path.join(headers, "reeve-sink.h")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            changed = re.sub(r"guint \(\*deliver\)", "gint64 (*deliver)", text)
            self.assertNotEqual(text, changed)
            with open(path, "w", encoding="utf-8") as file:
                file.write(changed)
            library = abidiff.build_types(work, headers=headers)
            self.assertIn("ReeveSinkInterface", abidiff.compare(os.path.join(VERSIONS[-1], "types.abi.gz"), library))


if __name__ == "__main__":
    unittest.main()
