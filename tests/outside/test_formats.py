# SPDX-License-Identifier: LGPL-2.1-or-later
"""State folders that earlier versions wrote (tests/fixtures/format-*): this version opens them, finds all that was there, and works on."""

import glob
import json
import os
import tarfile
import tempfile
import unittest

from reeve import SOURCE, Host, main

FORMATS = sorted(glob.glob(os.path.join(SOURCE, "tests", "fixtures", "format-*")))
OIL = "The hydraulic press needs 12 litres of oil ISO VG 46."


class Formats(unittest.TestCase):
    def test_there_are_some(self):
        self.assertIn("format-1", [os.path.basename(folder) for folder in FORMATS])

    def test_after_a_clean_stop(self):
        self.each("clean", 1)

    def test_after_a_crash(self):
        self.each("killed", 2)

    def each(self, name, documents):
        for folder in FORMATS:
            with self.subTest(format=os.path.basename(folder)), tempfile.TemporaryDirectory(prefix="reeve-") as place:
                with open(os.path.join(folder, "known.json"), encoding="utf-8") as file:
                    known = json.load(file)
                with tarfile.open(os.path.join(folder, name + ".tar.xz")) as archive:
                    archive.extractall(place)
                with Host(state=os.path.join(place, "state")) as host:
                    self.check_store(host, known, documents)
                    self.check_keys(host, known)
                    self.check_ledger(host, known)
                    self.check_work(host, known)
                    # and what was changed is there after the next start
                    host.stop()
                    host.start()
                    self.check_store(host, known, documents + 1)
                    self.check_ledger(host, known)

    def check_store(self, host, known, documents):
        found = host.get("/api/v1/documents", expect=200).json["items"]
        self.assertEqual(documents, len(found))
        self.assertIn(known["document_id"], [item["document_id"] for item in found])
        hits = host.post("/api/v1/documents/search", {"query": "litres of oil"}, expect=200).json["results"]
        self.assertIn(OIL, hits[0]["content"])
        run = host.get(f"/api/v1/runs/{known['run_id']}", expect=200).json
        self.assertEqual((known["answer"], "succeeded"), (run["answer"], run["status"]))
        host.get(f"/api/v1/conversations/{known['conversation_id']}", expect=200)
        host.get(f"/api/v1/admin/agents/{known['agent_id']}", expect=200)

    def check_keys(self, host, known):
        self.assertEqual("default", host.get("/api/v1/me", key=known["operator_key"], expect=200).json["tenant_id"])
        self.assertEqual("second", host.get("/api/v1/me", key=known["second_viewer_key"], expect=200).json["tenant_id"])

    def check_ledger(self, host, known):
        report = host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)
        self.assertGreater(host.records()[-1]["seq"], known["audit_size"])
        open_intents = {r["seq"] for r in host.records() if r["kind"] == "intent"} - {r.get("intent") for r in host.records()}
        self.assertEqual(set(), open_intents)

    def check_work(self, host, known):
        self.assertIn(OIL, host.run(known["agent_id"], "How many litres of oil does the press need?")["answer"])
        host.upload("more.md", "# More\n\nThe lathe needs none.\n")


if __name__ == "__main__":
    main()
