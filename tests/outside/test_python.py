#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin that is a script: examples/subtitles, in a process of its own with every layer of a module's."""

import hashlib
import json
import os
import shutil
import signal
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import main
from test_broken_plugins import FOLDERS, OWN, BrokenHost, folder
from test_confined import MODEL, give_up, held_up, is_alive, plugin, until

PLUGIN = "subtitles"
PATH = f"/api/v1/admin/plugins/{PLUGIN}"
LAYERS = {"session", "limits", "capabilities", "no-new-privileges", "not-dumpable", "landlock", "seccomp", "sealed"}
NAMESPACES = {f"{name}-namespace" for name in ("user", "net", "ipc", "uts", "cgroup", "mount", "pid")} | {"root"}
VTT = "WEBVTT Greetings\n\n1\n00:00.000 --> 00:01.000\n<b>Hello</b> there,\nyou\n\n00:01.000 --> 00:02.000\nand goodbye\n"
REASON = {"capability": "interpreter", "parameters": {}, "reason": "ticket 1"}


def missing(now):
    """Without the control group, which only a host has that one was delegated to: test_plugin_groups."""
    return [layer for layer in now["layers_missing"] if layer != "cgroup"]


class Python(unittest.TestCase):
    def setUp(self):
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        self.host = BrokenHost(config=MODEL.format(self.mock.base_url), arguments=[*folder(PLUGIN), "--plugin-dir", OWN])
        self.addCleanup(self.host.close)

    def start(self, grant=True, **options):
        if "config" in options:
            with open(self.host.config, "a", encoding="utf-8") as file:
                file.write(options["config"])
        self.host.start()
        return self.host.post(f"{PATH}/grants", REASON, expect=201).json["grant_id"] if grant else None

    def read(self, text=VTT, expect=201, **options):
        return self.host.upload("x.vtt", text, "text/vtt", expect=expect, **options)

    def use(self, tool, **arguments):
        """What the tool answered to the model."""
        allowed = {"tools": [{"tool_name": name, "effect": "allow"} for name in ("note_put", "note_get")]}
        self.host.put("/api/v1/admin/policies/org", allowed, expect=200)
        self.mock.script([{"tool_calls": [{"name": tool, "arguments": arguments}]}, {"content": "done"}])
        self.host.run(self.host.agent(tools=[tool]), "go")
        return [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]

    def test_it_reads_and_keeps_under_every_layer(self):
        self.start()
        self.assertEqual(201, self.read().status)
        now = plugin(self.host, PLUGIN)
        self.assertEqual(("running", "runner", []), (now["process"], now["runs_in"], missing(now)))
        self.assertLessEqual(LAYERS, set(now["layers"]))
        self.assertEqual("kept", self.use("note_put", name="a", text="one"))
        self.assertEqual("one", self.use("note_get", name="a"))
        self.assertIn("There is no note", self.use("note_get", name="b"))
        bad = self.read("no subtitles", expect=None)
        self.assertGreaterEqual(bad.status, 400)
        self.assertIn("does not begin with WEBVTT", bad.text)

    def test_the_interpreter_is_an_administrators_to_grant(self):
        self.start(grant=False)
        waiting = self.row("interpreter")
        self.assertEqual(("waiting", True, True), (waiting["state"], waiting["requested"], waiting["offered"]))
        self.assertIn("no digest of the plugin's covers", waiting["risk"])
        self.assertEqual("effective", self.row("store.kv")["state"])
        refused = self.read(expect=None)
        self.assertGreaterEqual(refused.status, 400)
        self.assertIn("interpreter", refused.text)
        self.assertEqual(("stopped", None), tuple(plugin(self.host, PLUGIN)[k] for k in ("process", "pid")))
        for role in ("viewer", "auditor", "operator"):
            self.assertEqual(403, self.host.post(f"{PATH}/grants", REASON, key=self.host.user(role)).status, role)
        grant = self.host.post(f"{PATH}/grants", REASON, expect=201).json["grant_id"]
        self.read()
        self.assertEqual("python3", json.loads(self.host.ctl("plugins", "show", PLUGIN).stdout)["interpreter"])
        self.host.delete(f"{PATH}/grants/{grant}", expect=204)
        gone = self.read(VTT + "\nx", expect=None)
        self.assertGreaterEqual(gone.status, 400)
        self.assertIn("interpreter", gone.text)

    def row(self, capability):
        rows = self.host.get(PATH, expect=200).json["grants"]
        return next(row for row in rows if row["capability"] == capability)

    def test_what_it_asks_of_the_host_is_granted_apart(self):
        self.start()
        self.assertEqual("kept", self.use("note_put", name="a", text="one"))
        grant = next(g["grant_id"] for g in self.row("store.kv")["granted"])
        self.host.delete(f"{PATH}/grants/{grant}", expect=204)
        self.assertIn("store.kv", self.use("note_get", name="a"))
        self.read()

    def test_a_crash_and_the_next_start(self):
        self.start()
        self.read()
        first = plugin(self.host, PLUGIN)["pid"]
        os.kill(first, signal.SIGKILL)
        until(lambda: not is_alive(first), "it lives")
        self.read(VTT + "\nx")
        now = plugin(self.host, PLUGIN)
        self.assertEqual(("running", 1), (now["process"], now["crashes"]))
        self.assertNotEqual(first, now["pid"])
        self.host.kill()
        until(lambda: not is_alive(now["pid"]), "it outlives the host")

    def lay_out(self, version, manifest=("", ""), script=("", "")):
        """Another version beside it, changed in one place each; what an upgrade to it is asked with."""
        more = os.path.join(self.host.folder.name, "more")
        os.chmod(self.host.folder.name, 0o755)
        twin = os.path.join(more, f"{PLUGIN}@{version}")
        os.makedirs(twin, exist_ok=True)
        digests = []
        for ending, (old, new) in ((".plugin", manifest), (".py", script)):
            with open(os.path.join(FOLDERS, PLUGIN, PLUGIN, PLUGIN + ending), encoding="utf-8") as file:
                text = file.read().replace("1.0.0", version).replace(old or "\0", new, 1)
            with open(os.path.join(twin, PLUGIN + ending), "w", encoding="utf-8") as file:
                file.write(text)
            digests.append(hashlib.sha256(text.encode()).hexdigest())
        self.host.arguments = [*folder(PLUGIN), "--plugin-dir", OWN, "--plugin-dir", more]
        return {"version": version, "manifest_sha256": digests[0], "module_sha256": digests[1]}

    def test_another_version_of_all_its_kinds(self):
        body = self.lay_out("1.1.0")
        self.start(grant=False)
        refused = self.host.post(f"{PATH}/upgrade", body, expect=409)
        self.assertIn("interpreter is not granted", refused.text)
        self.assertEqual(("1.0.0", "stopped"), tuple(plugin(self.host, PLUGIN)[k] for k in ("version", "process")))
        self.host.post(f"{PATH}/grants", REASON, expect=201)
        self.host.post(f"{PATH}/upgrade", body, expect=200)
        self.assertEqual(("1.1.0", "running"), tuple(plugin(self.host, PLUGIN)[k] for k in ("version", "process")))
        self.read()
        self.assertEqual("kept", self.use("note_put", name="a", text="one"))
        self.host.post(f"{PATH}/rollback", expect=200)
        self.assertEqual("1.0.0", plugin(self.host, PLUGIN)["version"])
        self.assertEqual("one", self.use("note_get", name="a"))
        self.assertNotIn("assertion", self.host.read_log())

    def test_a_script_that_never_says_hello(self):
        """It has its share of the processors and no more, and nobody who ends the host waits for it."""
        asks = ("[Capabilities]\n", "[Limits]\nCpu=5\n[Capabilities]\ncpu=to be held up\n")
        calm = self.lay_out("1.1.0", asks)
        wild = self.lay_out("1.2.0", asks, ("import json\n", "while True:\n    pass\n"))
        self.start(config="plugins: {setup_timeout: 120}\n")
        self.host.post(f"{PATH}/upgrade", calm, expect=200)
        self.host.post(f"{PATH}/grants", {**REASON, "capability": "cpu"}, expect=201)
        worker = threading.Thread(target=lambda: give_up(lambda: self.host.post(f"{PATH}/upgrade", wild)))
        worker.start()
        until(lambda: held_up(self.host), "nothing holds it up")
        begun = time.monotonic()
        self.host.stop()
        worker.join()
        self.assertLess(time.monotonic() - begun, 30)  # of the 120 s that a hello may take

    def test_hardened(self):
        self.start(config=f"plugins: {{profiles: {{{PLUGIN}: hardened}}}}\n")
        self.read()
        now = plugin(self.host, PLUGIN)
        self.assertEqual(("running", "hardened", []), (now["process"], now["profile"], missing(now)))
        self.assertLessEqual(LAYERS | NAMESPACES, set(now["layers"]))

    def test_a_byte_of_the_script(self):
        more = os.path.join(self.host.folder.name, "more")
        shutil.copytree(os.path.join(FOLDERS, PLUGIN), more)
        os.chmod(self.host.folder.name, 0o755)
        with open(os.path.join(more, PLUGIN, f"{PLUGIN}.py"), "a", encoding="utf-8") as file:
            file.write("#")
        self.host.arguments = ["--plugin-dir", more, "--plugin-dir", OWN]
        self.start()
        changed = self.read(expect=None)
        self.assertGreaterEqual(changed.status, 400)
        now = plugin(self.host, PLUGIN)
        self.assertEqual("refused", now["state"])
        self.assertIn(f"{PLUGIN}.py is not the file this build pinned", now["reason"])

    def test_not_in_the_hosts_own_process(self):
        self.start(config=f"plugins: {{trusted: [{PLUGIN}]}}\n", grant=False)
        now = plugin(self.host, PLUGIN)
        self.assertEqual("refused", now["state"])
        self.assertIn("is a script", now["reason"])


if __name__ == "__main__":
    main()
