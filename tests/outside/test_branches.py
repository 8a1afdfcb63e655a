# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whatever comes of a call, its record says what was asked for and what came out: refusals, reads, failures and answers that are given again included."""

import hashlib
import json
import os
import threading
import time
import unittest

import table
from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: sk-none}}}}
"""
FORM = "multipart/form-data; boundary=b"


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value):
    return hashlib.sha256((value if isinstance(value, str) else canonical(value)).encode()).hexdigest()


class Base(unittest.TestCase):
    more = ""

    @classmethod
    def setUpClass(cls):
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.host = Host(CONFIG.format(url=cls.mock.base_url) + cls.more).start()
        cls.addClassCleanup(cls.host.close)
        cls.agent = cls.host.agent()
        cls.viewer = cls.host.user("viewer")
        cls.viewer_id = cls.host.get("/api/v1/me", key=cls.viewer, expect=200).json["user_id"]

    def newest(self, action, kind, **filters):
        """Its record; a refusal's comes behind its answer, for which nobody waits."""
        found, end = [], time.monotonic() + 60
        while not found and time.monotonic() < end:
            found = self.host.records(action=action, kind=kind, **filters)
        return found[-1]


class Refused(Base):
    def refused(self, action, status, reason, wanted, method, path, body, **options):
        answer = self.host.call(method, path, body, expect=status, **options)
        record = self.newest(action, "refusal")
        self.assertEqual((reason, "blocked"), (record["reason"], record["outcome"]), answer)
        self.assertEqual(wanted, record.get("input_digest"), f"{action} {status}")

    def test_a_permission_that_is_missing(self):
        body = {"agent_id": self.agent, "mission": "let me in"}
        self.refused("agents.execute", 403, "permission_denied", table.digest(table.OPERATIONS["agents.execute"], body, "rest"),
                     "POST", "/api/v1/agents/execute", body, key=self.viewer)
        self.refused("budgets.set_user", 403, "permission_denied", digest({"user_id": self.viewer_id, "token_limit": 7}),
                     "PUT", "/api/v1/admin/budgets/users/" + self.viewer_id, {"token_limit": 7}, key=self.viewer)
        self.refused("audit.list", 403, "permission_denied", digest({"limit": 3, "text": "x"}),
                     "GET", "/api/v1/admin/audit?limit=3&text=x", None, key=self.viewer)
        big = {"agent_id": self.agent, "mission": "x" * 100_000}
        self.refused("agents.execute", 403, "permission_denied", digest(big), "POST", "/api/v1/agents/execute", big, key=self.viewer)

    def test_what_is_not_there(self):
        self.refused("runs.get", 404, "not_found", digest({"run_id": "run_none"}), "GET", "/api/v1/runs/run_none", None)
        self.refused("budgets.set_agent", 404, "not_found", digest({"agent_id": "agt_none", "token_limit": 1}),
                     "PUT", "/api/v1/admin/budgets/agents/agt_none", {"token_limit": 1})

    def test_what_is_malformed(self):
        path = "/api/v1/agents/execute"
        self.refused("agents.execute", 400, "invalid_argument", digest({"agent_id": self.agent, "mission": 5}),
                     "POST", path, {"agent_id": self.agent, "mission": 5})
        self.refused("agents.execute", 400, "invalid_argument", digest({"agent_id": self.agent, "more": 1}),
                     "POST", path, {"agent_id": self.agent, "more": 1})
        self.refused("agents.execute", 400, "invalid_argument", digest("{}{broken"), "POST", path, b"{broken",
                     headers={"Content-Type": "application/json"})
        self.refused("agents.execute", 415, "unsupported_media", digest('{}{"agent_id": 1}'), "POST", path, b'{"agent_id": 1}',
                     headers={"Content-Type": "text/plain"})
        self.refused("audit.list", 400, "invalid_argument", digest({"limit": "many", "nothing": "y"}),
                     "GET", "/api/v1/admin/audit?limit=many&nothing=y", None)

    def test_a_form(self):
        form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\nContent-Type: text/markdown\r\n\r\nwords\r\n--b--\r\n'
        wanted = hashlib.sha256(b'{"file":"a.md"}' + hashlib.sha256(b"words").digest() + b"text/markdown\0").hexdigest()
        self.refused("documents.upload", 403, "permission_denied", wanted, "POST", "/api/v1/documents/upload", form,
                     headers={"Content-Type": FORM}, key=self.viewer)

    def test_no_secret_is_among_it(self):
        """A digest of a password could be guessed, be the request ever so wrong."""
        operation = table.OPERATIONS["passwords.set"]
        path = f"/api/v1/admin/users/{self.viewer_id}/password"
        self.assertEqual({"password"}, table.secrets(operation))
        known = digest({"user_id": self.viewer_id})
        self.refused("passwords.set", 403, "permission_denied", known, "PUT", path, {"password": "correct horse"}, key=self.viewer)
        self.refused("passwords.set", 400, "invalid_argument", known, "PUT", path, {"password": 5})
        self.refused("passwords.set", 400, "invalid_argument", known, "PUT", path, {"Password": "correct horse"})
        self.refused("passwords.set", 400, "invalid_argument", known, "PUT", path + "?passwd=correct+horse", {"password": "correct horse"})
        self.refused("passwords.set", 400, "invalid_argument", known, "PUT", path, b'{"password": "correct horse"',
                     headers={"Content-Type": "application/json"})

    def test_a_stranger(self):
        body = {"agent_id": self.agent, "mission": "from outside"}
        for key, wanted in (("rvk_none", digest(body)),):
            self.host.post("/api/v1/agents/execute", body, key=key, expect=401)
            record = self.newest("agents.execute", "refusal", platform="true")
            self.assertEqual(("unauthenticated", wanted), (record["reason"], record.get("input_digest")))

    def test_an_agent_that_is_not_there(self):
        """Its run never is: nothing names one."""
        gone = self.host.agent()
        self.host.run(gone, "hello")
        self.host.delete("/api/v1/admin/agents/" + gone, expect=204)
        for agent in ("agt_none", gone):
            for ask in (lambda agent: self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "x"}, expect=404),
                        lambda agent: self.host.post("/v1/chat/completions", {"model": "agent/" + agent, "messages": [{"role": "user", "content": "x"}]}, expect=404)):
                before = len(self.host.records(action="agents.execute", kind="outcome"))
                ask(agent)
                end = time.monotonic() + 60
                while len(found := self.host.records(action="agents.execute", kind="outcome")) == before and time.monotonic() < end:
                    pass
                self.assertEqual("not_found", found[-1]["reason"])
                [intent] = [r for r in self.host.records(action="agents.execute", kind="intent") if r["seq"] == found[-1]["intent"]]
                self.assertEqual([None, None], [r.get("run_id") for r in (intent, found[-1])])

    def test_a_spent_budget(self):
        agent = self.host.agent()
        self.host.put("/api/v1/admin/budgets/agents/" + agent, {"token_limit": 10}, expect=200)
        body = {"agent_id": agent, "mission": "too much"}
        self.refused("agents.execute", 429, "budget_exceeded", digest(body), "POST", "/api/v1/agents/execute", body)
        self.assertNotIn("run_id", self.newest("agents.execute", "refusal"), "there is no such run")


class Unknown(Base):
    """What no operation answers leaves a record of who asked, and for what."""

    limit = 1024 * 1024
    more = f"server: {{max_body: {limit}}}\n"

    def ask(self, status, reason, method, path, **options):
        before = len(self.host.records(action="requests.unknown"))
        answer = self.host.call(method, path, expect=status, **options)
        end = time.monotonic() + 60
        while len(found := self.host.records(action="requests.unknown")) == before and time.monotonic() < end:
            pass
        self.assertEqual(before + 1, len(found))
        self.assertEqual(("refusal", "blocked", reason, "rest", digest({"method": method, "path": path.split("?")[0]})),
                         tuple(found[-1].get(m) for m in ("kind", "outcome", "reason", "door", "input_digest")))
        return answer, found[-1]

    def test_a_path_and_a_method(self):
        answer, record = self.ask(404, "not_found", "GET", "/api/v1/nothing/here?a=b", key=self.viewer)
        self.assertEqual((told(answer.json), self.viewer_id, answer.json["trace_id"]),
                         (record["output_digest"], record["actor"]["id"], record["trace_id"]))
        answer, record = self.ask(405, "method_not_allowed", "PATCH", "/api/v1/me")
        self.assertEqual((told(answer.json), "GET, HEAD"), (record["output_digest"], answer.headers["Allow"]))
        answer, record = self.ask(404, "not_found", "POST", "/v1/nothing")
        error = answer.json["error"]
        self.assertEqual(digest({"code": error["code"].replace("-", "_"), "detail": error["message"]}), record["output_digest"])

    def test_in_another_tenant(self):
        self.host.post("/api/v1/admin/tenants", {"tenant_id": "elsewhere", "name": "Elsewhere"}, expect=201)
        self.host.get("/nothing", headers={"X-Tenant-ID": "elsewhere"}, expect=404)
        end = time.monotonic() + 60
        found = []
        while not found and time.monotonic() < end:
            found = self.host.get("/api/v1/admin/audit?action=requests.unknown", headers={"X-Tenant-ID": "elsewhere"}, expect=200).json["items"]
        self.assertEqual(["not_found"], [r["reason"] for r in found])

    def test_a_body_that_is_too_large(self):
        """It is not looked at; the rest is."""
        answer = self.host.call("PUT", "/api/v1/admin/agents/" + self.agent, b"x" * (self.limit + 1), expect=413)
        record = self.newest("agents.update", "refusal")
        self.assertEqual(("too_large", digest({"agent_id": self.agent}), told(answer.json)),
                         (record["reason"], record.get("input_digest"), record.get("output_digest")))

    def test_strangers_are_counted(self):
        """A scanner, with a key that is none or without one, does not fill the log."""
        for round in range(30):
            for key in (None, "rvk_none"):
                self.host.get(f"/scan/{round}", key=key, expect=404)
        end, found = time.monotonic() + 60, []
        while sum(r.get("count", 1) for r in found) < 60 and time.monotonic() < end:
            found = self.host.records(action="requests.unknown", platform="true")
        self.assertEqual(60, sum(r.get("count", 1) for r in found))
        self.assertLess(len(found), 20)
        self.assertEqual({("not_found", digest({"code": "not_found"}), None)},
                         {(r["reason"], r["output_digest"], r.get("actor", {}).get("id")) for r in found})
        self.assertTrue(all("source" in r for r in found))


class Done(Base):
    def test_reads(self):
        answer = self.host.post("/api/v1/documents/search", {"query": "torque"}, expect=200).json
        record = self.newest("documents.search", "read")
        self.assertEqual((digest({"query": "torque"}), digest(answer)), (record.get("input_digest"), record.get("output_digest")))
        answer = self.host.get("/api/v1/admin/budgets?limit=2", expect=200).json
        record = self.newest("budgets.list", "read")
        self.assertEqual((digest({"limit": 2}), digest(answer)), (record.get("input_digest"), record.get("output_digest")))

    def test_effects(self):
        answer = self.host.put("/api/v1/admin/budgets/users/" + self.viewer_id, {"token_limit": 12345}, expect=200).json
        intent, outcome = (self.newest("budgets.set_user", kind) for kind in ("intent", "outcome"))
        self.assertEqual(digest({"user_id": self.viewer_id, "token_limit": 12345}), intent["input_digest"])
        self.assertEqual(digest(answer), outcome.get("output_digest"))

    def test_what_is_made_is_named(self):
        """Who asks about a thing finds who made it."""
        made = {
            "users.create": ("user", self.host.post("/api/v1/admin/users", {"username": "made", "roles": ["viewer"]}, expect=201).json["user_id"]),
            "agents.create": ("agent", self.host.agent()),
            "keys.create": ("key", self.host.post("/api/v1/admin/keys", {"user_id": self.viewer_id, "name": "k", "roles": ["viewer"]},
                                                  expect=201).json["key_id"]),
            "workspaces.create": ("workspace", self.host.post("/api/v1/admin/workspaces", {"name": "made"}, expect=201).json["workspace_id"]),
            "costs.report": ("cost_report", self.host.post("/api/v1/admin/costs/report", {}, expect=201).json["report_id"]),
            "documents.upload": ("document", self.host.upload("a.md", b"words").json["document_id"]),
            "roles.create": ("role", self.host.post("/api/v1/admin/roles", {"role_id": "custom:made", "name": "made", "permissions": ["agent:read"]},
                                                    expect=201).json["role_id"]),
            "budgets.set_org": ("budget", self.host.put("/api/v1/admin/budgets/org", {"token_limit": 10**9}, expect=200).json["budget_id"]),
            "chat.create": ("conversation", self.host.post("/api/v1/chat", {"message": "hi", "agent_id": self.agent}, expect=200).json["conversation_id"]),
        }
        for action, (kind, thing) in made.items():
            with self.subTest(action=action):
                outcome = self.newest(action, "outcome")
                self.assertEqual({"type": kind, "id": thing}, outcome.get("resource"))
                self.assertEqual([outcome["seq"]], [r["seq"] for r in self.host.records(action=action, resource=thing)])
        self.assertEqual(["agents.create"], [r["action"] for r in self.host.records(agent_id=made["agents.create"][1])])

    def test_a_run_is_found_by_its_name(self):
        run = self.host.run(self.agent, "hello")
        found = self.host.records(run_id=run["run_id"])
        self.assertEqual([("agents.execute", "intent"), ("model.call", "intent"), ("model.call", "outcome"), ("agents.execute", "outcome")],
                         [(r["action"], r["kind"]) for r in found])
        self.assertEqual([run["audit"]["first"], run["audit"]["last"]], [found[0]["seq"], found[-1]["seq"]])
        used = self.host.get("/api/v1/admin/usage?run_id=" + run["run_id"], expect=200).json["items"]
        self.assertEqual(["run", "model_call"], [u["type"] for u in used])
        answer = self.host.post("/v1/chat/completions", {"model": "agent/" + self.agent, "messages": [{"role": "user", "content": "hi"}]}, expect=200)
        outcome = self.newest("agents.execute", "outcome")
        self.assertEqual(digest(answer.json["choices"][0]["message"]["content"]), outcome["output_digest"])
        self.host.get("/api/v1/runs/" + outcome["run_id"], expect=200)

    def test_models_at_compatible_doors(self):
        calls = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]
        ask = {"model": "local/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
        self.mock.script([{"content": "Ja."}, {"content": "Nein."}, {"tool_calls": [{"name": "look", "arguments": {}, "id": "c1"}]}])
        for body, wanted in ((ask, digest("Ja.")), ({**ask, "stream": True}, digest("Nein.")),
                             ({**ask, "tools": [{"type": "function", "function": {"name": "look"}}]}, digest(canonical(calls)))):
            before = self.host.records(action="model.call", kind="outcome")
            self.host.post("/v1/chat/completions", body, expect=200)
            end = time.monotonic() + 60
            while len(outcomes := self.host.records(action="model.call", kind="outcome")) == len(before) and time.monotonic() < end:
                pass
            self.assertEqual(wanted, outcomes[-1].get("output_digest"))
        self.host.post("/v1/embeddings", {"model": "local/embed", "input": "hi"}, expect=200)
        record = self.newest("model.call", "outcome", text="embed")
        self.assertRegex(record.get("output_digest", ""), "^[0-9a-f]{64}$")
        # the service has counted all that there is to count
        self.assertEqual((1, None, None), (record.get("input_tokens"), record.get("output_tokens"), record.get("estimated")))

    def test_an_answer_that_is_given_again(self):
        """Nothing is done a second time, but somebody was told something."""
        body, headers = {"agent_id": self.agent, "mission": "once"}, {"Idempotency-Key": "once-" + os.urandom(4).hex()}
        answers = [self.host.post("/api/v1/agents/execute", body, headers=headers, expect=200).json for _ in range(2)]
        self.assertEqual(*answers)
        record = self.newest("agents.execute", "read")
        self.assertEqual(("repeated", digest(body), digest(answers[0]), self.agent),
                         (record["reason"], record.get("input_digest"), record.get("output_digest"), record["agent_id"]))


def told(problem):
    """What the digest of an error is made of, from the document that a client got."""
    return digest({"code": problem["type"].rsplit("/", 1)[-1].replace("-", "_"), "detail": problem["detail"]})


class Outputs(Base):
    """What came out: an answer, a part of one, an error, nothing."""

    def outcome(self, action, before):
        end = time.monotonic() + 60
        while len(found := self.host.records(action=action, kind="outcome")) == before and time.monotonic() < end:
            pass
        return found[-1]

    def count(self, action):
        return len(self.host.records(action=action, kind="outcome"))

    def test_refusals(self):
        for action, status, method, path, body, options in (
                ("agents.execute", 403, "POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": "x"}, {"key": self.viewer}),
                ("runs.get", 404, "GET", "/api/v1/runs/run_gone", None, {}),
                ("agents.execute", 400, "POST", "/api/v1/agents/execute", {"agent_id": self.agent, "mission": 5}, {})):
            with self.subTest(action=action, status=status):
                before = self.host.records(action=action, kind="refusal")
                problem = self.host.call(method, path, body, expect=status, **options).json
                end = time.monotonic() + 60
                while len(found := self.host.records(action=action, kind="refusal")) == len(before) and time.monotonic() < end:
                    pass
                self.assertEqual(told(problem), found[-1].get("output_digest"))

    def test_refusals_of_the_gate(self):
        agent = self.host.agent()
        self.host.put("/api/v1/admin/budgets/agents/" + agent, {"token_limit": 10}, expect=200)
        problem = self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "too much"}, expect=429).json
        self.assertEqual(told(problem), self.newest("agents.execute", "refusal", agent_id=agent).get("output_digest"))

    def test_no_secret_and_no_stranger_is_quoted(self):
        path = f"/api/v1/admin/users/{self.viewer_id}/password"
        self.host.put(path, {"password": 5}, expect=400)
        self.assertEqual(digest({"code": "invalid_argument"}), self.newest("passwords.set", "refusal").get("output_digest"))
        for _ in range(2):
            self.host.get("/api/v1/me", key="rvk_none", expect=401)
        self.assertEqual(digest({"code": "unauthenticated"}), self.newest("me.get", "refusal", platform="true").get("output_digest"))

    def test_nothing(self):
        agent = self.host.agent()
        self.host.delete("/api/v1/admin/agents/" + agent, expect=204)
        self.assertEqual(digest(""), self.newest("agents.delete", "outcome", agent_id=agent).get("output_digest"))

    def test_an_effect_that_fails(self):
        body = {"role_id": "custom:twice", "name": "twice", "permissions": ["agent:read"]}
        self.host.post("/api/v1/admin/roles", body, expect=201)
        problem = self.host.post("/api/v1/admin/roles", body, expect=409).json
        failed = [r for r in self.host.records(action="roles.create", kind="outcome") if r["outcome"] == "failed"]
        self.assertEqual([told(problem)], [r.get("output_digest") for r in failed])

    def test_models_that_fail(self):
        ask = {"model": "local/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
        before = self.count("model.call")
        self.mock.script([{"status": 400, "error": {"message": "no such thing"}}])
        error = self.host.post("/v1/chat/completions", ask, expect=400).json["error"]
        record = self.outcome("model.call", before)
        self.assertEqual(("failed", digest({"code": error["code"], "detail": error["message"]})),
                         (record["outcome"], record.get("output_digest")))
        # cut off: what had come
        before = self.count("model.call")
        self.mock.script([{"chunks": ["one ", "two ", "three ", "four"], "close": "middle"}])
        words = "".join(e.data["choices"][0]["delta"].get("content") or "" for e in self.host.stream("POST", "/v1/chat/completions", {**ask, "stream": True})
                        if "choices" in e.data)
        record = self.outcome("model.call", before)
        self.assertTrue(words)
        self.assertIn(record["outcome"], ("failed", "unknown"))
        self.assertEqual(digest(words), record.get("output_digest"))

    def test_what_nobody_knows(self):
        """Of what a start finds open it is known that nobody knows."""
        with Host(CONFIG.format(url=self.mock.base_url)) as host:
            self.mock.script([{"content": "late", "delay": 60}])
            ask = {"model": "local/gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
            asked = threading.Thread(target=lambda: self.assertRaises(OSError, host.post, "/v1/chat/completions", ask))
            asked.start()
            end = time.monotonic() + 60
            while not host.records(action="model.call", kind="intent") and time.monotonic() < end:
                time.sleep(0.05)
            host.kill()
            asked.join()
            host.start()
            [record] = host.records(action="model.call", kind="outcome")
            self.assertEqual(("unknown", "host_restarted", digest({"code": "unknown_outcome"})),
                             (record["outcome"], record["reason"], record.get("output_digest")))

    def test_a_run_that_fails(self):
        self.mock.script([{"status": 400, "error": {"message": "no such thing"}}])
        run = self.host.post("/api/v1/agents/execute", {"agent_id": self.agent, "mission": "fail"}, expect=200).json
        outcome = self.newest("agents.execute", "outcome", run_id=run["run_id"])
        self.assertEqual(("failed", digest({"code": run["error"]["code"], "detail": run["error"]["message"]})),
                         (outcome["outcome"], outcome.get("output_digest")))

    def sent(self, action, reads):
        end = time.monotonic() + 60
        while len(found := self.host.records(action=action, kind="read")) < reads and time.monotonic() < end:
            pass
        return found[-2:]

    def test_exports(self):
        answer = self.host.get("/api/v1/admin/audit/export?format=csv", expect=200)
        first, last = self.sent("audit.export", 2)
        self.assertEqual((first["seq"], "sent", "succeeded", len(answer.body), hashlib.sha256(answer.body).hexdigest()),
                         (last.get("parent"), last["reason"], last["outcome"], last.get("bytes_sent"), last.get("output_digest")))
        self.assertNotIn("output_digest", first)
        self.assertEqual(digest({"format": "csv"}), first["input_digest"])

    def test_events(self):
        run = self.host.run(self.agent, "hello")["run_id"]
        events = list(self.host.stream("GET", f"/api/v1/runs/{run}/events"))
        first, last = self.sent("runs.events", 2)
        self.assertEqual((first["seq"], "sent", digest("".join(canonical(e.data) + "\n" for e in events))),
                         (last.get("parent"), last["reason"], last.get("output_digest")))

    def test_answers_in_bytes(self):
        seq = self.host.records()[0]["seq"]
        proof = self.host.get(f"/api/v1/admin/audit/{seq}/proof", expect=200)
        self.assertEqual(hashlib.sha256(proof.body).hexdigest(), self.newest("audit.proof", "read").get("output_digest"))

    def test_all_that_is_over_has_one(self):
        """Whatever the other tests left behind: no outcome and no refusal is without."""
        bare = [r for r in self.host.records() if r["kind"] in ("outcome", "refusal") and "output_digest" not in r]
        self.assertEqual([], bare)


class Bodies(Base):
    more = "audit: {include_request_body: true}\n"

    def test_questions_are_kept_salted(self):
        """Arguments of reads too; no plain digest by which a name could be tried."""
        body = {"query": "Erika Mustermann"}
        answer = self.host.post("/api/v1/documents/search", body, expect=200).json
        record = self.newest("documents.search", "read")
        self.assertNotEqual(digest(body), record["input_digest"])
        self.assertEqual(1, record["kept"])
        shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json
        self.assertEqual(("kept", body, digest(body)), tuple(shown["body"].get(m) for m in ("state", "value", "digest")))
        self.assertEqual({"state": "kept", "digest": digest(answer)}, shown["output"])
        log = json.dumps(self.host.records())
        self.assertNotIn(digest(body), log)
        self.assertNotIn(digest(answer), log)
        # also of one without arguments nobody confirms what came
        answer = self.host.get("/api/v1/me", expect=200).json
        record = self.newest("me.get", "read")
        self.assertRegex(record.get("output_digest", ""), "^[0-9a-f]{64}$")
        self.assertNotIn(digest(answer), (record["output_digest"], record["input_digest"]))
        shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json
        self.assertEqual([1, digest({}), digest(answer)], [shown["kept"], shown["body"]["digest"], shown["output"]["digest"]])

    def test_refusals_are_kept_salted(self):
        body = {"agent_id": self.agent, "mission": "Erika Mustermann"}
        self.host.post("/api/v1/agents/execute", body, key=self.viewer, expect=403)
        record = self.newest("agents.execute", "refusal")
        self.assertEqual(1, record["kept"])
        self.assertNotEqual(digest(body), record["input_digest"])
        shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json["body"]
        self.assertEqual(("kept", digest(body)), (shown["state"], shown["digest"]))
        # its text may name him too
        self.assertEqual(digest({"code": "permission_denied"}), record.get("output_digest"))

    def test_states_are_kept_salted(self):
        path = "/api/v1/admin/agents/" + self.host.agent()
        before = self.host.get(path, expect=200).json
        after = self.host.put(path, {"name": "Erika"}, expect=200).json
        for kind, wanted in (("intent", before), ("outcome", after)):
            record = self.newest("agents.update", kind)
            self.assertNotEqual(digest(wanted), record["state_digest"])
            shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json["state"]
            self.assertEqual(("kept", digest(wanted)), (shown["state"], shown["digest"]))
            self.assertEqual(wanted["name"], shown["value"]["name"])

    def test_what_is_sent_while_it_is_made_is_kept_salted(self):
        """Who follows a run, or takes an export, leaves nothing by which a guess at what he got could be confirmed."""
        self.mock.script([{"content": "Erika Mustermann"}])
        run = self.host.run(self.agent, "who")["run_id"]
        events = list(self.host.stream("GET", f"/api/v1/runs/{run}/events"))
        sent = "".join(canonical(e.data) + "\n" for e in events)
        export = self.host.get("/api/v1/admin/audit/export?format=csv", expect=200).body
        for action, plain in (("runs.events", hashlib.sha256(sent.encode()).hexdigest()), ("audit.export", hashlib.sha256(export).hexdigest())):
            end, found = time.monotonic() + 60, []
            while not found and time.monotonic() < end:
                found = [r for r in self.host.records(action=action, kind="read") if r.get("reason") == "sent"]
            [record] = found
            self.assertRegex(record["output_digest"], "^[0-9a-f]{64}$")
            self.assertNotEqual(plain, record["output_digest"])
            shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json
            self.assertEqual((1, {"state": "kept", "digest": plain}), (shown["kept"], shown["output"]))
            self.assertNotIn("body", shown)
            self.assertNotIn(plain, json.dumps(self.host.records()))
        self.assertTrue(self.host.post("/api/v1/admin/audit/verify", expect=200).json["valid"])

    def test_failures_are_kept_salted(self):
        body = {"role_id": "custom:erika", "name": "erika", "permissions": ["agent:read"]}
        self.host.post("/api/v1/admin/roles", body, expect=201)
        problem = self.host.post("/api/v1/admin/roles", body, expect=409).json
        record = self.newest("roles.create", "outcome", outcome="failed")
        self.assertEqual(1, record["kept"])
        shown = self.host.get(f"/api/v1/admin/audit/{record['seq']}", expect=200).json["body"]
        self.assertEqual(("kept", {"code": "already_exists", "detail": problem["detail"]}), (shown["state"], shown["value"]))
        self.assertNotIn(told(problem), json.dumps(self.host.records()))


if __name__ == "__main__":
    main()
