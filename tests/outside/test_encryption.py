# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted stores from outside: what lies on the disk, where the master key may be, and what is refused with which reason."""

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import unittest

from reeve import HOST, Host, main
from test_bus import Bus

ON = "encryption: {{enabled: true{more}}}\n"
SECRETS = ("hydraulic press", "ISO VG 46", "zanzibar-manual", "marjorie-pinkerton", "the quick mission", "a prompt about pelicans")


def config(**more):
    return ON.format(more="".join(f', {name}: "{value}"' for name, value in more.items()))


def new_key():
    return base64.b64encode(os.urandom(32)).decode()


def contents(folder):
    """path below the folder -> bytes of every file in it"""
    found = {}
    for place, _folders, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                found[os.path.relpath(os.path.join(place, name), folder)] = file.read()
    return found


def digests(folder, but=()):
    """of all that holds anything and cannot be made anew; SQLite leaves an empty log where it looked for one"""
    return {path: hashlib.sha256(data).hexdigest() for path, data in contents(folder).items() if data and path != "reeve.lock" and not path.startswith(but)}


class EncryptionCase(unittest.TestCase):
    def host(self, text=None, **options):
        host = Host(config=config() if text is None else text, **options)
        self.addCleanup(host.close)
        return host

    def fill(self, host):
        """Puts the secrets into the store."""
        host.upload("zanzibar-manual.md", "The hydraulic press needs 12 litres of oil ISO VG 46.")
        host.post("/api/v1/admin/users", {"username": "marjorie-pinkerton", "roles": ["viewer"]}, expect=201)
        agent = host.agent(system_prompt="a prompt about pelicans", tools=["semantic_search"])
        self.assertTrue(host.run(agent, "the quick mission: which oil does the press need?")["success"])

    def check(self, host):
        hits = host.post("/api/v1/documents/search", {"query": "litres of oil"}, expect=200).json["results"]
        self.assertIn("12 litres of oil", hits[0]["content"])

    def rewrite(self, host, text):
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text)

    def refused(self, host, *texts, code=78, but=()):
        """The host does not start, says so, and changes nothing."""
        before = digests(host.state, but)
        command = [HOST, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none", "--config", host.config]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=host.environment)
        self.assertEqual(code, done.returncode, done)
        self.assertEqual("", done.stdout)
        for text in texts:
            self.assertIn(text, done.stderr)
        self.assertEqual(before, digests(host.state, but))
        return done.stderr

    def master(self, host):
        return os.path.join(host.state, "master.key")


class Disk(EncryptionCase):
    def assert_nothing_plain(self, state):
        for path, data in contents(state).items():
            for secret in SECRETS:
                self.assertNotIn(secret.encode(), data, path)
            # pages, schema and index entries of SQLite
            self.assertNotIn(b"CREATE TABLE", data, path)
            self.assertNotIn(b"SQLite format 3", data, path)
            self.assertNotIn(b"PRIVATE KEY", data, path)

    def test_nothing_is_plain(self):
        host = self.host().start()
        self.fill(host)
        self.assert_nothing_plain(host.state)
        host.kill()
        self.assert_nothing_plain(host.state)
        host.start()
        self.check(host)
        self.assert_nothing_plain(host.state)
        host.stop()
        self.assert_nothing_plain(host.state)

    def test_a_first_start_makes_a_key_and_says_so(self):
        host = self.host().start()
        status = os.stat(self.master(host))
        self.assertEqual(0o600, stat.S_IMODE(status.st_mode))
        with open(self.master(host), encoding="ascii") as file:
            text = file.read()
        self.assertEqual(32, len(base64.b64decode(text)))
        self.assertIn("made master key", host.read_log())
        self.assertIn(self.master(host), host.read_log())
        self.assertNotIn(text.strip(), host.read_log())
        for path, data in contents(os.path.join(host.state, "keys")).items():
            self.assertNotIn(text.strip().encode(), data, path)
            if path != "ledger.pub":
                self.assertEqual(0o600, stat.S_IMODE(os.stat(os.path.join(host.state, "keys", path)).st_mode), path)
        host.stop()
        host.start()
        with open(self.master(host), encoding="ascii") as file:
            self.assertEqual(text, file.read())

    def test_the_ledger_is_verified_without_any_key(self):
        host = self.host().start()
        self.fill(host)
        host.stop()
        os.unlink(self.master(host))
        for name in os.listdir(os.path.join(host.state, "keys")):
            path = os.path.join(host.state, "keys", name)
            if name != "ledger.pub":
                (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
        host.ctl("audit", "verify")

    def test_each_store_has_keys_of_its_own(self):
        host = self.host().start()
        for tenant in ("acme", "globex"):
            host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
            host.get("/api/v1/documents", headers={"X-Tenant-ID": tenant}, expect=200)
        keys = contents(os.path.join(host.state, "keys"))
        for tenant in ("default", "acme", "globex"):
            self.assertRegex(keys[f"tenants/{tenant}.key"].decode(), rf"(?m)^tenant:{tenant}:v1:aes-256-gcm:[A-Za-z0-9+/]+=*$")
        self.assertRegex(keys["platform.key"].decode(), r"(?m)^tenant:@platform:v1:")
        host.stop()
        # neither the keys nor the store of one are of use to the other
        folder = os.path.join(host.state, "keys", "tenants")
        self.broken(host, os.path.join(folder, "globex.key"), os.path.join(folder, "acme.key"))
        stores = os.path.join(host.state, "store", "tenants")
        self.broken(host, os.path.join(stores, "globex.db"), os.path.join(stores, "acme.db"))
        host.start()
        for tenant in ("default", "acme", "globex"):
            host.get("/api/v1/documents", headers={"X-Tenant-ID": tenant}, expect=200)

    def broken(self, host, path, other):
        """With another file in its place, one tenant is out of work and the log says why; the others are not."""
        shutil.copy(path, path + ".right")
        shutil.copy(other, path)
        host.start()
        self.assertGreaterEqual(host.get("/api/v1/documents", headers={"X-Tenant-ID": "globex"}).status, 500)
        for tenant in ("default", "acme"):
            host.get("/api/v1/documents", headers={"X-Tenant-ID": tenant}, expect=200)
        log = [line for line in host.read_log().splitlines() if "store of tenant globex" in line]
        self.assertIn(path, log[-1])
        host.stop()
        os.replace(path + ".right", path)


class MasterKey(EncryptionCase):
    def test_wrong(self):
        host = self.host().start()
        self.fill(host)
        host.stop()
        shutil.copy(self.master(host), self.master(host) + ".right")
        with open(self.master(host), "w", encoding="ascii") as file:
            file.write(new_key())
        text = self.refused(host, "encryption.key_source", os.path.join(host.state, "keys"))
        self.assertEqual(2, len(set(re.findall(r"\b[0-9a-f]{16}\b", text))), text)
        os.replace(self.master(host) + ".right", self.master(host))
        host.start()
        self.check(host)

    def test_missing(self):
        host = self.host().start()
        host.stop()
        os.rename(self.master(host), self.master(host) + ".away")
        self.refused(host, self.master(host), "restore it")
        os.rename(self.master(host) + ".away", self.master(host))
        host.start()

    def test_readable_by_others(self):
        host = self.host().start()
        host.stop()
        for mode in (0o644, 0o640, 0o604):
            os.chmod(self.master(host), mode)
            self.refused(host, self.master(host), "chmod 600")
        os.chmod(self.master(host), 0o400)
        host.start()

    def test_malformed(self):
        key = new_key()
        for text in ("", "nonsense", key[:-4], key + key, "x" * 4096, "=" * 44, key.replace(key[0], "_")):
            with self.subTest(text=text[:60]):
                host = self.host()
                os.mkdir(host.state)
                with open(self.master(host), "w", encoding="ascii") as file:
                    file.write(text)
                os.chmod(self.master(host), 0o600)
                self.refused(host, self.master(host))

    def test_raw_bytes(self):
        host = self.host()
        os.mkdir(host.state)
        with open(self.master(host), "wb") as file:
            file.write(os.urandom(32))
        os.chmod(self.master(host), 0o600)
        host.start()
        host.stop()
        host.start()

    def test_a_file_elsewhere(self):
        with tempfile.TemporaryDirectory(prefix="reeve-key-") as folder:
            path = os.path.join(folder, "master.key")
            host = self.host(config(key_source=f"file:{path}")).start()
            self.assertTrue(os.path.exists(path))
            self.assertFalse(os.path.exists(self.master(host)))
            host.stop()
            os.chmod(path, 0o644)
            self.refused(host, path)

    def test_the_environment(self):
        for source, name in (("auto", "REEVE_ENCRYPTION_KEY"), ("env", "REEVE_ENCRYPTION_KEY"), ("env:PLANT_KEY", "PLANT_KEY")):
            with self.subTest(source=source):
                key = new_key()
                host = self.host(config(key_source=source), environment={name: key}).start()
                with open(f"/proc/{host.process.pid}/environ", "rb") as file:
                    self.assertNotIn(key.encode(), file.read())
                self.assertFalse(os.path.exists(self.master(host)))
                host.stop()
                done = subprocess.run([HOST, "--print-config", "--config", host.config], capture_output=True, text=True,
                                      check=True, env=host.environment)
                self.assertIn(f'"{source}"', done.stdout)
                self.assertNotIn(key, done.stdout + done.stderr)
                host.environment[name] = new_key()
                self.refused(host, "sealed by master key")
                host.environment[name] = "not a key"
                self.assertNotIn("not a key", self.refused(host, name) if source != "auto" else "")
                host.environment[name] = key
                host.start()

    def test_a_missing_variable(self):
        self.refused_first(config(key_source="env:PLANT_KEY"), "PLANT_KEY is not set")

    def refused_first(self, text, *texts, **options):
        host = self.host(text, **options)
        os.mkdir(host.state)
        self.refused(host, *texts)

    def test_a_credential_of_systemd(self):
        with tempfile.TemporaryDirectory(prefix="reeve-credentials-") as folder:
            with open(os.path.join(folder, "reeve-master"), "w", encoding="ascii") as file:
                file.write(new_key() + "\n")
            environment = {"CREDENTIALS_DIRECTORY": folder}
            host = self.host(config(key_source="credential:reeve-master"), environment=environment).start()
            self.fill(host)
            host.stop()
            host.start()
            self.check(host)
            host.stop()
            os.unlink(os.path.join(folder, "reeve-master"))
            self.refused(host, "reeve-master")
        self.refused_first(config(key_source="credential:reeve-master"), "CREDENTIALS_DIRECTORY")

    def test_switched_off(self):
        host = self.host().start()
        host.stop()
        self.rewrite(host, "encryption: {enabled: false}\n")
        self.refused(host, "encryption.enabled", "are encrypted")

    def test_the_enterprise_is_warned(self):
        host = self.host("profile: enterprise\n" + config()).start()
        self.assertIn("--rotate-master-key", host.read_log())
        host = self.host("profile: enterprise\n" + config(), environment={"REEVE_ENCRYPTION_KEY": new_key()}).start()
        self.assertNotIn("--rotate-master-key", host.read_log())
        self.assertFalse(host.get("/api/v1/admin/encryption", expect=200).json["key_beside"])
        self.assertIn("stores are encrypted", host.ctl("doctor").stdout)


class SecretService(EncryptionCase):
    """Against gnome-keyring-daemon on a bus of its own."""

    def setUp(self):
        self.bus = Bus()
        self.addCleanup(self.bus.close)
        self.home = tempfile.TemporaryDirectory(prefix="reeve-home-")
        self.addCleanup(self.home.cleanup)
        self.environment = dict(os.environ, **self.bus.environment, XDG_DATA_HOME=self.home.name, XDG_RUNTIME_DIR=self.home.name,
                                HOME=self.home.name)
        # libsecret (0.20) never lets go of a message of each session; the stacks of that leak are GDBus's own, so no suppression can name it
        self.environment["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        self.keyring = subprocess.Popen(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        self.addCleanup(self.end)
        self.keyring.stdin.write(b"a password")
        self.keyring.stdin.close()
        subprocess.run(["gdbus", "wait", "--session", "--timeout", "30", "org.freedesktop.secrets"], check=True, env=self.environment)

    def end(self):
        self.keyring.terminate()
        self.keyring.wait(30)

    def test_made_kept_and_missed(self):
        host = self.host(config(key_source="libsecret"), environment=self.environment).start()
        self.fill(host)
        self.assertFalse(os.path.exists(self.master(host)))
        self.assertIn("in the Secret Service", host.read_log())
        host.stop()
        host.start()
        self.check(host)
        host.stop()
        # another name is another key, and for a state that is encrypted none is made
        self.rewrite(host, config(key_source="libsecret:other"))
        self.refused(host, "other", "restore it")
        self.rewrite(host, config(key_source="libsecret"))
        host.environment["DBUS_SESSION_BUS_ADDRESS"] = "disabled:"
        self.refused(host, "Secret Service")

    def test_moved_there_from_a_file(self):
        host = self.host(environment=self.environment).start()
        self.fill(host)
        host.stop()
        done = subprocess.run([HOST, "--state-dir", host.state, "--config", host.config, "--rotate-master-key", "libsecret:plant"],
                              capture_output=True, text=True, check=False, env=self.environment)
        self.assertEqual(0, done.returncode, done)
        os.unlink(self.master(host))
        self.rewrite(host, config(key_source="libsecret:plant"))
        host.start()
        self.check(host)


class Operations(EncryptionCase):
    ROTATE = "/api/v1/admin/encryption/rotate"

    def setUp(self):
        self.running = self.host().start()
        self.running.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "acme"}, expect=201)

    def stores(self):
        items = self.running.get("/api/v1/admin/encryption/stores", expect=200).json["items"]
        return {item["store"]: item for item in items}

    def test_what_is_shown(self):
        shown = self.running.get("/api/v1/admin/encryption", expect=200).json
        self.assertRegex(shown.pop("master_key"), "^[0-9a-f]{16}$")
        self.assertEqual({"enabled": True, "algorithm": "aes-256-gcm", "key_source": "auto", "key_beside": True, "stores": 3, "rotation": None}, shown)
        stores = self.stores()
        self.assertEqual(["@platform", "acme", "default"], sorted(stores))
        for name, store in stores.items():
            self.assertEqual((True, f"tenant:{name}:v1", None), (store["encrypted"], store["data_key"], store["problem"]))
            self.assertGreaterEqual(store["sequence"], 0 if name == "acme" else 1)
        names, cursor = [], ""
        while cursor is not None:
            page = self.running.get(f"/api/v1/admin/encryption/stores?limit=2&cursor={cursor}", expect=200).json
            names += [item["store"] for item in page["items"]]
            cursor = page["next_cursor"]
        self.assertEqual(["@platform", "acme", "default"], names)

    def test_a_store_that_is_gone(self):
        self.running.post("/api/v1/admin/tenants", {"tenant_id": "globex", "name": "globex"}, expect=201)
        self.running.user("viewer", tenant="globex")
        self.running.stop()
        for tenant in ("acme", "globex"):
            os.unlink(os.path.join(self.running.state, "store", "tenants", f"{tenant}.db"))
        self.running.start()
        stores = self.stores()
        self.assertEqual(["@platform", "acme", "default", "globex"], sorted(stores))
        # one of them held nothing yet
        for tenant in ("acme", "globex"):
            self.assertIn("is missing", stores[tenant]["problem"])
            self.assertEqual((False, None), (stores[tenant]["encrypted"], stores[tenant]["data_key"]))
            self.assertIn("is missing", self.running.ctl("encryption", "list").stdout)
        self.assertEqual(4, self.running.get("/api/v1/admin/encryption", expect=200).json["stores"])
        self.assertIn("--accept-stores globex", stores["globex"]["problem"])
        # the others are rotated
        done = self.running.post(self.ROTATE, expect=200).json
        self.assertEqual((2, 0), (done["succeeded"], done["failed"]))
        # and what is left of these is erased
        for tenant in ("acme", "globex"):
            self.running.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        self.assertEqual(["@platform", "default"], sorted(self.stores()))

    def test_rotation_of_one_and_of_all(self):
        self.fill(self.running)
        for method, version in (("copy", 2), ("rewrite", 3)):
            done = self.running.post(self.ROTATE, {"store": "default", "method": method}, expect=200).json
            self.assertEqual((method, 1, 0), (done["method"], done["succeeded"], done["failed"]))
            self.assertEqual(f"tenant:default:v{version}", done["stores"][0]["data_key"])
            self.check(self.running)
        done = self.running.post(self.ROTATE, expect=200).json
        self.assertEqual(("copy", 3, 0), (done["method"], done["succeeded"], done["failed"]))
        self.assertEqual({"@platform": "tenant:@platform:v2", "acme": "tenant:acme:v2", "default": "tenant:default:v4"},
                         {name: store["data_key"] for name, store in self.stores().items()})
        # the older keys are gone
        keys = contents(os.path.join(self.running.state, "keys"))
        self.assertEqual([b"v4"], re.findall(rb"^tenant:default:(v\d+):", keys["tenants/default.key"], re.M))
        self.check(self.running)
        self.running.stop()
        self.running.start()
        self.check(self.running)
        records = [r for r in self.running.get("/api/v1/admin/audit?limit=500&action=encryption.rotate", expect=200).json["items"]]
        self.assertEqual({"intent", "outcome"}, {record["kind"] for record in records})

    def test_who_may(self):
        requests = (("GET", "/api/v1/admin/encryption"), ("GET", "/api/v1/admin/encryption/stores"), ("POST", self.ROTATE))
        for role in ("admin", "agent_designer", "operator", "auditor", "viewer"):
            key = self.running.user(role, tenant="acme")
            for method, path in requests:
                body = {"store": "acme"} if method == "POST" else None
                answer = self.running.call(method, path, body, key=key, expect=403)
                self.assertIn("platform admin" if role == "admin" else "system:config", answer.text)
        for method, path in requests:
            self.running.call(method, path, {} if method == "POST" else None, key=None, expect=401)
        self.assertEqual("tenant:acme:v1", self.stores()["acme"]["data_key"])

    def test_what_is_refused(self):
        for body in ({"store": 7}, {"store": ""}, {"method": "slowly"}, {"tenant": "acme"}, [], {"store": "x" * 129}):
            self.running.post(self.ROTATE, body, expect=400)
        for store in ("nobody", "../acme", "@other", "Acme"):
            self.running.post(self.ROTATE, {"store": store}, expect=404)

    def test_asked_twice(self):
        headers = {"Idempotency-Key": "rotate-once"}
        first = self.running.post(self.ROTATE, {"store": "acme"}, headers=headers, expect=200).json
        self.assertEqual(first, self.running.post(self.ROTATE, {"store": "acme"}, headers=headers, expect=200).json)
        self.assertEqual("tenant:acme:v2", self.stores()["acme"]["data_key"])
        self.running.post(self.ROTATE, {"store": "default"}, headers=headers, expect=422)

    def test_the_command_line(self):
        self.assertIn("lies in the state folder", self.running.ctl("doctor").stdout)
        shown = json.loads(self.running.ctl("--json", "encryption", "show").stdout)
        self.assertTrue(shown["enabled"])
        self.running.ctl("encryption", "rotate", "--store", "acme", "--method", "rewrite")
        listed = json.loads(self.running.ctl("--json", "encryption", "list").stdout)
        self.assertIn("tenant:acme:v2", [item["data_key"] for item in listed["items"]])
        self.running.ctl("encryption", "rotate", "--store", "nobody", expect=4)

    def test_without_encryption(self):
        host = self.host("encryption: {enabled: false}\n").start()
        self.assertIn("switched off", host.read_log())
        shown = host.get("/api/v1/admin/encryption", expect=200).json
        self.assertEqual((False, None, None, None), (shown["enabled"], shown["algorithm"], shown["key_source"], shown["master_key"]))
        for store in host.get("/api/v1/admin/encryption/stores", expect=200).json["items"]:
            self.assertEqual((False, None), (store["encrypted"], store["data_key"]))
        host.post(self.ROTATE, expect=409)
        # what is plain now is not when encryption is on
        self.fill(host)
        host.stop()
        self.rewrite(host, config())
        host.start()
        self.check(host)
        self.assertTrue(all(s["encrypted"] for s in host.get("/api/v1/admin/encryption/stores", expect=200).json["items"]))
        host.stop()
        Disk.assert_nothing_plain(self, host.state)


class RolledBack(EncryptionCase):
    """A store that is older than what was acknowledged."""

    def setUp(self):
        self.running = self.host().start()
        self.running.stop()
        self.store = os.path.join(self.running.state, "store", "platform.db")
        self.tenant = os.path.join(self.running.state, "store", "tenants", "default.db")

    def test_a_whole_file(self):
        before = os.path.join(self.running.folder.name, "before")
        shutil.copy(self.store, before)
        self.running.start()
        self.running.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "acme"}, expect=201)
        self.running.stop()
        shutil.copy(self.store, before + "-not")
        shutil.copy(before, self.store)
        self.refused(self.running, "platform.db", "rolled back", "--accept-stores @platform", code=1)
        # whoever puts back a backup says so
        done = subprocess.run([HOST, "--state-dir", self.running.state, "--config", self.running.config, "--accept-stores", "@platform"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(0, done.returncode, done)
        self.running.start()
        tenants = self.running.get("/api/v1/admin/tenants", expect=200).json["items"]
        self.assertEqual(["default"], [tenant["tenant_id"] for tenant in tenants])

    def test_the_store_of_a_tenant(self):
        before = os.path.join(self.running.folder.name, "before")
        shutil.copy(self.tenant, before)
        self.running.start()
        self.fill(self.running)
        self.running.stop()
        after = before + "-not"
        shutil.copy(self.tenant, after)
        shutil.copy(before, self.tenant)
        self.refused(self.running, "default.db", "rolled back", "reeve-host --accept-stores default", code=1)
        shutil.copy(after, self.tenant)
        self.running.start()
        self.check(self.running)

    def test_a_log(self):
        self.running.start()
        self.fill(self.running)
        log = self.tenant + "-wal"
        # what a copy of the machine's disk at this moment would have
        shutil.copy(self.tenant, self.tenant + ".before")
        shutil.copy(log, log + ".before")
        self.running.upload("b.md", "the second manual")
        self.running.kill()
        shutil.copy(self.tenant, self.tenant + ".after")
        shutil.copy(log, log + ".after")
        for name in (log, self.tenant):
            shutil.copy(name + ".before", name)
        # neither the ledger nor the platform's store was closed: they are, at each start
        open_ones = ("ledger/", "checkpoints/", "store/platform.db")
        self.refused(self.running, "default.db", "rolled back", code=1, but=open_ones)
        os.unlink(log)
        self.refused(self.running, "default.db", "rolled back", code=1, but=open_ones)
        for name in (log, self.tenant):
            shutil.copy(name + ".after", name)
        self.running.start()
        self.check(self.running)
        self.assertEqual(2, len(self.running.get("/api/v1/documents", expect=200).json["items"]))


if __name__ == "__main__":
    main()
