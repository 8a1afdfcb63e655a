# SPDX-License-Identifier: LGPL-2.1-or-later
"""reevectl into a pipe: each command gives one JSON document, or as many as it gives lines; --human gives words there, too."""

import json
import os
import subprocess
import tempfile
import unittest

import table
from proof import Setting, World
from reeve import CTL, Host, main

POLICY = "org: {tools: [{tool_name: x, effect: allow}]}\ntests: [{tool: x, expect: allowed}]\n"
PRICES = {"source": "s", "date": "2026-01-31", "prices": [{"model_name": "local/m", "input_token_price": "1", "output_token_price": "1", "currency": "USD"}]}


def piped(*words, environment=None):
    return subprocess.run([CTL, *words], capture_output=True, text=True, timeout=60, check=False, env=environment)


class Table(unittest.TestCase):
    """What reads, of the table of operations; what else is in it, hold_proof asks in the same way."""

    def test_every_command_that_reads(self):
        setting = Setting()
        self.addCleanup(setting.close)
        world = World(setting, "left")
        self.addCleanup(world.close)
        done = 0
        with tempfile.TemporaryDirectory(prefix="reeve-piped-") as folder:
            for operation in table.TABLE.operations:
                words = operation["class"] != "effect" and table.command(operation, world.params(operation, operation["examples"][0]), folder)
                if not words or not table.is_json(operation):
                    continue
                with self.subTest(operation["name"]):
                    answer = piped("--url", setting.host.url, "--token", setting.host.key, "--tenant", "left", *words)
                    self.assertEqual(0, answer.returncode, answer)
                    self.assertIsInstance(json.loads(answer.stdout), (dict, list))
                    done += 1
        self.assertGreater(done, 50)


class Own(unittest.TestCase):
    """What reevectl does by itself."""

    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent()
        cls.folder = tempfile.TemporaryDirectory(prefix="reeve-piped-")
        cls.addClassCleanup(cls.folder.cleanup)

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def ask(self, *words, expect=0):
        """The one document, which is another text than people get."""
        command = ["--state-dir", self.host.state, *words] if "--export" not in words and "--proof" not in words else words
        answer = piped(*command)
        self.assertEqual(expect, answer.returncode, answer)
        human = piped(*command, "--human")
        self.assertEqual(expect, human.returncode, human)
        self.assertNotEqual(answer.stdout, human.stdout)
        self.assertEqual(answer.stdout, piped(*command, "--json").stdout) if words[0] in ("config", "doctor") else None
        return json.loads(answer.stdout)

    def test_verification(self):
        key = os.path.join(self.host.state, "keys", "ledger.pub")
        seq = self.host.records()[-1]["seq"]
        export = self.write("export.json", self.host.ctl("audit", "export").stdout)
        proof = self.write("proof", self.host.ctl("audit", "proof", str(seq)).stdout)
        self.assertIs(True, self.ask("audit", "verify")["valid"])
        self.assertIs(True, self.ask("audit", "verify", "--export", export, "--public-key", key)["valid"])
        self.assertEqual(seq, self.ask("audit", "verify", "--proof", proof, "--public-key", key)["seq"])
        with open(export, encoding="utf-8") as file:
            bad = self.write("bad.json", file.read().replace('"kind":"intent"', '"kind":"outcome"', 1))
        verdict = self.ask("audit", "verify", "--export", bad, "--public-key", key, expect=1)
        self.assertIs(False, verdict["valid"])
        self.assertIn(f"record {verdict['bad_seq']}: ", piped("audit", "verify", "--export", bad, "--public-key", key).stderr)

    def test_files_that_are_checked(self):
        good, bad = self.write("good.yaml", "profile: dev\n"), self.write("bad.yaml", "colour: red\n")
        self.assertEqual((True, "dev"), (lambda v: (v["valid"], v["profile"]))(self.ask("config", "check", good)))
        wrong = self.ask("config", "check", bad, expect=1)
        self.assertEqual((False, True), (wrong["valid"], "colour" in wrong["error"]))
        policy = self.write("policy.yaml", POLICY)
        self.assertEqual([], self.ask("policy", "lint", policy))
        self.assertEqual([True], [case["passed"] for case in self.ask("policy", "test", policy)])
        settings = self.write("settings.yaml", "host: x\nport: 70000\n")
        self.assertEqual(["/port"], [f["pointer"] for f in self.ask("plugins", "settings", "sink-syslog", "--check", settings, expect=1)])
        prices = self.write("prices.json", json.dumps(PRICES))
        self.assertEqual((True, 1), (lambda v: (v["valid"], v["prices"]))(self.ask("prices", "import", prices, "--dry-run")))

    def test_what_a_host_is_asked_for(self):
        policy = self.write("policy.yaml", POLICY)
        self.assertIn("draft", self.ask("policy", "diff", policy))
        self.assertIn("revision", self.ask("policy", "apply", policy, "--dry-run"))
        self.assertIn("access", self.ask("policy", "who-can", "agents.delete"))
        self.assertEqual("sink-syslog", self.ask("plugins", "settings", "sink-syslog")["plugin_id"])
        self.assertIn("items", self.ask("doctor"))
        # a document that is to be applied again is that alone, wherever it goes
        document = json.loads(self.host.ctl("policy", "export").stdout)
        self.assertEqual(document, json.loads(self.host.ctl("--json", "policy", "export").stdout)["document"])

    def test_runs(self):
        self.assertIs(True, self.ask("run", self.agent, "What is the gate?")["success"])
        lines = [json.loads(line) for line in self.host.ctl("run", self.agent, "What is the gate?", "--stream").stdout.splitlines()]
        self.assertEqual(("run.started", "run.completed"), (lines[0]["event"], lines[-1]["event"]))

    def test_what_went_wrong(self):
        """Is on standard error, and nothing else is where the document would be."""
        for code, words in ((2, ("agents", "dance")), (2, ("agents", "show")), (4, ("agents", "show", "agt_nobody")), (2, ("--human", "--json", "agents", "list"))):
            answer = piped("--state-dir", self.host.state, *words)
            self.assertEqual((code, ""), (answer.returncode, answer.stdout), words)
            self.assertTrue(answer.stderr.startswith("reevectl: "), answer.stderr)
        nothing = piped()
        self.assertEqual((2, ""), (nothing.returncode, nothing.stdout))


if __name__ == "__main__":
    main()
