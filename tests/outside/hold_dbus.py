# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host on a bus whose clients mean it ill: each call is answered or refused, the memory stays flat, and another client
is served meanwhile.

| what                                                | CI     | long    |
|---|---|---|
| calls sent by one client that waits for no answer   | 5,000  | 200,000 |
| the same, of which no answer is wanted              | 5,000  | 200,000 |
| clients that call at once, ten calls each           | 150    | 200     |
| arguments of 20 MiB                                 | 3      | 30      |
| malformed calls                                     | 14     | 14      |
| clients that come, log in with a bad token, and go  | 1,000  | 30,000  |
"""

import json
import os
import re
import socket
import struct
import threading
import time

import test_bus
from reeve import main, size

NAME, PATH, INTERFACE = "io.reeve.Host", "/io/reeve/Host", "io.reeve.Host1"
CALL, RETURN, ERROR = 1, 2, 3
NO_REPLY = 1
LARGE = 20 << 20


class Message:
    def __init__(self, kind, reply_to, error, text):
        self.kind, self.reply_to, self.error, self.text = kind, reply_to, error, text


class Client:
    """Just as much of the protocol as it takes to call, by hand, so that it can be spoken wrongly, too."""

    def __init__(self, address):
        path = re.search("path=([^,]+)", address)[1]
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(path)
        self.sock.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
        self.data = self.sock.recv(4096)
        assert self.data.startswith(b"OK "), self.data
        self.sock.sendall(b"BEGIN\r\n")
        self.data, self.serial = b"", 0
        self.send(self.call("Hello", (), "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus"))
        self.wait(1)

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    @staticmethod
    def pad(data, to):
        return data + b"\0" * (-len(data) % to)

    def string(self, data, text):
        return self.pad(data, 4) + struct.pack("<I", len(text.encode())) + text.encode() + b"\0"

    def call(self, method, arguments=(), name=NAME, path=PATH, interface=INTERFACE, flags=0, signature=None):
        """Its bytes; all arguments are strings."""
        self.serial += 1
        body = b""
        for argument in arguments:
            body = self.string(body, argument)
        fields = b""
        signature = "s" * len(arguments) if signature is None else signature
        for code, kind, value in ((1, "o", path), (2, "s", interface), (3, "s", method), (6, "s", name)):
            fields = self.string(self.pad(fields, 8) + bytes((code, 1)) + kind.encode() + b"\0", value)
        if signature:
            fields = self.pad(fields, 8) + b"\x08\x01g\0" + bytes((len(signature),)) + signature.encode() + b"\0"
        head = struct.pack("<cBBBIII", b"l", CALL, flags, 1, len(body), self.serial, len(fields)) + fields
        return self.pad(head, 8) + body

    def read(self):
        """The next message; None at the end."""
        while True:
            if len(self.data) >= 16:
                _order, kind, _flags, _version, body, _serial, fields = struct.unpack("<cBBBIII", self.data[:16])
                head = 16 + fields + -fields % 8
                if len(self.data) >= head + body:
                    message = self.parse(kind, self.data[16:16 + fields], self.data[head:head + body])
                    self.data = self.data[head + body:]
                    return message
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionResetError:
                more = b""
            if not more:
                return None
            self.data += more

    @staticmethod
    def parse(kind, fields, body):
        reply, error, at = 0, None, 0
        while at < len(fields):
            at += -at % 8
            code, what = fields[at], chr(fields[at + 2])
            at += 4
            if what in "so":
                length = struct.unpack_from("<I", fields, at)[0]
                if code == 4:
                    error = fields[at + 4:at + 4 + length].decode()
                at += 5 + length
            elif what == "g":
                at += 2 + fields[at]
            else:
                if code == 5:
                    reply = struct.unpack_from("<I", fields, at)[0]
                at += 4
        text = body[4:4 + struct.unpack_from("<I", body)[0]].decode() if len(body) > 4 else ""
        return Message(kind, reply, error, text)

    def wait(self, serial):
        """The answer to that call."""
        while message := self.read():
            if message.reply_to == serial:
                return message
        raise AssertionError("the bus has closed the connection")

    def do(self, method, *arguments, **how):
        self.send(self.call(method, arguments, **how))
        return self.wait(self.serial)


class Hold(test_bus.BusCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = Client(cls.bus.address)
        for _ in range(50):
            client.do("Call", "me.get", "{}")
        # GDBus keeps the buffer of the largest message that it has read
        client.do("Call", "me.get", "x" * LARGE)
        client.close()

    def client(self):
        client = Client(self.bus.address)
        self.addCleanup(client.close)
        return client

    def resident(self):
        """KiB"""
        return int(self.host.rss() * 1024)

    def setUp(self):
        """Around each test another client calls again and again."""
        self.before, self.stop, self.took, self.failed = self.resident(), threading.Event(), [], []
        self.other = threading.Thread(target=self.call_on)
        self.other.start()

    def call_on(self):
        client = Client(self.bus.address)
        while not self.stop.is_set():
            began = time.monotonic()
            answer = client.do("Call", "me.get", "{}")
            if answer.kind != RETURN:
                self.failed.append(answer.error)
            self.took.append(time.monotonic() - began)
            self.stop.wait(0.01)
        client.close()

    def tearDown(self):
        self.stop.set()
        self.other.join()
        self.assertEqual([], self.failed)
        self.assertTrue(self.took)
        self.assertLess(sorted(self.took)[len(self.took) // 2], 5, "half of the other client's calls took longer")
        end = time.monotonic() + 15
        while self.resident() - self.before > 16 * 1024 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertLess(self.resident() - self.before, 16 * 1024, f"KiB grown from {self.before}")


class Floods(Hold):
    def flood(self, count, flags):
        client = self.client()
        first = client.serial + 1
        data = b"".join(client.call("Call", ("me.get", "{}"), flags=flags) for _ in range(count))
        sender = threading.Thread(target=client.send, args=(data,))
        sender.start()
        return client, first, sender

    def test_calls(self):
        """Each is answered, or refused because too many wait."""
        count = size(5000, 200000)
        client, first, sender = self.flood(count, 0)
        waiting, errors = set(range(first, first + count)), {}
        while waiting:
            message = client.read()
            waiting.discard(message.reply_to)
            errors[message.error] = errors.get(message.error, 0) + 1
        sender.join()
        self.assertLessEqual(set(errors), {None, "org.freedesktop.DBus.Error.LimitsExceeded"}, errors)
        self.assertGreaterEqual(errors[None], 64)

    def test_calls_without_answer(self):
        client, _first, sender = self.flood(size(5000, 200000), NO_REPLY)
        sender.join()
        self.assertEqual(RETURN, self.settled(client).kind)

    def settled(self, client):
        """The answer to a call that comes when the flood has run off; nothing else comes before it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            client.send(client.call("Call", ("me.get", "{}")))
            answer = client.read()
            while answer.reply_to == 0:
                answer = client.read()
            self.assertEqual(client.serial, answer.reply_to, "an answer that nobody wanted")
            if answer.kind == RETURN:
                break
            time.sleep(0.05)
        return answer

    def test_many_clients(self):
        clients = [self.client() for _ in range(size(150, 200))]
        for client in clients:
            client.send(b"".join(client.call("Call", ("agents.list", "{}")) for _ in range(10)))
        for client in clients:
            last = client.serial
            answers = {}
            while len(answers) < 10:
                message = client.read()
                if message.reply_to > last - 10:
                    answers[message.reply_to] = message
            self.assertLessEqual({m.error for m in answers.values()}, {None, "org.freedesktop.DBus.Error.LimitsExceeded", "io.reeve.Error.Busy"})

    def test_large_arguments(self):
        for _ in range(size(3, 30)):
            client = self.client()
            text = json.dumps({"name": "x" * LARGE})
            self.assertIn(client.do("Call", "agents.create", text).error, ("org.freedesktop.DBus.Error.LimitsExceeded", "io.reeve.Error.TooLarge"))
            client.close()

    def test_malformed_calls(self):
        client = self.client()
        deep = "[" * 200000
        for method, arguments, how in (("Call", (), {}), ("Call", ("me.get",), {}), ("Call", ("a", "b", "c"), {}), ("Nothing", (), {}),
                                       ("Call", ("me.get", "{}"), {"interface": "io.reeve.Nothing1"}), ("Call", ("me.get", "{}"), {"path": "/x"}),
                                       ("Call", ("me.get", deep), {}), ("Call", ("me.get", '{"a":NaN}'), {}), ("Call", ("me.get", '{"a":1,"a":1}'), {}),
                                       ("Call", ("me.get", '{"a":1e999}'), {}), ("Call", ("x" * 100000, "{}"), {}), ("Login", ("x" * 100000,), {})):
            answer = client.do(method, *arguments, **how)
            self.assertEqual(ERROR, answer.kind, (method, str(arguments)[:80]))
        # what the bus itself does not let through ends the connection to the bus, and nobody else's
        for data in (client.call("Call", ("a", "b"), signature="s("), b"l\x01\0\x01" + b"\xff" * 40):
            broken = self.client()
            broken.send(data)
            while broken.read():  # until the bus closes the connection
                pass

    def test_clients_that_come_and_go(self):
        for i in range(size(1000, 30000)):
            client = Client(self.bus.address)
            client.send(client.call("Login", (f"rv_bad_{i}",)))
            client.close()
        client = self.client()
        self.assertEqual("io.reeve.Error.Unauthenticated", client.do("Login", "rv_bad").error)
        self.assertEqual(RETURN, client.do("Call", "me.get", "{}").kind)


if __name__ == "__main__":
    main()
