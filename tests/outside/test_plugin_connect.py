#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capability net.tcp for libraries that call getaddrinfo(), socket() and connect() by themselves, in a plugin's own process: the same places, limits and
ends as for a plugin that asks for a connection. The control is the same plugin in the host's process, where such a library needs nobody."""

import os
import socket
import threading
import time

from probes import ProbeCase
from reeve import main
from test_plugin_tcp import TCP, Tcp, TcpInTheHost, echo, listen, shout

DENIED = r"connect \(\): Permission denied"


class Library(Tcp):
    """All that TCP's own tests are, but for how a refusal reads: of an error a library has a number."""

    how = {"by": "library"}
    never = r"connect \(\): (No buffer space available|Permission denied|Connection refused|Connection timed out)"

    def test_nothing_else(self):
        server, other = self.serve(echo), self.serve(echo)
        self.refused(*self.to(server), DENIED)
        self.allow(server)
        self.one(*self.to(server))
        self.refused(*self.to(other), DENIED)
        for host in ("localhost", "127.1.1.1", "::1", "127.0.0.2", "169.254.169.254", "db.example"):
            self.refused(*self.to(server, host=host), DENIED)
        # another way to write the one that is granted is the same address
        for host in ("::ffff:127.0.0.1", "127.1", "2130706433"):
            self.one(*self.to(server, host=host))
        for host in ("a b", "x" * 300):
            self.refused(*self.to(server, host=host), r"getaddrinfo \(\): |Invalid argument")
        self.refused(*self.to(server, port=0), "Invalid argument")
        self.assertEqual(4, len(server.connections))
        self.assertEqual([], other.connections)
        # another plugin, another tenant
        self.refused(*self.to(server), DENIED, plugin="probe-two")
        self.revoke_all(TCP)
        self.grant(TCP, parameters={"hosts": [server.place]}, tenant_id="left")
        self.one(*self.to(server))
        self.refused(*self.to(server), DENIED, tenant="right")
        # nobody there
        self.allow(other)
        other.close_door()
        self.refused(*self.to(other), r"connect \(\): Connection refused")

    def test_a_name_is_the_hosts_to_look_up(self):
        server = self.serve(echo)
        self.grant_only(TCP, hosts=[f"localhost:{server.port}"])
        self.assertEqual("hi", self.one(*self.to(server, "send:hi", "read:2", host="localhost"))["text"])
        self.refused(*self.to(server), DENIED)

    def test_a_grant_without_places_is_for_none(self):
        server = self.serve(echo)
        self.grant_only(TCP)
        self.refused(*self.to(server), DENIED)

    def test_only_so_many(self):
        server = self.serve(listen)
        self.allow(server, max_connections=3)
        self.one(*self.to(server, "more:2"))
        self.refused(*self.to(server, "more:3"), r"connect \(\): No buffer space available")
        self.one(*self.to(server, "more:2"))

    def test_expired(self):
        server = self.serve(listen)
        until = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 12))  # it is used before, on a busy machine too
        self.grant(TCP, parameters={"hosts": [server.place]}, until=until)
        self.one(*self.to(server, "read:0"))
        self.assertTrue(server.ended.acquire(timeout=20))
        self.refused(*self.to(server), DENIED)

    def test_threads_of_a_library(self):
        """They are of no call: while there is but one, what they connect is its."""
        server = self.serve(shout)
        self.allow(server)
        answers = self.ask(self.to(server, "send:x", "end", "read:0"), threads=4)
        self.assertEqual(["1 x"] * 4, [answer["text"] for answer, _ in answers])
        # of two nobody knows whose it is: but each call's own thread is known
        key, agent = self.tenants["left"]
        calls = [{"capability": TCP, "params": self.to(server, *steps)[1]} for steps in (("wait:12000", "end", "read:0"), ("end", "read:0"))]
        turn = [{"tool_calls": [{"name": "tool-of-probe-one", "arguments": {"calls": [call], "threads": threads}}]} for call, threads in zip(calls, (1, 2))]
        self.mock.script([*turn, {"content": "done"}, {"content": "done"}])
        told = []

        def go():
            self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}, key=key, expect=200)
            told.append([m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1])
        came = len(server.connections)
        first = threading.Thread(target=go)
        first.start()
        while len(server.connections) == came and first.is_alive():
            time.sleep(0.01)
        go()
        first.join(60)
        self.assertEqual(2, told[0].count("Permission denied"), told)
        self.assertIn('"text":"0 "', told[1])

    def test_outside_of_a_call(self):
        """A thread that a call left behind connects to nothing when that is over."""
        server = self.serve(echo)
        self.allow(server)
        key, agent = self.tenants["left"]
        later = {"calls": [{"capability": TCP, "params": self.to(server)[1]}], "after": 1000}
        script = [{"tool_calls": [{"name": "tool-of-probe-one", "arguments": given}]} for given in (later, {"kept": True})]
        for one, pause in zip(script, (8, 0)):  # a call that is under way when the thread connects would be taken for the one it is of
            self.mock.script([one, {"content": "done"}])
            self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}, key=key, expect=200)
            time.sleep(pause)
        text = [m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1]
        self.assertRegex(text, DENIED)
        self.assertEqual([], server.connections)

    def test_no_other_socket(self):
        """Also where a place is granted: what the library calls is not what the kernel lets through."""
        server = self.serve(echo)
        self.allow(server)
        self.one(*self.to(server))
        [(_, error)] = self.ask((TCP, {"port": server.port, "do": [], "by": "attempts"}))
        words = dict(one.rsplit(" ", 1) if one.endswith("works") else one.split(" ", 1) for one in error.partition(": ")[2].rstrip(", ").split(", "))
        self.assertEqual({**dict.fromkeys(("udp", "udp6", "mptcp", "sctp", "raw", "unix", "netlink", "plain-socket", "plain-connect", "bind", "listen"), "Permission denied"),
                          "fast-open": "Socket operation on non-socket", "write": "Broken pipe"}, words)
        self.assertEqual(1, len(server.connections))

    def test_descriptors_are_given_back(self):
        server = self.serve(echo)
        self.allow(server)
        path = f"/proc/{self.pid() or 'self'}/fd"
        self.one(*self.to(server))
        path = f"/proc/{self.pid()}/fd"
        if not os.access(path, os.R_OK | os.X_OK):  # of another user's process an ordinary user sees nothing
            return
        before = len(os.listdir(path))
        for _ in range(3):
            self.one(*self.to(server, "more:5"))
            self.refused(*self.to(server, host="127.0.0.9"), DENIED)
        self.assertLessEqual(len(os.listdir(path)), before + 1)


class LibraryHardened(Library):
    """With a network namespace of its own nothing is different: no address of the machine's is asked there."""

    more = "  profiles: {probe-one: hardened}"


class Client(ProbeCase):
    """GIO's own client: it resolves on a thread of its own, connects without blocking, and waits in a main context."""

    more = "  profiles: {probe-two: hardened}"

    def test_both_ways(self):
        for plugin in self.ids:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
                threading.Thread(target=lambda: echo(listener.accept()[0]), daemon=True).start()
                # "localhost" it looks up by itself: it asks for the address
                call = TCP, {"host": "localhost", "port": port, "do": ["send:hello", "read:5"], "by": "client"}
                self.refused(*call, "Permission denied", plugin=plugin)
                self.grant_only(TCP, plugin, hosts=[f"127.0.0.1:{port}", f"db.internal:{port}"])
                self.assertEqual({"text": "hello", "bytes": 5, "errno": ""}, self.one(*call, plugin=plugin))
                # of any other name the host learns: this one is granted, and nobody has it
                for name, word in (("db.internal", "refused"), ("db.example", "Permission denied")):
                    self.refused(TCP, {**call[1], "host": name}, word, plugin=plugin)


    def test_its_end_names_what_was_refused(self):
        key, agent = self.tenants["left"]
        for plugin in self.ids:
            arguments = {"calls": [{"capability": TCP, "params": {"port": 1, "do": [], "by": "trap"}}]}
            self.mock.script([{"tool_calls": [{"name": f"tool-of-{plugin}", "arguments": arguments}]}, {"content": "done"}])
            self.host.post("/api/v1/agents/execute", {"agent_id": agent, "mission": "ask"}, key=key, expect=200)
            ended = r"its runner (was killed by signal \d+ \([A-Za-z ]+\)|ended by itself, with code \d+) \(seccomp: socket\)"
            self.assertRegex([m["content"] for m in self.mock.requests[-1].json["messages"] if m["role"] == "tool"][-1], ended)
            self.assertRegex(self.host.get(f"/api/v1/admin/plugins/{plugin}", expect=200).json["reason"], ended)


class Control(ProbeCase):
    """In the host's process nobody is asked, and nothing is granted."""

    trusted = True

    def test_nobody_is_asked(self):
        for by in ("library", "client"):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                threading.Thread(target=lambda: echo(listener.accept()[0]), daemon=True).start()
                call = TCP, {"host": "127.0.0.1", "port": listener.getsockname()[1], "do": ["send:free", "read:4"], "by": by}
                self.assertEqual("free", self.one(*call)["text"])
                [(_, error)] = self.ask((TCP, {**call[1], "by": "attempts"}))
                for word in ("udp", "unix", "netlink", "plain-socket", "plain-connect"):
                    self.assertIn(f"{word} works", error)


del Tcp, TcpInTheHost

if __name__ == "__main__":
    main()
