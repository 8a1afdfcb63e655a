#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Plugins in processes of their own, as a whole host runs them: where each runs, what a crash does and what not, and what an administrator decides."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import BUILD, Host, main
from test_broken_plugins import OWN, BrokenHost, folder

WITHOUT = os.path.join(BUILD, "tests", "confine", "without")
WAIT_SECONDS = 30
FRAGILE = [*folder("fragile"), "--plugin-dir", OWN]
MODEL = 'llm:\n  providers:\n    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{}", api_key: k}}}}\n'


def until(found, what):
    """Waits for it, with a generous end."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.01)
    raise AssertionError(what)


def is_alive(pid):
    """A process that ended and waits for its parent is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(host):
    """Its processes that live, with the letters of their states."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                words = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == host.process.pid and words[0] not in "ZX":
            found[int(pid)] = words[0]
    return found


def throttled(pid):
    """How often the kernel held its control group up, if it is in one that says so."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            group = next(line[3:].strip() for line in file if line.startswith("0::"))
        with open(f"/sys/fs/cgroup{group}/cpu.stat", encoding="utf-8") as file:
            return int(dict(line.split() for line in file).get("nr_throttled", 0))
    except OSError:
        return 0


def held_up(host):
    """The processes that may not use more of the processors now: by their group, or because the host stopped them."""
    return {pid for pid, state in children(host).items() if state == "T" or throttled(pid) > 0}


def plugin(host, plugin_id):
    return host.get(f"/api/v1/admin/plugins/{plugin_id}", expect=200).json


def give(host, text, expect=None, name="x"):
    return host.upload(f"{name}.fragile", text, "text/x-fragile", expect=expect)


def give_up(call):
    """It may be cut off."""
    try:
        call()
    except (OSError, http.client.HTTPException):
        pass


def events(host, action):
    return host.get(f"/api/v1/admin/audit?platform=true&action={action}", expect=200).json["items"]


class Crashes(unittest.TestCase):
    """One plugin that some documents end, from its first call to its quarantine and back."""

    def setUp(self):
        self.host = BrokenHost(arguments=FRAGILE).start()
        self.addCleanup(self.host.close)

    def test_from_the_first_call_to_quarantine_and_back(self):
        host = self.host
        before = plugin(host, "fragile")
        self.assertEqual(("loaded", "runner", "strict", "stopped", None, 0),
                         tuple(before[k] for k in ("state", "runs_in", "profile", "process", "pid", "crashes")))
        give(host, "hello", 201)
        running = plugin(host, "fragile")
        self.assertEqual("running", running["process"])
        self.assertTrue(is_alive(running["pid"]))
        self.assertLessEqual({"seccomp", "landlock", "capabilities", "no-new-privileges", "sealed"}, set(running["layers"]))
        give(host, "hello again", 201)
        self.assertEqual(running["pid"], plugin(host, "fragile")["pid"])
        self.crash_and_refuse(host)
        self.quarantine(host)
        host.kill()
        host.start()
        self.assertEqual("quarantined", plugin(host, "fragile")["process"])
        answer = give(host, "hello after a restart")
        self.assertGreaterEqual(answer.status, 400)
        self.assertIn("is quarantined: 5 crashes in 10 minutes", answer.text)
        host.upload("x.txt", "a text", "text/plain", expect=201)  # of another plugin's
        self.lift(host)

    def crash_and_refuse(self, host):
        answer = give(host, "END one")
        self.assertGreaterEqual(answer.status, 400)
        self.assertRegex(answer.text, "its runner (was killed by signal 11|ended by itself|closed its wire)")
        now = plugin(host, "fragile")
        self.assertEqual(("loaded", 2), (now["state"], now["crashes"]))  # reading is made once more
        self.assertRegex(now["reason"], "its runner ")
        again = give(host, "END one")
        self.assertIn("does not get this input again", again.text)
        self.assertEqual(2, plugin(host, "fragile")["crashes"])
        give(host, "hello behind a crash", 201)

    def quarantine(self, host):
        self.assertGreaterEqual(give(host, "END two").status, 400)
        self.assertEqual([], events(host, "plugin.quarantined"))
        self.assertGreaterEqual(give(host, "END three").status, 400)
        now = plugin(host, "fragile")
        self.assertEqual(("failed", "quarantined", 5, None), (now["state"], now["process"], now["crashes"], now["pid"]))
        event = until(lambda: events(host, "plugin.quarantined"), "no event")[0]
        self.assertEqual("fragile", event["resource"]["id"] if isinstance(event.get("resource"), dict) else event["resource_id"])

    def lift(self, host):
        path = "/api/v1/admin/plugins/{}/restart"
        for role in ("viewer", "auditor", "operator"):
            self.assertEqual(403, host.post(path.format("fragile"), key=host.user(role)).status, role)
        self.assertEqual(404, host.post(path.format("nobody")).status)
        self.assertEqual(409, host.post(path.format("storage-sqlite")).status)
        self.assertEqual("quarantined", plugin(host, "fragile")["process"])
        after = host.post(path.format("fragile"), expect=200).json
        self.assertEqual(("stopped", 0), (after["process"], after["crashes"]))
        give(host, "hello for good", 201)
        host.stop()
        host.start()
        self.assertEqual("stopped", plugin(host, "fragile")["process"])


class Answers(unittest.TestCase):
    """A model in a process of its own that ends before, or within, its answer."""

    CONFIG = "llm:\n  default: frail/any\n  providers:\n    - {id: frail, plugin: frail}\n    - {id: abroad, plugin: frail-abroad}\n    - {id: other, plugin: llm-extractive}\n"

    def setUp(self):
        self.host = BrokenHost(config=self.CONFIG, arguments=FRAGILE).start()
        self.addCleanup(self.host.close)

    def ask(self, text, **more):
        return self.host.post("/v1/chat/completions", {"model": "frail/any", "messages": [{"role": "user", "content": text}], **more})

    def content(self, answer):
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["choices"][0]["message"]["content"]

    def test_before_the_first_piece_once_more_and_behind_it_an_error(self):
        self.assertEqual("onetwo", self.content(self.ask("hello")))
        first = plugin(self.host, "frail")["pid"]
        # it was asked again, in a new process that has another number
        self.assertEqual("onetwo", self.content(self.ask(f"end {first}")))
        now = plugin(self.host, "frail")
        self.assertEqual(1, now["crashes"])
        self.assertNotEqual(first, now["pid"])
        self.within_a_stream(now["pid"])
        self.twice()

    def test_who_may_reach_beyond_its_process_is_asked_once(self):
        """An answer that is too long for a message is asked for once more, where nobody pays for it."""
        for model, times in (("frail", "2"), ("abroad", "1")):
            content = self.content(self.ask("LONG", model=model + "/any"))
            self.assertEqual((times, 800 * 1024), (content.rstrip("x"), content.count("x")), model)

    def within_a_stream(self, pid):
        """What was said stays said once, and then comes the error."""
        text = self.ask(f"late: end {pid}", stream=True).text
        self.assertEqual((1, 0), (text.count('"one"'), text.count('"two"')), text)
        self.assertIn('"error"', text)
        self.assertNotIn("[DONE]", text.split('"error"')[0])
        self.assertEqual(2, plugin(self.host, "frail")["crashes"])
        outcomes = [r["outcome"] for r in self.host.records(action="model.call") if r.get("outcome")]
        self.assertEqual(1, len([o for o in outcomes if o != "succeeded"]), outcomes)

    def twice(self):
        answer = self.ask("END it")
        self.assertGreaterEqual(answer.status, 500)
        self.assertIn("its runner ", answer.text)
        self.assertEqual(4, plugin(self.host, "frail")["crashes"])
        self.assertIn("does not get this input again", self.ask("END it").text)
        self.assertEqual(4, plugin(self.host, "frail")["crashes"])
        # no other model answers in its place, and none is held up
        other = self.host.post("/v1/chat/completions", {"model": "other/extractive", "messages": [{"role": "user", "content": "Hello"}]})
        self.assertEqual(200, other.status)


class Life(unittest.TestCase):
    def test_nobody_outlives_a_host_that_is_killed(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            pid = plugin(host, "extractor-text")["pid"]
            self.assertTrue(is_alive(pid))
            host.kill()
            until(lambda: not is_alive(pid), "a plugin's process outlives its host")

    def test_a_host_ends_whatever_its_plugins_do(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            os.kill(plugin(host, "extractor-text")["pid"], signal.SIGSTOP)
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(0, host.process.wait(40))
            host.forget()

    def test_a_host_ends_beside_a_call_that_does_not(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            pid = plugin(host, "extractor-text")["pid"]
            os.kill(pid, signal.SIGSTOP)
            call = threading.Thread(target=lambda: give_up(lambda: host.upload("y.txt", "another text", "text/plain", expect=None)))
            call.start()
            until(lambda: sum(r["kind"] == "intent" and r["action"] == "documents.upload" for r in host.records()) > 1, "no second upload")
            host.process.send_signal(signal.SIGTERM)
            self.assertEqual(0, host.process.wait(40))
            call.join()
            host.forget()
            host.start()
            self.assertEqual((0, "stopped"), tuple(plugin(host, "extractor-text")[k] for k in ("crashes", "process")))
            host.upload("x.txt", "another text", "text/plain", expect=201)

    def test_an_idle_process_ends_and_the_next_call_starts_another(self):
        with Host(config="plugins: {idle_timeout: 1}\n") as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            first = until(lambda: plugin(host, "extractor-text")["process"] == "stopped", "it does not end")
            self.assertTrue(first)
            self.assertEqual((None, 0), tuple(plugin(host, "extractor-text")[k] for k in ("pid", "crashes")))
            host.upload("y.txt", "another text", "text/plain", expect=201)
            host.stop()

    def test_one_that_is_killed_from_outside_comes_back(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            pid = plugin(host, "extractor-text")["pid"]
            os.kill(pid, signal.SIGKILL)
            host.upload("y.txt", "another text", "text/plain", expect=201)
            now = plugin(host, "extractor-text")
            self.assertEqual(1, now["crashes"])
            self.assertNotEqual(pid, now["pid"])
            self.assertIn("its runner ", now["reason"])

    def test_each_end_of_an_idle_one_counts_at_once(self):
        with Host() as host:
            for i in range(5):
                host.upload(f"{i}.txt", f"text {i}", "text/plain", expect=201)
                os.kill(plugin(host, "extractor-text")["pid"], signal.SIGKILL)
            # nobody calls it, and nobody asks how it stands
            event = until(lambda: events(host, "plugin.quarantined"), "no event")[0]
            self.assertIn("was killed by signal 9", event["reason"])
            self.assertEqual(("quarantined", 5), tuple(plugin(host, "extractor-text")[k] for k in ("process", "crashes")))


class Decided(unittest.TestCase):
    """What an administrator decides for single plugins."""

    def test_a_pinned_plugin_runs_in_the_host(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        with Host(config="plugins: {trusted: [tool-calculate]}\n" + MODEL.format(mock.base_url)) as host:
            mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}, {"content": "42"}])
            self.assertEqual("42", host.run(host.agent(), "6*7?")["answer"])
            self.assertEqual("host", plugin(host, "tool-calculate")["runs_in"])
            self.assertNotIn("pid", plugin(host, "tool-calculate"))
            self.assertEqual("runner", plugin(host, "extractor-text")["runs_in"])
            until(lambda: events(host, "plugin.trusted"), "no event")
            self.assertIn("plugin tool-calculate runs in the host's process", host.read_log())

    def test_what_comes_with_the_host_is_confined_by_default(self):
        """But for storage and auth, and the one codec, which docs/confinement.md says why."""
        with Host() as host:
            items = host.get("/api/v1/admin/plugins", expect=200).json["items"]
        inside = {i["plugin_id"] for i in items if i["runs_in"] != "runner"}
        trusted = {i["plugin_id"] for i in items if {"storage", "auth", "key"} & set(i["kinds"])}
        self.assertEqual(trusted | {"llm-openai"}, inside)
        self.assertLessEqual({"tool-http", "tool-search", "extractor-text", "llm-extractive", "sink-syslog", "sink-webhook"},
                             {i["plugin_id"] for i in items} - inside)

    def test_reevectl_shows_where(self):
        with Host() as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            items = {item["plugin_id"]: item for item in json.loads(host.ctl("--json", "plugins", "list").stdout)["items"]}
            self.assertEqual(("runner", "running"), (items["extractor-text"]["runs_in"], items["extractor-text"]["process"]))
            self.assertEqual("host", items["storage-sqlite"]["runs_in"])
            self.assertIn("seccomp", host.ctl("plugins", "show", "extractor-text").stdout)
            self.assertIn("stopped", host.ctl("plugins", "restart", "extractor-text").stdout)

    def test_unknown_layer(self):
        host = Host(config="plugins:\n  accept_weaker: {extractor-text: [armour]}\n")
        self.addCleanup(host.folder.cleanup)
        done = subprocess.run([host.program, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(78, done.returncode)
        self.assertIn('there is no layer "armour"', done.stderr)


class WeakHost(Host):
    """On a machine without Landlock."""

    def start(self):
        program = os.path.join(self.folder.name, "weak-host")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec {WITHOUT} landlock -- {Host.program} "$@"\n')
        os.chmod(program, 0o755)
        self.program = program
        return super().start()


class MissingLayer(unittest.TestCase):
    def test_it_is_not_loaded_and_the_rest_is_served(self):
        with WeakHost() as host:
            answer = host.upload("x.txt", "a text", "text/plain", expect=None)
            self.assertGreaterEqual(answer.status, 400)
            self.assertRegex(answer.text, r"layer landlock of its confinement is missing \(.+\): .+")
            now = plugin(host, "extractor-text")
            self.assertEqual("failed", now["state"])
            self.assertIn("layer landlock", now["reason"])
            host.get("/api/v1/documents", expect=200)

    def test_an_administrator_may_do_without(self):
        with WeakHost(config="plugins:\n  accept_weaker: {extractor-text: [landlock]}\n") as host:
            host.upload("x.txt", "a text", "text/plain", expect=201)
            now = plugin(host, "extractor-text")
            self.assertEqual(["landlock"], now["accept_weaker"])
            self.assertIn("landlock", now["layers_missing"])
            until(lambda: events(host, "plugin.weaker"), "no event")


if __name__ == "__main__":
    main()
