# SPDX-License-Identifier: LGPL-2.1-or-later
"""From where callers may come: the whole host's list, a tenant's, a key's; and whom a proxy is believed."""

import subprocess
import unittest

from reeve import HOST, Host, main

PROXY = "server: {trusted_proxies: [127.0.0.1], ip_allow: [127.0.0.1, 192.0.2.0/24]}\n"


def by(address):
    return {"X-Forwarded-For": address}


class Network(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host(config=PROXY).start()
        cls.addClassCleanup(cls.host.close)

    def me(self, address, **options):
        return self.host.get("/api/v1/me", headers=by(address), **options)

    def test_the_list_of_the_host(self):
        self.me("192.0.2.7", expect=200)
        said = self.me("198.51.100.7", expect=403).json["detail"]
        self.assertNotIn("192.0.2", said)
        # what stands left of an untrusted one was written by anybody
        self.me("192.0.2.7, 198.51.100.7", expect=403)
        self.me("198.51.100.7, 192.0.2.7", expect=200)
        # who was let in from one place is not let in from another
        self.me("192.0.2.7", expect=200)
        self.me("198.51.100.7", expect=403)

    def test_the_list_of_a_tenant(self):
        there = {"X-Tenant-ID": "plant"}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "plant", "name": "x", "settings": {"ip_allow": ["192.0.2.8/29"]}}, expect=201)
        user = self.host.post("/api/v1/admin/users", {"username": "u", "roles": ["viewer"]}, headers=there, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": ["viewer"]}
        key = self.host.post("/api/v1/admin/keys", body, headers=there, expect=201).json["key"]
        self.me("192.0.2.9", key=key, expect=200)
        self.me("192.0.2.1", key=key, expect=403)
        self.host.get("/api/v1/me", key=key, expect=403)
        # the key's own must allow it as well
        narrow = self.host.post("/api/v1/admin/keys", {**body, "ip_allow": ["192.0.2.9"]}, headers=there, expect=201).json["key"]
        self.me("192.0.2.9", key=narrow, expect=200)
        self.me("192.0.2.10", key=narrow, expect=401)
        # a change is felt at once, and one that cannot be read allows nothing
        for allow, status in ((["192.0.2.9/32"], 403), ([], 200), (["1.2.3"], 403)):
            self.host.put("/api/v1/admin/tenants/plant", {"settings": {"ip_allow": allow}}, expect=200)
            self.me("192.0.2.1", key=key, expect=status)


class Proxies(unittest.TestCase):
    def test_nobody_is_believed_who_is_not_trusted(self):
        with Host(config="server: {ip_allow: [127.0.0.1]}\n") as host:
            host.get("/api/v1/me", headers=by("192.0.2.7"), expect=200)
        with Host(config="server: {trusted_proxies: [10.0.0.0/8]}\n") as host:
            user = host.get("/api/v1/me").json["user_id"]
            key = host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["viewer"], "ip_allow": ["192.0.2.7"]}, expect=201).json["key"]
            host.get("/api/v1/me", key=key, headers=by("192.0.2.7"), expect=401)

    def test_lists_that_cannot_be_read(self):
        for name in ("trusted_proxies", "ip_allow"):
            host = Host(config=f"server: {{{name}: [1.2.3.4.5]}}\n")
            done = subprocess.run([HOST, "--config", host.config, "--state-dir", host.state, "--listen", "127.0.0.1:0", "--bus", "none"],
                                  capture_output=True, text=True, timeout=120, check=False)
            host.folder.cleanup()
            self.assertEqual(78, done.returncode, done.stderr)
            self.assertIn(f"server.{name}", done.stderr)


if __name__ == "__main__":
    main()
