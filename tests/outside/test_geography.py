# SPDX-License-Identifier: LGPL-2.1-or-later
"""From which countries callers may come: the whole host's rule, a tenant's, a workspace's, a key's; and the database, which may be replaced."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

from reeve import HOST, SOURCE, Host, main

sys.path.insert(0, os.path.join(SOURCE, "tests", "helpers"))
import mmdb  # noqa: E402

DE, FR, JP, NOWHERE, PRIVATE = "192.0.2.7", "198.51.100.7", "203.0.113.7", "233.252.0.7", "10.1.2.3"
NETWORKS = {"192.0.2.0/24": "DE", "198.51.100.0/24": "FR", "203.0.113.0/24": "JP", "2001:db8::/32": "DE"}
CONFIG = """
server:
  trusted_proxies: [127.0.0.1]
  geography:
    database: {path}
    countries_deny: [JP]
    local_networks: [127.0.0.1]
"""


def by(address):
    return {"X-Forwarded-For": address}


def make(config, networks=None, **options):
    """A host with a database of its own beside its configuration."""
    host = Host(config=config)
    host.database = os.path.join(host.folder.name, "countries.mmdb")
    mmdb.write(host.database, networks or NETWORKS, **options)
    with open(host.config, "w", encoding="utf-8") as file:
        file.write(config.format(path=host.database))
    return host


def wait(condition, what):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.02)


class Countries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = make(CONFIG).start()
        cls.addClassCleanup(cls.host.close)
        cls.number = 0

    def me(self, address, expect, key="admin"):
        answer = self.host.get("/api/v1/me", headers=by(address) if address else {}, key=key, expect=expect)
        if expect == 403:
            self.assertEqual("requests from this country are not allowed", answer.json["detail"].rpartition(": ")[2])
            self.assertTrue(answer.json["type"].endswith("country-denied"), answer)
        return answer

    def user(self, tenant=None, role="viewer"):
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        type(self).number += 1
        body = {"username": f"u{self.number}", "roles": [role]}
        return self.host.post("/api/v1/admin/users", body, headers=headers, expect=201).json["user_id"]

    def key(self, user, tenant=None, expect=201, maker="admin", role="viewer", **more):
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        body = {"user_id": user, "name": "k", "roles": [role], **more}
        return self.host.post("/api/v1/admin/keys", body, headers=headers, key=maker, expect=expect).json.get("key")

    def test_the_host(self):
        for address in (None, DE, FR, "::ffff:" + DE, "2001:db8::7", "192.0.2.7:4711"):
            self.me(address, 200)
        # not in the database, private and not said to be local, hidden in an IPv6 address that nobody has, or no address at all
        for address in (JP, NOWHERE, PRIVATE, "::" + DE, "2001:db9::1", "fe80::1", "unknown", "64:ff9b::" + JP, "192.0.2.7%eth0"):
            self.me(address, 403)
        # who was let in from one country is not let in from another
        self.me(DE, 200)
        self.me(JP, 403)
        self.me(DE + ", " + JP, 403)
        self.me(JP + ", " + DE, 200)

    def test_a_tenant(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "plant", "name": "x", "settings": {"countries_allow": ["DE", "JP"]}}, expect=201)
        key = self.key(self.user("plant"), "plant")
        self.me(DE, 200, key)
        self.me(FR, 403, key)
        self.me(JP, 403, key)  # the host's rule holds as well
        self.me(None, 200, key)
        for settings, status in (({"countries_allow": ["FR"]}, 403), ({"countries_deny": ["DE"]}, 403), ({"countries_deny": ["FR"]}, 200),
                                 ({}, 200)):
            self.host.put("/api/v1/admin/tenants/plant", {"settings": settings}, expect=200)
            self.me(DE, status, key)
        # what is no country is refused, and what held goes on
        answer = self.host.put("/api/v1/admin/tenants/plant", {"settings": {"countries_deny": ["DE", "UK"]}}, expect=400)
        self.assertEqual(answer.json["errors"][0]["pointer"], "/settings/countries_deny/1")
        self.me(DE, 200, key)

    def test_it_is_recorded(self):
        self.me(JP, 403)
        logs = pathlib.Path(self.host.state, "ledger", "@platform")

        def read():
            return b"".join(path.read_bytes() for path in logs.rglob("*.log"))
        wait(lambda: b"country_denied" in read(), "the refusal is in no ledger")
        self.assertNotIn(JP.encode(), read())

    def test_a_key(self):
        user = self.user(role="admin")
        key = self.key(user, role="admin", countries_allow=["DE"])
        self.me(DE, 200, key)
        self.me(FR, 403, key)
        denied = self.key(user, role="admin", countries_deny=["FR"])
        self.me(FR, 403, denied)
        self.me(DE, 200, denied)
        self.key(user, expect=400, countries_allow=["UK"])
        self.key(user, expect=400, countries_deny=["de"])
        # a key makes none that goes further
        headers = by(DE)
        body = {"user_id": user, "name": "k", "roles": ["viewer"]}
        self.host.post("/api/v1/admin/keys", {**body, "countries_allow": ["DE", "FR"]}, key=key, headers=headers, expect=403)
        for maker, shown in ((key, {"countries_allow": ["DE"]}), (denied, {"countries_deny": ["FR"]})):
            made = self.host.post("/api/v1/admin/keys", body, key=maker, headers=headers, expect=201).json
            self.assertEqual(shown, {name: made[name] for name in shown})
            self.me(FR, 403, made["key"])
            rotated = self.host.post(f"/api/v1/admin/keys/{made['key_id']}/rotate", {}, expect=201).json
            self.me(FR, 403, rotated["key"])
            self.me(DE, 200, rotated["key"])

    def test_a_workspace(self):
        made = self.host.post("/api/v1/admin/workspaces", {"name": "w", "countries_allow": ["DE"]}, expect=201).json
        workspace = made["workspace_id"]
        self.assertEqual(["DE"], made["countries_allow"])
        path = f"/api/v1/admin/workspaces/{workspace}"
        self.host.get(path, headers=by(DE), expect=200)
        refused = self.host.get(path, headers=by(FR), expect=403).json
        self.assertTrue(refused["type"].endswith("country-denied"))
        self.host.put(path, {"countries_allow": []}, headers=by(FR), expect=403)
        self.host.put(path, {"countries_deny": ["UK"]}, expect=400)
        self.host.put(path, {"countries_deny": ["UK", "FR"]}, expect=400)
        self.host.put(path, {"countries_allow": [], "countries_deny": ["FR"]}, expect=200)
        self.host.get(path, headers=by(FR), expect=403)
        self.host.put(path, {"countries_deny": []}, expect=200)
        self.host.get(path, headers=by(FR), expect=200)
        wait(lambda: any(r["reason"] == "country_denied" and r["action"] == "workspaces.get" for r in self.host.records(outcome="blocked")),
             "the refusal is not in the ledger")


class Database(unittest.TestCase):
    def test_it_is_replaced_while_the_host_runs(self):
        with make(CONFIG) as host:
            def status(address):
                return host.get("/api/v1/me", headers=by(address)).status

            def check():
                return next(i for i in host.get("/api/v1/admin/doctor", expect=200).json["items"] if i["id"] == "network.geography")

            self.assertEqual((200, 403), (status(DE), status(JP)))
            self.assertEqual("ok", check()["state"])
            # by itself; who was let in by the old one is judged anew
            mmdb.write(host.database, {"192.0.2.0/24": "JP", "203.0.113.0/24": "DE"}, size=28)
            wait(lambda: status(DE) == 403, "the new database was not read")
            self.assertEqual(200, status(JP))
            # cut short while it is in use, and then rubbish: the old one stays
            with open(host.database, "r+b") as file:
                file.truncate(10)
            host.process.send_signal(signal.SIGHUP)
            wait(lambda: "the old one stays" in host.read_log(), "nobody warned")
            self.assertEqual((403, 200), (status(DE), status(JP)))
            self.assertEqual("fail", check()["state"])
            mmdb.write(host.database, NETWORKS, size=32, made_at=1)
            host.process.send_signal(signal.SIGHUP)
            wait(lambda: status(DE) == 200, "the third database was not read")
            self.assertEqual("warn", check()["state"])
            os.unlink(host.database)
            host.process.send_signal(signal.SIGHUP)
            wait(lambda: check()["state"] == "fail", "nobody misses it")
            self.assertEqual((200, 403), (status(DE), status(JP)))

    def test_what_is_unknown_may_be_allowed(self):
        config = CONFIG + "    unknown: allow\n"
        with make(config, {"192.0.2.0/24": "DE", "203.0.113.0/24": "JP"}, version=4) as host:
            for address, expect in ((DE, 200), (JP, 403), (NOWHERE, 200), ("2001:db8::1", 200), ("unknown", 403)):
                host.get("/api/v1/me", headers=by(address), expect=expect)

    def test_without_a_database(self):
        """A rule that nobody can judge lets nobody in, whatever is unknown elsewhere."""
        with Host(config="server: {geography: {unknown: allow}}\n") as host:
            user = host.get("/api/v1/me", expect=200).json["user_id"]
            body = {"user_id": user, "name": "k", "roles": ["viewer"], "countries_deny": ["FR"]}
            key = host.post("/api/v1/admin/keys", body, expect=201).json["key"]
            host.get("/api/v1/me", key=key, expect=403)
            items = host.get("/api/v1/admin/doctor", expect=200).json["items"]
            self.assertEqual("not_applicable", {i["id"]: i["state"] for i in items}["network.geography"])

    def test_what_cannot_be_read_stops_the_start(self):
        for geography, name in (("countries_allow: [DE]", "countries_allow"), ("database: /nowhere.mmdb", "database"),
                                ("database: {path}, countries_deny: [UK]", "countries_deny"), ("local_networks: [1.2.3]", "local_networks")):
            host = make(f"server: {{{{geography: {{{{{geography}}}}}}}}}\n".replace("{{path}}", "{path}"))
            done = subprocess.run([HOST, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"],
                                  capture_output=True, text=True, timeout=120, check=False)
            host.folder.cleanup()
            self.assertEqual(78, done.returncode, done.stderr)
            self.assertIn(f"server.geography.{name}", done.stderr)


if __name__ == "__main__":
    main()
