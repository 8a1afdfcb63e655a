#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The configuration from outside: where a fault is said to be, exit 78 with nothing started, what is printed and what is not, log lines."""

import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mock_openai import MockOpenAI  # noqa: E402
from reeve import BUILD, HOST, Host  # noqa: E402


class Config(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-")
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "reeve.yaml")
        self.state = os.path.join(self.folder.name, "state")

    def run_host(self, text, *words, **environment):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file, 0o600)
        command = [HOST, "--config", self.file, "--state-dir", self.state, "--bus", "none", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL, env=dict(os.environ, **environment))

    def assert_refused(self, text, line, key):
        for words in ((), ("--check-config",), ("--print-config",)):
            done = self.run_host(text, *words)
            self.assertEqual(done.returncode, 78, done)
            self.assertEqual(done.stdout, "")
            self.assertIn(f"{self.file}:{line}: ", done.stderr)
            self.assertIn(key, done.stderr)
        self.assertFalse(os.path.exists(self.state), "nothing was started")

    def test_unknown_key(self):
        self.assert_refused("server:\n  listen: [\"127.0.0.1:0\"]\n  colour: red\n", 3, "server.colour")

    def test_unknown_section(self):
        self.assert_refused("\nserverr: {}\n", 2, "serverr")

    def test_wrong_type(self):
        self.assert_refused("agents: {max_iterations: many}\n", 1, "agents.max_iterations")

    def test_bad_value(self):
        self.assert_refused("server:\n  max_body: 10 parsecs\n", 2, "server.max_body")

    def test_unset_variable(self):
        self.assert_refused("store:\n  settings:\n    x: ${REEVE_TEST_UNSET}\n", 3, "REEVE_TEST_UNSET")

    def test_no_yaml(self):
        self.assert_refused("server: {listen: [\n", 2, "reeve.yaml")

    def test_absent_file(self):
        done = subprocess.run([HOST, "--config", self.file, "--check-config"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn(self.file, done.stderr)

    def test_check(self):
        done = self.run_host("server: {max_body: 1MiB}\n", "--check-config")
        self.assertEqual(done.returncode, 0, done)

    def test_print(self):
        done = self.run_host(
            "server: {max_body: \"${SIZE}\"}\n"
            "llm:\n"
            "  providers:\n"
            "    - id: a\n"
            "      plugin: llm-openai\n"
            "      settings: {base_url: \"http://127.0.0.1:1/v1\", api_key: hidden1, extra: env:HIDDEN}\n",
            "--print-config", "--profile", "enterprise", SIZE="2MiB", HIDDEN="hidden2")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("  max_body: 2097152  # environment SIZE (", done.stdout)
        self.assertIn('profile: "enterprise"  # command line', done.stdout)
        self.assertIn("  auto_publish: false  # profile enterprise", done.stdout)
        self.assertIn("  max_iterations: 15  # default", done.stdout)
        self.assertIn(f'      id: "a"  # {self.file}:4', done.stdout)
        self.assertNotIn("hidden", done.stdout + done.stderr)

    def test_enterprise_refuses_what_is_not_safe(self):
        self.assert_refused("profile: prod\nencryption: {enabled: false}\n", 2, "encryption.enabled: stores are not encrypted, which profile prod refuses: set it to true")
        done = self.run_host("server: {cors: {origins: [\"*\"]}}\n", ENVIRONMENT="prod")
        self.assertEqual((78, "", True), (done.returncode, done.stdout, f"{self.file}:1: server.cors.origins[0]: " in done.stderr), done)
        self.assertEqual(0, self.run_host("encryption: {enabled: false}\nserver: {cors: {origins: [\"*\"]}}\n", "--check-config").returncode)

    def test_environment(self):
        done = self.run_host("logging: {level: info}\n", "--print-config", "--log-format", "text", REEVE_LOG_LEVEL="ERROR", REEVE_LOG_FORMAT="json",
                             ENVIRONMENT="staging", REEVE_CORS_ORIGINS="https://a.example,https://b.example")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn('  level: "ERROR"  # environment REEVE_LOG_LEVEL\n', done.stdout)
        self.assertIn('  format: "text"  # command line\n', done.stdout)
        self.assertIn('profile: "staging"  # environment ENVIRONMENT\n', done.stdout)
        self.assertIn('      - "https://b.example"  # environment REEVE_CORS_ORIGINS\n', done.stdout)
        self.assertIn("  requests_per_minute: 100  # profile staging\n", done.stdout)
        done = self.run_host("", "--check-config", REEVE_LOG_LEVEL="loud")
        self.assertEqual((78, "", True), (done.returncode, done.stdout, "environment REEVE_LOG_LEVEL: logging.level: " in done.stderr))

    def test_warning_of_what_is_not_built(self):
        done = self.run_host("compliance: {frameworks: [gdpr]}\n", "--check-config")
        self.assertEqual(done.returncode, 0, done)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertEqual([line["level"] for line in lines], ["warning"])
        self.assertIn(f"{self.file}:1: compliance", lines[0]["message"])


class Effect(unittest.TestCase):
    def test_what_agents_leave_open_is_the_configurations(self):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "1+1"}}]} for _ in range(9)])
        config = ("agents: {max_iterations: 3, max_tokens: 77}\n"
                  f"llm: {{providers: [{{id: mock, plugin: llm-openai, settings: {{base_url: \"{mock.base_url}\"}}}}], default: mock/m}}\n")
        with Host(config=config) as host:
            answer = host.run(host.agent(), "for ever")
            other = host.run(host.agent(max_iterations=2, max_tokens=55), "for ever")
            host.stop()
        self.assertEqual(("max_iterations", 3), (answer["error"]["code"], mock.count("/v1/chat/completions") - 2))
        self.assertEqual("max_iterations", other["error"]["code"])
        asked = [request.json.get("max_tokens", request.json.get("max_completion_tokens")) for request in mock.requests]
        self.assertEqual([77, 77, 77, 55, 55], asked)


class Processors(unittest.TestCase):
    def threads_on(self, processors):
        """How many threads serve requests where the host may use so many processors."""
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, sorted(allowed)[:processors])
        try:
            host = Host(config="server: {threads: auto}\n").start()
        finally:
            os.sched_setaffinity(0, allowed)
        self.addCleanup(host.close)
        # a thread has its name once it has run, and one of another name may end while they are counted
        found, end = 0, time.monotonic() + 60
        while found < processors and time.monotonic() < end:
            found = 0
            for path in glob.glob(f"/proc/{host.process.pid}/task/*/comm"):
                with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
                    found += file.read().startswith("api-")
        return found

    def test_threads_are_as_many_as_processors_that_may_be_used(self):
        self.assertEqual(1, self.threads_on(1))
        most = min(len(os.sched_getaffinity(0)), 8)
        self.assertEqual(most, self.threads_on(most))


class Plugins(unittest.TestCase):
    def test_unpinned_plugin_is_refused_with_that_reason(self):
        with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
            os.makedirs(os.path.join(folder, "tool-stranger"))
            for name in ("so", "plugin"):
                target = os.path.join(folder, "tool-stranger", "tool-stranger." + name)
                shutil.copyfile(os.path.join(BUILD, "plugins", "tool-calculate", "tool-calculate." + name), target)
            with open(target, encoding="utf-8") as file:
                text = file.read().replace("tool-calculate", "tool-stranger")
            with open(target, "w", encoding="utf-8") as file:
                file.write(text)
            with Host(arguments=["--plugin-dir", folder]) as host:
                items = {item["plugin_id"]: item for item in host.get("/api/v1/admin/plugins").json["items"]}
                host.stop()
            self.assertEqual(items["tool-stranger"]["state"], "refused")
            self.assertIn("not pinned by this build", items["tool-stranger"]["reason"])
            self.assertEqual(items["tool-calculate"]["state"], "loaded", items["tool-calculate"])


class Log(unittest.TestCase):
    def test_every_line_is_one_json_object(self):
        with Host() as host:
            host.get("/api/v1/me")
            host.get("/api/v1/me", key="rv_not-a-key-not-a-key-not-a-key")
            key = host.key
            host.stop()
            with open(os.path.join(host.folder.name, "log"), encoding="utf-8") as file:
                lines = file.read().splitlines()
        for line in lines:
            record = json.loads(line)
            self.assertLessEqual({"time", "level", "message"}, set(record))
            self.assertRegex(record["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertNotIn(key, line)
            self.assertNotIn("rv_not-a-key", line)

    def test_a_mission_is_logged_with_its_context_and_without_its_words(self):
        with Host() as host:
            agent = host.agent(tools=["semantic_search"])
            run = host.run(agent, "how is the mangelwurzel oiled?")
            user = host.get("/api/v1/me").json["user_id"]
            host.stop()
            with open(os.path.join(host.folder.name, "log"), encoding="utf-8") as file:
                text = file.read()
        ends = [record for record in map(json.loads, text.splitlines()) if record["message"].startswith("a run has ended")]
        self.assertEqual(len(ends), 1)
        self.assertLessEqual({"tenant_id": "default", "agent_id": agent, "run_id": run["run_id"], "user_id": user}.items(), ends[0].items())
        self.assertRegex(ends[0]["trace_id"], "^[0-9a-f]{32}$")
        self.assertNotIn("mangelwurzel", text)


if __name__ == "__main__":
    unittest.main()
