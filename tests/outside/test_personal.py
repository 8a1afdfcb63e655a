# SPDX-License-Identifier: LGPL-2.1-or-later
"""Personal data by commitment: bodies and addresses are kept under a key of each user, shown to auditors, and gone when that is destroyed."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import SOURCE, Host, main

SCRIPT = os.path.join(SOURCE, "data", "verify", "reeve-verify.py")
ERASURES = "/api/v1/compliance/gdpr/erasures"
CONFIG = "audit: {include_request_body: true, include_address: true}\n"


def canonical_digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def files(folder):
    for place, _folders, names in os.walk(folder):
        for name in names:
            yield os.path.join(place, name)


def holders(folder, text):
    """Files of a folder in which a text stands in clear."""
    found = []
    for path in files(folder):
        with open(path, "rb") as file:
            if text.encode() in file.read():
                found.append(path)
    return found


class Base(unittest.TestCase):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        cls.host = Host(cls.config).start()
        cls.addClassCleanup(cls.host.close)

    def person(self, role="admin"):
        """A user of his own: id and key."""
        name = f"{role}-{time.monotonic_ns()}"
        user = self.host.post("/api/v1/admin/users", {"username": name, "roles": [role]}, expect=201).json["user_id"]
        key = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "test", "roles": [role]}, expect=201).json["key"]
        return user, key

    def record(self, **filters):
        """The newest record of that kind, with what was kept for it. An outcome may come a little behind the answer."""
        found, end = [], time.monotonic() + 60
        while not found and time.monotonic() < end:
            found = self.host.records(**filters)
        return self.host.get(f"/api/v1/admin/audit/{found[-1]['seq']}", expect=200).json

    def erase(self, user, **options):
        options.setdefault("expect", 200)
        return self.host.post(ERASURES, {"user_id": user}, **options)

    def verify(self):
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])
        done = subprocess.run([sys.executable, SCRIPT, self.host.state], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class LeftOut(unittest.TestCase):
    """AUD-08, AUD-10: what is kept may do without the questions of reads and the results of tools; the host's log may do without names."""

    def start(self, audit, more=""):
        mock = MockOpenAI().start()
        self.addCleanup(mock.stop)
        provider = f"{{id: mock, plugin: llm-openai, settings: {{base_url: '{mock.base_url}', api_key: sk-test}}}}"
        host = Host(f"audit: {{include_request_body: true, {audit}}}\n{more}llm: {{default: mock/m, providers: [{provider}]}}\n").start()
        self.addCleanup(host.close)
        mock.script([{"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}, {"content": "42"}])
        host.run(host.agent(), "What is 6 times 7?")
        host.post("/api/v1/documents/search", {"query": "words"}, expect=200)
        host.post("/api/v1/admin/users", {"username": "left-in"}, expect=201)
        # the newest reads wait for what was done before
        host.get("/api/v1/admin/audit/checkpoint", expect=200)
        return host

    @staticmethod
    def kept(host, **filters):
        return [record.get("kept") for record in host.records(**filters)]

    def check(self, host, query, result):
        self.assertEqual([query], self.kept(host, action="documents.search", kind="read"))
        self.assertEqual([result], self.kept(host, action="tool.call", kind="outcome"))
        # the first of users.create is the host's own, of which nothing is kept
        for action, kind in (("tool.call", "intent"), ("users.create", "intent"), ("users.create", "outcome"), ("model.call", "outcome")):
            self.assertIn(1, self.kept(host, action=action, kind=kind), (action, kind))
        for record in host.records(action="documents.search") + host.records(action="tool.call", kind="outcome"):
            self.assertRegex(record["output_digest"], "^[0-9a-f]{64}$")

    def test_all_of_it(self):
        self.check(self.start("log_all_queries: true"), 1, 1)

    def test_without_questions(self):
        self.check(self.start("log_all_queries: false"), None, 1)

    def test_without_results_of_tools(self):
        self.check(self.start("log_tool_results: false"), 1, None)

    def test_the_log_of_the_host(self):
        host = self.start("checkpoint_seconds: 10", "logging: {level: debug, anonymize_logs: true}\n")
        user = host.get("/api/v1/me", expect=200).json["user_id"]
        self.assertTrue(user.startswith("usr_"))
        self.assertNotIn("usr_", host.read_log())


class Kept(Base):
    def make(self, key, canary):
        """Something with a personal value in it; returns its records."""
        self.host.post("/api/v1/admin/users", {"username": canary, "attributes": {"badge": canary}}, key=key, expect=201)
        actor = self.host.get("/api/v1/me", key=key, expect=200).json["user_id"]
        intent = self.record(action="users.create", actor=actor, kind="intent")
        end = time.monotonic() + 60
        outcome = self.record(action="users.create", actor=actor, kind="outcome")
        while outcome["intent"] != intent["seq"] and time.monotonic() < end:
            outcome = self.record(action="users.create", actor=actor, kind="outcome")
        return {"intent": intent, "outcome": outcome}

    def test_an_auditor_sees_what_was_kept(self):
        user, key = self.person()
        body = {"username": "kept-anna", "attributes": {"badge": "kept-4711"}}
        made = self.host.post("/api/v1/admin/users", body, key=key, expect=201).json
        intent, outcome = (self.record(action="users.create", actor=user, kind=kind) for kind in ("intent", "outcome"))
        self.assertEqual(intent["body"]["state"], "kept")
        self.assertEqual({name: intent["body"]["value"][name] for name in body}, body)
        self.assertEqual(intent["body"]["digest"], canonical_digest(intent["body"]["value"]))
        self.assertEqual([intent["body"]["value"]] * 2, [intent["parameters"], intent["details"]["input"]])
        listed = next(r for r in self.host.records(actor=user, action="users.create") if r["seq"] == intent["seq"])
        self.assertEqual(("sha256:" + intent["input_digest"], "sha256:" + intent["address"]), (listed["parameters"], listed["actor"]["ip"]))
        self.assertEqual(outcome["body"]["value"], made)
        self.assertEqual((intent["actor"]["ip"], intent["actor"]["ip_state"]), ("127.0.0.1", "kept"))
        self.assertNotIn("address", outcome)
        auditor = self.host.user("auditor")
        shown = self.host.get(f"/api/v1/admin/audit/{intent['seq']}", key=auditor, expect=200).json
        self.assertEqual(shown["body"], intent["body"])
        read = self.record(action="audit.get", kind="read")
        self.assertEqual(read["resource"]["id"], str(intent["seq"]))
        self.assertEqual(read["actor"]["ip"], "127.0.0.1")

    def test_the_log_has_salted_digests_alone(self):
        user, key = self.person()
        first, second = self.make(key, "salt-one"), self.make(key, "salt-two")
        for records in (first, second):
            self.assertEqual(records["intent"]["kept"], 1)
            self.assertNotEqual(records["intent"]["input_digest"], records["intent"]["body"]["digest"])
        # one address, one user: one digest; another user's is another
        self.assertEqual(first["intent"]["address"], second["intent"]["address"])
        other = self.make(self.person()[1], "salt-three")
        self.assertNotEqual(first["intent"]["address"], other["intent"]["address"])
        page = self.host.get(f"/api/v1/admin/audit?actor={user}&limit=500", expect=200).text
        for export in (page, self.host.get("/api/v1/admin/audit/export?format=json", expect=200).text):
            self.assertNotIn("salt-one", export)
            self.assertNotIn("127.0.0.1", export)
        self.assertNotIn("salt-one", self.host.read_log())
        self.assertEqual(holders(self.host.state, "salt-one"), [])

    def test_secrets_are_kept_of_nobody(self):
        user, key = self.person()
        made = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "second", "roles": ["viewer"]}, key=key, expect=201).json
        outcome = self.record(action="keys.create", actor=user, kind="outcome")
        self.assertEqual(outcome["body"]["value"]["key"], "***")
        self.assertNotIn(made["key"], json.dumps(outcome))

    def test_a_long_body_is_cut(self):
        _user, key = self.person()
        long = {f"m{i}": "ä" * 900 for i in range(60)}
        self.host.post("/api/v1/admin/tenants", {"tenant_id": f"long-{time.monotonic_ns()}", "name": "long", "metadata": long}, expect=201)
        shown = self.record(action="tenants.create", kind="intent")
        self.assertNotIn("value", shown["body"])
        self.assertLessEqual(len(shown["body"]["text"].encode()), 64 * 1024)
        self.assertTrue(shown["body"]["text"].startswith('{"metadata":{"m0":"ää'))

    def test_a_mission_is_kept(self):
        user, key = self.person("operator")
        agent = self.host.agent()
        answer = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "mission-canary"}, key=key, expect=200).json
        for action in ("model.call", "agents.execute"):
            self.record(action=action, actor=user, kind="outcome")
        records = [self.host.get(f"/api/v1/admin/audit/{r['seq']}", expect=200).json for r in self.host.records(actor=user)]
        shown = {(r["action"], r["kind"]): r for r in records if r["kind"] in ("intent", "outcome")}
        self.assertEqual(shown["agents.execute", "intent"]["body"]["value"]["mission"], "mission-canary")
        self.assertEqual(shown["agents.execute", "outcome"]["body"]["value"], answer["answer"])
        self.assertIn("mission-canary", json.dumps(shown["model.call", "intent"]["body"]["value"]))
        self.assertTrue(all(r["body"]["state"] == "kept" for r in shown.values()))
        self.assertEqual(holders(self.host.state, "mission-canary"), [])

    def test_a_compatible_door_keeps_the_same(self):
        user, key = self.person("operator")
        body = {"messages": [{"role": "user", "content": "door-canary"}], "api_key": "not-to-be-kept"}
        body["model"] = self.host.get("/api/v1/models", expect=200).json["items"][0]["id"]
        answer = self.host.post("/v1/chat/completions", body, key=key, expect=200).json
        self.assertEqual(self.record(action="model.call", actor=user, kind="intent")["body"]["value"], {**body, "api_key": "***"})
        self.assertEqual(self.record(action="model.call", actor=user, kind="outcome")["body"]["value"], answer["choices"][0]["message"]["content"])

    def test_what_is_erased_is_gone_and_the_log_verifies(self):
        user, key = self.person()
        seqs = {kind: found["seq"] for kind, found in self.make(key, "gone-canary").items()}
        before = {kind: self.host.get(f"/api/v1/admin/audit/{seq}", expect=200).json for kind, seq in seqs.items()}
        erased = self.erase(user).json
        self.assertEqual(erased["user_id"], user)
        for kind, seq in seqs.items():
            shown = self.host.get(f"/api/v1/admin/audit/{seq}", expect=200)
            self.assertNotIn("gone-canary", shown.text)
            self.assertEqual(shown.json["body"], {"state": "erased"})
            # the record is what it was
            self.assertEqual(shown.json["hash"], before[kind]["hash"])
        shown = self.host.get(f"/api/v1/admin/audit/{seqs['intent']}", expect=200).json
        self.assertEqual((shown["actor"].get("ip"), shown["actor"]["ip_state"]), (None, "erased"))
        # whoever guesses all of it right cannot confirm it: no digest in the log is that of the arguments
        guess = {"username": "gone-canary", "attributes": {"badge": "gone-canary"}}
        export = self.host.get("/api/v1/admin/audit/export?format=json", expect=200).text
        self.assertNotIn(canonical_digest(guess), export)
        self.assertNotIn(before["intent"]["body"]["digest"], export)
        # on record, of whom, and by whom
        intent = self.record(action="compliance.erase", kind="intent", resource=user)
        self.assertEqual(intent["resource"], {"id": user, "type": "user"})
        self.assertEqual(self.record(action="compliance.erase", kind="outcome", resource=user)["outcome"], "succeeded")
        self.verify()
        # again: the same; and what comes later is kept under another key
        self.assertEqual(self.erase(user).json, erased)
        self.assertEqual(self.make(key, "later-canary")["intent"]["body"]["state"], "kept")
        self.assertEqual(self.host.get(f"/api/v1/admin/audit/{seqs['intent']}", expect=200).json["body"], {"state": "erased"})
        self.assertGreater(self.erase(user).json["erased_at"], erased["erased_at"])

    def test_erasing_one_leaves_the_others(self):
        first, second = self.person(), self.person()
        self.make(first[1], "other-first")
        kept = self.make(second[1], "other-second")["intent"]["seq"]
        self.erase(first[0])
        self.assertEqual(self.host.get(f"/api/v1/admin/audit/{kept}", expect=200).json["body"]["state"], "kept")

    def test_deleting_is_not_erasing(self):
        user, key = self.person()
        seq = self.make(key, "deleted-canary")["intent"]["seq"]
        self.host.delete(f"/api/v1/admin/users/{user}", expect=204)
        self.assertEqual(json.loads(self.host.ctl("--json", "audit", "show", str(seq)).stdout)["body"]["state"], "kept")
        self.assertEqual(json.loads(self.host.ctl("--json", "compliance", "erase", user).stdout)["user_id"], user)
        self.assertEqual(self.host.get(f"/api/v1/admin/audit/{seq}", expect=200).json["body"]["state"], "erased")

    def test_who_may_erase(self):
        user, _key = self.person("viewer")
        for role in ("agent_designer", "operator", "auditor", "viewer"):
            refused = self.erase(user, key=self.host.user(role), expect=403)
            self.assertIn("user:manage", refused.json["detail"])
        self.erase(user, key=None, expect=401)
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "personal-other", "name": "other"}, expect=201)
        there = self.host.user("admin", tenant="personal-other")
        self.erase(user, key=there, expect=404)
        self.erase("usr_nobody", expect=404)
        self.erase(user, key=self.host.user("admin"))

    def test_what_is_no_request(self):
        for body, pointer in (({}, "/user_id"), ({"user_id": ""}, "/user_id"), ({"user_id": 7}, "/user_id"), ({"user_id": "x" * 129}, "/user_id"),
                              ({"user_id": "x", "more": 1}, "/more")):
            answer = self.host.post(ERASURES, body, expect=400).json
            self.assertIn(pointer, [e["pointer"] for e in answer["errors"]], body)

    def test_a_key_answers_again(self):
        user, key = self.person()
        self.make(key, "replay-canary")
        headers = {"Idempotency-Key": f"erase-{user}"}
        first = self.erase(user, headers=headers).json
        later = self.make(key, "replay-later")["intent"]["seq"]
        self.assertEqual(self.erase(user, headers=headers).json, first)
        # nothing was done again
        self.assertEqual(self.host.get(f"/api/v1/admin/audit/{later}", expect=200).json["body"]["state"], "kept")

    def test_kept_answers_go_too(self):
        user, key = self.person()
        body = {"username": f"answered-{time.monotonic_ns()}"}

        def ask(word, **options):
            return self.host.post("/api/v1/admin/users", options.pop("body", body), headers={"Idempotency-Key": word}, **options)

        first = ask("of-the-erased", key=key, expect=201).json
        self.assertEqual(ask("of-the-erased", key=key, expect=201).json, first)
        other = ask("of-another", body={"username": f"{body['username']}-2"}, expect=201).json
        self.erase(user)
        for _ in range(2):
            refused = ask("of-the-erased", key=key, expect=409).json
            self.assertIn("erased", refused["detail"])
            self.assertNotIn(first["user_id"], json.dumps(refused))
            self.assertEqual(len(self.host.records(action="users.create", kind="intent", actor=user)), 1)
            ask("of-the-erased", key=key, body={"username": "another"}, expect=422)
            # nobody else's
            self.assertEqual(ask("of-another", body={"username": f"{body['username']}-2"}, expect=201).json, other)
            self.host.stop()
            self.host.start()

    def test_a_damaged_half_is_no_erasure(self):
        user, key = self.person()
        seq = self.make(key, "damaged-canary")["intent"]["seq"]
        name = hashlib.sha256(user.encode()).hexdigest()[:40] + ".1"
        half = os.path.join(self.host.state, "keys", "subjects", "default", name)
        with open(half, "rb") as file:
            whole = file.read()

        def state():
            return self.host.get(f"/api/v1/admin/audit/{seq}", expect=200).json["body"]["state"]

        def check():
            items = self.host.get("/api/v1/admin/doctor", expect=200).json["items"]
            return next(i for i in items if i["id"] == "audit.personal_keys")

        def write(data):
            with open(half, "wb") as file:
                file.write(data)

        self.assertEqual((state(), check()["state"]), ("kept", "ok"))
        write(whole[:7])
        # nothing is begun for him, nothing is made anew, and whoever looks after the host is told where
        refused = self.host.post("/api/v1/admin/users", {"username": "damaged-more"}, key=key, expect=500).json
        self.assertNotIn(name, json.dumps(refused))
        self.assertEqual(state(), "damaged")
        found = check()
        self.assertEqual(found["state"], "fail")
        self.assertIn(half, found["detail"])
        self.assertIn("compliance erase", found["detail"])
        self.assertIn("erase the user", found["remedy"])
        self.assertFalse(os.path.exists(half[:-1] + "2"))
        # also after a start
        self.host.stop()
        self.host.start()
        self.assertEqual((state(), check()["state"]), ("damaged", "fail"))
        # put back
        write(whole)
        self.assertEqual((state(), check()["state"]), ("kept", "ok"))
        # or given up
        os.unlink(half)
        self.assertEqual(state(), "damaged")
        self.erase(user)
        self.assertTrue(os.path.exists(half + ".erased"))
        self.assertEqual((state(), check()["state"]), ("erased", "ok"))
        self.assertEqual(self.make(key, "damaged-after")["intent"]["body"]["state"], "kept")
        self.verify()

    def test_a_removed_tenant_leaves_no_half_of_a_key(self):
        tenant = f"removed-{time.monotonic_ns()}"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": "removed"}, expect=201)
        self.host.post("/api/v1/admin/users", {"username": "x"}, headers={"X-Tenant-ID": tenant}, expect=201)
        halves = os.path.join(self.host.state, "keys", "subjects", tenant)
        self.assertEqual(len(os.listdir(halves)), 1)
        self.host.delete(f"/api/v1/admin/tenants/{tenant}", expect=204)
        self.assertFalse(os.path.exists(halves))


class Told(Base):
    """What a caller writes where an id is expected stands in no record, unless it is one."""

    config = "audit: {include_request_body: false}\n"
    canary = "canary-told"

    def tell(self, key):
        """Everywhere an id is taken. Answers how many were told."""
        words = (f"{self.canary}{i}@x.example" for i in range(1000))
        for path in ("admin/users", "admin/agents", "runs", "admin/keys", "documents", "admin/tenants", "admin/roles", "conversations",
                     "admin/workspaces", "admin/plugins", "admin/costs/reports", "admin/audit"):
            for method in ("GET", "DELETE"):
                self.host.call(method, f"/api/v1/{path}/{next(words)}", key=key)
        self.host.call("POST", ERASURES, {"user_id": next(words)}, key=key)
        self.host.call("POST", "/api/v1/admin/access/evaluate", {"user_id": next(words), "action": "agent:read"}, key=key)
        self.host.call("POST", "/api/v1/admin/agents", {"name": "x", "workspace_id": next(words)}, key=key)
        self.host.call("POST", "/api/v1/agents/execute", {"agent_id": next(words), "mission": "x"}, key=key)
        self.host.call("POST", "/api/v1/chat", {"message": "x", "agent_id": next(words), "conversation_id": next(words)}, key=key)
        self.host.call("POST", "/api/v1/admin/usage/reports", {"agent_id": next(words), "type": "llm_call", "model": next(words), "tokens_used": 1}, key=key)
        self.host.call("POST", "/api/v1/admin/encryption/rotate", {"store": next(words)}, key=key)
        for model in ("", "agent/", "local/"):
            self.host.call("POST", "/v1/chat/completions", {"model": model + next(words), "messages": [{"role": "user", "content": "x"}]}, key=key)
        self.host.call("POST", "/v1/embeddings", {"model": next(words), "input": "x"}, key=key)
        self.host.call("GET", f"/api/v1/admin/audit?agent_id={next(words)}&run_id={next(words)}&actor={next(words)}", key=key)
        return int(next(words)[len(self.canary):].split("@")[0])

    def test_no_record_has_what_was_told(self):
        _user, key = self.person()
        for caller in (key, self.host.user("viewer"), self.host.key, None):
            self.assertGreater(self.tell(caller), 30)
        self.host.stop()
        self.assertEqual(holders(os.path.join(self.host.state, "ledger"), self.canary), [])
        self.host.start()
        self.verify()
        records = self.host.records()
        named = {r["resource"]["id"] for r in records if r.get("resource", {}).get("id", "").startswith("told_")}
        self.assertGreater(len(named), 20)
        self.assertTrue({r["agent_id"] for r in records if r.get("agent_id", "").startswith("told_")})
        # nobody confirms a guess: the digest is keyed
        for name in named:
            self.assertRegex(name, "^told_[0-9a-f]{16}$")
        for i in range(100):
            guess = f"{self.canary}{i}@x.example".encode()
            self.assertNotIn("told_" + hashlib.sha256(guess).hexdigest()[:16], named)

    def test_the_same_is_known_again(self):
        since = self.host.get("/api/v1/admin/audit?limit=1", expect=200).json["items"][0]["seq"]
        for _ in range(2):
            self.host.call("GET", "/api/v1/admin/users/again@x.example", expect=404)
        # nobody waits for the record of a refusal
        found, end = [], time.monotonic() + 60
        while len(found) < 2 and time.monotonic() < end:
            found = [r["resource"] for r in self.host.records(action="users.get", kind="refusal") if r["seq"] > since]
        self.assertEqual(found, [found[0]] * 2)

    def test_what_is_there_has_its_id(self):
        user, _key = self.person()
        agent, name = self.host.agent(), f"told-{time.monotonic_ns()}"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": name, "name": "x"}, expect=201)
        role = self.host.post("/api/v1/admin/roles", {"name": name, "permissions": ["audit:read"]}, expect=201).json["role_id"]
        plugin = self.host.get("/api/v1/admin/plugins", expect=200).json["items"][0]["plugin_id"]
        for path, what in (("users", user), ("agents", agent), ("tenants", name), ("roles", role), ("roles", "viewer"), ("plugins", plugin)):
            self.host.get(f"/api/v1/admin/{path}/{what}", expect=200)
            self.assertTrue(self.host.records(action=f"{path}.get", resource=what), path)
        self.assertTrue(self.host.records(action="tenants.create", kind="intent", resource=name))


class Invented(unittest.TestCase):
    """Names that nobody here knows, of tools and of models, stand in no record; those that are known do."""

    config = """
llm:
  default: mock/gpt-default
  prices: {{mock/gpt-priced: {{input: 1, output: 1, currency: USD}}}}
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test", models: [gpt-listed]}}}}
"""
    canary = "anna-canary"

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI(models=("gpt-default", "gpt-listed", "gpt-priced", "gpt-silent"), any_model=False).start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(config=cls.config.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    def ask(self, model, status):
        body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
        self.assertEqual(self.host.call("POST", "/v1/chat/completions", body).status, status, model)
        intent = self.host.records(action="model.call", kind="intent")[-1]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for record in self.host.records(action="model.call", kind="outcome"):
                if record["intent"] == intent["seq"]:
                    return intent["model"], record["model"]
        raise AssertionError("no outcome")

    def test_models(self):
        for name in ("gpt-default", "gpt-listed", "gpt-priced"):
            self.mock.script([{"content": "x"}])
            self.assertEqual(self.ask(f"mock/{name}", 200), (f"mock/{name}",) * 2)
        # its service answers to it: it is one, and its usage has a name
        self.mock.script([{"content": "x"}])
        intent, outcome = self.ask("mock/gpt-silent", 200)
        self.assertRegex(intent, "^mock/told_[0-9a-f]{16}_10$")
        self.assertEqual(outcome, "mock/gpt-silent")
        # it does not
        for model in (f"mock/{self.canary}", self.canary):
            for told in self.ask(model, 400):
                self.assertRegex(told, f"^mock/told_[0-9a-f]{{16}}_{len(self.canary)}$")
        self.host.stop()
        self.assertEqual(holders(os.path.join(self.host.state, "ledger"), self.canary), [])
        self.host.start()

    def test_tools(self):
        agent, invented = self.host.agent(), "canary_tool_of_anna"
        for name, stands in ((invented, False), ("calculate", True)):
            self.mock.script([{"tool_calls": [{"name": name, "arguments": {"expression": "1+1"}}]}, {"content": "done"}])
            run = self.host.run(agent, "x")
            told = {r["tool_name"] for r in self.host.records(run_id=run["run_id"], action="tool.call")}
            self.assertEqual(len(told), 1, told)
            if stands:
                self.assertEqual(told, {name})
            else:
                self.assertRegex(told.pop(), f"^told_[0-9a-f]{{16}}_{len(invented)}$")
        self.host.stop()
        self.assertEqual(holders(os.path.join(self.host.state, "ledger"), invented), [])
        self.host.start()
        done = subprocess.run([sys.executable, SCRIPT, self.host.state], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])


class Plain(Base):
    config = "audit: {include_request_body: false}\n"

    def test_nothing_is_kept_unless_asked_for(self):
        body = {"username": "plain-anna"}
        self.host.post("/api/v1/admin/users", body, expect=201)
        intent = self.record(action="users.create", kind="intent")
        for member in ("body", "kept", "address"):
            self.assertNotIn(member, intent)
        self.assertEqual(intent["input_digest"], canonical_digest(body))
        self.assertFalse(os.path.exists(os.path.join(self.host.state, "keys", "subjects")))


class Killed(Base):
    def test_no_record_promises_what_was_not_kept(self):
        stop = threading.Event()

        def work(worker):
            for i in range(10000):
                try:
                    self.host.post("/api/v1/admin/users", {"username": f"killed-{worker}-{i}"})
                except (OSError, AssertionError, ValueError):
                    return
                if stop.is_set():
                    return

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60
        while len(self.host.records(action="users.create")) < 40 and time.monotonic() < end:
            pass
        self.host.process.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        self.host.kill()
        self.host.start()
        promised = [r["seq"] for r in self.host.records(action="users.create") if r.get("kept")]
        self.assertGreater(len(promised), 10)
        for seq in promised[-60:]:
            self.assertEqual(self.host.get(f"/api/v1/admin/audit/{seq}", expect=200).json["body"]["state"], "kept", seq)
        self.verify()


if __name__ == "__main__":
    main()
