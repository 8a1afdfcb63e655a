#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host that trusts the broken plugins of tests/broken-plugins starts without them and says of each why; what its configuration names must work."""

import ast
import json
import os
import re
import subprocess
import tempfile
import time
import unittest

from reeve import BUILD, SOURCE, Host, main
from test_bus import NAME, PATH, Bus

FOLDERS = os.path.join(BUILD, "tests", "broken-plugins", "folders")
OWN = os.path.join(BUILD, "plugins")
# GObject has a critical to say when a constructor makes nothing: here it must not end the host
CALM = {"G_DEBUG": ""}


class BrokenHost(Host):
    """The host as built, but for the pins that are linked into it."""

    program = os.path.join(BUILD, "tests", "broken-plugins", "reeve-host-broken")


def rows(*places):
    with open(os.path.join(SOURCE, "tests", "broken-plugins", "plugins.json"), encoding="utf-8") as file:
        return [row for row in json.load(file) if row.get("place", "plugins") in places]


# what is wrong with them in the host's own process; what comes of them in processes of their own: class Confined
TRUSTED = "plugins: {setup_timeout: %d, trusted: %s}\n"


def trust(seconds=30):
    ids = {row.get("id", row["folder"]) for row in rows("plugins", "again", "hanging")}
    return TRUSTED % (seconds, json.dumps(sorted(name for name in ids if re.fullmatch("[a-z][a-z0-9]*(?:-[a-z0-9]+)*", name))))


def folder(name):
    return ["--plugin-dir", os.path.join(FOLDERS, name)]


def fits(pattern, text):
    if pattern is None or text is None:
        return pattern is text
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.S) is not None


GOOD = {"Id": "{name}", "Version": "1.2.3", "Name": "N", "Description": "D", "Kinds": "tool", "Api": "1.0"}
KEYS = "".join(f"{key}={value}\n" for key, value in GOOD.items())


def keys(**changes):
    """A manifest that is right but for these keys; None leaves one out."""
    return "[Plugin]\n" + "".join(f"{key}={value}\n" for key, value in {**GOOD, **changes}.items() if value is not None)


# folder: (manifest, what the reason says); {name} is the folder's name
MANIFESTS = {
    "empty": ("", "*Plugin: the group is missing"),
    "prose": ("This is a plugin.\n", "*not a key-value pair*"),
    "no-group": (KEYS, "*not start with a group*"),
    "other-group": ("[Plugins]\n" + KEYS, "*Plugin: the group is missing"),
    "one-group-more": (keys() + "[Extra]\na=b\n", "*Extra: unknown group"),
    "group-twice": (keys() + "[Plugin]\nLicence=MIT\n", "*Plugin: stands there twice"),
    "unknown-key": (keys(Colour="red"), "*Colour: unknown key"),
    "key-twice": (keys() + "Kinds=storage\n", "*Kinds: stands there twice"),
    "capability-twice": (keys() + "[Capabilities]\nlog=one\nlog=two\n", "*log: stands there twice"),
    "translated": (keys() + "Name[de]=N\n", "*Name[de]: a manifest has no translations"),
    "no-id": (keys(Id=None), "*Id: is missing"),
    "no-version": (keys(Version=None), "*Version: is missing"),
    "no-name": (keys(Name=None), "*Name: is missing"),
    "no-description": (keys(Description=None), "*Description: is missing"),
    "no-kinds": (keys(Kinds=None), "*Kinds: is missing"),
    "no-api": (keys(Api=None), "*Api: is missing"),
    "empty-id": (keys(Id=""), "*Id: is empty or too long"),
    "empty-name": (keys(Name=""), "*Name: is empty or too long"),
    "empty-kinds": (keys(Kinds=""), "*Kinds: is missing"),
    "long-id": (keys(Id="a" * 65), "*Id: is not lower-case letters, digits and hyphens"),
    "long-name": (keys(Name="n" * 401), "*Name: is empty or too long"),
    "long-description": (keys(Description="n" * 401), "*Description: is empty or too long"),
    "long-licence": (keys(Licence="n" * 401), "*Licence: is empty or too long"),
    "long-reason": (keys() + "[Capabilities]\nlog=" + "n" * 401 + "\n", "*log: is empty or too long"),
    "many-kinds": (keys(Kinds="tool;" * 33), "*Kinds: names too many kinds"),
    "many-requires": (keys(Requires="a;" * 33), "*Requires: names too many plugins"),
    "bad-id": (keys(Id="../../etc"), "*Id: is not lower-case*"),
    "bad-version": (keys(Version="one"), "*Version: is not of the form 1.2.3"),
    "bad-kind": (keys(Kinds="tool;wizard"), "*Kinds: names an unknown kind"),
    "bad-api": (keys(Api="0.1.2"), "*Api: is not of the form 1.0"),
    "huge-api": (keys(Api="0.99999999999999999999"), "*Api: is not of the form 1.0"),
    "bad-module": (keys(Module="../storage-sqlite/storage-sqlite.so"), "*Module: is not the name of a file beside the manifest"),
    "bad-run-after": (keys(RunAfter="A B"), "*RunAfter: names something that is no plugin id"),
    "bad-conflicts": (keys(Conflicts="*"), "*Conflicts: names something that is no plugin id"),
    "bad-escape": (keys(Requires=r"storage-\q"), "*Requires: has an escape sequence that is none"),
    "bad-licence": (keys(Licence=r"\q"), "*Licence: has an escape sequence that is none"),
    "lines-in-name": (keys(Name=r"N\n\e[2J refused"), "*Name: *"),
    "bad-escape-in-reason": (keys() + "[Capabilities]\nlog=\\q\n", "*log: is requested without a reason"),
    "bad-escape-in-schema": (keys() + '[Settings]\nSchema={"pattern":"\\d"}\n', "*settings schema: *cannot be interpreted*"),
    "control-in-name": (keys(Name="N\x1b[2J"), "*Name: has control characters"),
    "bad-capability": (keys() + "[Capabilities]\nmind.reading=why not\n", "*mind.reading: is no capability this host knows"),
    "no-reason": (keys() + "[Capabilities]\nnet.http=\n", "*net.http: is requested without a reason"),
    "schema-prose": (keys() + "[Settings]\nSchema=any\n", "*settings schema: *"),
    "schema-twice-a-member": (keys() + '[Settings]\nSchema={"type":"object","type":"array"}\n', "*settings schema: *twice*"),
    "schema-bad-type": (keys() + '[Settings]\nSchema={"type":"wizard"}\n', "*settings schema: *"),
    "schema-absent": (keys() + "[Settings]\nSchemaFile=absent.json\n", "*absent.json: No such file or directory"),
    "schema-outside": (keys() + "[Settings]\nSchemaFile=../../x.json\n", "*SchemaFile: is not the name of a file beside the manifest"),
    "schema-and-file": (keys() + "[Settings]\nSchema={}\nSchemaFile=x.json\n", "*Schema: stands beside SchemaFile"),
    "no-schema": (keys() + "[Settings]\n", "*settings schema: *"),
    "latin-1": (keys(Name="N\xe4").encode("latin-1"), "*: not UTF-8"),
    "with-nul": (keys().encode() + b"Licence=M\0IT\n", "*: not UTF-8"),
    "long": (keys() + "#" * 65536 + "\n", "*: larger than 65536 bytes"),
    "huge": (keys() + "#" * 300000 + "\n", "*is no regular file of at most 262144 bytes"),
}


def write_manifests(top):
    for name, (text, _reason) in MANIFESTS.items():
        os.mkdir(os.path.join(top, name))
        data = text if isinstance(text, bytes) else text.replace("{name}", name).encode()
        with open(os.path.join(top, name, name + ".plugin"), "wb") as file:
            file.write(data)


def write_others(top):
    """What stands where a manifest belongs and is no file, and names that are no text."""
    expected = {}
    for name, make, reason in (
            ("a-folder", os.mkdir, "manifest: *a-folder.plugin is no regular file *"),
            ("a-pipe", os.mkfifo, "manifest: *a-pipe.plugin is no regular file *"),
            ("a-link", lambda path: os.symlink(os.path.join(OWN, "tool-calculate", "tool-calculate.plugin"), path), "manifest: *a-link.plugin: is a symbolic link"),
            ("a-dead-link", lambda path: os.symlink("/nonexistent", path), "manifest: *a-dead-link.plugin: is a symbolic link")):
        os.mkdir(os.path.join(top, name))
        make(os.path.join(top, name, name + ".plugin"))
        expected[name] = reason
    odd = os.fsencode(top) + b"/odd\xff\x1b[31m"
    os.mkdir(odd)
    with open(odd + b"/odd\xff\x1b[31m.plugin", "wb") as file:
        file.write(b"[Plugin]\n")
    expected["odd\ufffd [31m"] = "manifest *: Id: is missing"
    return expected


class Refused(unittest.TestCase):
    """One host with all of them."""

    @classmethod
    def setUpClass(cls):
        cls.bus = Bus()
        cls.addClassCleanup(cls.bus.close)
        made = tempfile.TemporaryDirectory(prefix="reeve-")
        cls.addClassCleanup(made.cleanup)
        write_manifests(made.name)
        cls.others = write_others(made.name)
        arguments = [*folder("plugins"), "--plugin-dir", made.name, "--plugin-dir", OWN]
        cls.host = BrokenHost(config=trust(), arguments=arguments, bus="session", environment={**CALM, **cls.bus.environment, "REEVE_PLUGIN_PATH": os.path.join(FOLDERS, "again")})
        cls.host.start()
        cls.addClassCleanup(cls.host.close)
        cls.listed = cls.host.get("/api/v1/admin/plugins?limit=500", expect=200).json["items"]

    def check(self, plugin_id, state, reason):
        found = [item for item in self.listed if item["plugin_id"] == plugin_id]
        self.assertTrue(found, f"{plugin_id} is not listed")
        self.assertTrue(any(item["state"] == state and fits(reason, item["reason"]) for item in found), f"{plugin_id}: not {state}, {reason}: {found}")

    def test_each_row_of_the_table(self):
        for row in rows("plugins", "again"):
            with self.subTest(row["folder"]):
                self.check(row.get("id", row["folder"]), row.get("state", "refused"), row["reason"])

    def test_each_malformed_manifest(self):
        for name, reason in {**{name: reason for name, (_text, reason) in MANIFESTS.items()}, **self.others}.items():
            with self.subTest(name):
                self.check(name, "refused", reason)

    def test_the_hosts_own_work(self):
        mine = {name for name in os.listdir(OWN) if os.path.exists(os.path.join(OWN, name, name + ".plugin"))}
        states = {item["plugin_id"]: item["state"] for item in self.listed if item["plugin_id"] in mine}
        self.assertEqual(mine, set(states))
        self.assertEqual(set(), {name for name in mine if states[name] not in ("loaded", "found")})
        tools = json.dumps(self.host.get("/api/v1/tools", expect=200).json)
        self.assertIn("tool-of-well", tools)
        self.assertNotIn("a-good-one", tools)
        self.assertIn("answer", self.host.run(self.host.agent(), "What is 6 times 7?"))

    def test_reevectl_lists_them(self):
        done = self.host.ctl("--json", "plugins", "list", "--limit", "500")
        items = json.loads(done.stdout)["items"]
        self.assertEqual(self.listed, items)
        shown = json.loads(self.host.ctl("--json", "plugins", "show", "setup-fails").stdout)
        self.assertEqual(("failed", "line-4: login timeout"), (shown["state"], shown["reason"]))
        table = self.host.ctl("plugins", "list", "--limit", "500").stdout
        self.assertNotIn("\x1b[2J", table)
        self.assertIn("magic is 0x12345678", table)

    def test_dbus_lists_them(self):
        command = ["gdbus", "call", "--session", "--dest", NAME, "--object-path", PATH, "--method", "io.reeve.Host1.Call", "plugins.list", '{"limit":500}']
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=dict(os.environ, **self.bus.environment))
        self.assertEqual(self.listed, json.loads(ast.literal_eval(done.stdout.strip())[0])["items"])

    def test_the_log_says_what_is_missing(self):
        with open(os.path.join(self.host.folder.name, "log"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("starting without plugin setup-fails: plugin setup-fails (setup-fails): line-4: login timeout", text)


class Hanging(unittest.TestCase):
    def test_neither_start_nor_end_waits_for_them(self):
        arguments = [*folder("hanging"), *folder("plugins"), "--plugin-dir", OWN]
        with BrokenHost(config=trust(3), arguments=arguments, environment=CALM) as host:
            items = {item["plugin_id"]: item for item in host.get("/api/v1/admin/plugins?limit=500", expect=200).json["items"]}
            for row in rows("hanging"):
                item = items[row["folder"]]
                self.assertEqual("failed", item["state"], item)
                self.assertTrue(fits(row["reason"], item["reason"]), item)
            self.assertEqual("loaded", items["well"]["state"])
            start = time.monotonic()
            host.stop()
            self.assertLess(time.monotonic() - start, 30)


class Confined(unittest.TestCase):
    """The same, each in a process of its own: none takes the host or another one with it."""

    def test_the_host_serves_without_them(self):
        with BrokenHost(arguments=[*folder("plugins"), "--plugin-dir", OWN], environment=CALM) as host:
            items = {item["plugin_id"]: item for item in host.get("/api/v1/admin/plugins?limit=500", expect=200).json["items"]}
            broken = {row["folder"]: row for row in rows("plugins") if row.get("id", row["folder"]) == row["folder"]}
            for name, row in broken.items():
                with self.subTest(name):
                    wanted = ("loaded", "found") if row["reason"] is None else ("refused", "failed")
                    self.assertIn(items[name]["state"], wanted, items[name])
            self.assertEqual("runner", items["well"]["runs_in"])
            self.assertIn("tool-of-well", json.dumps(host.get("/api/v1/tools", expect=200).json))
            host.stop()


class Named(unittest.TestCase):
    """What the configuration names: file, line, key, exit 78, nothing served."""

    STORE = "profile: dev\nstore:\n  plugin: {}\n"
    MODEL = "llm:\n  providers:\n    - {{id: first, plugin: llm-extractive}}\n    - id: second\n      plugin: {}\n"
    AUTH = "authentication:\n  providers:\n    - {{id: keys, plugin: auth-api-key}}\n    - id: second\n      plugin: {}\n"
    DOORS = ((STORE, 3, "store.plugin"), (MODEL, 5, "llm.providers[1].plugin"), (AUTH, 5, "authentication.providers[1].plugin"))

    def refused(self, config, line, key, *reasons):
        host = BrokenHost(config=config, arguments=[*folder("hanging"), *folder("plugins"), "--plugin-dir", OWN], environment=CALM)
        self.addCleanup(host.folder.cleanup)
        command = [host.program, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"]
        command += host.arguments
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL, env=host.environment)
        self.assertEqual((78, ""), (done.returncode, done.stdout), done.stderr)
        fault = done.stderr.splitlines()[-1]
        self.assertTrue(fault.startswith(f"reeve-host: {host.config}:{line}: {key}: "), fault)
        for reason in reasons:
            self.assertIn(reason, fault)

    def test_refused_plugins(self):
        for config, line, key in self.DOORS:
            with self.subTest(key):
                self.refused(config.format("wrong-magic"), line, key, "plugin wrong-magic", "magic is 0x12345678")
                self.refused(config.format("setup-fails"), line, key, "plugin setup-fails", "line-4: login timeout")
                self.refused(config.format("nobody"), line, key, "plugin nobody", "there is no such plugin")

    def test_refused_by_rules(self):
        self.refused(self.STORE.format("loop-1"), 3, "store.plugin", "refused", "in a loop of rules: loop-1, loop-2, loop-3, loop-1")
        self.refused(self.STORE.format("not-pinned"), 3, "store.plugin", "not pinned by this build")

    def test_hanging(self):
        self.refused("plugins: {setup_timeout: 1}\n" + self.STORE.format("setup-hangs"), 4, "store.plugin", "setup has not ended after 1 s")

    def test_of_another_kind(self):
        self.refused(self.STORE.format("tool-calculate"), 3, "store.plugin", "does not offer ReeveStorage")
        self.refused(self.MODEL.format("llm-openai"), 4, "llm.providers[1].settings", "base_url")
        self.refused("llm:\n  providers:\n    - id: one\n      plugin: tool-calculate\n", 4, "llm.providers[0].plugin", "offers no model")
        self.refused(self.STORE.format("well"), 3, "store.plugin", "this storage cannot encrypt")
        plain = self.STORE + "encryption: {{enabled: false}}\n"
        self.refused(plain.format("well"), 3, "store.plugin", "does not implement open")

    def test_settings_against_the_schema(self):
        self.refused("store:\n  plugin: settings-missing\n  settings: {a: 1}\n", 3, "store.settings", "url")
        self.refused("llm:\n  providers:\n    - id: x\n      plugin: llm-openai\n      settings:\n        base_url: 7\n", 5, "llm.providers[0].settings", "/base_url")

    def test_default_model(self):
        self.refused("llm:\n  default: nobody/m\n", 2, "llm.default", "names provider nobody, which is not configured")

    def test_settings_of_one_that_is_not_needed(self):
        config = "plugins:\n  settings:\n    tool-calculate: {colour: red}\n"
        with Host(config=config) as host:
            items = {item["plugin_id"]: item for item in host.get("/api/v1/admin/plugins", expect=200).json["items"]}
            self.assertEqual("failed", items["tool-calculate"]["state"])
            self.assertIn("colour", items["tool-calculate"]["reason"])
            host.stop()
            self.assertIn(f"starting without plugin tool-calculate: {host.config}:3: plugins.settings.tool-calculate: ", host.read_log())


if __name__ == "__main__":
    main()
