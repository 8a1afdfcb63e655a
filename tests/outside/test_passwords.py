# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passwords from outside: login, what is refused and how, locks, and that nothing lets a password out."""

import base64
import http.client
import json
import os
import subprocess
import threading
import time
import unicodedata
import unittest
import urllib.parse

import table
from reeve import Host, main
from test_bus import Bus

GOOD = "four words nobody guesses"
OTHER = "quite another long secret"
CONFIG = """
authentication:
  passwords: {{memory: 64KiB, iterations: 1{more}}}
  providers:
    - {{id: keys, plugin: auth-api-key}}
    - {{id: passwords, plugin: auth-basic, settings: {{{settings}}}}}
"""


def basic(name, password, scheme="Basic"):
    return f"{scheme} " + base64.b64encode(f"{name}:{password}".encode()).decode()


class Passwords(unittest.TestCase):
    number = 0

    @classmethod
    def open(cls, more="", settings="", **options):
        host = Host(config=CONFIG.format(more=more, settings=settings), **options)
        cls.addClassCleanup(host.close)
        return host.start()

    def user(self, host, password=GOOD, roles=("operator",), name=None, tenant=None):
        """(id, name)"""
        Passwords.number += 1
        name = name or f"user-{self.number}"
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        user_id = host.post("/api/v1/admin/users", {"username": name, "roles": list(roles)}, headers=headers, expect=201).json["user_id"]
        if password is not None:
            self.set(host, user_id, password, headers=headers)
        return user_id, name

    def set(self, host, user_id, password, expect=200, **options):
        return host.put(f"/api/v1/admin/users/{user_id}/password", {"password": password}, expect=expect, **options).json

    def show(self, host, user_id):
        return host.get(f"/api/v1/admin/users/{user_id}/password", expect=200).json

    def login(self, host, name, password, method="GET", path="/api/v1/me", body=None, **options):
        return host.call(method, path, body, key=None, headers={"Authorization": basic(name, password, **options)})

    def login_from(self, host, address, name, password):
        """The status of a login that comes from another address of the loopback net."""
        where = urllib.parse.urlsplit(host.url)
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30, source_address=(address, 0))
        connection.request("GET", "/api/v1/me", headers={"Authorization": basic(name, password)})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status


class Login(Passwords):
    @classmethod
    def setUpClass(cls):
        cls.host = cls.open(more=", lock_failures: 0, lock_address_failures: 0")

    def test_name_and_password(self):
        user_id, name = self.user(self.host)
        for scheme in ("Basic", "basic", "BASIC"):
            me = self.login(self.host, name, GOOD, scheme=scheme)
            self.assertEqual(200, me.status, me)
            self.assertEqual((user_id, "basic", ["operator"], None), tuple(me.json[m] for m in ("user_id", "authenticated_by", "roles", "key_id")))
        self.assertEqual(200, self.login(self.host, f"default/{name}", GOOD).status)
        self.assertEqual(403, self.login(self.host, name, GOOD, path="/api/v1/admin/users").status)
        self.assertEqual(404, self.host.get("/api/v1/me", key=None, headers={"Authorization": basic(name, GOOD), "X-Tenant-ID": "elsewhere"}).status)

    def test_a_user_of_another_tenant_names_it(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "plant", "name": "x"}, expect=201)
        user_id, name = self.user(self.host, tenant="plant")
        me = self.login(self.host, f"plant/{name}", GOOD)
        self.assertEqual((200, "plant", user_id), (me.status, me.json["tenant_id"], me.json["user_id"]))
        for other in (name, f"default/{name}", f"nowhere/{name}", f"plant/x/{name}", f"/{name}", f"PLANT/{name}"):
            self.assertEqual(401, self.login(self.host, other, GOOD).status, other)

    def test_all_that_is_wrong_is_refused_in_the_same_words(self):
        _, name = self.user(self.host)
        _, without = self.user(self.host, password=None)
        said = set()
        for who, password in ((name, OTHER), (name, GOOD + " "), (name, GOOD[:-1]), (name, GOOD.upper()), (name, ""), (without, GOOD), ("nobody", GOOD),
                              ("", GOOD), (f"nowhere/{name}", GOOD), ("@platform/" + name, GOOD), (name, "x" * 1025), (name, GOOD + "\n"), (name, "\0" + GOOD)):
            refused = self.login(self.host, who, password)
            self.assertEqual(401, refused.status, (who, refused))
            said.add((refused.json["detail"], refused.headers["WWW-Authenticate"], tuple(sorted(refused.json))))
        for token in ("", "=", "!!!", "YQ", "YTo=", "Ojo=", "YTpi=", "Y Q==", "/w==", base64.b64encode(b"\xff\xfe:" + GOOD.encode()).decode(), "A" * 4097, "YTpiYg=="):
            refused = self.host.get("/api/v1/me", key=None, headers={"Authorization": "Basic " + token})
            self.assertEqual(401, refused.status, token)
            if token:
                said.add((refused.json["detail"], refused.headers["WWW-Authenticate"], tuple(sorted(refused.json))))
        self.assertEqual(1, len(said), said)

    def test_text_beyond_ascii_in_every_form(self):
        password = "Grüße aus Genève und Łódź ☃"
        _, name = self.user(self.host, password=unicodedata.normalize("NFD", password))
        for form in ("NFC", "NFD"):
            self.assertEqual(200, self.login(self.host, name, unicodedata.normalize(form, password)).status, form)

    def test_a_name_is_one_in_every_case_and_form(self):
        _, name = self.user(self.host, name="Anna.\u00c4rger")
        for form in (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name), "\uff21nna.\u00e4rger"):
            self.assertEqual(200, self.login(self.host, form, GOOD).status, form)
            self.host.post("/api/v1/admin/users", {"username": form, "roles": []}, expect=409)
        self.assertEqual("Anna.\u00c4rger", name)

        user_id, name = self.user(self.host, password=None)
        for password, reason in (("short", "12 characters"), ("ü" * 11, "12 characters"), (name + "-12345", "the name of its user"), ("x" * 1025, None), ("line\nfeed and more", "control"),
                                 ("", None), (7, None)):
            refused = self.set(self.host, user_id, password, expect=400)
            self.assertIn(reason or "", json.dumps(refused))
            if isinstance(password, str) and password:
                self.assertNotIn(password, json.dumps(refused))
        self.host.put(f"/api/v1/admin/users/{user_id}/password", {"password": GOOD, "more": 1}, expect=400)
        self.host.put(f"/api/v1/admin/users/{user_id}/password", {}, expect=400)
        self.assertEqual({"user_id": user_id, "is_set": False, "changed_at": None, "locked_until": None}, self.show(self.host, user_id))
        self.assertTrue(self.set(self.host, user_id, "ü" * 12)["is_set"])
        self.host.put("/api/v1/admin/users/usr_00000000000000000000000000/password", {"password": GOOD}, expect=404)
        colon, _ = self.user(self.host, password=None, name="with:colon")
        self.assertIn("colon", self.set(self.host, colon, GOOD, expect=400)["detail"])

    def test_every_change_is_felt_at_once(self):
        user_id, name = self.user(self.host)
        self.assertEqual(200, self.login(self.host, name, GOOD).status)
        self.set(self.host, user_id, OTHER)
        self.assertEqual((401, 200), (self.login(self.host, name, GOOD).status, self.login(self.host, name, OTHER).status))
        self.host.call("PATCH", f"/api/v1/admin/users/{user_id}", {"status": "disabled"}, expect=200)
        self.assertEqual(401, self.login(self.host, name, OTHER).status)
        self.host.call("PATCH", f"/api/v1/admin/users/{user_id}", {"status": "active"}, expect=200)
        self.assertEqual(200, self.login(self.host, name, OTHER).status)
        self.host.delete(f"/api/v1/admin/users/{user_id}/password", expect=204)
        self.assertEqual(401, self.login(self.host, name, OTHER).status)
        self.set(self.host, user_id, GOOD)
        self.host.delete(f"/api/v1/admin/users/{user_id}", expect=204)
        self.assertEqual(401, self.login(self.host, name, GOOD).status)
        self.host.get(f"/api/v1/admin/users/{user_id}/password", expect=404)

    def test_own_password(self):
        _, name = self.user(self.host)

        def change(current, new):
            return self.login(self.host, name, GOOD, "PUT", "/api/v1/me/password", {"current": current, "new": new})
        self.assertEqual(403, change(OTHER, OTHER).status)
        self.assertEqual(400, change(GOOD, "short").status)
        self.assertEqual(400, change(GOOD, name + "-12345").status)
        changed = change(GOOD, OTHER)
        self.assertEqual((200, True), (changed.status, changed.json["is_set"]))
        self.assertEqual((401, 200), (self.login(self.host, name, GOOD).status, self.login(self.host, name, OTHER).status))
        self.host.put("/api/v1/me/password", {"current": GOOD, "new": OTHER}, expect=409)

    def test_nobody_gets_more_by_setting_a_password(self):
        tenant = "reach"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": "x"}, expect=201)
        _, admin = self.user(self.host, roles=["admin"])
        platform_admin = self.host.get("/api/v1/me").json["user_id"]
        stranger, _ = self.user(self.host, tenant=tenant)
        operator_id, operator = self.user(self.host)
        path = f"/api/v1/admin/users/{platform_admin}/password"
        self.assertEqual(403, self.login(self.host, admin, GOOD, "PUT", path, {"password": OTHER}).status)
        self.assertEqual(403, self.login(self.host, admin, GOOD, "DELETE", path).status)
        self.assertEqual(404, self.login(self.host, admin, GOOD, "PUT", f"/api/v1/admin/users/{stranger}/password", {"password": OTHER}).status)
        self.assertEqual(200, self.login(self.host, admin, GOOD, "PUT", f"/api/v1/admin/users/{operator_id}/password", {"password": GOOD}).status)
        refused = self.login(self.host, operator, GOOD, "PUT", f"/api/v1/admin/users/{operator_id}/password", {"password": OTHER})
        self.assertEqual((403, True), (refused.status, "user:manage" in refused.json["detail"]))

    def test_a_password_is_nowhere(self):
        secret, second = "unmistakable secret one", "unmistakable secret two"
        user_id, name = self.user(self.host, password=None)
        self.set(self.host, user_id, secret)
        self.assertEqual(200, self.login(self.host, name, secret).status)
        self.login(self.host, name, second)
        self.assertEqual(200, self.login(self.host, name, secret, "PUT", "/api/v1/me/password", {"current": secret, "new": second}).status)
        records = self.host.get("/api/v1/admin/audit?action=passwords.set&limit=500", expect=200).json["items"]
        about = [r for r in records if r.get("resource", {}).get("id") == user_id]
        self.assertTrue(about)
        # not even what it could be guessed by
        wanted = table.digest(table.OPERATIONS["passwords.set"], {"user_id": user_id, "password": secret}, "rest")
        self.assertIn(wanted, {r.get("input_digest") for r in about})
        needles = [form(text.encode()) for text in (secret, second) for form in (bytes, base64.b64encode, lambda b: b.hex().encode())]
        needles += [base64.b64encode(f"{name}:{text}".encode()) for text in (secret, second)]
        self.host.stop()
        for folder, _folders, files in os.walk(self.host.folder.name):
            for file in files:
                with open(os.path.join(folder, file), "rb") as opened:
                    data = opened.read()
                for needle in needles:
                    self.assertNotIn(needle, data, file)
        self.host.start()

    def test_command_line(self):
        user_id, name = self.user(self.host, password=None)
        with open(os.path.join(self.host.folder.name, "secret"), "w", encoding="utf-8") as file:
            file.write(GOOD + "\n")
        self.host.ctl("passwords", "set", user_id, "--password", file.name)
        # nobody takes the first line for the whole
        for more in (f"{GOOD}\nmore\n", f"{GOOD}\r\nmore", f"\n{GOOD}", f"{GOOD}\0more"):
            with open(file.name, "w", encoding="utf-8", newline="") as lines:
                lines.write(more)
            said = self.host.ctl("passwords", "set", user_id, "--password", file.name, expect=2).stderr
            self.assertRegex(said, "password: (has more than one line|is not UTF-8)")
            self.assertNotIn(GOOD, said)
        with open(file.name, "w", encoding="utf-8", newline="") as lines:
            lines.write(f"{GOOD}\r\n")
        self.host.ctl("passwords", "set", user_id, "--password", file.name)
        os.unlink(file.name)
        self.assertEqual(200, self.login(self.host, name, GOOD).status)
        self.assertIn("name of a file", self.host.ctl("passwords", "set", user_id, "--password", GOOD, expect=2).stderr)
        self.assertIn("is_set", self.host.ctl("passwords", "show", user_id).stdout)

    def test_many_at_once(self):
        _, name = self.user(self.host)
        seen = []

        def come(number):
            seen.append(self.login(self.host, name, GOOD if number % 2 else OTHER).status)
        threads = [threading.Thread(target=come, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(seen), {200, 401, 503})
        self.assertEqual(200, self.login(self.host, name, GOOD).status)


class Locks(Passwords):
    @classmethod
    def setUpClass(cls):
        cls.host = cls.open(more=", lock_address_failures: 0")

    def fail(self, name, times=6):
        for _ in range(times):
            self.assertEqual(401, self.login(self.host, name, OTHER).status)

    def wait_for(self, user_id):
        """The lock is written by somebody else."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            items = self.host.get("/api/v1/admin/audit?action=passwords.lock&limit=500", expect=200).json["items"]
            intents = {i["seq"] for i in items if i["kind"] == "intent" and i["resource"]["id"] == user_id}
            if any(i["kind"] == "outcome" and i["intent"] in intents and i["outcome"] == "succeeded" for i in items):
                return
            time.sleep(0.02)
        raise AssertionError("no record of the lock")

    def test_more_than_five_lock_the_user(self):
        user_id, name = self.user(self.host)
        self.fail(name, 5)
        self.assertEqual(200, self.login(self.host, name, GOOD).status)
        # who gets in begins anew
        self.fail(name, 5)
        self.host.put(f"/api/v1/admin/users/{user_id}/password", {"password": GOOD}, expect=200)
        self.fail(name)
        refused = self.login(self.host, name, GOOD)
        self.assertEqual((401, self.login(self.host, "nobody", GOOD).json["detail"]), (refused.status, refused.json["detail"]))
        self.assertIsNotNone(self.show(self.host, user_id)["locked_until"])
        self.assertIn(f"user {user_id} of tenant default is locked", self.host.read_log())
        # whom it does not concern gets in
        _, other = self.user(self.host)
        self.assertEqual(200, self.login(self.host, other, GOOD).status)

    def test_an_administrator_unlocks(self):
        user_id, name = self.user(self.host)
        self.fail(name)
        self.wait_for(user_id)
        self.assertEqual(401, self.login(self.host, name, GOOD).status)
        self.assertIsNone(self.host.post(f"/api/v1/admin/users/{user_id}/unlock", expect=200).json["locked_until"])
        self.assertEqual(200, self.login(self.host, name, GOOD).status)
        self.host.ctl("users", "unlock", user_id)

    def test_a_lock_outlives_the_host(self):
        user_id, name = self.user(self.host)
        self.fail(name)
        self.wait_for(user_id)
        self.host.kill()
        self.host.start()
        self.assertEqual(401, self.login(self.host, name, GOOD).status)
        self.host.post(f"/api/v1/admin/users/{user_id}/unlock", expect=200)
        self.assertEqual(200, self.login(self.host, name, GOOD).status)

    def test_another_case_is_no_new_name_to_guess_at(self):
        _, name = self.user(self.host, name="guessed-at")
        for form in ("guessed-at", "GUESSED-AT", "Guessed-At", "\uff47uessed-at", "gUESSED-aT", "guesseD-aT"):
            self.fail(form, 1)
        self.assertEqual(401, self.login(self.host, name, GOOD).status)

    def test_guessing_at_ones_own_password_counts(self):
        _, name = self.user(self.host)
        for _ in range(6):
            self.assertEqual(403, self.login(self.host, name, GOOD, "PUT", "/api/v1/me/password", {"current": OTHER, "new": OTHER}).status)
        refused = self.login(self.host, name, GOOD, "PUT", "/api/v1/me/password", {"current": GOOD, "new": OTHER})
        self.assertIn(refused.status, (401, 403))

    def test_at_once_no_more_than_one_after_the_other(self):
        _, name = self.user(self.host)
        seen = []
        threads = [threading.Thread(target=lambda: seen.append(self.login(self.host, name, OTHER).status)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual(set(seen), {401, 503})
        self.fail(name, 6)
        self.assertEqual(401, self.login(self.host, name, GOOD).status)


class Addresses(Passwords):
    def test_an_address_is_locked_whoever_it_says_it_is(self):
        host = self.open(more=", lock_failures: 0, lock_address_failures: 3")
        user_id, name = self.user(host)
        for number in range(4):
            self.assertEqual(401, self.login_from(host, "127.0.0.9", f"guess-{number}", GOOD))
        self.assertEqual(401, self.login_from(host, "127.0.0.9", name, GOOD))
        self.assertEqual(200, self.login_from(host, "127.0.0.8", name, GOOD))
        self.assertIn("an address is locked", host.read_log())
        self.assertNotIn("127.0.0.9", host.read_log())

    def test_a_lock_ends(self):
        host = self.open(more=", lock_failures: 1, lock_duration: 1s")
        user_id, name = self.user(host)
        for _ in range(2):
            self.login(host, name, OTHER)
        self.assertEqual(401, self.login(host, name, GOOD).status)
        end = time.monotonic() + 30
        while self.login(host, name, GOOD).status != 200:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    def test_unlocking_a_user_lifts_the_lock_of_his_address(self):
        host = self.open(more=", lock_failures: 2, lock_address_failures: 2")
        user_id, name = self.user(host)
        for _ in range(3):
            self.login(host, name, OTHER)
        self.assertEqual(401, self.login(host, name, GOOD).status)
        host.post(f"/api/v1/admin/users/{user_id}/unlock", expect=200)
        self.assertEqual(200, self.login(host, name, GOOD).status)


class Costs(Passwords):
    def test_hashes_follow_the_settings(self):
        host = self.open()
        _, name = self.user(host)
        self.assertEqual(200, self.login(host, name, GOOD).status)
        host.stop()
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text.replace("64KiB", "128KiB"))
        host.start()
        self.assertEqual(200, self.login(host, name, GOOD).status)
        end = time.monotonic() + 30
        while not host.get("/api/v1/admin/audit?action=passwords.renew", expect=200).json["items"]:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        host.stop()
        host.start()
        self.assertEqual(200, self.login(host, name, GOOD).status)
        self.assertEqual(401, self.login(host, name, OTHER).status)

    def test_nobody_takes_as_long_as_somebody(self):
        host = self.open(more=", lock_failures: 0, lock_address_failures: 0")
        host.stop()
        with open(host.config, encoding="utf-8") as file:
            text = file.read()
        with open(host.config, "w", encoding="utf-8") as file:
            file.write(text.replace("64KiB, iterations: 1", "16MiB, iterations: 2"))
        host.start()
        _, name = self.user(host)
        _, without = self.user(host, password=None)
        took = {}
        for who in (name, without, "nobody", f"nowhere/{name}") * 5:
            began = time.monotonic()
            self.assertEqual(401, self.login(host, who, OTHER).status)
            took.setdefault(who, []).append(time.monotonic() - began)
        # without a hash it is a hundredth of that
        for who, times in took.items():
            self.assertGreater(sorted(times)[2], sorted(took[name])[2] / 4, who)

    def test_without_the_provider_no_password_lets_in(self):
        with Host(config="authentication: {passwords: {memory: 64KiB, iterations: 1}}\n") as host:
            _, name = self.user(host)
            self.assertEqual(401, self.login(host, name, GOOD).status)


class OverTheBus(Passwords):
    def test_login(self):
        bus = Bus()
        self.addCleanup(bus.close)
        host = self.open(bus="session", environment=bus.environment)
        user_id, name = self.user(host)
        script = ("import json,sys; from gi.repository import Gio, GLib\n"
                  "bus = Gio.bus_get_sync(Gio.BusType.SESSION)\n"
                  "def call(m, *a): return bus.call_sync('io.reeve.Host', '/io/reeve/Host', 'io.reeve.Host1', m, GLib.Variant('(' + 's' * len(a) + ')', a), None, 0, 60000, None)\n"
                  "call('Login', sys.argv[1])\n"
                  "print(call('Call', 'me.get', '{}').unpack()[0])\n")

        def ask(token):
            return subprocess.run(["/usr/bin/python3", "-c", script, token], env=dict(os.environ, **bus.environment), capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(user_id, json.loads(ask(basic(name, GOOD)).stdout)["user_id"])
        refused = ask(basic(name, OTHER))
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("Unauthenticated", refused.stderr)


if __name__ == "__main__":
    main()
