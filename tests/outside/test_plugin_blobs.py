#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capability store.blob: bytes that a plugin keeps are its own, each tenant's apart, counted exactly, whole or not at all."""

import hashlib
import os
import threading
import time

from probes import ProbeCase
from reeve import main
from test_confined import until

BLOB = "store.blob"
MIB = 1024 * 1024


def get(key):
    return BLOB, {"op": "get", "key": key}, ""


def put(key, data, **more):
    return BLOB, {"op": "put", "key": key, **more}, data


def delete(key, **more):
    return BLOB, {"op": "delete", "key": key, **more}


def listed(**more):
    return BLOB, {"op": "list", **more}


class Blobs(ProbeCase):
    busy = "^busy: a call has one buffer at a time"

    def setUp(self):
        """Nothing is kept, and the usual is granted."""
        for plugin in self.ids:
            self.grant_only(BLOB, plugin)
            for tenant in self.tenants:
                for entry in self.one(*listed(), plugin=plugin, tenant=tenant)["entries"]:
                    self.one(*delete(entry["key"]), plugin=plugin, tenant=tenant)

    def test_bytes_come_back_as_they_were(self):
        texts = ["", "a", "tëxt\n\U0001f600", "x" * 4096]
        for number, text in enumerate(texts):
            self.assertEqual(1, self.one(*put(f"k{number}", text))["revision"])
        for number, text in enumerate(texts):
            answer = self.one(*get(f"k{number}"))
            self.assertEqual((text, 1, len(text.encode()), "application/octet-stream"), tuple(answer[k] for k in ("bytes", "revision", "size", "type")))
        # in the message, and in a buffer
        for size in (200_000, 300_000, 900_000):
            text = "".join(chr(33 + (i * i + i // 90) % 90) for i in range(size))
            self.one(*put("large", text))
            answer = self.one(*get("large"))
            self.assertEqual((size, hashlib.sha256(text.encode()).hexdigest()), (answer["bytes"], answer["sha256"]))
        self.refused(*get("none"), "not_found: .*nothing under this key")
        self.assertEqual([{"deleted": True}, {"deleted": False}], [a for a, _ in self.ask(delete("k1"), delete("k1"))])
        self.refused(*get("k1"), "not_found")

    def test_a_large_one(self):
        size = 100 * MIB
        self.assertEqual(5 + size + 24 + 64, self.one(*put("large", size))["used"])
        answer = self.one(*get("large"))
        self.assertEqual((size, size, hashlib.sha256(bytes(size)).hexdigest()), (answer["bytes"], answer["size"], answer["sha256"]))
        # others of the tenant's go on meanwhile, and what is written over leaves nothing
        self.assertEqual(2, self.one(*put("large", "small"))["revision"])
        self.assertEqual(5 + 5 + 24 + 64, self.one(*put("large", "small"))["used"])
        self.refused(*put("larger", 128 * MIB + 1), "too_large: .*134217729.*134217728")

    def test_conditions(self):
        for call, pattern in ((put("a", "1", revision=3), "conflict: .*at revision 0, not 3"), (delete("a", revision=1), "conflict"),
                              (put("a", "1", revision=-1), "invalid_argument: .*revision"), (put("a", "1", revision="1"), "invalid_argument: .*revision")):
            self.refused(*call, pattern)
        self.assertEqual(1, self.one(*put("a", "one", revision=0))["revision"])
        self.refused(*put("a", "other", revision=0), "conflict: .*at revision 1, not 0")
        self.assertEqual(2, self.one(*put("a", "two", revision=1, type="text/plain"))["revision"])
        self.assertEqual(("two", 2, "text/plain"), tuple(self.one(*get("a"))[k] for k in ("bytes", "revision", "type")))
        self.assertEqual({"deleted": True}, self.one(*delete("a", revision=2)))

    def test_malformed(self):
        for params, pattern in (({}, "op is get"), ({"op": "drop"}, "op is get"), ({"op": "get"}, "key is a text"), ({"op": "get", "key": "k" * 257}, "key is a text"),
                                ({"op": "put", "key": "a", "type": ""}, "type is a media type"), ({"op": "put", "key": "a", "type": "t" * 129}, "type is a media type"),
                                ({"op": "put", "key": "a", "type": "a\nb"}, "type is a media type"), ({"op": "put", "key": "a", "type": 1}, "type is a media type"),
                                ({"op": "list", "limit": 0}, "limit is a number"), ({"op": "list", "cursor": "x"}, ".")):
            self.refused(BLOB, params, "", f"invalid_argument: .*{pattern}")
        # asked without a way for bytes
        for op in ("get", "put"):
            self.refused(BLOB, {"op": op, "key": "a"}, "invalid_argument: .*reeve_context_transfer")
        self.assertEqual([], self.one(*listed())["entries"])

    def test_lists(self):
        for number in range(5):
            self.one(*put(f"n/{number}", "x" * number, type="text/plain"))
        self.one(*put("other", ""))
        page = self.one(*listed(prefix="n/", limit=3))
        rest = self.one(*listed(prefix="n/", limit=3, cursor=page["cursor"]))
        self.assertEqual([(f"n/{i}", i, "text/plain", i + 3 + 10 + 64) for i in range(5)],
                         [(e["key"], e["size"], e["type"], e["bytes"]) for e in page["entries"] + rest["entries"]])
        self.assertIsNone(rest["cursor"])
        self.assertRegex(page["entries"][0]["updated_at"], r"^\d{4}-\d\d-\d\dT")

    def test_nobody_else_sees_it(self):
        self.one(*put("a", "secret"))
        [mine] = self.one(*listed())["entries"]
        for where in ({"plugin": "probe-two"}, {"tenant": "right"}):
            for key in ("a", "../probe-one/a", "probe-one/a", "/probe-one/a", "%/a", "plugin/probe-one/a"):
                self.refused(*get(key), "not_found", **where)
                self.assertEqual([], self.one(*listed(prefix=key), **where)["entries"])
            self.assertEqual({"deleted": False}, self.one(*delete("a"), **where))
            self.one(*put("a", "other"), **where)
        self.assertEqual("secret", self.one(*get("a"))["bytes"])
        self.assertEqual([mine], self.one(*listed())["entries"])
        # store.kv has keys of its own
        self.assertEqual({"value": None, "revision": 0}, self.one("store.kv", {"op": "get", "key": "a"}))

    def test_the_quota_is_exact_also_behind_a_crash(self):
        self.grant_only(BLOB, max_bytes=1000)
        # 1 + 411 + 24 + 64 = 500
        self.assertEqual({"revision": 1, "used": 500, "limit": 1000, "bytes": ""}, self.one(*put("a", "x" * 411)))
        self.assertEqual(1000, self.one(*put("b", "x" * 411))["used"])
        self.refused(*put("b", "x" * 412), "too_large: .*would keep 1001 bytes .*may keep 1000")
        self.refused(*put("c", ""), "too_large")
        self.assertEqual(2, self.one(*put("b", "y" * 411))["revision"])
        self.host.kill()
        self.host.start()
        self.refused(*put("b", "x" * 412), "too_large")
        self.assertEqual("y" * 411, self.one(*get("b"))["bytes"])
        self.one(*delete("a"))
        self.assertEqual(589, self.one(*put("c", ""))["used"])
        self.assertEqual(500, self.one(*put("a", "x" * 411), tenant="right")["used"])
        # less is granted now: what is there stays, and can become less
        self.grant_only(BLOB, max_bytes=100)
        self.refused(*put("d", ""), "may keep 100")
        self.assertEqual(588, self.one(*put("b", "y" * 410))["used"])

    def test_many_at_once_are_each_whole(self):
        answers = self.ask(*[put("k", chr(97 + i) * 50_000) for i in range(6)], get("k"), delete("k"), threads=8)
        for answer, error in answers:
            self.assertRegex(error or "not_found", "^not_found")
            if answer and "sha256" in answer:
                self.assertIn(answer["sha256"], {hashlib.sha256((chr(97 + i) * 50_000).encode()).hexdigest() for i in range(6)})
        self.assertEqual([], self.one(*listed())["entries"])
        self.assertEqual(1 + 24 + 64, self.one(*put("z", ""))["used"])

    def test_the_sum_of_what_is_under_way_is_bounded(self):
        self.grant_only(BLOB, max_bytes=1024 * MIB)
        answers = self.ask(put("k", 60 * MIB), threads=8)
        errors = [e for _, e in answers if e]
        self.assertTrue(any(e is None for _, e in answers), answers)
        for error in errors:
            self.assertRegex(error, self.busy)
        self.assertTrue(errors, "eight of 60 MiB at once were all let in")
        self.assertEqual(60 * MIB, self.one(*get("k"))["bytes"])

    def test_without_a_grant(self):
        self.one(*put("a", "kept"))
        self.revoke_all(BLOB)
        for call in (get("a"), put("a", "1"), delete("a"), listed()):
            self.refused(*call, "capability_revoked: plugin probe-one no more has capability store.blob")
        self.assertEqual(1, self.one(*put("a", "1"), plugin="probe-two")["revision"])
        self.grant(BLOB, tenant_id="right")
        self.refused(*get("a"), "capability")
        self.refused(*get("a"), "not_found", tenant="right")
        self.grant(BLOB)
        self.assertEqual("kept", self.one(*get("a"))["bytes"])

    def test_taken_back_while_it_is_under_way(self):
        """Each of many large ones is there whole, or not there; none is behind the answer of the revocation."""
        answers = []
        asking = threading.Thread(target=lambda: answers.extend(self.ask(*[put(f"k{i}", 30 * MIB) for i in range(8)])))
        asking.start()
        time.sleep(0.4)
        self.revoke_all(BLOB)
        asking.join()
        done = [error is None for _, error in answers]
        self.assertEqual(sorted(done, reverse=True), done)
        self.assertIn("capability_revoked", answers[-1][1] or "it was let through")
        self.grant(BLOB)
        entries = self.one(*listed())["entries"]
        self.assertEqual([f"k{i}" for i in range(sum(done))], [e["key"] for e in entries])
        self.assertTrue(all(e["size"] == 30 * MIB for e in entries))

    def test_it_goes_with_its_tenant(self):
        tenant = "brief-host" if self.trusted else "brief"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        self.tenants[tenant] = self.made_in(tenant)
        self.addCleanup(self.tenants.pop, tenant)
        self.one(*put("a", "gone soon"), tenant=tenant)
        self.assertTrue(self.stored_of(tenant))
        self.host.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        self.assertEqual([], self.stored_of(tenant))

    def stored_of(self, tenant):
        return [name for _folder, folders, files in os.walk(os.path.join(self.host.state, "store")) for name in folders + files if tenant in name]

    def test_how_it_is_shown(self):
        row = self.rows()[BLOB]
        self.assertEqual((True, "effective"), (row["offered"], row["state"]))
        self.one(*put("a", "plain words to look for " * 1000))
        for folder, _folders, files in os.walk(self.host.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(b"plain words to look for", file.read(), name)


class BlobsInTheHost(Blobs):
    trusted = True
    busy = "^busy: .*too many at once: plugin probe-one holds 268435456 at most"


class Killed(ProbeCase):
    def test_nothing_is_half_written(self):
        """The host is killed at any moment of a write; the runner is in another round."""
        for number, delay in enumerate((0.05, 0.15, 0.3, 0.5, 0.8, 1.2)):
            self.one(*put("a", f"before {number}"))
            asking = threading.Thread(target=self.try_put)
            asking.start()
            time.sleep(delay)
            if number % 2 == 0:
                self.host.kill()
                asking.join()
                self.host.start()
                until(self.all_ended, "a run that the killed host left goes on for ever")  # it asks the model too
            else:
                self.end_runner()
                asking.join()
            answer = self.one(*get("a"))
            self.assertIn(answer["bytes"], (f"before {number}", 40 * MIB))
            [entry] = self.one(*listed())["entries"]
            self.assertEqual(entry["bytes"], self.one(*put("a", f"before {number}"))["used"] - len(f"before {number}") + entry["size"])
            self.assertEqual("probe-one", self.host.get("/api/v1/admin/plugins/probe-one", expect=200).json["plugin_id"])

    def try_put(self):
        try:
            self.ask(put("a", 40 * MIB))
        except (AssertionError, OSError, ValueError):
            pass  # nobody was there to answer

    def all_ended(self):
        key, _agent = self.tenants["left"]
        items = self.host.get("/api/v1/runs?limit=500", key=key, expect=200).json["items"]
        return not {run["status"] for run in items} & {"queued", "running"}

    def end_runner(self):
        pid = self.pid()
        if pid:
            os.kill(pid, 9)
            # a call that comes before its end is noticed would end with it
            until(lambda: self.pid() != pid, "a process that was killed is there for ever")

    def pid(self):
        return self.host.get("/api/v1/admin/plugins/probe-one", expect=200).json.get("pid")


class Ceiling(ProbeCase):
    more = "  ceiling: {store_bytes: 200}"

    def test_nothing_goes_beyond(self):
        self.assertIn("plugins.ceiling.store_bytes", self.grant(BLOB, expect=403, parameters={"max_bytes": 201})["detail"])
        self.grant_only(BLOB, max_bytes=200)
        self.assertEqual({"allowed": True, "key": None, "parameters": {"max_bytes": 200}}, self.rows()[BLOB]["ceiling"])
        self.refused(*put("a", "x" * 112), "would keep 201 bytes .*may keep 200")
        self.assertEqual(200, self.one(*put("a", "x" * 111))["used"])


if __name__ == "__main__":
    main()
