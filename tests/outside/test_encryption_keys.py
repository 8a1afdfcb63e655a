# SPDX-License-Identifier: LGPL-2.1-or-later
"""The folder of keys from outside: what is missing in it or damaged, and the commands that put it right, with the host stopped."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

from reeve import HOST, main
from test_encryption import EncryptionCase, config, contents, digests


class Keys(EncryptionCase):
    def command(self, host, *arguments, code=0):
        done = subprocess.run([HOST, "--state-dir", host.state, "--config", host.config, *arguments],
                              capture_output=True, text=True, timeout=60, check=False, env=host.environment)
        self.assertEqual(code, done.returncode, done)
        return done.stdout + done.stderr

    def test_another_master_key(self):
        with tempfile.TemporaryDirectory(prefix="reeve-key-") as folder:
            new = os.path.join(folder, "new.key")
            host = self.host().start()
            self.fill(host)
            self.command(host, "--rotate-master-key", f"file:{new}", code=75)
            host.stop()
            for bad in ("nonsense", "file:relative", f"file:{self.master(host)}", "env:REEVE_TEST_UNSET"):
                self.command(host, "--rotate-master-key", bad, code=78)
            text = self.command(host, "--rotate-master-key", f"file:{new}")
            self.assertIn(new, text)
            self.assertIn(self.master(host), text)
            self.refused(host, "sealed by master key")
            # again: nothing is left to do
            self.command(host, "--rotate-master-key", f"file:{new}")
            self.rewrite(host, config(key_source=f"file:{new}"))
            os.unlink(self.master(host))
            host.start()
            self.check(host)
            self.assertTrue(host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
            # one intent and one outcome for each time that it was asked for with the host stopped
            outcomes = self.recorded(host, "encryption.rotate_master", "master_key")
            self.assertEqual(4 * ["failed"] + 2 * ["succeeded"], sorted(outcome for _name, outcome in outcomes))
            self.assertEqual(2, len({name for name, _outcome in outcomes}))

    def recorded(self, host, action, resource_type):
        """What `reevectl audit` shows of a command: (resource, outcome) of each, and a log that verifies."""
        records = json.loads(host.ctl("--json", "audit", "query", "--action", action).stdout)["items"]
        intents = {record["seq"]: record for record in records if record["kind"] == "intent"}
        outcomes = [record for record in records if record["kind"] == "outcome"]
        self.assertEqual(sorted(intents), sorted(record["intent"] for record in outcomes))
        for record in records:
            self.assertEqual(("internal", resource_type), (record["door"], record["resource"]["type"]), record)
        self.assertIn("good  default", host.ctl("--human", "audit", "verify").stdout)
        return [(intents[record["intent"]]["resource"]["id"], record["outcome"]) for record in outcomes]

    def test_nothing_is_changed_that_is_not_recorded(self):
        host = self.host().start()
        host.stop()
        new = os.path.join(host.folder.name, "new.key")
        segments = [path for path in contents(os.path.join(host.state, "ledger")) if path.startswith("default")]
        self.assertTrue(segments)
        for path in segments:
            path = os.path.join(host.state, "ledger", path)
            shutil.copy(path, path + ".right")
            with open(path, "r+b") as file:
                file.truncate(os.path.getsize(path) // 2)
        before = digests(os.path.join(host.state, "keys"))
        for arguments in (("--accept-stores", "default"), ("--accept-stores", "all"), ("--rotate-master-key", f"file:{new}")):
            self.assertIn("cannot be recorded in the ledger", self.command(host, *arguments, code=1))
            self.assertEqual(before, digests(os.path.join(host.state, "keys")))
            self.assertFalse(os.path.exists(new))

    def test_nothing_to_rotate(self):
        host = self.host()
        os.mkdir(host.state)
        self.command(host, "--rotate-master-key", "file:/nonexistent/key", code=78)
        self.command(host, "--accept-stores", "all", code=78)

    def test_damaged(self):
        host = self.host().start()
        host.stop()
        path = os.path.join(host.state, "keys", "platform.key")
        with open(path, "rb") as file:
            text = file.read()
        with open(path, "wb") as file:
            file.write(text[:-8] + b"AAAAAAA\n")
        self.refused(host, path, "restore this file", code=1)
        os.unlink(path)
        self.refused(host, path, code=1)
        with open(path, "wb") as file:
            file.write(text)
        host.start()

    def test_lost_pepper(self):
        host = self.host().start()
        host.stop()
        path = os.path.join(host.state, "keys", "pepper.key")
        with open(path, "rb") as file:
            text = file.read()
        os.unlink(path)
        self.refused(host, path, "restore it", code=1)
        with open(path, "wb") as file:
            file.write(text)
        host.start()
        host.get("/api/v1/me", expect=200)

    def test_a_folder_of_another_state(self):
        host = self.host().start()
        other = self.host().start()
        host.stop()
        other.stop()
        shutil.rmtree(os.path.join(host.state, "keys"))
        shutil.copytree(os.path.join(other.state, "keys"), os.path.join(host.state, "keys"))
        self.refused(host, "sealed by master key")
        shutil.copy(self.master(other), self.master(host))
        # now the keys open, and they are not those of the stores
        self.refused(host, "platform.db", code=1)

    def test_lost_marks(self):
        host = self.host().start()
        self.fill(host)
        host.stop()
        path = os.path.join(host.state, "keys", "marks")
        with open(path, "rb") as file:
            marks = file.read()
        for stripped in (None, b"", bytes(len(marks)), marks[:512]):
            if stripped is None:
                os.unlink(path)
            else:
                with open(path, "wb") as file:
                    file.write(stripped)
            self.refused(host, path, "--accept-stores all", code=1)
            # of one store there is nothing to accept while the others have no marks
            self.assertIn("--accept-stores all", self.command(host, "--accept-stores", "default", code=1))
        self.command(host, "--accept-stores", "all")
        self.command(host, "--accept-stores", "nobody", code=1)
        self.command(host, "--accept-stores", "default")
        host.start()
        self.check(host)
        self.assertEqual([("all", "succeeded"), ("default", "succeeded")], sorted(self.recorded(host, "encryption.accept", "store")))
        host.stop()
        # the marks that were given up are none any more
        with open(path, "wb") as file:
            file.write(marks)
        self.refused(host, path, "--accept-stores all", code=1)

    def test_all_keys_lost(self):
        host = self.host().start()
        host.stop()
        kept = os.path.join(host.folder.name, "kept")
        os.mkdir(kept)
        os.rename(self.master(host), os.path.join(kept, "master.key"))
        os.rename(os.path.join(host.state, "keys"), os.path.join(kept, "keys"))
        stores = os.path.join(host.state, "store")
        self.refused(host, stores, "restore that folder, and the master key")
        self.assertFalse(os.path.exists(self.master(host)))
        self.assertFalse(os.path.exists(os.path.join(host.state, "keys")))
        # nor are keys made beside those that are left
        os.mkdir(os.path.join(host.state, "keys"))
        for name in ("ledger.key", "pepper.key"):
            shutil.copy(os.path.join(kept, "keys", name), os.path.join(host.state, "keys", name))
        self.refused(host, stores, "restore that folder, and the master key")
        self.assertFalse(os.path.exists(self.master(host)))
        shutil.rmtree(os.path.join(host.state, "keys"))
        os.rename(os.path.join(kept, "master.key"), self.master(host))
        os.rename(os.path.join(kept, "keys"), os.path.join(host.state, "keys"))
        host.start()


if __name__ == "__main__":
    main()
