# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host whose disk is full, read-only or failing: it says so, refuses what it could not record, lets people read what it can, and goes on
by itself; what it had acknowledged is there.

what                                                      | CI           | long
----------------------------------------------------------|--------------|--------
a fault at the n-th call of a first start                 | every 40th n | every n
a fault at the n-th write to the store during a run       | every 2nd n  | every n
disk full, read-only, failing; sync; store, ledger, both  | once         | once
… with a second place of the ledger                       | once         | once
a sync that is slow, and one that fails, before a call    | once         | once
"""

import concurrent.futures
import json
import os
import re
import socketserver
import threading
import time
import unittest

import faults as f
from faults import Faults
from reeve import Host, main, size

PATIENCE = 60


class Provider(socketserver.ThreadingTCPServer):
    """A model service that counts every byte that comes."""
    daemon_threads = True
    config = property(lambda self: "llm: {default: local/m1, providers: [{id: local, plugin: llm-openai, settings: {base_url: "
                      f"'http://127.0.0.1:{self.server_address[1]}/v1', api_key: sk-test}}}}]}}\n")

    class Answer(socketserver.BaseRequestHandler):
        def handle(self):
            answer = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m1",
                      "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
                      "usage": {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}}
            text, body = b"", json.dumps(answer).encode()
            while piece := self.request.recv(65536):
                self.server.bytes += len(piece)
                text += piece
                head, found, rest = text.partition(b"\r\n\r\n")
                if found and len(rest) == int(re.search(rb"(?i)content-length: *([0-9]+)", head)[1]):
                    text = b""
                    self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Answer)
        self.bytes = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __exit__(self, *exception):
        self.shutdown()
        super().__exit__(*exception)


class Disk(unittest.TestCase):
    # ---- what all of them look at ----

    def refused(self, answer):
        self.assertEqual(503, answer.status, answer)
        self.assertEqual("application/problem+json", answer.headers["Content-Type"])
        self.assertTrue(answer.json["type"].endswith("/read-only"), answer)
        self.assertIn("disk is full", answer.json["detail"])

    def create(self, host):
        return host.post("/api/v1/admin/agents", {"name": "x", "initial_definition": {"system_prompt": "x"}})

    def wait_for(self, host, **expected):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            health = host.get("/health/ready", key=None)
            if all(health.json.get(name) == value for name, value in expected.items()):
                return health
            time.sleep(0.02)
        raise AssertionError(f"never {expected}: {health}\n{host.read_log()}")

    def check(self, host, agents):
        """Nothing acknowledged is lost, the ledger verifies, each effect has one outcome."""
        listed = {item["agent_id"] for item in host.get("/api/v1/admin/agents?limit=500", expect=200).json["items"]}
        self.assertLessEqual(set(agents), listed)
        report = host.post("/api/v1/admin/audit/verify", expect=200).json
        self.assertTrue(report["valid"], report)
        records = host.records()
        intents = {record["seq"] for record in records if record["kind"] == "intent"}
        outcomes = [record["intent"] for record in records if record["kind"] == "outcome"]
        self.assertEqual(len(outcomes), len(set(outcomes)))
        # that of the verification just made is still under way while it is listed
        self.assertLessEqual(len(intents - set(outcomes)), 1, records[-5:])

    # ---- states ----

    def test_full(self):
        """Reading goes on and is recorded; nothing new is begun."""
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            agents = [self.create(host).json["agent_id"]]
            document = host.upload("a.md", "# Press\n\nThe press needs oil.\n").json["document_id"]
            seq = host.records()[-1]["seq"]
            faults.fill()
            # the first may still find its intent written; its store cannot be
            for _ in range(5):
                self.refused(self.create(host))
            self.refused(host.post("/api/v1/agents/execute", {"agent_id": agents[0], "mission": "Does the press need oil?"}))
            health = self.wait_for(host, ledger="full", status="unhealthy")
            self.assertEqual(503, health.status)
            host.get("/health/live", key=None, expect=200)
            host.get(f"/api/v1/documents/{document}", expect=200)
            hits = host.post("/api/v1/documents/search", {"query": "oil"}, expect=200).json["results"]
            self.assertIn("needs oil", hits[0]["content"])
            # recorded, as ever
            self.assertIn("documents.search", [record["action"] for record in host.records() if record["seq"] > seq])
            faults.disarm()
            self.wait_for(host, status="healthy")
            agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)
            log = host.read_log()
            self.assertEqual(1, log.count("effects are refused"), log)
            self.assertEqual(1, log.count("it can be written again"), log)
            self.assertNotIn("ERROR", log)

    def failing_ledger(self, kind):
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            agents = [self.create(host).json["agent_id"]]
            faults.arm(kind, path="/ledger/")
            self.refused(self.create(host))
            # what must be recorded is not read either; what need not be is answered
            self.refused(host.get("/api/v1/documents"))
            host.get("/health/live", key=None, expect=200)
            host.get("/openapi.json", key=None, expect=200)
            self.assertEqual(503, self.wait_for(host, ledger="failed", database="connected").status)
            faults.disarm()
            self.wait_for(host, status="healthy")
            agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)
            self.assertIn("ledger.resumed", [record["action"] for record in host.records()])

    def test_ledger_fails(self):
        self.failing_ledger(f.IO)

    def test_ledger_is_read_only(self):
        self.failing_ledger(f.READ_ONLY)

    def test_outcome_finds_no_room(self):
        """The effect has happened: its outcome is recorded when it can be."""
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            # the intent is the first write, the outcome the second
            faults.arm(f.IO, calls=f.WRITE, path="/ledger/default/00000000000000000001.log", first=2)
            agent = self.create(host)
            self.assertEqual(201, agent.status, agent)
            self.wait_for(host, ledger="failed")
            faults.disarm()
            self.wait_for(host, status="healthy")
            self.check(host, [agent.json["agent_id"]])
            made = [(r["kind"], r.get("outcome")) for r in host.records() if r["action"] == "agents.create"]
            self.assertEqual([("intent", None), ("outcome", "succeeded")], made)

    def test_sync_fails(self):
        """No second sync makes that good: the log stays closed until the next start."""
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            agents = [self.create(host).json["agent_id"]]
            faults.arm(f.IO, calls=f.SYNC, path="/ledger/default/0", last=1)
            self.refused(self.create(host))
            faults.disarm()
            for _ in range(3):
                self.refused(self.create(host))
            self.assertEqual("failed", host.get("/health/ready", key=None, expect=503).json["ledger"])
            host.stop()
            host.start()
            agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)

    def test_nothing_leaves_before_its_intent(self):
        """A call of a model is prepared while its intent is synced; not a byte of it leaves before, and none when that fails."""
        def chat():
            body = {"model": "local/m1", "messages": [{"role": "user", "content": "Does the press need oil?"}]}
            return host.post("/v1/chat/completions", body)

        def hold(then):
            before = provider.bytes
            faults.stall("/ledger/default/0")
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                waiting = pool.submit(chat)
                try:
                    end = time.monotonic() + PATIENCE
                    while faults.waiting == 0 and time.monotonic() < end:
                        time.sleep(0.01)
                    self.assertGreater(faults.waiting, 0)
                    # each thread has had a turn since: whatever it does with the call while it waits, is done
                    open_now = [host.request("GET", "/health/live", key=None) for _ in range(16)]
                    self.assertEqual({200}, {answer.status for _connection, answer in open_now})
                    for connection, _answer in open_now:
                        connection.close()
                    self.assertFalse(waiting.done())
                    self.assertEqual(before, provider.bytes)
                    then()
                finally:
                    faults.flow()
                return waiting.result(PATIENCE), provider.bytes - before

        with Provider() as provider, Faults() as faults, Host(config=provider.config, state=faults.state, environment=faults.environment) as host:
            self.assertEqual(200, chat().status)
            each = provider.bytes
            answer, sent = hold(lambda: None)
            self.assertEqual((200, each), (answer.status, sent))
            answer, sent = hold(lambda: faults.arm(f.IO, calls=f.SYNC, path="/ledger/default/0"))
            self.assertEqual((503, 0), (answer.status, sent))
            faults.disarm()
            host.stop()
            host.start()
            self.assertEqual(200, chat().status)
            self.assertEqual(3 * each, provider.bytes)
            self.check(host, [])

    # ---- a second place ----

    def second(self, faults):
        config = f"audit: {{when_unavailable: second_sink, second: {{folder: {faults.folder.name}/second}}}}\n"
        return Host(config=config, state=faults.state, environment=faults.environment)

    def lies_there(self, faults, scope="default"):
        folder = os.path.join(faults.folder.name, "second", scope)
        return os.path.isdir(folder) and any(name.endswith(".log") for name in os.listdir(folder))

    def travelled(self, host, least=1):
        """From where to where it was away, and what lay there: by the records."""
        records = host.records()
        left = [r for r in records if r["action"] == "ledger.left"]
        back = [r for r in records if r["action"] == "ledger.returned"]
        self.assertGreaterEqual(len(back), least, [r["action"] for r in records])
        for record in back:
            first, last = map(int, re.fullmatch("records_([0-9]+)_to_([0-9]+)", record["reason"]).groups())
            self.assertTrue(first <= last < record["seq"], record)
            self.assertRegex(record["output_digest"], "^[0-9a-f]{64}$")
        self.assertEqual(list(range(1, len(records) + 1)), [r["seq"] for r in records])
        return left, back

    def test_second_place(self):
        """Effects and reading go on, visibly; what was recorded meanwhile comes home in order, and says so."""
        for kind in (f.IO, f.READ_ONLY):
            with self.subTest(kind=kind), Faults() as faults, self.second(faults) as host:
                agents = [self.create(host).json["agent_id"]]
                faults.arm(kind, path="/ledger/")
                for _ in range(3):
                    agents.append(host.post("/api/v1/admin/agents", {"name": "x", "initial_definition": {"system_prompt": "x"}}, expect=201).json["agent_id"])
                host.get(f"/api/v1/admin/agents/{agents[1]}", expect=200)
                self.assertTrue(self.lies_there(faults))
                self.assertEqual(200, self.wait_for(host, ledger="second_place", status="healthy").status)
                # what is read does not show where it lies
                self.assertEqual(4, len([r for r in host.records(action="agents.create", kind="outcome")]))
                self.assertIn("second place", host.post("/api/v1/admin/audit/verify", expect=503).json["detail"])
                writable = next(i for i in host.get("/api/v1/admin/doctor", expect=200).json["items"] if i["id"] == "audit.writable")
                self.assertEqual(("fail", True), (writable["state"], "second place" in writable["detail"]))
                faults.disarm()
                self.wait_for(host, ledger="writable")
                agents.append(self.create(host).json["agent_id"])
                self.check(host, agents)
                self.assertEqual(1, len(self.travelled(host)[0]))
                self.assertEqual(1, host.read_log().count("default goes on at the second place"))

    def test_second_place_until_the_next_start(self):
        """After a failed sync, and killed meanwhile: the next start brings home what was acknowledged."""
        with Faults() as faults, self.second(faults) as host:
            agents = [self.create(host).json["agent_id"]]
            faults.arm(f.IO, calls=f.SYNC, path="/ledger/default/0", last=1)
            agents.append(self.create(host).json["agent_id"])
            faults.disarm()
            agents.append(self.create(host).json["agent_id"])
            self.assertTrue(self.lies_there(faults))
            host.kill()
            host.start()
            self.assertFalse(self.lies_there(faults))
            agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)
            self.travelled(host)
            # where the setting is gone, what lies there still comes home
            faults.arm(f.IO, path="/ledger/")
            agents.append(self.create(host).json["agent_id"])
            self.assertTrue(self.lies_there(faults))
            host.kill()
            faults.disarm()
            host.has_config = False
            host.start()
            self.assertFalse(self.lies_there(faults))
            self.check(host, agents)
            self.travelled(host, least=2)

    def test_both_places_fail(self):
        """Then it is as if there were one."""
        with Faults() as faults, self.second(faults) as host:
            agents = [self.create(host).json["agent_id"]]
            os.rename(os.path.join(faults.folder.name, "second"), os.path.join(faults.folder.name, "gone"))
            faults.arm(f.IO, path="/ledger/")
            self.refused(self.create(host))
            self.refused(host.get("/api/v1/documents"))
            self.wait_for(host, ledger="failed")
            faults.disarm()
            self.wait_for(host, ledger="writable", status="healthy")
            agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)
            # records may lie there: without it there is no start
            host.stop()
            with self.assertRaises(AssertionError) as caught:
                host.start()
            self.assertIn("is not the second place that this ledger has used", str(caught.exception))
            os.rename(os.path.join(faults.folder.name, "gone"), os.path.join(faults.folder.name, "second"))
            host.start()
            self.check(host, agents)

    def test_store_is_full(self):
        """The ledger can record, so reading goes on; what was begun has failed, and says so."""
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            agents = [self.create(host).json["agent_id"]]
            for kind in (f.FULL, f.IO, f.SHORT):
                with self.subTest(kind=kind):
                    faults.arm(kind, calls=f.WRITE | f.CREATE, path="/store/")
                    self.refused(self.create(host))
                    host.get(f"/api/v1/admin/agents/{agents[0]}", expect=200)
                    self.assertEqual(503, self.wait_for(host, database="read_only", ledger="writable").status)
                    faults.disarm()
                    self.wait_for(host, status="healthy")
                    agents.append(self.create(host).json["agent_id"])
            self.check(host, agents)
            self.assertEqual(3, host.read_log().count("the store cannot be written"))

    # ---- moments ----

    def test_first_start(self):
        """Key files, stores, ledger, API key, address: whatever fails, the host says it, and the next start is a good one."""
        step = size(40, 1)
        for kind in (f.FULL, f.IO):
            n, hit = 1 + kind % step, True
            while hit:
                with self.subTest(kind=kind, n=n), Faults() as faults:
                    host = Host(state=faults.state, environment=faults.environment)
                    try:
                        faults.arm(kind, first=n, last=n)
                        try:
                            host.start()
                            host.stop()
                        except AssertionError as error:
                            self.assertRegex(str(error), "No space left|Input/output|disk I/O|disk is full|unable to open|(?s:.)*cannot be", faults.hit)
                            if host.process is not None:
                                host.kill()
                        hit = faults.failed > 0
                        faults.disarm()
                        host.start()
                        host.get("/api/v1/me", expect=200)
                        self.check(host, [self.create(host).json["agent_id"]])
                    finally:
                        host.close()
                n += step

    def test_journal(self):
        """A run whose journal meets a fault does not stay `running`."""
        with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
            agent = host.agent(tools=("semantic_search",))
            host.upload("a.md", "# Press\n\nThe press needs 12 litres of oil.\n")
            step, seen = size(2, 1), set()
            for kind in (f.FULL, f.IO):
                n, hit = 1 + kind % step, True
                while hit:
                    with self.subTest(kind=kind, n=n):
                        faults.arm(kind, calls=f.WRITE, path="/store/tenants/default", first=n, last=n)
                        answer = host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "How many litres of oil does the press need?"})
                        hit = faults.failed > 0
                        faults.disarm()
                        self.assertIn(answer.status, (200, 502, 503), answer)
                        if answer.status == 200:
                            seen.add(answer.json["status"])
                    n += step
            self.wait_for(host, status="healthy")
            # a fault that hits its first entry refuses a run, later ones end it as unknown, none beyond
            self.assertLessEqual({"succeeded", "unknown"}, seen)
            runs = host.get("/api/v1/runs?limit=500", expect=200).json["items"]
            self.assertGreater(len(runs), 4)
            self.assertEqual([], [run for run in runs if run["status"] not in ("succeeded", "unknown", "failed")])
            failed = [run for run in runs if run["status"] == "unknown"]
            for run in failed:
                self.assertEqual("journal_failed", host.get(f"/api/v1/runs/{run['run_id']}", expect=200).json["error"]["code"])
            self.check(host, [agent])
            self.assertIsNone(re.search(r'"level":"(critical|error)"', host.read_log()))


if __name__ == "__main__":
    main()
