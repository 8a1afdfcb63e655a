#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capability net.tcp: connections to the places that were granted and to no others, with real servers; each ends with its call, its grant,
its plugin, its tenant and its process."""

import os
import re
import signal
import socket
import threading
import time

from probes import ProbeCase
from reeve import main

TCP = "net.tcp"


class Server:
    """Listens on loopback; each connection is given to a thread of its own, and how it ended is told."""

    def __init__(self, talk):
        self.talk, self.ends, self.connections = talk, [], []
        self.came = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()
            self.came.release()

    def one(self, connection):
        try:
            connection.settimeout(60)
            self.talk(connection)
            self.ends.append("end")
        except OSError as error:
            self.ends.append(type(error).__name__)
        connection.close()
        self.ended.release()

    def close_door(self):
        """Nobody comes any more: a thread that waits for somebody would keep it open."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        self.listener.close()
        for connection in self.connections:
            connection.close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def shout(connection):
    """Hears all, then answers: the other half is still open."""
    heard, size = b"", 0
    while data := connection.recv(65536):
        heard, size = (heard + data)[:20], size + len(data)
    connection.sendall(f"{size} {heard.decode()}".encode())


def listen(connection):
    while connection.recv(65536):
        pass


def stall(connection):
    """Takes nothing, and notices only that it was cut."""
    while True:
        time.sleep(0.02)
        connection.send(b"")
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise ConnectionResetError


class Tcp(ProbeCase):
    how = {}  # how the plugin connects
    never = "^(busy|capability_revoked|unavailable): "  # what it is told of connections that are not made

    def setUp(self):
        self.servers = []
        self.revoke_all(TCP)

    def tearDown(self):
        for server in self.servers:
            server.close()

    def serve(self, talk):
        server = Server(talk)
        self.servers.append(server)
        return server

    def to(self, server, *steps, **more):
        return TCP, {"host": "127.0.0.1", "port": server.port, "do": list(steps), **self.how, **more}

    def allow(self, *servers, **parameters):
        return self.grant_only(TCP, hosts=[s.place for s in servers], **parameters)

    def behind(self, *call, **where):
        """Asks in a thread: (thread, answers: none where the plugin or its tenant did not live to give them)."""
        told = []

        def work():
            try:
                told.extend(self.ask(call, **where))
            except (AssertionError, IndexError) as error:
                told.append((None, str(error)))
        thread = threading.Thread(target=work)
        thread.start()
        return thread, told

    def pid(self, plugin="probe-one"):
        return self.host.get(f"/api/v1/admin/plugins/{plugin}", expect=200).json.get("pid")

    def fds(self):
        return len(os.listdir(f"/proc/{self.host.process.pid}/fd"))

    # ---- what works ----

    def test_both_ways(self):
        server, other = self.serve(echo), self.serve(shout)
        self.allow(server, other)
        answer = self.one(*self.to(server, "send:hello", "read:5", "send: again", "read:6", "end", "read:0"))
        self.assertEqual({"text": "hello again", "bytes": 11, "errno": ""}, answer)
        # one half ends, the other goes on
        self.assertEqual("11 hello world", self.one(*self.to(other, "send:hello world", "end", "read:0"))["text"])
        # much, whole
        answer = self.one(*self.to(other, "fill:50000000", "end", "read:0"))
        self.assertEqual(("50000000 " + "w" * 20, ""), (answer["text"], answer["errno"]))

    def test_what_is_written_last_arrives(self):
        heard = []

        def take(connection):
            size = 0
            while data := connection.recv(65536):
                size += len(data)
            heard.append(size)
        server = self.serve(take)
        self.allow(server)
        self.one(*self.to(server, "fill:200000"))
        self.assertTrue(server.ended.acquire(timeout=10))
        self.assertEqual([200000], heard)

    # ---- what does not ----

    def test_nothing_else(self):
        server, other = self.serve(echo), self.serve(echo)
        self.refused(*self.to(server), "capability(_revoked)?: .*net.tcp.*reevectl plugins grant probe-one net.tcp")
        self.allow(server)
        self.one(*self.to(server))
        self.refused(*self.to(other), f"permission_denied: {other.place} is not granted to plugin probe-one: "
                     f"reevectl plugins grant probe-one net.tcp --param hosts={other.place}")
        for host in ("localhost", "127.1", "2130706433", "0x7f.1", "::1", "::ffff:127.0.0.1", "127.0.0.2", "169.254.169.254"):
            self.refused(*self.to(server, host=host), "permission_denied: .*is not granted")
        for host in ("", "127.0.0.1/", "a@127.0.0.1", "[::1]", "127.0.0.1#", "a b", "x" * 300):
            self.refused(*self.to(server, host=host), "invalid_argument")
        self.refused(*self.to(server, port=0), "invalid_argument: .*port")
        self.assertEqual(1, len(server.connections))
        self.assertEqual([], other.connections)
        # another plugin, another tenant
        self.refused(*self.to(server), "capability: ", plugin="probe-two")
        self.revoke_all(TCP)
        self.grant(TCP, parameters={"hosts": [server.place]}, tenant_id="left")
        self.one(*self.to(server))
        self.refused(*self.to(server), "capability", tenant="right")
        # nobody there
        self.allow(other)
        other.close_door()
        self.refused(*self.to(other), f"unavailable: {other.place}: .*refused")

    def test_a_grant_without_places_is_for_none(self):
        server = self.serve(echo)
        self.grant_only(TCP)
        self.refused(*self.to(server), "permission_denied: .*is not granted")

    def test_grants_are_shown(self):
        server = self.serve(echo)
        self.allow(server, max_connections=3)
        row = self.rows()[TCP]
        self.assertTrue(row["offered"])
        self.assertEqual("effective", row["state"])
        self.assertEqual({"hosts": [server.place], "max_connections": 3}, [g for g in row["granted"] if g["status"] == "active"][0]["parameters"])
        self.grant(TCP, expect=400, parameters={"hosts": [server.place], "max_connections": 257})
        self.grant(TCP, expect=400, parameters={"hosts": ["no-port"]})
        self.grant("net.http", plugin="probe-one", expect=400, parameters={"max_connections": 1})

    def test_only_so_many(self):
        server = self.serve(listen)
        self.allow(server, max_connections=3)
        self.one(*self.to(server, "more:2"))
        self.refused(*self.to(server, "more:3"), "busy: .*3 connections open.*max_connections")
        # those of a call that is over are gone
        self.one(*self.to(server, "more:2"))
        self.allow(server)
        self.one(*self.to(server, "more:15"))
        self.refused(*self.to(server, "more:16"), "busy: .*16 connections")

    # ---- ends ----

    def cut(self, how, talk=listen, steps=("read:0",), error=None):
        """The plugin waits in a connection; @how ends that at once."""
        server = self.serve(talk)
        grant = self.allow(server)
        thread, told = self.behind(*self.to(server, *steps))
        self.assertTrue(server.came.acquire(timeout=20))
        time.sleep(0.1)
        began = time.monotonic()
        how(grant)
        self.assertTrue(server.ended.acquire(timeout=20))
        self.assertLess(time.monotonic() - began, 15)
        self.assertEqual(["ConnectionResetError"], server.ends)
        thread.join(60)
        return told

    def take_back(self, grant):
        self.host.delete(f"/api/v1/admin/plugins/probe-one/grants/{grant['grant_id']}", expect=204)

    def test_taken_back(self):
        self.assertEqual(0, self.cut(self.take_back)[0][0]["bytes"])
        # also of a server that takes nothing, with the plugin in the middle of a write
        self.assertRegex(self.cut(self.take_back, talk=stall, steps=("fill:100000000",))[0][0]["errno"], "Broken pipe|reset")

    def test_disabled(self):
        try:
            self.cut(lambda grant: self.host.post("/api/v1/admin/plugins/probe-one/disable", {}, expect=200))
        finally:
            self.host.post("/api/v1/admin/plugins/probe-one/enable", {}, expect=200)

    def test_expired(self):
        server = self.serve(listen)
        until = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 12))  # it is used before, on a busy machine too
        self.grant(TCP, parameters={"hosts": [server.place]}, until=until)
        self.one(*self.to(server, "read:0"))
        self.assertTrue(server.ended.acquire(timeout=60))
        self.assertEqual(["ConnectionResetError"], server.ends)
        self.refused(*self.to(server), "capability_revoked")

    def test_the_process_is_killed(self):
        if self.trusted:
            return
        server = self.serve(echo)
        self.allow(server)
        self.one(*self.to(server))
        before = self.fds()
        server.came.acquire()
        server.ended.acquire()
        for turn in range(3):
            # what was with a process at two of its ends is not given to it again
            thread, _told = self.behind(*self.to(server, f"wait:{turn}", "more:9", "read:0"))
            for _ in range(10):
                self.assertTrue(server.came.acquire(timeout=20))
            os.kill(self.pid(), signal.SIGKILL)
            for _ in range(10):
                self.assertTrue(server.ended.acquire(timeout=20))
            thread.join(60)
        end = time.monotonic() + 20
        while self.fds() > before + 2 and time.monotonic() < end:
            time.sleep(0.05)
        self.assertLessEqual(self.fds(), before + 2)

    def test_ten_thousand_that_are_never_made(self):
        """A server whose queue is full: the attempts end, others of the plugin's calls and the host go on, nothing is left."""
        full = socket.socket()
        self.addCleanup(full.close)
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        queued = [socket.socket() for _ in range(4)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            self.addCleanup(one.close)
        self.grant_only(TCP, hosts=[f"127.0.0.1:{port}"], max_connections=256)
        before = self.fds()
        call = (TCP, {"host": "127.0.0.1", "port": port, "do": [], **self.how})
        told = []
        # in four calls: what a call answers has its bound
        thread = threading.Thread(target=lambda: [told.extend(self.ask(*[call] * 157, threads=16)) for _ in range(4)])
        thread.start()
        time.sleep(1)
        self.assertLess(self.fds(), before + 40)
        self.host.get("/health", expect=200)
        self.revoke_all(TCP)
        thread.join(120)
        self.assertLess(10000, len(told))
        self.assertEqual([], [error for _, error in told if not re.search(self.never, error)][:5])
        kinds = {re.search(self.never, error).group(1) for _, error in told}
        self.assertLessEqual(2, len(kinds), kinds)
        self.assertLessEqual(self.fds(), before + 4)

    def test_measures(self):
        server = self.serve(echo)
        self.allow(server)

        def shown(name, **labels):
            text = self.host.get("/metrics").text
            for found, value in re.findall(rf"^{name}{{([^}}]*)}} (\S+)$", text, re.M):
                if labels.items() <= dict(re.findall(r'(\w+)="([^"]*)"', found)).items():
                    return float(value)
            return 0
        opened, sent = shown("reeve_plugin_tcp_connections_total", plugin="probe-one"), shown("reeve_plugin_tcp_bytes_total", plugin="probe-one", direction="sent")
        self.one(*self.to(server, "send:12345", "read:5", "end", "read:0"))
        end = time.monotonic() + 10
        while shown("reeve_plugin_tcp_open", plugin="probe-one") > 0 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(0, shown("reeve_plugin_tcp_open", plugin="probe-one"))
        self.assertEqual(1, shown("reeve_plugin_tcp_connections_total", plugin="probe-one") - opened)
        self.assertEqual(5, shown("reeve_plugin_tcp_bytes_total", plugin="probe-one", direction="sent") - sent)


class TcpInTheHost(Tcp):
    trusted = True


class Suspended(Tcp):
    """A tenant that is suspended has no connection any more. In a host of its own: the tenant is of no more use."""

    def test_suspended(self):
        self.cut(lambda grant: self.host.put("/api/v1/admin/tenants/left", {"status": "suspended"}, expect=200))


for inherited in [name for name in dir(Tcp) if name.startswith("test_")]:
    setattr(Suspended, inherited, None)


class Ceiling(ProbeCase):
    more = "  ceiling: {hosts: ['db.example:5432'], max_connections: 2}"

    def test_nothing_goes_beyond(self):
        self.assertIn("plugins.ceiling.hosts", self.grant(TCP, expect=403, parameters={"hosts": ["127.0.0.1:5432"]})["detail"])
        self.assertIn("plugins.ceiling.max_connections",
                      self.grant(TCP, expect=403, parameters={"hosts": ["db.example:5432"], "max_connections": 3})["detail"])
        self.grant(TCP, parameters={"hosts": ["db.example:5432"], "max_connections": 2})
        self.assertEqual({"hosts": ["db.example:5432"], "max_connections": 2}, self.rows()[TCP]["ceiling"]["parameters"])


if __name__ == "__main__":
    main()
