#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""make_pins.py: what it writes for a manifest with and without a schema file, and that a wrong manifest is an error."""

import hashlib
import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT = os.path.join(os.environ["REEVE_SOURCE_DIR"], "host", "loader", "make_pins.py")


class Pins(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path, hashlib.sha256(text.encode("utf-8")).hexdigest()

    def run_script(self, *words):
        out = os.path.join(self.folder.name, "pins.c")
        done = subprocess.run([sys.executable, SCRIPT, out, *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
        with open(out, encoding="utf-8") as file:
            return file.read()

    def test_digests(self):
        module, module_digest = self.write("a.so", "module")
        plain, plain_digest = self.write("a.plugin", "# a comment\n[Plugin]\nId=a\n\n[Capabilities]\nnet.http=why; really\n")
        _, schema_digest = self.write("s.json", "{}")
        other, other_digest = self.write("b.plugin", "[Plugin]\nId=b\n[Settings]\nSchemaFile=s.json\n")
        text = self.run_script("b", module, other, "a", module, plain)
        self.assertIn(f'{{ "a", "{plain_digest}", "{module_digest}", NULL }}', text)
        self.assertIn(f'{{ "b", "{other_digest}", "{module_digest}", "{schema_digest}" }}', text)
        self.assertLess(text.index('"a"'), text.index('"b"'))
        self.assertIn("{ 0 },\n};", text)

    def test_nothing(self):
        self.assertIn("{ 0 },", self.run_script())

    def test_errors(self):
        module, _ = self.write("a.so", "module")
        bad, _ = self.write("a.plugin", "[Settings]\nSchemaFile=absent.json\n")
        self.assertIsNone(self.run_script("a", module, bad))
        self.assertIsNone(self.run_script("a", module, os.path.join(self.folder.name, "absent.plugin")))


if __name__ == "__main__":
    unittest.main()
