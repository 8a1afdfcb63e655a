# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every command of README.md works as printed: its blocks of shell run in their order, in one shell, from a tree that looks
like a clone that is built, with a session bus of its own."""

import os
import re
import signal
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("REEVE_BUILD_DIR", os.path.join(os.path.dirname(__file__), "..", "..", "build"))
SOURCE = os.environ.get("REEVE_SOURCE_DIR", os.path.join(os.path.dirname(__file__), "..", ".."))

# what the output of a block shows when it did what the text around it says
EXPECTED = {
    "Quickstart 1": ["[1]", "records", "the whole log verifies", "stop"],
    "Quickstart 2": ["plant-guide"],
    "By curl 1": ["How to contribute", '"results":[{'],
    "By curl 2": ["660 Nm", '"citations": [', '"tenant_log": "default"'],
    "By curl 3": ["event: run.started", "event: tool.call", "event: run.completed"],
    "By curl 4": ["4 %"],
    "By OpenAI's clients 1": ["chat.completion", "60 °C"],
    "By reevectl 1": ["architecture.md", "run.completed", "agents.execute"],
    "By D-Bus 1": ["HLP 46", "documents.search"],
    "By D-Bus 2": ["(true, int64 9223372036854775807, 'no_budget')"],
    "Tenants, users and keys 1": ["rv_", '"items":[]'],
    "The ledger 1": ['"valid":true', '"scope":"default","valid":true'],
    "The ledger 2": ['{"valid":true,"scope":"default","seq":1,', "good  default", "good  @platform"],
    "Models of your own 1": ["llm-openai"],
    "Stop 1": ["stopped", '"scope":"default","valid":true'],
}


def blocks():
    """(title, commands) of each block of shell; the title is its section and its number there."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        text = file.read()
    section, count, found = "", 0, []
    for match in re.finditer(r"^## ([^\n]+)$|^```sh\n(.*?)^```$", text, re.M | re.S):
        if match.group(1):
            section, count = match.group(1), 0
        else:
            count += 1
            found.append((f"{section} {count}", match.group(2)))
    return found


class Readme(unittest.TestCase):
    output = {}
    errors = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="readme-")
        cls.addClassCleanup(cls.folder.cleanup)
        tree = os.path.join(cls.folder.name, "reeve")
        os.mkdir(tree)
        for name in os.listdir(SOURCE):
            if not name.startswith(("build", "state", ".git")):
                os.symlink(os.path.join(os.path.abspath(SOURCE), name), os.path.join(tree, name))
        os.symlink(os.path.abspath(BUILD), os.path.join(tree, "build"))
        script = "set -eu -o pipefail\n" + "".join(f"echo '<<{i}'\n{text}echo\necho '>>{i}'\n" for i, (_title, text) in enumerate(blocks()))
        path = os.path.join(cls.folder.name, "script")
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        env = {k: v for k, v in os.environ.items() if not k.startswith("DBUS_") and k not in ("G_DEBUG", "REEVE_URL", "REEVE_TOKEN")}
        cls.run_script(path, tree, env)

    @classmethod
    def run_script(cls, path, tree, env):
        try:
            done = subprocess.run(
                ["dbus-run-session", "bash", path], cwd=tree, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400, check=False
            )
        finally:
            cls.end_host(os.path.join(tree, "state", "quickstart.pid"))
        cls.errors = f"exit {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
        for i, (title, _text) in enumerate(blocks()):
            if match := re.search(rf"^<<{i}\n(.*?)^>>{i}$", done.stdout, re.M | re.S):
                cls.output[title] = match.group(1)

    @staticmethod
    def end_host(path):
        """A script that broke off leaves its host."""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                os.kill(int(file.read()), signal.SIGKILL)

    def test_no_block_is_unexpected(self):
        self.assertEqual([title for title, _text in blocks()], list(EXPECTED))


def add(title, parts):
    def test(self):
        self.assertTrue(title in self.output, f"did not come to its end: {self.errors}")
        for part in parts:
            self.assertIn(part, self.output[title])

    setattr(Readme, "test_" + re.sub(r"\W+", "_", title.lower()), test)


for one, wanted in EXPECTED.items():
    add(one, wanted)


if __name__ == "__main__":
    unittest.main()
