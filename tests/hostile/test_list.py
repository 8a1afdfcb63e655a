#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every item of list.txt is proven, by attacks in all forms or by tests that are there; and nothing of the table stands for nothing."""

import glob
import os
import re
import unittest

import describe

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.join(HERE, "..", "..")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources():
    """Names of the attacks, and of what is none, in the sources."""
    return {name for path in glob.glob(os.path.join(HERE, "attack-*.c")) for name in re.findall(r'\{ "([a-z0-9-]+)",\s+attack_', read(path))}


class List(unittest.TestCase):
    items = describe.read()
    attacks = [attack for item in items for attack in describe.attacks_of(item)]

    def test_all_items_are_there(self):
        self.assertEqual(read(os.path.join(HERE, "list.txt")).splitlines(), [f"{i['group']}: {i['item']}" for i in self.items])

    def test_each_is_proven(self):
        for item in self.items:
            self.assertTrue(item.get("attacks") or item.get("tests"), item["item"])
            self.assertEqual("attacks" in item, "twin" in item, item["item"])

    def test_no_form_is_left_out(self):
        for attack in self.attacks:
            for form in ("strict", "hardened"):
                found = attack[form]
                for word in [found] if isinstance(found, str) else [found["root"], found["user"]]:
                    self.assertRegex(word, "^(E[A-Z0-9]+|EAI_AGAIN|SIGSYS)$", attack)
            self.assertLessEqual(set(attack), {"name", "strict", "hardened", "control", "lacks"})
            # somebody's control succeeds
            self.assertEqual("succeeded", attack.get("control", {"root": "succeeded"})["root"], attack)

    def test_what_is_in_the_sources_is_in_the_table(self):
        names = [attack["name"] for attack in self.attacks]
        self.assertEqual(sorted(set(names)), sorted(names))
        self.assertEqual(set(), set(names) - sources())
        twins = {twin for item in self.items for twin in describe.twins_of(item)}
        self.assertEqual(set(), sources() - set(names) - twins)
        self.assertEqual(set(), twins & set(names))
        self.assertEqual({"http"}, twins - sources())

    def test_what_is_pointed_to_is_there(self):
        for item in self.items:
            for test in item.get("tests", []):
                path, _, text = test.partition(": ")
                self.assertTrue(text in read(os.path.join(TOP, path)), test)

    def test_readme(self):
        self.assertEqual(describe.describe(), read(os.path.join(HERE, "README.md")), "python3 tests/hostile/describe.py > tests/hostile/README.md")


if __name__ == "__main__":
    unittest.main()
