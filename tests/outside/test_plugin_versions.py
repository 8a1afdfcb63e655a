#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another version of a plugin in place while a host runs, and back, by the doors of administrators."""

import hashlib
import json
import os
import shutil
import unittest

from mock_openai import MockOpenAI
from reeve import BUILD, Host, main
from test_confined import MODEL, plugin

OWN = os.path.join(BUILD, "plugins")
PLUGIN = "tool-calculate"
PATH = f"/api/v1/admin/plugins/{PLUGIN}"


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Versions(unittest.TestCase):
    """tool-calculate beside a twin of another manifest, which this build does not know."""

    def setUp(self):
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        self.host = Host(config=MODEL.format(self.mock.base_url))
        self.addCleanup(self.host.close)
        more = os.path.join(self.host.folder.name, "more")
        self.twin = os.path.join(more, f"{PLUGIN}@0.1.0")
        os.makedirs(self.twin)
        os.chmod(more, 0o755)
        shutil.copy(os.path.join(OWN, PLUGIN, f"{PLUGIN}.so"), self.twin)
        with open(os.path.join(OWN, PLUGIN, f"{PLUGIN}.plugin"), encoding="utf-8") as file:
            text = file.read().replace("Gives agents", "Now gives agents")
        self.manifest = os.path.join(self.twin, f"{PLUGIN}.plugin")
        with open(self.manifest, "w", encoding="utf-8") as file:
            file.write(text)
        self.host.arguments = ["--plugin-dir", OWN, "--plugin-dir", more]
        self.host.start()
        self.body = {"version": "0.1.0", "manifest_sha256": sha256(self.manifest), "module_sha256": sha256(os.path.join(self.twin, f"{PLUGIN}.so"))}

    def describe(self):
        return plugin(self.host, PLUGIN)["description"].split(" ")[0]

    def compute(self):
        self.mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}, {"content": "42"}])
        self.assertEqual("42", self.host.run(self.host.agent(), "6*7?")["answer"])

    def test_there_and_back(self):
        host = self.host
        for role in ("viewer", "auditor", "operator"):
            for verb in ("upgrade", "rollback"):
                self.assertEqual(403, host.post(f"{PATH}/{verb}", self.body, key=host.user(role)).status, (role, verb))
        self.assertEqual(409, host.post(f"{PATH}/rollback").status)
        self.assertEqual(404, host.post("/api/v1/admin/plugins/nobody/upgrade", self.body).status)
        self.assertEqual(409, host.post("/api/v1/admin/plugins/storage-sqlite/upgrade", self.body).status)
        for wrong in ({}, {"version": "../../x"}, {"version": 1}, {**self.body, "module_sha256": "x"}):
            self.assertEqual(400, host.post(f"{PATH}/upgrade", wrong).status, wrong)
        unknown = host.post(f"{PATH}/upgrade", {"version": "7.0.0"})
        self.assertEqual(404, unknown.status)
        self.assertIn(f"{PLUGIN}@7.0.0", unknown.text)
        unnamed = host.post(f"{PATH}/upgrade", {"version": "0.1.0"})
        self.assertEqual(409, unnamed.status)
        self.assertEqual(409, host.post(f"{PATH}/upgrade", {**self.body, "module_sha256": "0" * 64}).status)
        self.assertIn("not pinned by this build", unnamed.text)
        self.assertEqual("Gives", self.describe())
        headers = {"Idempotency-Key": "once"}
        first = host.post(f"{PATH}/upgrade", self.body, headers=headers, expect=200).json
        self.assertEqual(("Now", "0.1.0", "running"), (self.describe(), first["former_version"], first["process"]))
        self.assertEqual(first, host.post(f"{PATH}/upgrade", self.body, headers=headers, expect=200).json)
        self.assertEqual(409, host.post(f"{PATH}/upgrade", self.body).status)
        self.compute()
        records = [r for r in host.records() if r["action"] == "plugins.upgrade" and r.get("outcome") == "succeeded" and r.get("reason") != "repeated"]
        self.assertEqual(1, len(records))
        host.stop()
        host.start()
        self.assertEqual("Now", self.describe())
        self.compute()
        host.post(f"{PATH}/rollback", expect=200)
        self.assertEqual("Gives", self.describe())
        self.compute()
        self.assertEqual("0.1.0", json.loads(host.ctl("--json", "plugins", "rollback", PLUGIN).stdout)["former_version"])
        self.assertEqual("Now", self.describe())
        host.stop()
        with open(self.manifest, "a", encoding="utf-8") as file:
            file.write("# changed\n")
        host.start()
        now = plugin(host, PLUGIN)
        self.assertEqual("refused", now["state"])
        self.assertIn("was chosen, and cannot be used", now["reason"])

    def test_a_chosen_version_does_not_come_into_the_host(self):
        host = self.host
        host.post(f"{PATH}/upgrade", self.body, expect=200)
        host.stop()
        with open(host.config, "a", encoding="utf-8") as file:
            file.write(f"plugins: {{trusted: [{PLUGIN}]}}\n")
        host.start()
        now = plugin(host, PLUGIN)
        self.assertEqual("refused", now["state"])
        self.assertIn("does not run in the host's process", now["reason"])


if __name__ == "__main__":
    main()
