#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What plugins can be set to, and what they are: as the host shows it, as reevectl prints it, and as a file of settings is checked without a host.
No secret is shown, whatever calls it one."""

import json
import os
import subprocess
import unittest

from reeve import BUILD, Host, main

PLUGINS = os.path.join(BUILD, "plugins")
SECRETS = ("k-of-the-model", "whsec_b2YtdGhlLWhvb2s=", "of-a-header", "of-the-environment", "pw-of-elastic")
CONFIG = """
llm:
  default: local/x
  providers:
    - id: local
      plugin: llm-openai
      settings: {base_url: "http://127.0.0.1:9/v1", api_key: k-of-the-model, headers: {X-Trace: of-a-header}, max_tokens_member: max_tokens}
    - {id: second, plugin: llm-openai, settings: {base_url: "http://127.0.0.1:9/v2", api_key: "env:TEST_KEY"}}
audit:
  sinks:
    - {id: hook, plugin: sink-webhook, settings: {url: "http://127.0.0.1:9/hook", secret: "whsec_b2YtdGhlLWhvb2s=", headers: {Authorization: of-a-header}}}
    - {id: off, enabled: false, plugin: sink-webhook, settings: {url: "http://127.0.0.1:9/off"}}
    - {id: es, plugin: sink-elastic, settings: {url: "http://127.0.0.1:9", index: audit, username: u, password: pw-of-elastic}}
plugins:
  settings:
    tool-http: {methods: [GET], timeout_seconds: 7}
"""


class Shown(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(CONFIG, environment={"TEST_KEY": "of-the-environment"}).start()
        cls.addClassCleanup(cls.host.close)

    def show(self, plugin):
        answer = self.host.get(f"/api/v1/admin/plugins/{plugin}", expect=200)
        for secret in SECRETS:
            self.assertNotIn(secret, answer.text)
        return answer.json

    def test_instances(self):
        local, second = self.show("llm-openai")["instances"]
        self.assertEqual(("llm.local", "llm.providers[0].settings"), (local["instance_id"], local["key"]))
        self.assertEqual({"base_url": "http://127.0.0.1:9/v1", "api_key": "***", "headers": "***", "max_tokens_member": "max_tokens"}, local["settings"])
        self.assertRegex(local["origins"]["base_url"], r"/reeve\.yaml:\d+$")
        self.assertEqual(set(local["settings"]), set(local["origins"]))
        self.assertEqual("***", second["settings"]["api_key"])
        self.assertIn("TEST_KEY", second["origins"]["api_key"])
        hook = self.show("sink-webhook")["instances"]
        self.assertEqual([("sink/hook", "audit.sinks[0].settings", {"url": "http://127.0.0.1:9/hook", "secret": "***", "headers": "***"})],
                         [(i["instance_id"], i["key"], i["settings"]) for i in hook])
        self.assertEqual({"url": "http://127.0.0.1:9", "index": "audit", "username": "u", "password": "***"},
                         self.show("sink-elastic")["instances"][0]["settings"])
        self.assertEqual(("tool-http", "plugins.settings.tool-http", {"methods": ["GET"], "timeout_seconds": 7}),
                         tuple(self.show("tool-http")["instances"][0][k] for k in ("instance_id", "key", "settings")))
        self.assertEqual(["store"], [i["instance_id"] for i in self.show("storage-sqlite")["instances"]])
        self.assertEqual([], self.show("sink-splunk")["instances"])
        self.assertEqual({}, self.show("tool-calculate")["instances"][0]["settings"])

    def test_every_setting_has_a_meaning(self):
        """And whatever sounds like a secret is said to be one."""
        for item in self.host.get("/api/v1/admin/plugins", expect=200).json["items"]:
            for name, one in self.show(item["plugin_id"])["settings_schema"].get("properties", {}).items():
                self.assertTrue(one.get("description"), (item["plugin_id"], name))
                if name in ("api_key", "password", "secret", "token", "secret_key"):
                    self.assertTrue(one.get("writeOnly") or one.get("x-reeve-secret"), (item["plugin_id"], name))

    def test_the_form(self):
        text = self.host.ctl("--human", "plugins", "settings", "sink-elastic").stdout
        for line in ("url  (required)", "    means       address of the cluster", "    may be      text, matches ^https?://",
                     "    may be      whole number, at least 1, at most 60", "    default     30"):
            self.assertIn(line + "\n", text)
        self.assertRegex(text, r'in force    "http://127.0.0.1:9", by .*/reeve.yaml:\d+, audit.sinks\[2\].settings.url\n')
        self.assertIn("    in force    not set, in audit.sinks[2].settings\n", text)
        self.assertRegex(text, r'in force    "\*\*\*", by .*/reeve.yaml')
        self.assertNotIn("pw-of-elastic", text)
        self.assertIn("one of: GET, HEAD", self.host.ctl("--human", "plugins", "settings", "tool-http").stdout)
        self.assertIn("tool-calculate has no settings\n", self.host.ctl("--human", "plugins", "settings", "tool-calculate").stdout)
        said = json.loads(self.host.ctl("plugins", "settings", "sink-elastic").stdout)
        self.assertEqual(self.show("sink-elastic")["settings_schema"], said["settings_schema"])
        self.host.ctl("plugins", "settings", "nobody", expect=4)
        self.host.ctl("plugins", "settings", expect=2)
        self.assertIn("--check FILE", self.host.ctl("plugins", "settings", "--help").stdout)


class Checked(unittest.TestCase):
    """There is no host."""

    def check(self, plugin, text, code=0, more=()):
        host = Host()
        self.addCleanup(host.folder.cleanup)
        path = os.path.join(host.folder.name, "settings.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([os.path.join(BUILD, "host", "api", "cli", "reevectl"), *(more or ["--human"]), "plugins", "settings", plugin, "--check", path],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(code, done.returncode, done)
        return done.stdout + done.stderr

    def test_right(self):
        for text in ("host: syslog.example\nport: 514\n", '{"host": "x", "port": 1, "transport": "udp"}', "{host: x, port: 1, server_name: env:NAME}"):
            self.assertIn("good", self.check("sink-syslog", text))
        self.assertIn("good", self.check("tool-http", ""))
        self.assertIn("good", self.check(os.path.join(PLUGINS, "tool-http", "tool-http.plugin"), "only_granted: true\n"))
        # what a variable brings only the host knows
        self.assertIn("good", self.check("sink-webhook", "url: env:URL\n"))

    def test_wrong(self):
        for plugin, text, said in (("sink-syslog", "host: x\nport: 70000\n", "settings.yaml:2: /port: "),
                                   ("sink-syslog", "port: 1\n", "settings.yaml:1: /host: "),
                                   ("sink-syslog", "host: x\nport: 1\ncolour: red\n", "settings.yaml:3: /colour: "),
                                   ("tool-http", "methods:\n  - GET\n  - FETCH\n", "settings.yaml:3: /methods/1: "),
                                   ("tool-http", "[]", "/: "), ("tool-calculate", "{a: 1}", "/a: "),
                                   ("sink-webhook", "url: 7\n", "settings.yaml:1: /url: "),
                                   ("tool-http", "a: [", "settings.yaml"), ("tool-http", "a: 1\na: 2\n", "settings.yaml:2")):
            self.assertIn(said, self.check(plugin, text, 1), (plugin, text))
        faults = json.loads(self.check("sink-syslog", "host: x\nport: 70000\n", 1, more=["--json"]))
        self.assertEqual([("/port", "settings.yaml:2")], [(f["pointer"], f["origin"]) for f in faults])
        self.assertEqual([], json.loads(self.check("tool-http", "", 0, more=["--json"])))

    def test_what_is_not_there(self):
        self.assertIn("there is no plugin nobody in ", self.check("nobody", "", 4))
        self.check("../tool-http/tool-http", "", 4)
        self.check("/nowhere/x.plugin", "", 1)


if __name__ == "__main__":
    main()
