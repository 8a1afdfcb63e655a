# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of a stopped host that are damaged, cut short or gone: the reason is named, and the other tenants are served as ever."""

import os
import unittest

from reeve import Host, main

SECOND = {"X-Tenant-ID": "second"}


class Damage(unittest.TestCase):
    def host(self, config=""):
        host = Host(config=config)
        self.addCleanup(host.close)
        host.start()
        host.post("/api/v1/admin/tenants", {"tenant_id": "second", "name": "Second"}, expect=201)
        for headers in ({}, SECOND):
            for _ in range(30):
                self.create(host, expect=201, headers=headers)
        return host

    def create(self, host, **options):
        body = {"name": "x", "initial_definition": {"system_prompt": "a long one " * 60}}
        return host.post("/api/v1/admin/agents", body, **options)

    @staticmethod
    def path(host, *parts):
        return os.path.join(host.state, *parts)

    def change(self, path, start, step):
        """Inverts 64 bytes of each step-th page from start on."""
        with open(path, "r+b") as file:
            end = file.seek(0, os.SEEK_END)
            self.assertGreater(end, start)
            for at in range(start, end, step):
                file.seek(at + 1000)
                data = file.read(64)
                file.seek(at + 1000)
                file.write(bytes(byte ^ 0xFF for byte in data))

    def check_others(self, host):
        host.get("/health/ready", key=None, expect=200)
        self.assertEqual(31, len(host.get("/api/v1/admin/agents?limit=500", expect=200).json["items"]) + 1)
        self.create(host, expect=201)
        self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def check_second(self, host, reason):
        """What needs the damage is refused with its reason, without telling of the inside; the log has the rest."""
        answers = [host.get("/api/v1/admin/agents?limit=500", headers=SECOND), self.create(host, headers=SECOND)]
        bad = [answer for answer in answers if answer.status not in (200, 201)]
        self.assertTrue(bad, answers)
        for answer in bad:
            self.assertEqual((500, "application/problem+json"), (answer.status, answer.headers["Content-Type"]), answer)
            self.assertTrue(answer.json["type"].endswith("/corrupt"), answer)
            self.assertNotIn(host.state, answer.text)
        self.assertRegex(host.read_log(), reason)

    def test_pages_of_a_tenant(self):
        host = self.host()
        host.stop()
        self.change(self.path(host, "store", "tenants", "second.db"), 4096, 4096)
        host.start()
        self.check_second(host, "second|damaged|malformed")
        self.check_others(host)

    def test_tenant_cut_short(self):
        host = self.host()
        host.stop()
        path = self.path(host, "store", "tenants", "second.db")
        os.truncate(path, os.path.getsize(path) // 8192 * 4096)
        host.start()
        self.check_second(host, "second|malformed")
        self.check_others(host)

    def test_tenant_is_empty(self):
        host = self.host()
        host.stop()
        os.truncate(self.path(host, "store", "tenants", "second.db"), 0)
        host.start()
        self.check_second(host, "second")
        self.check_others(host)

    def test_store_of_a_tenant_is_gone(self):
        """It is known by its keys: that is a loss, and no tenant that never was."""
        host = self.host()
        host.stop()
        os.remove(self.path(host, "store", "tenants", "second.db"))
        host.start()
        self.check_second(host, "second.db is missing")
        self.check_others(host)

    def test_log_of_a_tenant_is_gone(self):
        """Its last commits were only there: an encrypted store knows that it is older than what was acknowledged."""
        host = self.host()
        host.kill()
        os.remove(self.path(host, "store", "tenants", "second.db-wal"))
        host.start()
        self.check_second(host, "rolled back, or lost its log")
        self.check_others(host)

    def test_log_is_gone_without_encryption(self):
        """Nothing in the file tells; what is there is whole."""
        host = self.host("encryption: {enabled: false}")
        host.kill()
        os.remove(self.path(host, "store", "tenants", "second.db-wal"))
        host.start()
        left = host.get("/api/v1/admin/agents?limit=500", headers=SECOND, expect=200).json["items"]
        self.assertLess(len(left), 30)
        self.create(host, headers=SECOND, expect=201)
        self.check_others(host)

    def test_ledger_of_a_tenant(self):
        host = self.host()
        host.stop()
        self.change(self.path(host, "ledger", "second", "00000000000000000001.log"), 0, 8192)
        os.remove(self.path(host, "ledger", "second", "state.idx"))
        host.start()
        self.check_second(host, "the ledger of second is damaged")
        self.check_others(host)

    def test_pipes_in_the_ledger(self):
        """Nobody waits for what never comes out of them: not who verifies, nor the stop, nor the start."""
        host = self.host()
        witnessed = self.path(host, "ledger", "second", "witnessed")
        os.mkfifo(witnessed)
        verdict = host.post("/api/v1/admin/audit/verify", headers=SECOND, expect=200).json
        self.assertFalse(verdict["valid"], verdict)
        self.assertRegex(verdict["error"], "witnessed is no regular file")
        host.stop()
        os.remove(witnessed)
        segment = self.path(host, "ledger", "second", "00000000000000000001.log")
        os.remove(segment)
        os.mkfifo(segment)
        host.start()
        self.check_second(host, "the ledger of second is damaged: .*00000000000000000001.log is no regular file")
        self.check_others(host)
        host.stop()
        for name in ("ledger/@platform/checkpoint", "ledger/ledger.lock", "keys/ledger.pub", "keys/ledger.key"):
            path = self.path(host, *name.split("/"))
            os.rename(path, path + ".lock")
            os.mkfifo(path)
            self.refuses_to_start(host, os.path.basename(path) + ":? is no regular file", code=78 if path.endswith(".key") else 1)
            os.rename(path + ".lock", path)

    def refuses_to_start(self, host, reason, code=1):
        with self.assertRaises(AssertionError) as caught:
            host.start()
        self.assertIn(f"exit {code}", str(caught.exception))
        self.assertRegex(str(caught.exception), reason)
        host.process.stdout.close()
        host.process = None

    def test_platform_store(self):
        host = self.host()
        host.stop()
        os.truncate(self.path(host, "store", "platform.db"), 8192)
        self.refuses_to_start(host, "opening the store.*store")

    def test_platform_ledger(self):
        host = self.host()
        host.stop()
        with open(self.path(host, "ledger", "@platform", "00000000000000000001.log"), "r+b") as file:
            file.seek(100)
            file.write(b"#")
        # a saved state that is signed for is believed; without, all is read
        os.remove(self.path(host, "ledger", "@platform", "state.idx"))
        self.refuses_to_start(host, "opening the ledger: the ledger of @platform is damaged")


    def test_a_record_of_the_log(self):
        """What was used is told from the log: whoever asks is told which record is another one than was written."""
        host = self.host()
        host.get("/api/v1/admin/usage", headers=SECOND, expect=200)
        host.stop()
        path = self.path(host, "ledger", "second", "00000000000000000001.log")
        with open(path, "r+b") as file:
            data = file.read()
            at = data.index(b"agents.create", len(data) // 2)
            file.seek(at)
            file.write(b"agents.delete")
        host.start()
        seq = host.post("/api/v1/admin/audit/verify", headers=SECOND, expect=200).json["bad_seq"]
        for place in ("usage", "usage/aggregation", "costs"):
            answer = host.get(f"/api/v1/admin/{place}", headers=SECOND, expect=409)
            self.assertTrue(answer.json["type"].endswith("/conflict"), answer)
            self.assertIn(f"record {seq} of the ledger is damaged", answer.json["detail"])
            self.assertIn("reevectl audit verify", answer.json["detail"])
            host.get(f"/api/v1/admin/{place}", expect=200)
        self.check_others(host)


if __name__ == "__main__":
    main()
