#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An installation holds the plugins byte for byte as they were built, for the host's pins are of those bytes."""

import hashlib
import os
import subprocess
import tempfile
import unittest

BUILD = os.environ["REEVE_BUILD_DIR"]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Install(unittest.TestCase):
    def test_plugins_are_unchanged(self):
        with tempfile.TemporaryDirectory() as destdir:
            for _ in range(2):  # over an older one, too
                subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", destdir],
                               check=True, stdout=subprocess.DEVNULL)
            found = {}
            for folder, _, names in os.walk(destdir):
                found.update({name: os.path.join(folder, name) for name in names if "plugins-1" in folder})
            self.assertFalse([name for name in found if name.endswith(".new")])
            built = [name for name in os.listdir(os.path.join(BUILD, "plugins"))
                     if os.path.exists(os.path.join(BUILD, "plugins", name, name + ".plugin"))]
            self.assertIn("storage-sqlite", built)
            for plugin in built:
                for name in (plugin + ".so", plugin + ".plugin"):
                    self.assertEqual(digest(found[name]), digest(os.path.join(BUILD, "plugins", plugin, name)), name)


if __name__ == "__main__":
    unittest.main()
