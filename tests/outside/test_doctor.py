# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the running host tells of its configuration and of its health: origins, drift, advice, and what is really broken."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from reeve import BUILD, CTL, Host, main


def items(answer):
    return {item["id"]: item for item in answer["items"]}


class Origins(unittest.TestCase):
    CONFIG = "limits: {requests_per_minute: 500}\nlogging: {level: info}\nplugins: {settings: {tool-none: {api_key: sk-canary}}}\n"

    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=cls.CONFIG, environment={"REEVE_LOG_LEVEL": "warning"}).start()
        cls.addClassCleanup(cls.host.close)

    def show(self, key=None):
        return self.host.get("/api/v1/admin/config" + (f"?key={key}" if key else ""), expect=200).json

    def test_who_has_the_last_word(self):
        item, = self.show("logging.level")["items"]
        self.assertEqual(("warning", "environment REEVE_LOG_LEVEL"), (item["value"], item["origin"]))
        self.assertEqual([(f"{self.host.config}:2", "info"), ("profile dev", "debug"), ("default", "info")],
                         [(said["origin"], said["value"]) for said in item["covers"]])

    def test_everything_and_no_secret(self):
        text = json.dumps(self.show())
        keys = [item["key"] for item in json.loads(text)["items"]]
        self.assertEqual((sorted(keys), True), (keys, {"profile", "server.listen", "plugins.settings.tool-none.api_key"} <= set(keys)))
        self.assertNotIn("canary", text)

    def test_section_and_unknown_key(self):
        self.assertEqual({"limits"}, {item["key"].split(".")[0] for item in self.show("limits")["items"]})
        self.host.get("/api/v1/admin/config?key=limits.colour", expect=404)
        self.host.ctl("config", "show", "limits.colour", expect=4)

    def test_command(self):
        shown = json.loads(self.host.ctl("config", "show", "limits.requests_per_minute").stdout)
        self.assertEqual(self.show("limits.requests_per_minute"), shown)

    def test_drift(self):
        self.assertEqual(([self.host.config], []), (self.show("profile")["files"], self.show("profile")["changed_files"]))
        try:
            with open(self.host.config, "a", encoding="utf-8") as file:
                file.write("agents: {max_iterations: 3}\n")
            self.assertEqual([self.host.config], self.show("profile")["changed_files"])
            found = items(self.host.get("/api/v1/admin/doctor", expect=200).json)["config.drift"]
            self.assertEqual(("warn", True), (found["state"], self.host.config in found["detail"]))
            self.assertEqual(15, self.show("agents.max_iterations")["items"][0]["value"], "what counts is what the host runs with")
        finally:
            with open(self.host.config, "w", encoding="utf-8") as file:
                file.write(self.CONFIG)
        self.assertEqual([], self.show("profile")["changed_files"])


class Check(unittest.TestCase):
    def test_a_file_without_a_host(self):
        with tempfile.TemporaryDirectory(prefix="reeve-") as folder:
            path = os.path.join(folder, "reeve.yaml")
            for text, words, code, told in (
                    ("profile: prod\n", (), 0, "good  "), ("limits: {requests_per_minute: 0}\n", (), 0, f"WARN  {path}:1: limits.requests_per_minute: "),
                    ("server: {colour: red}\n", (), 1, f"{path}:1: server.colour: is not known"),
                    ("encryption: {enabled: false}\n", ("--profile", "prod"), 1, f"{path}:1: encryption.enabled: stores are not encrypted"),
                    ("profile: own\n", (), 0, "profile own")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                os.makedirs(os.path.join(folder, "profiles"), exist_ok=True)
                with open(os.path.join(folder, "profiles", "own.yaml"), "w", encoding="utf-8") as file:
                    file.write("profile: enterprise\n")
                done = subprocess.run([CTL, "--human", "config", "check", path, *words], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual((code, True), (done.returncode, told in done.stdout + done.stderr), (text, done))
            self.assertEqual(2, subprocess.run([CTL, "config", "check"], capture_output=True, timeout=60, check=False).returncode)


class Doctor(unittest.TestCase):
    def ask(self, host, expect=0):
        """What REST says, which reevectl says too, with its exit code."""
        there = host.get("/api/v1/admin/doctor", expect=200).json
        here = json.loads(host.ctl("doctor", expect=expect).stdout)
        self.assertEqual([(i["id"], i["state"]) for i in there["items"]], [(i["id"], i["state"]) for i in here["items"]])
        for name, state in (("failed", "fail"), ("warned", "warn")):
            self.assertEqual(sum(item["state"] == state for item in there["items"]), there[name])
        for item in there["items"]:
            self.assertEqual(item["state"] in ("warn", "fail"), item["remedy"] is not None, item)
        return items(there)

    def test_dev_is_advised(self):
        config = "encryption: {enabled: false}\naudit: {retention_days: 30}\nrbac: {enabled: true}\n"
        with Host(config=config, environment={"REEVE_DEV_JWT_SECRET": "0f" * 32}) as host:
            found = self.ask(host)
            host.stop()
        self.assertEqual("warn", found["authentication.development"]["state"])
        self.assertEqual("warn", found["encryption.off"]["state"])
        self.assertIn(f"{host.config}:1: encryption.enabled", found["encryption.off"]["detail"])
        self.assertIn("every profile but dev refuses", found["encryption.off"]["detail"])
        self.assertEqual(("warn", "not_applicable", "ok", "not_applicable"),
                         tuple(found[name]["state"] for name in ("audit.retention", "encryption.key", "rbac.off", "authentication.identity")))

    def test_enterprise(self):
        with Host(config="profile: prod\nlogging: {level: debug}\n") as host:
            found = self.ask(host)
            host.stop()
        self.assertEqual("", " ".join(i["id"] for i in found.values() if i["state"] == "fail"))
        self.assertEqual(("warn", "ok", "warn", "warn"), tuple(found[n]["state"] for n in ("logging.debug", "cors.any", "encryption.key", "authentication.identity")))
        self.assertEqual("ok", found["authentication.development"]["state"])
        # what this machine's kernel offers: it was tried, and where something is missing the layer and the remedy are named
        confinement = found["plugins.confinement"]
        if confinement["state"] == "ok":
            self.assertIn("profiles strict and hardened can be put on", confinement["detail"])
        else:
            self.assertRegex(confinement["detail"], r"(strict|hardened) can(not)? be put on.*: [a-z-]+ \(.*\): ")

    def test_changed_ledger_and_refused_plugin_fail(self):
        with Host() as host:
            folder = os.path.join(host.folder.name, "plugins")
            os.makedirs(os.path.join(folder, "tool-stranger"))
            for name in ("so", "plugin"):
                shutil.copyfile(os.path.join(BUILD, "plugins", "tool-calculate", "tool-calculate." + name),
                                os.path.join(folder, "tool-stranger", "tool-stranger." + name))
            host.stop()
            host.arguments += ["--plugin-dir", folder]
            host.start()
            host.get("/api/v1/me", expect=200)
            found = self.ask(host, expect=1)
            self.assertEqual(("fail", "ok"), (found["plugins.refused"]["state"], found["audit.verifies"]["state"]))
            self.assertIn("tool-stranger", found["plugins.refused"]["detail"])
            logs = os.path.join(host.state, "ledger")
            path = next(os.path.join(at, name) for at, _folders, names in os.walk(logs) for name in sorted(names)
                        if "default" in at and not name.endswith((".idx", ".lock")) and os.path.getsize(os.path.join(at, name)) > 400)
            with open(path, "r+b") as file:
                file.seek(300)
                byte = file.read(1)
                file.seek(300)
                file.write(bytes([byte[0] ^ 1]))
            found = self.ask(host, expect=1)
            self.assertEqual("fail", found["audit.verifies"]["state"])
            self.assertIn("default", found["audit.verifies"]["detail"])
            host.kill()

    def test_keys(self):
        with Host() as host:
            me = host.get("/api/v1/me").json["user_id"]
            until = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 86400))
            for number in range(2):
                host.post("/api/v1/admin/keys", {"user_id": me, "name": f"more{number}", "roles": ["admin"], "expires_at": until}, expect=201)
            gone = host.post("/api/v1/admin/keys", {"user_id": me, "name": "gone", "roles": ["admin"]}, expect=201).json
            host.delete(f"/api/v1/admin/keys/{gone['key_id']}", expect=204)
            found = self.ask(host)
            host.stop()
        self.assertEqual(("warn", "3 of 3"), (found["keys.platform-admin"]["state"], found["keys.platform-admin"]["detail"][:6]))
        self.assertEqual(("warn", "1 of 3"), (found["keys.endless"]["state"], found["keys.endless"]["detail"][:6]))
        self.assertEqual("ok", found["keys.unused"]["state"])

    def test_lesser_people_are_refused(self):
        with Host() as host:
            key = host.user("admin", None)
            host.post("/api/v1/admin/tenants", {"tenant_id": "north", "name": "North"}, expect=201)
            other = host.user("admin", "north")
            for path in ("/api/v1/admin/doctor", "/api/v1/admin/config"):
                for one in (key, other):
                    self.assertRegex(host.get(path, key=one, expect=403).json["detail"], "platform admin")
            done = host.ctl("--url", host.url, "--token", other, "doctor", expect=3)
            self.assertTrue(re.search("platform admin", done.stderr), done)
            host.stop()


if __name__ == "__main__":
    main()
