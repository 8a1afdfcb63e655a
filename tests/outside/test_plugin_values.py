#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capability store.kv: what a plugin keeps is its own, each tenant's apart, counted exactly, and there behind a restart."""

import os

from probes import ProbeCase
from reeve import main

KV = "store.kv"


def get(key):
    return KV, {"op": "get", "key": key}


def put(key, value, **more):
    return KV, {"op": "put", "key": key, "value": value, **more}


def delete(key, **more):
    return KV, {"op": "delete", "key": key, **more}


def listed(**more):
    return KV, {"op": "list", **more}


class Values(ProbeCase):
    def setUp(self):
        """Nothing is kept, and the usual is granted."""
        for plugin in self.ids:
            self.revoke_all(KV, plugin)
            self.grant(KV, plugin)
            for tenant in self.tenants:
                entries = self.one(*listed(), plugin=plugin, tenant=tenant)["entries"]
                for entry in entries:
                    self.one(*delete(entry["key"]), plugin=plugin, tenant=tenant)

    def test_values_come_back_as_they_were(self):
        values = [None, True, -1, 1.5, 9007199254740993, "", "tëxt\n\U0001f600", [], {}, {"a": [1, {"b": None}]}, "x" * 60000]
        for number, value in enumerate(values):
            self.assertEqual(1, self.one(*put(f"k{number}", value))["revision"])
        for number, value in enumerate(values):
            self.assertEqual({"value": value, "revision": 1}, self.one(*get(f"k{number}")))
        self.assertEqual({"value": None, "revision": 0}, self.one(*get("none")))
        self.assertEqual([{"deleted": True}, {"deleted": False}], [a for a, _ in self.ask(delete("k1"), delete("k1"))])
        self.assertEqual(0, self.one(*get("k1"))["revision"])

    def test_conditions(self):
        for call, pattern in ((put("a", 1, revision=3), "conflict: .*at revision 0, not 3"), (delete("a", revision=1), "conflict"),
                              (put("a", 1, revision=-1), "invalid_argument: .*revision"), (put("a", 1, revision="1"), "invalid_argument: .*revision")):
            self.refused(*call, pattern)
        self.assertEqual(1, self.one(*put("a", "one", revision=0))["revision"])
        self.refused(*put("a", "other", revision=0), "conflict: .*at revision 1, not 0")
        self.assertEqual(2, self.one(*put("a", "two", revision=1))["revision"])
        self.refused(*delete("a", revision=1), "conflict")
        self.assertEqual({"value": "two", "revision": 2}, self.one(*get("a")))
        self.assertEqual({"deleted": True}, self.one(*delete("a", revision=2)))

    def test_malformed(self):
        for params, pattern in (({}, "op is get"), ({"op": "drop"}, "op is get"), ({"op": 1}, "op is get"), ({"op": "get"}, "key is a text"),
                                ({"op": "get", "key": ""}, "key is a text"), ({"op": "get", "key": "k" * 257}, "key is a text"),
                                ({"op": "get", "key": "a\nb"}, "key is a text"), ({"op": "put", "key": "a"}, "value is missing"),
                                ({"op": "list", "limit": 0}, "limit is a number"), ({"op": "list", "limit": 101}, "limit is a number"),
                                ({"op": "list", "prefix": "a\x01b"}, "."), ({"op": "list", "cursor": "x"}, ".")):
            self.refused(KV, params, f"invalid_argument: .*{pattern}")
        self.refused(*put("a", "x" * 65536), "too_large: .*65536")
        self.assertEqual(1, self.one(*put("a", "x" * 65534))["revision"])
        self.assertEqual(1, self.one(*put("k" * 256, 1))["revision"])

    def test_nobody_else_sees_it(self):
        self.one(*put("a", "secret"))
        for where in ({"plugin": "probe-two"}, {"tenant": "right"}):
            self.assertEqual(0, self.one(*get("a"), **where)["revision"])
            self.assertEqual([], self.one(*listed(), **where)["entries"])
            for key in ("../probe-one/a", "probe-one/a", "/probe-one/a", "%/a"):
                self.assertEqual(0, self.one(*get(key), **where)["revision"])
                self.assertEqual([], self.one(*listed(prefix=key), **where)["entries"])
            self.assertEqual({"deleted": False}, self.one(*delete("a"), **where))
            self.one(*put("a", "other"), **where)
        self.assertEqual("secret", self.one(*get("a"))["value"])
        # a place in one plugin's list leads nowhere in another's
        self.one(*put("b", 1))
        cursor = self.one(*listed(limit=1))["cursor"]
        self.assertEqual(set(), {e["key"] for e in self.one(*listed(cursor=cursor), plugin="probe-two")["entries"]} - {"a"})

    def test_lists(self):
        keys = sorted([f"n/{i:03}" for i in range(120)] + ["m", "n", "o/1"])
        self.ask(*[put(key, key) for key in keys])
        found, cursor = [], None
        while True:
            page = self.one(*listed(prefix="n/", limit=50, **({"cursor": cursor} if cursor else {})))
            found += page["entries"]
            cursor = page["cursor"]
            if cursor is None:
                break
        self.assertEqual([k for k in keys if k.startswith("n/")], [e["key"] for e in found])
        self.assertEqual({"key": "n/000", "revision": 1, "bytes": 5 + 7 + 64}, found[0])
        self.assertEqual(100, len(self.one(*listed())["entries"]))

    def test_the_quota_is_exact_also_behind_a_crash(self):
        self.grant_only(KV, max_bytes=1000)
        # 1 + 433 + 2 + 64 = 500
        self.assertEqual({"revision": 1, "used": 500, "limit": 1000}, self.one(*put("a", "x" * 433)))
        self.assertEqual({"revision": 1, "used": 1000, "limit": 1000}, self.one(*put("b", "x" * 433)))
        self.refused(*put("b", "x" * 434), "too_large: .*would keep 1001 bytes .*may keep 1000")
        self.refused(*put("c", 1), "too_large")
        self.assertEqual(2, self.one(*put("b", "y" * 433))["revision"])
        self.host.kill()
        self.host.start()
        self.refused(*put("b", "x" * 434), "too_large")
        self.assertEqual("y" * 433, self.one(*get("b"))["value"])
        self.one(*delete("a"))
        self.assertEqual(566, self.one(*put("c", 1))["used"])
        # another tenant has a quota of its own
        self.assertEqual(500, self.one(*put("a", "x" * 433), tenant="right")["used"])
        # less is granted now: what is there stays, and can become less
        self.grant_only(KV, max_bytes=100)
        self.refused(*put("d", 1), "may keep 100")
        self.assertEqual(565, self.one(*put("b", "y" * 432))["used"])
        self.one(*delete("b"))
        self.assertEqual({"revision": 2, "used": 66}, {k: v for k, v in self.one(*put("c", 2)).items() if k != "limit"})

    def test_several_grants_are_the_largest(self):
        self.grant_only(KV, max_bytes=100)
        more = self.grant(KV, tenant_id="left", parameters={"max_bytes": 300})
        self.assertEqual(300, self.one(*put("a", "x" * 200))["limit"])
        self.refused(*put("a", "x" * 200), "may keep 100", tenant="right")
        self.host.delete(f"/api/v1/admin/plugins/probe-one/grants/{more['grant_id']}", expect=204)
        self.refused(*put("a", "x" * 201), "may keep 100")

    def test_many_at_once_count_right(self):
        answers = self.ask(*[put(f"k{i % 3}", "v" * (i % 5)) for i in range(12)], delete("k1"), threads=8)
        self.assertEqual([], [e for _, e in answers if e])
        entries = self.one(*listed())["entries"]
        self.assertEqual(sum(e["bytes"] for e in entries) + 66, self.one(*put("z", 1))["used"])
        # of many that are to make it, one does
        answers = self.ask(put("once", 1, revision=0), threads=16)
        self.assertEqual((1, 15), (sum(e is None for _, e in answers), sum((e or "").startswith("conflict") for _, e in answers)))

    def test_without_a_grant(self):
        self.one(*put("a", "kept"))
        self.revoke_all(KV)
        for call in (get("a"), put("a", 1), delete("a"), listed()):
            self.refused(*call, "capability_revoked: plugin probe-one no more has capability store.kv")
        self.assertEqual(1, self.one(*put("a", 1), plugin="probe-two")["revision"])
        self.grant(KV, tenant_id="right")
        self.refused(*get("a"), "capability")
        self.assertEqual(0, self.one(*get("a"), tenant="right")["revision"])
        self.grant(KV)
        self.assertEqual("kept", self.one(*get("a"))["value"])

    def test_it_goes_with_its_tenant(self):
        tenant = "brief-host" if self.trusted else "brief"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        self.tenants[tenant] = self.made_in(tenant)
        self.addCleanup(self.tenants.pop, tenant)
        self.one(*put("a", "gone soon"), tenant=tenant)
        self.assertTrue(self.stored_of(tenant))
        self.host.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        self.assertEqual([], self.stored_of(tenant))
        self.assertEqual(0, self.one(*get("a"))["revision"])

    def stored_of(self, tenant):
        return [name for _folder, folders, files in os.walk(os.path.join(self.host.state, "store")) for name in folders + files if tenant in name]

    def test_how_it_is_shown(self):
        row = self.rows()[KV]
        self.assertEqual((True, "effective"), (row["offered"], row["state"]))
        self.assertEqual("runner" if not self.trusted else "host", self.host.get("/api/v1/admin/plugins/probe-one", expect=200).json["runs_in"])
        self.one(*put("a", "plain words to look for"))
        for folder, _folders, files in os.walk(self.host.state):
            for name in files:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(b"plain words to look for", file.read(), name)


class ValuesInTheHost(Values):
    trusted = True


class Ceiling(ProbeCase):
    more = "  ceiling: {store_bytes: 200}"

    def test_nothing_goes_beyond(self):
        self.assertIn("plugins.ceiling.store_bytes", self.grant(KV, expect=403, parameters={"max_bytes": 201})["detail"])
        self.grant_only(KV, max_bytes=200)
        self.assertEqual({"allowed": True, "key": None, "parameters": {"max_bytes": 200}}, self.rows()[KV]["ceiling"])
        self.revoke_all(KV)
        self.grant(KV)
        self.refused(*put("a", "x" * 134), "would keep 201 bytes .*may keep 200")
        self.assertEqual(200, self.one(*put("a", "x" * 133))["used"])


if __name__ == "__main__":
    main()
