# SPDX-License-Identifier: LGPL-2.1-or-later
"""Proof from the table: every operation, through every door, as everybody: one verdict, one answer, one record.

Nothing here lists operations. An operation that is added is asked with its own example; where that needs what this world does not
have, the test fails with the operation's name.

what                                              | CI        | long
every operation as every actor at every door      | once      | once
every example of the OpenAPI document             | once      | once
"""

import json
import time
import unittest

import table
from proof import HOLDERS, ROLES, Answer, Doors, Ledger, Setting, World, differences, normal, normal_text, value_of, wait_until
from reeve import main

PLATFORM, STRANGER, NOBODY, EXPIRED, REVOKED = "platform admin", "admin of another tenant", "nobody", "an expired key", "a revoked key"
UNKNOWN = (NOBODY, EXPIRED, REVOKED)
ACTORS = (PLATFORM, *ROLES, STRANGER, *UNKNOWN)
DOORS = ("rest", "bus", "ctl")


class Actor:
    """Somebody, with another key for each door, so that the ledger tells the doors apart."""

    def __init__(self, name, keys, tenant):
        self.name, self.keys, self.tenant = name, keys, tenant  # door -> {"key_id", "key"}; the tenant to act in


class Cast:
    """All actors, bound to the bus."""

    def __init__(self, setting, left, right):
        self.setting, self.host = setting, setting.host
        me = self.host.get("/api/v1/me").json["user_id"]
        self.actors = {PLATFORM: Actor(PLATFORM, self.keys(me, ["admin"], None), left.tenant)}
        until = time.time() + 8  # they are made and used before, which may take long on a busy machine
        self.add(EXPIRED, "admin", left, expires_at=time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(until)))
        for role in ROLES:
            self.add(role, role, left)
        self.add(STRANGER, "admin", right)
        self.actors[NOBODY] = Actor(NOBODY, {"rest": {"key": None}, "ctl": {"key": None}}, None)
        self.add(REVOKED, "admin", left)
        for key in self.actors[REVOKED].keys.values():
            self.host.delete(f"/api/v1/admin/keys/{key['key_id']}", headers={"X-Tenant-ID": left.tenant}, expect=204)
        wait_until(until + 0.1)

    def add(self, name, role, world, **more):
        user = world.post("/api/v1/admin/users", {"username": name.replace(" ", "-"), "roles": [role]})["user_id"]
        self.actors[name] = Actor(name, self.keys(user, [role], world.tenant, **more), None)

    def keys(self, user, roles, tenant, **more):
        body = {"user_id": user, "name": "proof", "roles": roles, **more}
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        made = {door: self.host.post("/api/v1/admin/keys", body, headers=headers, expect=201).json for door in DOORS}
        said = self.setting.peers.say(made["bus"]["key"], "Login", made["bus"]["key"])
        if "error" in said:
            raise AssertionError(f"Login: {said}")
        return made


class Matrix(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.setting = Setting()
        cls.addClassCleanup(cls.setting.close)
        cls.host = cls.setting.host
        cls.left, cls.right = World(cls.setting, "left"), World(cls.setting, "right")
        cls.addClassCleanup(cls.left.close)
        cls.cast = Cast(cls.setting, cls.left, cls.right)
        cls.document = cls.host.get("/openapi.json", key=None, expect=200).json
        cls.doors = Doors(cls.setting)
        cls.addClassCleanup(cls.doors.close)
        cls.cells = {k["key_id"]: (a.name, d) for a in cls.cast.actors.values() for d, k in a.keys.items() if "key_id" in k}

    def test_every_permission_is_known_here(self):
        self.assertEqual(set(), {o["permission"] for o in table.TABLE.operations} - set(HOLDERS) - {None})

    def test_the_doors_know_the_same_operations(self):
        listed = {tuple(row) for row in self.setting.peers.say("owner", "Operations")["result"]}
        rows = {(o["name"], o["permission"] or "", f"{o['method']} {o['paths'][0]}", o["summary"]) for o in table.TABLE.operations}
        self.assertEqual(rows, listed)
        described = {(m["operationId"], f"{method.upper()} {path}") for path, item in self.document["paths"].items() for method, m in item.items()}
        self.assertEqual({(o["name"] if n == 0 else f"{o['name']}.alias{n}", f"{o['method']} {p}")
                          for o in table.TABLE.operations for n, p in enumerate(o["paths"])}, described)

    def test_one_verdict_one_answer_one_record(self):
        ledger = Ledger(self.host, ("left", "right", "default"))
        for operation in table.TABLE.operations:
            asked = {}
            for name in ACTORS:
                for door in DOORS:
                    with self.subTest(operation=operation["name"], actor=name, door=door):
                        self.ask_and_judge(operation, self.cast.actors[name], door, asked)
            self.judge_records(operation, asked, ledger.read())

    # ---- verdicts and answers ----

    def verdict(self, operation, actor):
        """None when the table lets the actor in."""
        if table.has(operation, "public"):
            return None
        if actor.name in UNKNOWN:
            return 401
        platform = table.has(operation, "platform-admin")
        if actor.name == PLATFORM or operation["permission"] is None:
            return None
        holds = STRANGER == actor.name or actor.name in HOLDERS[operation["permission"]]
        return 403 if platform or not holds else None

    def ask(self, operation, actor, door, params):
        key = actor.keys[door]["key"]
        tenant = actor.tenant if "tenant_id" not in table.parameters(operation) and not table.has(operation, "public") else None
        if door == "rest":
            return self.doors.rest(key, tenant, operation, params)
        if door == "bus":
            return self.doors.bus(key, tenant, operation, params)
        way = ["--url", self.host.url] + (["--token", key] if key else [])
        return self.doors.ctl(way, tenant, operation, params)

    def ask_and_judge(self, operation, actor, door, asked):
        if door not in actor.keys:
            return
        verdict = self.verdict(operation, actor)
        acts = verdict is None and operation["class"] == "effect" and actor.name != STRANGER
        params = self.left.params(operation, operation["examples"][0], fresh=acts)
        answer = self.ask(operation, actor, door, params)
        if answer is None:
            return
        asked[actor.name, door] = (params, answer)
        if door == "rest":
            self.assertIn(str(answer.status), self.described(operation), "a status that the OpenAPI document does not know")
            self.judge(operation, actor, verdict, answer)
        else:
            found = list(differences(operation, asked[actor.name, "rest"][1], answer))
            self.assertEqual([], found, f"REST says {asked[actor.name, 'rest'][1]}, this door {answer}")

    def described(self, operation):
        return self.document["paths"][operation["paths"][0]][operation["method"].lower()]["responses"]

    def judge(self, operation, actor, verdict, answer):
        wanted = operation["examples"][0].get("status", operation["result"]["status"])
        if verdict is not None:
            self.assertEqual(verdict, answer.status, answer)
            if verdict == 403:
                self.assertIn(operation["permission"], answer.detail)
                self.assertEqual(table.has(operation, "platform-admin"), "platform admin" in answer.detail)
        elif actor.name == PLATFORM or table.has(operation, "public"):
            self.assertEqual(wanted, answer.status, f"the example does not give the answer of the table: {answer}")
        elif actor.name == STRANGER and operation.get("identifiers"):
            self.assertEqual(404, answer.status, answer)
        elif operation["permission"] is None:  # decides by itself whose things these are
            self.assertIn(answer.status, (wanted, 403, 404), answer)
        else:  # a conversation is its owner's
            self.assertIn(answer.status, (wanted, 404) if actor.name == STRANGER or "conversation_id" in operation["path"] else (wanted,), answer)

    # ---- records ----

    def judge_records(self, operation, asked, records):
        found = {}
        for record in records:
            # the end of what one door sends while it is made, and another whole
            if record.get("key_id") in self.cells and not (record["kind"] == "read" and "parent" in record):
                found.setdefault(self.cells[record["key_id"]], []).append(record)
        for (name, door), (params, answer) in asked.items():
            with self.subTest(operation=operation["name"], actor=name, door=door, what="records"):
                rows = found.get((name, door), [])
                self.judge_rows(operation, name, asked[name, "rest"][1], rows)
                self.assertEqual({"bus": {"dbus"}}.get(door, {"rest"}) if rows else set(), {r["door"] for r in rows})
                self.assertEqual(self.told(found.get((name, "rest"), [])), self.told(rows))
                for row in rows:
                    if "input_digest" in row and row["action"] == self.action_of(operation, rows) and "parent" not in row:
                        self.assertEqual(table.digest(operation, params, door), row["input_digest"])

    @staticmethod
    def action_of(operation, rows):
        """A compatible operation is recorded as the effect that its body asks for."""
        return rows[0]["action"] if table.has(operation, "admits-itself") else operation["action"]

    def judge_rows(self, operation, name, answer, rows):
        kinds = [(r["kind"], r.get("outcome")) for r in rows if r["action"] == self.action_of(operation, rows) and "parent" not in r
                 and r.get("reason") != "acting_in_tenant"]
        if operation["class"] == "probe" and answer.status < 400 or answer.status == 401:
            self.assertEqual([], rows)
        elif answer.status in (403, 404) and ("intent", None) not in kinds:
            self.assertEqual([("refusal", "blocked")], kinds)
            self.assertEqual({403: "permission_denied", 404: "not_found"}[answer.status], rows[-1]["reason"])
        elif operation["class"] == "read":
            self.assertEqual([("read", "succeeded")], kinds)
        else:
            self.assertEqual([("intent", None), ("outcome", "succeeded" if answer.status < 400 else "failed")], kinds)
            outcome = [r for r in rows if r["kind"] == "outcome"][-1]
            self.assertIn(outcome["intent"], [r["seq"] for r in rows])

    @staticmethod
    def order(row):
        return row["scope"], row["seq"]

    @classmethod
    def told(cls, rows):
        """What records say, but for the door, the key, times and numbers."""
        rows = sorted(rows, key=cls.order)
        names = ("kind", "action", "outcome", "reason", "scope", "actor", "resource", "agent_id", "model", "tool_name")
        return [{**{n: normal(r[n]) for n in names if n in r}, "digest": "input_digest" in r, "run": "run_id" in r, "parent": "parent" in r}
                for r in rows]

    def test_the_owner_of_the_bus_reads_what_the_platform_admin_reads(self):
        actor = self.cast.actors[PLATFORM]
        for operation in table.TABLE.operations:
            if operation["class"] == "effect" or operation["name"] == "me.get":
                continue
            params = self.left.params(operation, operation["examples"][0])
            there = self.ask(operation, actor, "rest", params)
            tenant = actor.tenant if "tenant_id" not in table.parameters(operation) and not table.has(operation, "public") else None
            for door, answer in (("bus", self.doors.bus("owner", tenant, operation, params)),
                                 ("ctl", self.doors.ctl(["--bus", "session"], tenant, operation, params))):
                if answer is not None:
                    with self.subTest(operation=operation["name"], door=door):
                        self.assertEqual([], list(differences(operation, there, answer)))

    def test_an_agent_at_the_compatible_door_is_an_execution(self):
        """The same verdict and, but for what the caller sent, the same record of the same effect."""
        ledger = Ledger(self.host, ("left", "right", "default"))
        agent_id = self.left.share("agent_id")["agent_id"]
        own, compatible = table.OPERATIONS["agents.execute"], table.OPERATIONS["completions.create"]
        body = {"model": "agent/" + agent_id, "messages": [{"role": "user", "content": "prove"}]}
        for name in ACTORS:
            with self.subTest(actor=name):
                told = []
                for operation, params in ((own, {"agent_id": agent_id, "mission": "prove"}), (compatible, body)):
                    answer = self.ask(operation, self.cast.actors[name], "rest", params)
                    rows = [r for r in ledger.read() if self.cells.get(r.get("key_id")) == (name, "rest")]
                    effects = [row for row in rows if row["kind"] in ("intent", "outcome")]
                    told.append((answer.status, self.told(effects), [row["kind"] for row in sorted(rows, key=self.order)]))
                self.assertEqual(told[0], told[1])

    def test_nobody_logs_in_with_a_bad_key(self):
        for name in (EXPIRED, REVOKED):
            said = self.setting.peers.say("login", "Login", self.cast.actors[name].keys["rest"]["key"])
            self.assertEqual("io.reeve.Error.Unauthenticated", said.get("error"), said)


class Examples(unittest.TestCase):
    """Every example of the document that the host serves, by the document alone."""

    @classmethod
    def setUpClass(cls):
        cls.setting = Setting()
        cls.addClassCleanup(cls.setting.close)
        cls.world = World(cls.setting, "examples")
        cls.addClassCleanup(cls.world.close)

    def test_every_example_gives_the_answer_it_shows(self):
        host, ran = self.setting.host, 0
        document = host.get("/openapi.json", key=None, expect=200).json
        for operation in table.TABLE.operations:
            for number, example in enumerate(operation["examples"], 1):
                with self.subTest(operation=operation["name"], example=number):
                    self.check_published(document, operation, example, f"example{number}")
                    params = self.world.params(operation, example, fresh=True)
                    method, path, body, headers = table.rest(operation, params)
                    if "tenant_id" not in params:
                        headers["X-Tenant-ID"] = self.world.tenant
                    answer = host.call(method, path, body, headers=headers)  # judges the answer by its schema
                    self.assertEqual(example.get("status", operation["result"]["status"]), answer.status, answer)
                    self.compare(operation, example, answer)
                    ran += 1
        self.assertGreaterEqual(ran, len(table.OPERATIONS))

    def check_published(self, document, operation, example, name):
        described = document["paths"][operation["paths"][0]][operation["method"].lower()]
        places = {p["name"]: p for p in described.get("parameters", []) if "name" in p}
        body = {}
        for member, value in example["request"].items():
            if member in places:
                self.assertEqual(value, places[member]["examples"][name]["value"])
            else:
                body[member] = value
        if "body" in operation and not table.has(operation, "compatible"):
            self.assertEqual(body, described["requestBody"]["content"][operation["media"]]["examples"][name]["value"])
        if example["response"] is not None:
            status = example.get("status", operation["result"]["status"])
            shown = [media["examples"][name]["value"] for media in described["responses"][str(status)]["content"].values() if "examples" in media]
            self.assertEqual([example["response"]], shown)

    def compare(self, operation, example, answer):
        """Members that an example shows are there, of the same type; a result may say more."""
        if not isinstance(example["response"], dict):
            return
        for name, value in example["response"].items():
            self.assertIn(name, answer.json)
            if None not in (value, answer.json[name]):
                self.assertIs(type(value), type(answer.json[name]), name)

    def test_what_must_be_new_is_refused_when_it_is_not(self):
        host = self.setting.host
        for operation in table.TABLE.operations:
            if not operation.get("unique"):
                continue
            with self.subTest(operation=operation["name"]):
                method, path, body, headers = table.rest(operation, self.world.params(operation, operation["examples"][0]))
                if "tenant_id" not in table.parameters(operation):
                    headers["X-Tenant-ID"] = self.world.tenant
                host.call(method, path, body, headers=headers, expect=operation["result"]["status"])
                host.call(method, path, body, headers=headers, expect=409)


if __name__ == "__main__":
    main()
