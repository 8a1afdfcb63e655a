#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/configuration.md is what host/base/describe_config.py writes from the schema, and names every key of it."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.environ["REEVE_SOURCE_DIR"]
SCHEMA = os.path.join(TOP, "data", "reeve.schema.json")


def names(schema):
    for name, member in schema.get("properties", {}).items():
        yield name
        for inner in (member, member.get("items"), member.get("additionalProperties")):
            if isinstance(inner, dict):
                yield from names(inner)


class Docs(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(TOP, "docs", "configuration.md"), encoding="utf-8") as file:
            self.text = file.read()

    def test_is_up_to_date(self):
        with tempfile.TemporaryDirectory() as folder:
            target = os.path.join(folder, "configuration.md")
            subprocess.run([sys.executable, os.path.join(TOP, "host", "base", "describe_config.py"), SCHEMA, target], check=True)
            with open(target, encoding="utf-8") as file:
                self.assertEqual(file.read(), self.text, "run host/base/describe_config.py")

    def test_names_every_key(self):
        with open(SCHEMA, encoding="utf-8") as file:
            found = set(names(json.load(file)))
        self.assertGreater(len(found), 80)
        for name in found:
            self.assertIn(name, self.text)


if __name__ == "__main__":
    unittest.main()
