# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ledger, keys and tenants from outside: kill -9 under load, damage found, settings that bind, keys that stop at once."""

import http.client
import json
import os
import threading
import time
import unittest
import urllib.parse

from reeve import Host, main

KINDS = ("intent", "outcome", "read", "refusal", "event")


def all_records(host, **options):
    """Every record of the tenant, newest first."""
    cursor = ""
    while True:
        page = host.get(f"/api/v1/admin/audit?limit=500{cursor}", expect=200, **options).json
        yield from page["items"]
        if not page["next_cursor"]:
            return
        cursor = "&cursor=" + page["next_cursor"]


class Crash(unittest.TestCase):
    def load(self, host, number, acknowledged):
        """Creates users until the host is gone; notes each that was answered."""
        address = urllib.parse.urlsplit(host.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        headers = {"Authorization": "Bearer " + host.key, "Content-Type": "application/json"}
        count = 0
        try:
            while True:
                body = json.dumps({"username": f"u{time.monotonic_ns()}-{number}", "roles": ["viewer"]})
                connection.request("POST", "/api/v1/admin/users", body, headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 201:
                    acknowledged.append(json.loads(text)["user_id"])
                count += 1
        except (OSError, http.client.HTTPException):
            connection.close()

    def test_kill_under_load_loses_nothing_acknowledged(self):
        acknowledged = []
        with Host() as host:
            for round_number in range(3):
                threads = [threading.Thread(target=self.load, args=(host, i, acknowledged)) for i in range(12)]
                for thread in threads:
                    thread.start()
                time.sleep(0.3 + 0.3 * round_number)
                host.kill()
                for thread in threads:
                    thread.join()
                # as the crash left it, and without the host
                host.ctl("audit", "verify")
                host.start()
            self.assertGreater(len(acknowledged), 20)
            for user_id in acknowledged[:: max(len(acknowledged) // 100, 1)]:
                host.get(f"/api/v1/admin/users/{user_id}", expect=200)
            users, cursor = set(), ""
            while cursor is not None:
                page = host.get(f"/api/v1/admin/users?limit=500{cursor}", expect=200).json
                users |= {user["user_id"] for user in page["items"]}
                cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
            self.assertEqual(set(acknowledged) - users, set())
            self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
            records = list(all_records(host))
            self.assertEqual([r["seq"] for r in records], list(range(len(records), 0, -1)))
            intents = {r["seq"] for r in records if r["kind"] == "intent"}
            outcomes = [r["intent"] for r in records if r["kind"] == "outcome"]
            self.assertEqual(len(outcomes), len(set(outcomes)))
            self.assertEqual(set(outcomes), intents)
            self.assertLessEqual({r["kind"] for r in records}, set(KINDS))
            for later, earlier in zip(records, records[1:]):
                self.assertEqual(later["previous_hash"], earlier["hash"])


class Damage(unittest.TestCase):
    def test_every_file_is_covered_after_a_clean_stop(self):
        with Host() as host:
            host.user("viewer")
            host.stop()
            folder = os.path.join(host.state, "ledger")
            self.assertIn("good", host.ctl("--human", "audit", "verify").stdout)
            files = [os.path.join(where, name) for where, _, names in os.walk(folder) for name in names]
            covered = [f for f in files if not f.endswith((".idx", ".lock"))]
            self.assertGreaterEqual(len(covered), 4)
            for path in covered:
                with open(path, "rb") as file:
                    content = file.read()
                flipped = bytearray(content)
                flipped[len(flipped) // 2] ^= 4
                for damaged in (bytes(flipped), content[:-1], content[: len(content) // 2], b"", content + b"\0", None):
                    if damaged is None:
                        os.unlink(path)
                    else:
                        with open(path, "wb") as file:
                            file.write(damaged)
                    done = host.ctl("audit", "verify", expect=1)
                    self.assertFalse(json.loads(done.stdout)["valid"], path)
                with open(path, "wb") as file:
                    file.write(content)
            for path in [f for f in files if f.endswith(".idx")]:
                os.unlink(path)
            host.ctl("audit", "verify")
            host.start()
            self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
            host.get("/api/v1/admin/audit/1", expect=200)


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def make(self, **more):
        me = self.host.get("/api/v1/me", expect=200).json
        body = {"user_id": me["user_id"], "name": "k", "roles": ["viewer"], **more}
        return self.host.post("/api/v1/admin/keys", body, expect=201).json

    def test_a_revoked_key_stops_at_once(self):
        for _ in range(5):
            made = self.make()
            for _ in range(3):
                self.host.get("/api/v1/me", key=made["key"], expect=200)
            self.host.get("/api/v1/me", key=None, headers={"X-API-Key": made["key"]}, expect=200)
            self.host.delete(f"/api/v1/admin/keys/{made['key_id']}", expect=204)
            self.host.get("/api/v1/me", key=made["key"], expect=401)
            self.host.get("/api/v1/me", key=None, headers={"X-API-Key": made["key"]}, expect=401)

    def test_a_key_is_shown_once_and_lies_nowhere(self):
        body = {"user_id": self.host.get("/api/v1/me").json["user_id"], "name": "k", "roles": ["viewer"]}
        once = {"Idempotency-Key": "once"}
        made = self.host.post("/api/v1/admin/keys", body, headers=once, expect=201).json
        again = self.host.post("/api/v1/admin/keys", body, headers=once, expect=201).json
        self.assertEqual(made["key"], again["key"])
        items = self.host.get("/api/v1/admin/keys?limit=500", expect=200).json["items"]
        self.assertIn(made["key_id"], [item["key_id"] for item in items])
        self.assertFalse([item for item in items if "key" in item or "digest" in item])
        secret = made["key"].rsplit("_", 1)[1].encode()
        for where, _, names in os.walk(self.host.state):
            for name in names:
                with open(os.path.join(where, name), "rb") as file:
                    self.assertNotIn(secret, file.read(), name)
        self.assertNotIn(secret.decode(), self.host.read_log())

    def test_a_weak_key_makes_no_strong_one(self):
        strong = self.host.user("operator")
        body = {"user_id": self.host.get("/api/v1/me", key=strong).json["user_id"], "name": "k", "roles": ["viewer"]}
        weak = self.host.post("/api/v1/admin/keys", body, key=strong, expect=201).json["key"]
        for key, role in ((weak, "operator"), (strong, "admin")):
            refused = self.host.post("/api/v1/admin/keys", {**body, "roles": [role]}, key=key, expect=403)
            self.assertIn("permission", refused.json["detail"])
        refused = self.host.post("/api/v1/admin/keys", {**body, "user_id": self.make()["user_id"]}, key=strong, expect=403)
        self.assertIn("user:manage", refused.json["detail"])

    def test_an_expired_key_is_refused(self):
        for seconds in (1.2, 5, 30):
            soon = time.time() + seconds
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon)) + f".{int(soon % 1 * 1000):03}Z"
            me = self.host.get("/api/v1/me", expect=200).json
            made = self.host.post("/api/v1/admin/keys", {"user_id": me["user_id"], "name": "k", "roles": ["viewer"], "expires_at": text})
            status = self.host.get("/api/v1/me", key=made.json["key"]).status if made.status == 201 else made.status
            if time.time() < soon - 0.01:
                break  # else the machine was so busy that it may have expired: once more, with a longer life
        self.assertEqual(200, status)
        time.sleep(max(soon - time.time(), 0) + 0.1)
        self.host.get("/api/v1/me", key=made.json["key"], expect=401)


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)

    def tenant(self, name, **settings):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": name, "settings": settings}, expect=201)
        return {"X-Tenant-ID": name}

    def agent(self, headers, expect=201):
        body = {"name": "a", "initial_definition": {"system_prompt": "x", "tools": []}}
        return self.host.post("/api/v1/admin/agents", body, headers=headers, expect=expect).json

    def test_max_agents(self):
        there = self.tenant("few", max_agents=2)
        first = self.agent(there)
        self.agent(there)
        self.assertIn("max_agents", self.agent(there, expect=409)["detail"])
        self.host.delete(f"/api/v1/admin/agents/{first['agent_id']}", headers=there, expect=204)
        self.agent(there)
        self.host.stop()
        self.host.start()
        self.agent(there, expect=409)

    def test_max_concurrent_sessions(self):
        there = self.tenant("nobody", max_concurrent_sessions=0)
        agent_id = self.agent(there)["agent_id"]
        refused = self.host.post("/api/v1/agents/execute", {"agent_id": agent_id, "mission": "x"}, headers=there, expect=429)
        self.assertIn("max_concurrent_sessions", refused.json["detail"])

    def test_features(self):
        there = self.tenant("plain", features=["long_term_memory"])
        refused = self.host.post("/api/v1/documents/search", {"query": "x"}, headers=there, expect=403)
        self.assertIn("rag", refused.json["detail"])
        self.host.post("/api/v1/documents/search", {"query": "x"}, expect=200)

    def test_acting_in_another_tenant_shows_in_both_logs(self):
        there = self.tenant("visited")
        agent_id = self.agent(there)["agent_id"]
        self.host.get(f"/api/v1/admin/agents/{agent_id}", headers=there, expect=200)
        self.host.get(f"/api/v1/admin/agents/{agent_id}", expect=404)
        away = [r["action"] for r in all_records(self.host, headers=there)]
        self.assertIn("agents.create", away)
        home = [r for r in all_records(self.host) if r.get("reason") == "acting_in_tenant"]
        self.assertIn(("agents.create", "visited"), [(r["action"], r["resource"]["id"]) for r in home])


if __name__ == "__main__":
    main()
