# SPDX-License-Identifier: LGPL-2.1-or-later
"""Agents as identities: role, the user they act for, claims, deactivation."""

import json
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main
from test_missions import cut_journal

ROLES = ("executor", "planner", "reviewer", "admin")
DEFINITION = {"system_prompt": "Test.", "tools": ["semantic_search", "calculate", "http_request"]}


def create(host, expect=201, key=None, headers=None, **members):
    body = {"name": "a", "initial_definition": DEFINITION, **members}
    more = {"key": key} if key else {}
    return host.post("/api/v1/admin/agents", body, expect=expect, headers=headers or {}, **more).json


class Identity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.host = Host().start()
        cls.addClassCleanup(cls.host.close)
        cls.host.post("/api/v1/admin/tenants", {"tenant_id": "other", "name": "other"}, expect=201)
        cls.alice = cls.host.post("/api/v1/admin/users", {"username": "alice", "roles": ["operator"]}, expect=201).json["user_id"]
        cls.mallory = cls.host.post("/api/v1/admin/users", {"username": "mallory", "roles": ["operator"]},
                                    headers={"X-Tenant-ID": "other"}, expect=201).json["user_id"]

    def update(self, agent, expect=200, **members):
        return self.host.put(f"/api/v1/admin/agents/{agent['agent_id']}", members, expect=expect).json

    def identity(self, agent):
        shown = self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", expect=200).json
        return tuple(shown[n] for n in ("role", "delegated_user_id", "token_claims", "active"))

    def test_what_is_left_out_has_its_default(self):
        agent = create(self.host)
        self.assertEqual(("executor", None, {}, True), self.identity(agent))
        self.assertTrue(agent["owner_id"])
        self.assertRegex(agent["created_at"], r"^\d{4}-.*Z$")

    def test_what_is_given_is_kept_and_changed(self):
        claims = {"cost_center": "4711", "limit": 250.5, "external": False, "note": None}
        agent = create(self.host, role="reviewer", delegated_user_id=self.alice, token_claims=claims, active=False)
        self.assertEqual(("reviewer", self.alice, claims, False), self.identity(agent))
        self.update(agent, name="b")
        self.assertEqual(("reviewer", self.alice, claims, False), self.identity(agent))
        self.update(agent, role="admin", delegated_user_id=None, token_claims={"a": 1}, active=True)
        self.assertEqual(("admin", None, {"a": 1}, True), self.identity(agent))

    def test_the_user_is_one_of_the_tenant(self):
        agent = create(self.host)
        for user in (self.mallory, "usr_0000000000000000000000000", ""):
            self.assertNotIn(self.mallory, json.dumps(create(self.host, expect=404, delegated_user_id=user)))
            self.update(agent, expect=404, delegated_user_id=user)
        self.assertEqual(("executor", None, {}, True), self.identity(agent))

    def test_the_owner_is_one_of_the_tenant(self):
        agent = create(self.host)
        me = self.host.get("/api/v1/me", expect=200).json["user_id"]
        for user in (self.mallory, "usr_0000000000000000000000000", ""):
            self.assertNotIn(self.mallory, json.dumps(create(self.host, expect=404, owner_id=user)))
            self.update(agent, expect=404, owner_id=user)
        self.assertEqual(me, agent["owner_id"])
        self.assertEqual(self.alice, self.update(agent, owner_id=self.alice)["owner_id"])
        # nobody of the tenant made this one
        there = {"X-Tenant-ID": "other"}
        self.assertIsNone(create(self.host, headers=there)["owner_id"])
        create(self.host, headers=there, expect=404, owner_id=me)
        self.assertEqual(self.mallory, create(self.host, headers=there, owner_id=self.mallory)["owner_id"])

    def test_owner_and_delegate_are_active(self):
        user = self.host.post("/api/v1/admin/users", {"username": "resting", "roles": ["operator"]}, expect=201).json["user_id"]
        agent, path = create(self.host, owner_id=user, delegated_user_id=user), f"/api/v1/admin/users/{user}"
        self.host.call("PATCH", path, {"status": "disabled"}, expect=200)
        for member in ("owner_id", "delegated_user_id"):
            self.assertIn(member, create(self.host, expect=409, **{member: user})["detail"])
            self.update(create(self.host), expect=409, **{member: user})
        # what an agent has it keeps
        self.update(agent, name="b", owner_id=user, delegated_user_id=user)
        self.host.delete(path, expect=204)
        self.update(agent, name="c", owner_id=user)
        create(self.host, expect=404, owner_id=user)

    def test_who_manages_no_users_delegates_for_himself(self):
        designer = self.host.post("/api/v1/admin/users", {"username": "designer", "roles": ["agent_designer"]}, expect=201).json["user_id"]
        key = self.host.post("/api/v1/admin/keys", {"user_id": designer, "name": "d", "roles": ["agent_designer"]}, expect=201).json["key"]
        others = create(self.host, delegated_user_id=self.alice)
        # one that is there and one that is not: the same answer
        for user in (self.alice, "usr_0000000000000000000000000", self.mallory):
            for path in ("agents", "agents/register"):
                body = {"name": "a", "delegated_user_id": user, **({"initial_definition": DEFINITION} if path == "agents" else {})}
                self.assertIn("user:manage", self.host.post(f"/api/v1/admin/{path}", body, key=key, expect=403).json["detail"])
        agent = create(self.host, key=key, delegated_user_id=designer)
        self.assertEqual((designer, designer), (agent["owner_id"], agent["delegated_user_id"]))
        path = f"/api/v1/admin/agents/{agent['agent_id']}"
        self.host.put(path, {"delegated_user_id": self.alice}, key=key, expect=403)
        self.host.put(path, {"delegated_user_id": None}, key=key, expect=200)
        # what an agent has already, he may repeat
        self.host.put(f"/api/v1/admin/agents/{others['agent_id']}", {"name": "b", "delegated_user_id": self.alice}, key=key, expect=200)

    def test_bad_members_are_named(self):
        claims = {f"c{n}": n for n in range(65)}
        for members, pointer in (({"role": "root"}, "/role"), ({"token_claims": {"a": {"b": 1}}}, "/token_claims/a"),
                                 ({"token_claims": claims}, "/token_claims"), ({"token_claims": []}, "/token_claims"),
                                 ({"active": "no"}, "/active"), ({"delegated_user_id": 7}, "/delegated_user_id")):
            refused = create(self.host, expect=400, **members)
            self.assertIn(pointer, [e["pointer"] for e in refused["errors"]], members)

    def test_an_agent_belongs_to_one_tenant(self):
        there = {"X-Tenant-ID": "other"}
        agent = create(self.host, headers=there, delegated_user_id=self.mallory)
        self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", expect=404)
        self.host.post(f"/api/v1/admin/agents/{agent['agent_id']}/deactivate", expect=404)
        self.update(agent, expect=404, role="admin")
        shown = self.host.get(f"/api/v1/admin/agents/{agent['agent_id']}", headers=there, expect=200).json
        self.assertTrue(shown["active"])

    def test_lists_are_filtered_and_paged(self):
        host = self.host
        host.post("/api/v1/admin/tenants", {"tenant_id": "many", "name": "many"}, expect=201)
        there = {"X-Tenant-ID": "many"}
        for number in range(12):
            create(host, headers=there, name=f"n{number}", role=ROLES[number % 4], active=number < 8)

        def names(query):
            found, cursor = [], ""
            while cursor is not None:
                page = host.get(f"/api/v1/admin/agents?limit=2{query}{cursor}", headers=there, expect=200).json
                self.assertLessEqual(len(page["items"]), 2)
                self.assertTrue(len(page["items"]) == 2 or page["next_cursor"] is None)
                found += [a["name"] for a in page["items"]]
                cursor = page["next_cursor"] and "&cursor=" + page["next_cursor"]
            return found

        self.assertEqual([f"n{n}" for n in range(11, -1, -1)], names(""))
        self.assertEqual(["n9", "n5", "n1"], names("&role=planner"))
        self.assertEqual(["n4", "n0"], names("&role=executor&active=true"))
        self.assertEqual(["n11", "n10", "n9", "n8"], names("&active=false"))
        host.get("/api/v1/admin/agents?role=root", headers=there, expect=400)

    def test_registration_needs_no_definition(self):
        body = {"name": "adder", "role": "executor", "delegated_user_id": self.alice, "token_claims": {"a": "b"}}
        agent = self.host.post("/api/v1/admin/agents/register", body, expect=201).json
        self.assertEqual(("executor", self.alice, {"a": "b"}, True), self.identity(agent))
        self.assertEqual(agent["current_version"], "0.1.0")
        answer = self.host.run(agent["agent_id"], "What is 6*7?")
        self.assertIn("42", answer["answer"])
        self.host.post("/api/v1/admin/agents/register", {**body, "delegated_user_id": self.mallory}, expect=404)

    def test_a_default_definition_can_be_executed_where_drafts_cannot(self):
        with Host(config="agents: {auto_publish: false}\n") as host:
            agent = host.post("/api/v1/admin/agents/register", {"name": "r"}, expect=201).json
            self.assertTrue(host.run(agent["agent_id"], "What is 6*7?")["success"])
            for path in ("/api/v1/admin/agents/register", "/api/v1/admin/agents"):
                own = host.post(path, {"name": "r", "initial_definition": DEFINITION}, expect=201).json
                host.run(own["agent_id"], "What is 6*7?", expect=409)

    def test_roles_of_callers(self):
        agent = create(self.host)
        designer, operator, viewer = (self.host.user(r) for r in ("agent_designer", "operator", "viewer"))
        path = f"/api/v1/admin/agents/{agent['agent_id']}/deactivate"
        for key in (operator, viewer):
            self.assertIn("agent:update", self.host.post(path, key=key, expect=403).json["detail"])
            self.assertIn("agent:create", self.host.post("/api/v1/admin/agents/register", {"name": "x"}, key=key, expect=403).json["detail"])
        self.host.post(path, key=designer, expect=200)
        self.host.post(path, key=designer, expect=200)
        self.assertFalse(self.identity(agent)[3])

    def test_a_deactivated_agent_is_not_executed(self):
        host, agent = self.host, create(self.host)
        path = f"/api/v1/admin/agents/{agent['agent_id']}"
        self.assertIs(False, host.post(path + "/deactivate", expect=200).json["active"])
        self.assertIn("deactivated", host.run(agent["agent_id"], "What is 6*7?", expect=409)["detail"])
        host.post("/api/v1/chat", {"message": "What is 6*7?", "agent_id": agent["agent_id"]}, expect=409)
        host.get(path, expect=200)
        host.put(path, {"active": True}, expect=200)
        self.assertTrue(host.run(agent["agent_id"], "What is 6*7?")["success"])


CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""
CALLS = {"semantic_search": {"query": "oil"}, "calculate": {"expression": "6*7"}, "http_request": {"url": "http://127.0.0.1:1/"}}
# what each role does with a tool that only reads, and with one that does not
MAY = {"executor": (True, True), "planner": (False, False), "reviewer": (True, False), "admin": (True, True)}


class Effects(unittest.TestCase):
    def setUp(self):
        self.mock = MockOpenAI().start()
        self.addCleanup(self.mock.stop)
        self.host = Host(config=CONFIG.format(url=self.mock.base_url)).start()
        self.addCleanup(self.host.close)

    def call(self, *names):
        return {"tool_calls": [{"name": n, "arguments": CALLS[n]} for n in names]}

    def update(self, agent, **members):
        return self.host.put(f"/api/v1/admin/agents/{agent['agent_id']}", members, expect=200)

    def test_every_role_with_every_effect(self):
        for role, (reads, writes) in MAY.items():
            with self.subTest(role):
                agent = create(self.host, role=role)
                self.mock.script([self.call(*CALLS), {"content": "Done."}])
                answer = self.host.run(agent["agent_id"], "try all")
                self.assertEqual((True, "Done."), (answer["success"], answer["answer"]))
                records = self.host.records(run_id=answer["run_id"])
                self.assertEqual(2, sum(r["action"] == "model.call" and r["kind"] == "outcome" and r["outcome"] == "succeeded" for r in records))
                for tool, may in (("semantic_search", reads), ("calculate", reads), ("http_request", writes)):
                    found = [(r["kind"], r.get("reason")) for r in records if r.get("tool_name") == tool]
                    if may:
                        self.assertEqual(["intent", "outcome"], [kind for kind, _ in found], (role, tool))
                        self.assertNotIn("agent_role", [reason for _, reason in found])
                    else:
                        self.assertEqual([("refusal", "agent_role")], found, (role, tool))
                told = {m["name"]: m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool" and "name" in m}
                for tool, text in told.items():
                    if tool == "http_request":
                        self.assertEqual(not writes, f"of role {role}" in text, text)

    def test_a_role_that_changes_holds_from_the_next_effect_on(self):
        agent = create(self.host)

        def demote(request):
            self.update(agent, role="planner")
            return self.call("calculate")

        self.mock.script([self.call("calculate"), demote, {"content": "Done."}])
        answer = self.host.run(agent["agent_id"], "x")
        tools = [(r["kind"], r.get("reason")) for r in self.host.records(run_id=answer["run_id"]) if r["action"] == "tool.call"]
        self.assertEqual([("intent", None), ("outcome", None), ("refusal", "agent_role")], tools)

    def stopped(self, end):
        """A run whose agent is ended by @end while a model answers: what is recorded of it behind that."""
        agent = create(self.host)

        def answer(request):
            end(agent)
            return self.call("calculate")

        self.mock.script([answer, {"content": "Never."}])
        done = self.host.run(agent["agent_id"], "x")
        self.assertFalse(done["success"])
        self.assertEqual("failed", done["status"])
        self.assertEqual("conflict", done["error"]["code"])
        self.assertEqual(1, self.mock.count("/v1/chat/completions"))
        records = self.host.records(run_id=done["run_id"])
        self.assertEqual([("tool.call", "agent_inactive"), ("model.call", "agent_inactive")],
                         [(r["action"], r["reason"]) for r in records if r["kind"] == "refusal"])
        self.assertEqual(["agents.execute", "model.call"], sorted(r["action"] for r in records if r["kind"] == "intent"))

    def test_a_run_under_way_ends_when_its_agent_is_deactivated(self):
        self.stopped(lambda agent: self.host.post(f"/api/v1/admin/agents/{agent['agent_id']}/deactivate", expect=200))

    def test_and_when_it_is_deleted(self):
        self.stopped(lambda agent: self.host.delete(f"/api/v1/admin/agents/{agent['agent_id']}", expect=204))

    def test_what_is_refused_at_the_start_is_recorded(self):
        agent = create(self.host, active=False)
        self.host.run(agent["agent_id"], "x", expect=409)
        self.host.post("/v1/chat/completions", {"model": "agent/" + agent["agent_id"], "messages": [{"role": "user", "content": "x"}]}, expect=409)
        found = []
        while len(found) < 2:  # nobody waits for the outcome of what did not begin
            found = [r for r in self.host.records(outcome="failed", agent_id=agent["agent_id"]) if r["action"] == "agents.execute"]
        self.assertEqual([("outcome", "agent_inactive")] * 2, [(r["kind"], r["reason"]) for r in found])
        self.assertEqual(0, self.mock.count("/v1/chat/completions"))
        self.assertNotIn("agent/" + agent["agent_id"], [m["id"] for m in self.host.get("/v1/models", expect=200).json["data"]])

    def test_a_restart_does_not_wake_a_deactivated_agent(self):
        self.host.stop()
        self.host.close()
        # cut_journal opens the store as plain SQLite
        self.host = Host(config=CONFIG.format(url=self.mock.base_url) + "encryption: {enabled: false}\n").start()
        self.addCleanup(self.host.close)
        for end, status in ((lambda path: None, "succeeded"), (lambda path: self.host.post(path + "/deactivate", expect=200), "failed"),
                            (lambda path: self.host.delete(path, expect=204), "failed")):
            with self.subTest(status):
                agent = create(self.host)
                self.mock.script([self.call("calculate"), {"content": "Once."}])
                run_id = self.host.run(agent["agent_id"], "x")["run_id"]
                end(f"/api/v1/admin/agents/{agent['agent_id']}")
                self.host.stop()
                cut_journal(self.host.state, run_id, 5)
                self.mock.script([{"content": "Again."}])
                self.host.start()
                self.assertEqual(status, self.ended(run_id)["status"])

    def ended(self, run_id):
        for event in self.host.stream("GET", f"/api/v1/runs/{run_id}/events"):
            if event.name in ("run.completed", "run.failed"):
                break
        return self.host.get(f"/api/v1/runs/{run_id}", expect=200).json

    def chain(self, run_id, **options):
        return self.host.get(f"/api/v1/runs/{run_id}/delegation", expect=200, **options).json

    def words(self, chain):
        return [(e["entry"], e["outcome"]) for e in chain["entries"]]

    def test_the_chain_of_what_was_denied_and_failed(self):
        agent = create(self.host, role="planner")
        self.mock.script([self.call("calculate"), {"status": 401}])
        answer = self.host.run(agent["agent_id"], "x")
        # others look at it, and that is no step of it
        self.host.get(f"/api/v1/runs/{answer['run_id']}", expect=200)
        chain = self.chain(answer["run_id"])
        self.assertEqual([("policy_check", "allowed"), ("policy_check", "allowed"), ("model_call", "executed"), ("policy_check", "denied"),
                          ("policy_check", "allowed"), ("model_call", "failed"), ("execution_complete", "failed")], self.words(chain))
        self.assertEqual(("agent_role", "calculate"), tuple(chain["entries"][3][n] for n in ("reason", "tool_name")))
        shown = json.loads(self.host.ctl("--json", "runs", "delegation", answer["run_id"]).stdout)
        self.assertEqual(chain, shown)

    def test_the_chain_of_a_run_under_way_and_of_the_assistant(self):
        seen = []

        def look(request):
            run_id = self.host.get("/api/v1/runs", expect=200).json["items"][0]["run_id"]
            seen.append(self.chain(run_id))
            return {"content": "Done."}

        self.mock.script([look])
        answer = self.host.post("/api/v1/chat", {"message": "x"}, expect=200).json
        self.assertEqual([("policy_check", "allowed"), ("policy_check", "allowed")], self.words(seen[0]))
        chain = self.chain(self.host.get("/api/v1/runs", expect=200).json["items"][0]["run_id"])
        self.assertEqual(("model_call", "execution_complete"), tuple(e["entry"] for e in chain["entries"][-2:]))
        self.assertIsNone(chain["agent_id"])
        self.assertTrue(answer)

    def test_who_may_see_the_chain(self):
        self.mock.script([{"content": "Done."}])
        path = f"/api/v1/runs/{self.host.run(create(self.host)['agent_id'], 'x')['run_id']}/delegation"
        self.host.get(path, key=self.host.user("auditor"), expect=200)
        for role in ("viewer", "operator", "agent_designer"):
            self.assertIn("audit:read", self.host.get(path, key=self.host.user(role), expect=403).json["detail"])
        self.host.get("/api/v1/runs/run_none/delegation", expect=404)
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "other", "name": "other"}, expect=201)
        self.host.get(path, headers={"X-Tenant-ID": "other"}, expect=404)

    def test_a_session_is_its_tenants(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "acme"}, expect=201)
        there = {"X-Tenant-ID": "acme"}
        self.mock.default = {"content": "Done."}
        body = {"agent_id": create(self.host, headers=there)["agent_id"], "mission": "x"}
        form = r"^acme:session-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
        answer = self.host.post("/api/v1/agents/execute", body, headers=there, expect=200).json
        self.assertRegex(answer["session_id"], form)
        again = self.host.post("/api/v1/agents/execute", {**body, "session_id": answer["session_id"]}, headers=there, expect=200).json
        self.assertEqual(answer["session_id"], again["session_id"])
        found = self.host.get("/api/v1/runs?session_id=" + answer["session_id"], headers=there, expect=200).json["items"]
        self.assertEqual(2, len(found))

    def test_a_session_is_its_users(self):
        self.mock.default = {"content": "Done."}
        body, path = {"agent_id": create(self.host)["agent_id"], "mission": "x"}, "/api/v1/agents/execute"
        keys = []
        for name in ("s-first", "s-second"):
            user = self.user(name)
            keys.append(self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, expect=201).json["key"])
        made = self.host.post(path, body, key=keys[0], expect=200).json["session_id"]
        own = self.host.post(path, {**body, "session_id": "of-my-own"}, key=keys[0], expect=200).json["session_id"]
        self.assertEqual("of-my-own", own)
        words = set()
        for session in (made, own, "acme:session-00000000-0000-4000-8000-000000000000", ":session-1", "defaulted:session-1"):
            refused = self.host.post(path, {**body, "session_id": session}, key=keys[1], expect=404).json
            words.add(refused["detail"])
            self.assertNotIn(session, json.dumps(refused))
        self.assertEqual(1, len(words))
        for session in (made, own):
            self.assertEqual(session, self.host.post(path, {**body, "session_id": session}, key=keys[0], expect=200).json["session_id"])
            found = self.host.get("/api/v1/runs?session_id=" + session, expect=200).json["items"]
            self.assertEqual(2, len(found))

    def user(self, name, **more):
        return self.host.post("/api/v1/admin/users", {"username": name, "roles": ["operator"], **more}, expect=201).json["user_id"]

    def test_every_record_of_a_run_names_the_chain(self):
        alice = self.user("alice")
        agent = create(self.host, delegated_user_id=alice)
        me = self.host.get("/api/v1/me", expect=200).json["user_id"]
        self.mock.script([self.call("calculate"), {"content": "42"}])
        answer = self.host.run(agent["agent_id"], "x")
        begun, *records, ended = self.host.records(run_id=answer["run_id"])
        self.assertEqual(("agents.execute", "intent", "agents.execute", "outcome"), (begun["action"], begun["kind"], ended["action"], ended["kind"]))
        self.assertEqual([answer["audit"]["first"], answer["audit"]["last"]], [begun["seq"], ended["seq"]])
        self.assertEqual(6, len(records))
        self.assertEqual((me, alice, agent["agent_id"]), (begun["actor"]["id"], begun["delegated_user_id"], begun["agent_id"]))
        for record in records:
            self.assertEqual((me, alice, agent["agent_id"]), (record["actor"]["id"], record["delegated_user_id"], record["agent_id"]))
            self.assertEqual(answer["audit"]["first"], record["parent"])
        self.assertEqual({"calculate"}, {r["tool_name"] for r in records if r["action"] == "tool.call"})
        for record in records:
            self.assertEqual(record["kind"] == "intent", "input_digest" in record and "trace_id" in record)
        last = self.host.get(f"/api/v1/admin/audit/{answer['audit']['last']}", expect=200).json
        self.assertEqual(("agents.execute", alice), (last["action"], last["delegated_user_id"]))
        chain = self.chain(answer["run_id"])
        self.assertEqual((me, alice, agent["agent_id"]), tuple(chain[n] for n in ("user_id", "delegated_user_id", "agent_id")))
        self.assertEqual([("policy_check", "allowed"), ("policy_check", "allowed"), ("model_call", "executed"), ("policy_check", "allowed"),
                          ("tool_call", "executed"), ("policy_check", "allowed"), ("model_call", "executed"), ("execution_complete", "executed")],
                         self.words(chain))
        for entry in chain["entries"]:
            self.assertEqual((me, alice, agent["agent_id"]), tuple(entry[n] for n in ("user_id", "delegated_user_id", "agent_id")))
        numbers = [e["sequence"] for e in chain["entries"]]
        self.assertEqual(sorted(set(numbers)), numbers)
        self.assertEqual([answer["audit"]["first"], answer["audit"]["last"]], [numbers[0], numbers[-1]])
        self.assertEqual(records[0]["hash"], chain["entries"][1]["hash"])
        self.assertEqual([None] * 3 + ["calculate"] * 2 + [None] * 3, [e.get("tool_name") for e in chain["entries"]])
        # on his own behalf
        own = create(self.host, delegated_user_id=me)
        self.mock.script([{"content": "42"}])
        answer = self.host.run(own["agent_id"], "x")
        self.assertEqual([me] * 4, [r.get("delegated_user_id") for r in self.host.records(run_id=answer["run_id"])])
        self.assertEqual({me}, {e["delegated_user_id"] for e in self.chain(answer["run_id"])["entries"]})
        # and on behalf of who asked, where nobody is named
        self.mock.script([{"content": "42"}])
        answer = self.host.run(create(self.host)["agent_id"], "x")
        self.assertEqual([me] * 4, [r.get("delegated_user_id") for r in self.host.records(run_id=answer["run_id"])])
        self.host.ctl("audit", "verify")

    def test_whoever_it_acts_for_now_is_in_the_first_record_too(self):
        """Known from a run before, and looked up anew when it was changed."""
        self.mock.default = {"content": "Done."}
        me, bob = self.host.get("/api/v1/me", expect=200).json["user_id"], self.user("bob")
        agent = create(self.host)
        for change, acts_for in (({}, me), ({}, me), ({"delegated_user_id": bob}, bob), ({}, bob), ({"delegated_user_id": None}, me)):
            if change:
                self.update(agent, **change)
            answer = self.host.run(agent["agent_id"], "x")
            self.assertEqual([acts_for] * 4, [r.get("delegated_user_id") for r in self.host.records(run_id=answer["run_id"])], change)
        # none is begun of an agent that is not there, and the host's own assistant acts for nobody
        self.host.run("agt_none", "x", expect=404)
        self.host.post("/api/v1/chat", {"message": "x"}, expect=200)
        for action in ("agents.execute", "chat.create"):
            last = self.host.records(action=action)[-2:]
            self.assertEqual([None, None], [r.get("delegated_user_id") for r in last], last)

    def test_nobody_acts_for_a_user_who_is_gone(self):
        self.mock.default = {"content": "Done."}
        user = self.user("gone")
        agent, path = create(self.host, delegated_user_id=user), f"/api/v1/admin/users/{user}"
        self.assertTrue(self.host.run(agent["agent_id"], "x")["success"])
        self.host.call("PATCH", path, {"status": "disabled"}, expect=200)
        self.assertIn("not active", self.host.run(agent["agent_id"], "x", expect=409)["detail"])
        self.host.call("PATCH", path, {"status": "active"}, expect=200)
        self.assertTrue(self.host.run(agent["agent_id"], "x")["success"])
        self.host.delete(path, expect=204)
        self.host.run(agent["agent_id"], "x", expect=409)
        create(self.host, expect=404, delegated_user_id=user)
        self.update(agent, delegated_user_id=None)
        self.assertTrue(self.host.run(agent["agent_id"], "x")["success"])


class CommandLine(unittest.TestCase):
    def test_register_list_deactivate(self):
        with Host() as host:
            host.post("/api/v1/admin/tenants", {"tenant_id": "acme", "name": "acme"}, expect=201)
            user = host.post("/api/v1/admin/users", {"username": "u", "roles": ["viewer"]}, headers={"X-Tenant-ID": "acme"}, expect=201)
            user_id = user.json["user_id"]
            made = json.loads(host.ctl("agents", "register", "acme", "advisor", "--role", "planner", "--delegated-user", user_id).stdout)
            self.assertEqual(("advisor", "planner", user_id), (made["name"], made["role"], made["delegated_user_id"]))
            own = json.loads(host.ctl("agents", "register", "own").stdout)
            listed = json.loads(host.ctl("agents", "list", "acme").stdout)["items"]
            self.assertEqual(["advisor"], [a["name"] for a in listed])
            self.assertEqual(["own"], [a["name"] for a in json.loads(host.ctl("agents", "list").stdout)["items"]])
            host.ctl("agents", "deactivate", "acme", own["agent_id"], expect=4)
            done = json.loads(host.ctl("agents", "deactivate", "acme", made["agent_id"]).stdout)
            self.assertIs(False, done["active"])
            self.assertEqual([], json.loads(host.ctl("agents", "list", "acme", "--active", "true").stdout)["items"])
            self.assertEqual(1, len(json.loads(host.ctl("agents", "list", "acme").stdout)["items"]))
            host.ctl("agents", "list", "acme", "more", expect=2)
            host.ctl("--tenant", "acme", "agents", "list", "acme", expect=2)
            host.ctl("agents", "register", expect=2)


if __name__ == "__main__":
    main()
