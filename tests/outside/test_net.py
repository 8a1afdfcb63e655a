# SPDX-License-Identifier: LGPL-2.1-or-later
"""What leaves the host: calls to model services (once, with the key, byte for byte) and requests of agents (guarded)."""

import json
import socket
import threading
import time
import unittest

from mock_openai import MockOpenAI
from reeve import Host, main

CONFIG = """
llm:
  default: mock/gpt-test
  providers:
    - {{id: mock, plugin: llm-openai, settings: {{base_url: "{url}", api_key: "sk-very-secret"}}}}
plugins:
  settings:
    tool-http: {{granted_origins: [{granted}], methods: [GET, POST]}}
"""

CHAT = {"model": "mock/gpt-x", "messages": [{"role": "user", "content": "hello"}]}


def fetch(url, **more):
    return {"tool_calls": [{"name": "http_request", "arguments": {"url": url, **more}}]}


class NetCase(unittest.TestCase):
    grants = False

    def setUp(self):
        self.mock = MockOpenAI(api_key="sk-very-secret").start()
        self.addCleanup(self.mock.stop)
        self.site = MockOpenAI().start()
        self.addCleanup(self.site.stop)
        granted = f'"{self.site.url}"' if self.grants else ""
        self.host = Host(config=CONFIG.format(url=self.mock.base_url, granted=granted)).start()
        self.addCleanup(self.host.close)

    def ask(self, url, **more):
        """Lets an agent fetch an address; returns what the model was told."""
        agent = self.host.agent(tools=("http_request",))
        self.mock.script([fetch(url, **more), {"content": "done"}])
        answer = self.host.run(agent, "fetch it")
        self.assertEqual("done", answer["answer"], answer)
        return [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]


class Guarded(NetCase):
    def test_internal_addresses_are_refused_in_every_form(self):
        port = self.site.port
        for url in (f"http://127.0.0.1:{port}/echo", f"http://localhost:{port}/echo", f"http://2130706433:{port}/echo",
                    f"http://0x7f.1:{port}/echo", f"http://[::1]:{port}/echo", f"http://[::ffff:127.0.0.1]:{port}/echo",
                    "http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/", "http://10.0.0.1/",
                    f"http://user@127.0.0.1:{port}/", "file:///etc/passwd"):
            told = self.ask(url)
            self.assertTrue("not be reached" in told or "the address" in told, (url, told))
        self.assertEqual([], self.site.requests)


class Granted(NetCase):
    grants = True

    def test_a_granted_origin_is_reached(self):
        told = self.ask(self.site.url + "/echo?a=b", headers={"X-Test": "1"})
        self.assertIn("HTTP 200", told)
        self.assertEqual(1, len(self.site.requests))
        self.assertEqual(("GET", "1"), (self.site.requests[0].method, self.site.requests[0].headers["x-test"]))
        self.assertNotIn("authorization", self.site.requests[0].headers)

    def test_redirects_are_not_followed(self):
        self.site.script([{"status": 302, "headers": {"Location": self.site.url + "/secret"}, "body": ""}])
        told = self.ask(self.site.url + "/start")
        self.assertIn("HTTP 302", told)
        self.assertEqual(["/start"], [r.path for r in self.site.requests])

    def test_methods(self):
        told = self.ask(self.site.url + "/echo", method="DELETE")
        self.assertIn("error", told.lower())
        self.assertEqual([], self.site.requests)
        self.ask(self.site.url + "/echo", method="POST", body="{\"a\":1}")
        self.assertEqual(("POST", {"a": 1}), (self.site.requests[0].method, self.site.requests[0].json))


class Upstream(NetCase):
    def chat(self, body=None, **options):
        return self.host.post("/v1/chat/completions", body or CHAT, **options)

    def test_bytes_pass_unchanged_but_for_the_model(self):
        raw = b'{ "messages":[{"role":"user","content":"h\\u00e4"}],\t"seed" : 1e1,"model":"mock/gpt-x" }'
        self.chat(raw, headers={"Content-Type": "application/json"}, expect=200)
        self.assertEqual(raw.replace(b"mock/gpt-x", b"gpt-x"), self.mock.requests[-1].body)
        self.assertEqual("Bearer sk-very-secret", self.mock.requests[-1].headers["authorization"])

    def test_the_key_shows_nowhere(self):
        self.mock.api_key = "another"
        answer = self.chat()
        self.assertGreaterEqual(answer.status, 400)
        self.assertNotIn("sk-very-secret", answer.text)
        self.assertNotIn("sk-very-secret", self.host.read_log())
        self.assertNotIn("sk-very-secret", self.host.get("/api/v1/models").text)

    def test_a_limit_is_waited_out_and_the_call_made_once_more(self):
        self.mock.script([{"status": 429, "headers": {"Retry-After": "0"}}, {"content": "ok"}])
        self.assertEqual("ok", self.chat(expect=200).json["choices"][0]["message"]["content"])
        self.assertEqual(2, self.mock.count("/v1/chat/completions"))

    def test_what_may_have_been_billed_is_not_repeated(self):
        for close in ("accept", "before", "middle"):
            self.mock.reset()
            self.mock.script([{"content": "x" * 200, "close": close}, {"content": "twice"}])
            self.assertGreaterEqual(self.chat().status, 500)
            self.assertEqual(1, self.mock.count("/v1/chat/completions"), close)

    def test_streams_come_through_whole_and_in_order(self):
        words = [f"w{i} " for i in range(200)]
        for options in ({}, {"split": 7}, {"crlf": True, "comments": True}):
            self.mock.script([{"chunks": words, **options}])
            connection, response = self.host.request("POST", "/v1/chat/completions", {**CHAT, "stream": True})
            text = response.read().decode()
            connection.close()
            events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
            self.assertEqual("[DONE]", events[-1])
            chunks = [json.loads(e) for e in events[:-1]]
            got = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
            self.assertEqual("".join(words), got)
            # the caller did not ask for token counts: the frame that only we asked for is not his
            self.assertTrue(all(c["choices"] for c in chunks))
        self.assertTrue(self.mock.requests[-1].json["stream_options"]["include_usage"])

    def test_connections_are_used_again(self):
        for _ in range(5):
            self.chat(expect=200)
        self.assertLessEqual(len({r.connection for r in self.mock.requests}), 3)

    def test_a_stop_does_not_wait_for_a_slow_service(self):
        self.mock.script([{"content": "late", "delay": 60}])
        thread = threading.Thread(target=self.quietly, daemon=True)
        thread.start()
        while not self.mock.requests:
            time.sleep(0.01)
        began = time.monotonic()
        self.host.stop()
        self.assertLess(time.monotonic() - began, 30)
        thread.join(20)

    def quietly(self):
        try:
            self.chat()
        except (OSError, AssertionError):
            pass

    def test_a_service_that_is_not_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with Host(config=CONFIG.format(url=url, granted="")) as host:
            answer = host.post("/v1/chat/completions", CHAT)
            self.assertEqual(503, answer.status, answer)
            self.assertIn("error", answer.json)


if __name__ == "__main__":
    main()
