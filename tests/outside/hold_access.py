# SPDX-License-Identifier: LGPL-2.1-or-later
"""What was taken back is taken back when the answer says so: clients hammer while keys, users, roles, elevations, tenants and policies
are revoked, and what is allowed of the requests sent after the answer is counted. The count is zero. A run that goes on meanwhile has
no further effect.

what                                                    | CI   | long
revocations of each kind, three clients hammering each  | 3    | 60
runs under way whose caller is revoked, of each kind    | 1    | 10
clients of other users that must not notice             | 1    | 1
"""

import http.client
import json
import threading
import time
import unittest
import urllib.parse

import reeve
from mock_openai import MockOpenAI
from reeve import Host, main

CLIENTS = 3
BEFORE, AFTER = 5, 25  # answers of each client before a revocation, and after its answer
CONFIG = """
limits: {{requests_per_minute: 0}}
llm:
  default: local/gpt-4o-mini
  providers:
    - {{id: local, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-test"}}}}
"""


def at(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + seconds))


class Hammer:
    """Clients that ask the same again and again: when each request was sent, and whether it was allowed."""

    def __init__(self, host, method, path, key, body=None, allowed=lambda status, answer: status == 200):
        self.address = urllib.parse.urlsplit(host.url)
        self.request = (method, path, json.dumps(body) if body is not None else None)
        self.headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
        self.allowed, self.stopped = allowed, threading.Event()
        self.answers = [[] for _ in range(CLIENTS)]
        self.threads = [threading.Thread(target=self.hammer, args=(a,)) for a in self.answers]
        for thread in self.threads:
            thread.start()

    def hammer(self, answers):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        method, path, body = self.request
        while not self.stopped.is_set():
            sent = time.monotonic()
            connection.request(method, path, body, self.headers)
            response = connection.getresponse()
            text = response.read()
            answers.append((sent, self.allowed(response.status, text)))
        connection.close()

    def wait(self, count, since=0.0):
        """Until each client has so many answers to requests sent since."""
        limit = time.monotonic() + 120
        while any(sum(1 for sent, _ in list(a) if sent > since) < count for a in self.answers):
            if time.monotonic() > limit or not all(t.is_alive() for t in self.threads):
                raise AssertionError("a client has stopped")
            time.sleep(0.001)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def count(self, since, until=float("inf")):
        return sum(allowed for a in self.answers for sent, allowed in a if since < sent < until)


class Access(unittest.TestCase):
    serial = 0

    @classmethod
    def setUpClass(cls):
        cls.gate, cls.asked = threading.Event(), threading.Event()
        cls.mock = MockOpenAI().start()
        cls.addClassCleanup(cls.mock.stop)
        cls.mock.default = cls.answer
        cls.host = Host(config=CONFIG.format(url=cls.mock.base_url)).start()
        cls.addClassCleanup(cls.host.close)

    @classmethod
    def answer(cls, request):
        """A model that wants a tool, once the test lets it."""
        cls.asked.set()
        cls.gate.wait(60)
        return {"tool_calls": [{"name": "calculate", "arguments": {"expression": "6*7"}}]}

    @classmethod
    def number(cls):
        Access.serial += 1
        return Access.serial

    def user(self, *roles, tenant=None):
        """(user_id, key_id, key)"""
        headers = {"X-Tenant-ID": tenant} if tenant else {}
        body = {"username": f"u{self.number()}", "roles": list(roles)}
        user = self.host.post("/api/v1/admin/users", body, headers=headers, expect=201).json["user_id"]
        body = {"user_id": user, "name": "k", "roles": list(roles)}
        made = self.host.post("/api/v1/admin/keys", body, headers=headers, expect=201).json
        return user, made["key_id"], made["key"]

    # ---- one of each kind: a key, and how what it rests on is taken back ----

    def key(self):
        _, key_id, key = self.user("operator")
        return key, lambda: self.host.delete(f"/api/v1/admin/keys/{key_id}", expect=204)

    def disabled(self):
        user, _, key = self.user("operator")
        return key, lambda: self.host.put(f"/api/v1/admin/users/{user}", {"status": "disabled"}, expect=200)

    def deleted(self):
        user, _, key = self.user("operator")
        return key, lambda: self.host.delete(f"/api/v1/admin/users/{user}", expect=204)

    def roles(self):
        user, _, key = self.user("operator")
        return key, lambda: self.host.put(f"/api/v1/admin/users/{user}", {"roles": []}, expect=200)

    def role(self):
        base = self.host.post("/api/v1/admin/roles", {"name": f"base{self.number()}", "inherits": ["operator"]}, expect=201).json["role_id"]
        heir = self.host.post("/api/v1/admin/roles", {"name": f"heir{self.number()}", "inherits": [base]}, expect=201).json["role_id"]
        _, _, key = self.user(heir)
        return key, lambda: self.host.put(f"/api/v1/admin/roles/{base}", {"inherits": []}, expect=200)

    def bounding(self):
        """A key of another role name, which the user's role bounds."""
        role = self.host.post("/api/v1/admin/roles", {"name": f"wide{self.number()}", "inherits": ["operator"]}, expect=201).json["role_id"]
        user, _, _ = self.user(role)
        key = self.host.post("/api/v1/admin/keys", {"user_id": user, "name": "k", "roles": ["operator"]}, expect=201).json["key"]
        return key, lambda: self.host.put(f"/api/v1/admin/roles/{role}", {"inherits": []}, expect=200)

    def elevation(self):
        user, _, key = self.user()
        body = {"role": "operator", "until": at(3600), "reason": "load"}
        made = self.host.post(f"/api/v1/admin/users/{user}/elevate", body, expect=201).json["elevation_id"]
        return key, lambda: self.host.delete(f"/api/v1/admin/users/{user}/elevations/{made}", expect=204)

    def suspended(self):
        tenant = f"t{self.number()}"
        self.host.post("/api/v1/admin/tenants", {"tenant_id": tenant, "name": tenant}, expect=201)
        _, _, key = self.user("operator", tenant=tenant)
        return key, lambda: self.host.put(f"/api/v1/admin/tenants/{tenant}", {"status": "suspended"}, expect=200)

    KINDS = ("key", "disabled", "deleted", "roles", "role", "elevation", "suspended")

    # ---- the count ----

    def judge(self, hammer, revoke):
        try:
            hammer.wait(BEFORE)
            revoke()
            answered = time.monotonic()
            hammer.wait(AFTER, answered)
        finally:
            hammer.stop()
        self.assertGreater(hammer.count(0, answered), 0)
        self.assertEqual(0, hammer.count(answered), "allowed after the revocation was answered")

    def test_nothing_is_allowed_after_the_answer(self):
        _, _, other = self.user("viewer")
        bystander = Hammer(self.host, "GET", "/api/v1/admin/agents", other)
        try:
            for kind in self.KINDS * reeve.size(3, 60):
                with self.subTest(kind=kind):
                    key, revoke = getattr(self, kind)()
                    self.judge(Hammer(self.host, "GET", "/api/v1/admin/agents", key), revoke)
        finally:
            bystander.stop()
        self.assertTrue(all(allowed for a in bystander.answers for _, allowed in a), "somebody else was refused")

    def test_a_policy_denies_from_its_answer_on(self):
        agent = self.host.agent()
        key = self.host.key
        allow = {"tools": [{"tool_name": "calculate", "effect": "allow"}]}
        deny = {"tools": [{"tool_name": "calculate", "effect": "deny"}]}
        body = {"agent_id": agent, "tool_name": "calculate", "estimated_tokens": 1}
        for _ in range(reeve.size(3, 60)):
            self.host.put("/api/v1/admin/policies/org", allow, expect=200)
            hammer = Hammer(self.host, "POST", "/api/v1/admin/policies/evaluate", key, body,
                            lambda status, text: status != 200 or json.loads(text)["allowed"])
            self.judge(hammer, lambda: self.host.put("/api/v1/admin/policies/org", deny, expect=200))
        self.host.put("/api/v1/admin/policies/org", allow, expect=200)

    # ---- what is under way ----

    def assert_ends(self, agent, key, revoke):
        """A run under way asks the model nothing more, and calls no tool."""
        self.gate.clear()
        self.asked.clear()
        events = self.host.stream("POST", "/api/v1/agents/execute", {"agent_id": agent, "mission": "m", "stream": True}, key=key)
        run = next(events).data["run_id"]
        self.assertTrue(self.asked.wait(60))
        before = self.mock.count("/v1/chat/completions")
        revoke()
        self.gate.set()
        ended = list(events)[-1]
        self.assertEqual("run.failed", ended.name, ended.data)
        self.assertEqual("caller_revoked", ended.data["error"]["code"])
        self.assertEqual(before, self.mock.count("/v1/chat/completions"), "the model was asked once more")
        records = self.host.records(run_id=run)
        refused = [r for r in records if r["kind"] == "refusal"]
        self.assertEqual({"caller_revoked"}, {r["reason"] for r in refused})
        self.assertEqual([], [r for r in records if r["action"] == "tool.call" and r["kind"] == "intent"])

    def test_a_run_under_way_has_no_further_effect(self):
        agent = self.host.agent()
        for kind in ("key", "disabled", "roles", "role", "bounding", "elevation") * reeve.size(1, 10):
            with self.subTest(kind=kind):
                self.assert_ends(agent, *getattr(self, kind)())

    def test_a_reader_is_asked_again(self):
        """A stream that is open sends nothing more to whom it would not be opened any more; others read on."""
        self.gate.clear()
        self.asked.clear()
        body = {"agent_id": self.host.agent(), "mission": "m", "stream": True, "max_iterations": 1}
        run = self.host.stream("POST", "/api/v1/agents/execute", body, key=self.user("operator")[2])
        run_id = next(run).data["run_id"]
        self.assertTrue(self.asked.wait(60))
        key, revoke = self.key()
        _, _, other = self.user("operator")
        readers = [self.host.stream("GET", f"/api/v1/runs/{run_id}/events", key=k) for k in (key, other)]
        seen = [[next(r).name] for r in readers]
        revoke()
        self.gate.set()
        for names, reader in zip(seen, readers):
            names += [e.name for e in reader]
        self.assertIn(seen[1][-1], ("run.completed", "run.failed"))
        self.assertEqual([], [n for n in seen[0] if n.startswith(("tool.", "run.completed", "run.failed"))])
        list(run)

    def test_a_key_that_ends_ends_its_run(self):
        user, _, _ = self.user("operator")
        end = time.time() + 8  # the run is under way before, on a busy machine too
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end)) + f".{int(end % 1 * 1000):03d}Z"
        body = {"user_id": user, "name": "brief", "roles": ["operator"], "expires_at": stamp}
        key = self.host.post("/api/v1/admin/keys", body, expect=201).json["key"]
        self.assert_ends(self.host.agent(), key, lambda: time.sleep(max(0.0, end - time.time()) + 0.1))

    def test_a_run_for_a_user_who_is_let_go(self):
        for revoke in (lambda user: self.host.put(f"/api/v1/admin/users/{user}", {"status": "disabled"}, expect=200),
                       lambda user: self.host.delete(f"/api/v1/admin/users/{user}", expect=204)):
            user, _, _ = self.user("operator")
            agent = self.host.agent()
            self.host.put(f"/api/v1/admin/agents/{agent}", {"delegated_user_id": user}, expect=200)
            self.assert_ends(agent, self.user("operator")[2], lambda user=user, revoke=revoke: revoke(user))


if __name__ == "__main__":
    main()
