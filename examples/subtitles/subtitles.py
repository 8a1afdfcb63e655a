# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin in Python: reads subtitles, and keeps notes. The first half speaks the wire (docs/wire.md) and is the same for every plugin; the second half is this one.

What has machine code must stand in the manifest's Imports: behind that nothing executable is mapped any more."""

import errno
import json
import os
import queue
import re
import socket
import stat
import sys
import threading
import time

from jeepney import DBusAddress, HeaderFields, MessageFlag, MessageType, Parser, new_error, new_method_call, new_method_return
from jeepney.fds import FileDescriptor

PLUGIN = ("subtitles", "1.0.0")  # as in the manifest
WIRE = 5
ASKED = 6  # what libraries in this process connect to, where the manifest requests net.tcp
PREFIX = "io.reeve.Plugin1."
ROOT = "/io/reeve/Plugin1"
FRAME = 64 * 1024
CALLS = 8  # at once; others wait
REFUSALS = {"Capability": errno.EACCES, "PermissionDenied": errno.EACCES, "CapabilityRevoked": errno.EACCES, "InvalidArgument": errno.EINVAL,
            "Busy": errno.ENOBUFS, "Timeout": errno.ETIMEDOUT, "Cancelled": errno.ECONNABORTED}

# ---- the wire ----


class ReeveError(Exception):
    """What goes out as, or came in as, an error of the wire: io.reeve.Error.NAME."""

    def __init__(self, name, text):
        super().__init__(text)
        self.name = name


class Call:
    """One call of the host's: for whom, until when, and what may be asked of the host meanwhile."""

    def __init__(self, wire, number, context):
        self.wire, self.number = wire, number
        self.context = {name: value for name, (_, value) in context.items()}
        self.end = time.monotonic() + self.context["remaining"] / 1e6 if "remaining" in self.context else None
        self.cancelled = threading.Event()
        self.thread = None  # on which it is performed

    def check(self):
        """Long work asks this every few milliseconds."""
        if self.cancelled.is_set():
            raise ReeveError("Cancelled", "the call was cancelled")
        if self.end is not None and time.monotonic() > self.end:
            raise ReeveError("Timeout", "the call took too long")

    def broker(self, capability, params):
        """Asks the host for what the manifest requested and an administrator granted."""
        self.check()
        return json.loads(self.wire.ask("Call", "tss", (self.number, capability, json.dumps(params)))[0])


class Stream:
    """The writing end of a pipe: frames, each a line of JSON and the bytes it speaks of."""

    def __init__(self, descriptor):
        self.file = descriptor.to_file("wb", buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, header, payload=b""):
        data = json.dumps({**header, "bytes": len(payload)}).encode() + b"\n" + payload
        try:
            while data:
                data = data[self.file.write(data[:FRAME]) :]
        except BrokenPipeError:
            raise ReeveError("Cancelled", "nobody reads the stream") from None


def read_blob(descriptor):
    """A document: memory that nobody changes any more."""
    with descriptor.to_file("rb") as file:
        file.seek(0)
        return file.read()


class Wire:
    """The one connection: calls come in and are performed by workers, the broker's answers go to who asked."""

    def __init__(self, plugin):
        self.plugin = plugin
        self.socket = socket.socket(fileno=WIRE)
        self.socket.setblocking(True)
        self.parser = Parser()
        self.lock = threading.Lock()  # writing, and the numbers below
        self.serial = 0
        self.waiting = {}  # serial -> who asked the broker
        self.calls = {}  # number -> Call
        self.instances = {}
        self.work = queue.SimpleQueue()

    def run(self):
        try:  # before there is anything else that could have this number
            asked = open(ASKED, encoding="utf-8", errors="surrogateescape") if stat.S_ISFIFO(os.fstat(ASKED).st_mode) else None
        except OSError:
            asked = None
        for line in (b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode(), b"NEGOTIATE_UNIX_FD"):
            self.socket.sendall(line + b"\r\n")
            answer = self.read_line()
            if not answer.startswith((b"OK", b"AGREE")):
                raise SystemExit(f"the host says {answer!r}")
        self.socket.sendall(b"BEGIN\r\n")
        for _ in range(CALLS):
            threading.Thread(target=self.serve, daemon=True).start()
        if asked is not None:
            threading.Thread(target=self.connections, args=(asked,), daemon=True).start()
        while True:
            wanted = self.parser.bytes_desired()
            data, ancillary, _, _ = self.socket.recvmsg(wanted, socket.CMSG_SPACE(16 * 4), socket.MSG_CMSG_CLOEXEC)
            if not data:
                return
            self.parser.add_data(data, FileDescriptor.from_ancdata(ancillary))
            message = self.parser.get_next_message()
            if message is not None:
                self.sort(message)

    def read_line(self):
        line = b""
        while not line.endswith(b"\r\n"):
            line += self.socket.recv(1) or exit()
        return line

    def send(self, message):
        """Under the lock. The host has no name, so none is given."""
        self.serial += 1
        message.header.fields.pop(HeaderFields.destination, None)
        self.socket.sendall(message.serialise(serial=self.serial))
        return self.serial

    def sort(self, message):
        """On the thread that reads: nothing here waits."""
        fields = message.header.fields
        if message.header.message_type != MessageType.method_call:
            with self.lock:
                waiting = self.waiting.pop(fields[HeaderFields.reply_serial])
            waiting.put(message)
            return
        number = message.body[0]
        if fields[HeaderFields.member] == "Cancel":
            with self.lock:
                call = self.calls.get(number)
            if call is not None:
                call.cancelled.set()
        elif not message.header.flags & MessageFlag.no_reply_expected:
            call = Call(self, number, message.body[1])
            with self.lock:
                self.calls[number] = call
            self.work.put((call, message))

    def serve(self):
        while True:
            call, message = self.work.get()
            call.thread = threading.get_native_id()
            try:
                signature, body = self.perform(call, message)
                answer = new_method_return(message, signature, body)
            except ReeveError as error:
                answer = new_error(message, f"io.reeve.Error.{error.name}", "s", (str(error),))
            except Exception as error:  # a fault of the plugin: this call fails, and no other
                answer = new_error(message, "io.reeve.Error.Plugin", "s", (repr(error)[:1000],))
            with self.lock:
                del self.calls[call.number]
                try:
                    self.send(answer)
                except OSError:
                    os._exit(1)  # without its wire it is of no use, and whoever waits is told
                except Exception as error:  # it is not what its signature says, and nothing of it was written
                    self.send(new_error(message, "io.reeve.Error.Plugin", "s", (repr(error)[:1000],)))

    def perform(self, call, message):
        fields = message.header.fields
        interface, member = fields[HeaderFields.interface].removeprefix(PREFIX), fields[HeaderFields.member]
        path, arguments = fields[HeaderFields.path], message.body[2:]
        call.check()
        if (interface, member) == ("Runner", "Hello"):
            kinds = [PREFIX + kind for kind in ("Tool", "Extractor") if hasattr(self.plugin, kind)]
            return "ssa(sas)", (*PLUGIN, [(self.plugin.__name__, kinds)])
        if (interface, member) == ("Runner", "Setup"):
            with self.lock:
                instance = f"{ROOT}/{len(self.instances) + 1}"
                self.instances[instance] = None
            self.instances[instance] = self.plugin(call, json.loads(arguments[1]))
            return "o", (instance,)
        if (interface, member) == ("Runner", "Shutdown"):
            self.instances[arguments[0]] = None
            return None, ()
        if self.instances.get(path) is None:
            raise ReeveError("NotFound", "there is no such instance")
        return getattr(self.instances[path], interface)(member, call, arguments)

    def connections(self, asked):
        """A library that connects by itself (socket.create_connection) asks here, a line each: its thread, where to answer, the port, the host."""
        for line in asked:
            thread, answer, port, host = line.rstrip("\n").split(" ", 3)
            threading.Thread(target=self.connect, args=(int(thread), int(answer), int(port), host), daemon=True).start()

    def connect(self, thread, answer, port, host):
        """Answers with a descriptor, or with one of the errors that a library knows."""
        with self.lock:
            calls = list(self.calls.values())
        calls = [call for call in calls if call.thread == thread] or calls
        number = -errno.EACCES  # on a thread of no call, or of several
        try:
            if len(calls) == 1:
                number = self.ask("Tcp", "tsq", (calls[0].number, host, port))[0].to_raw_fd()
        except ReeveError as error:
            number = -REFUSALS.get(error.name, errno.ECONNREFUSED)
            print(f"connect () to {host}, port {port}: {error}", file=sys.stderr)
        except Exception:  # it is no name
            number = -errno.EINVAL
        try:
            os.write(answer, b"%d" % number)
        except OSError:  # nobody waits any more
            if number >= 0:
                os.close(number)
        os.close(answer)

    def ask(self, method, signature, body):
        """A method of the broker's; waits for its answer."""
        message = new_method_call(DBusAddress(ROOT, "", PREFIX + "Broker"), method, signature, body)
        answers = queue.SimpleQueue()
        with self.lock:
            self.waiting[self.serial + 1] = answers
            self.send(message)
        answer = answers.get()
        if answer.header.message_type == MessageType.error:
            raise ReeveError(answer.header.fields[HeaderFields.error_name].rpartition(".")[2], answer.body[0])
        return answer.body


# ---- the plugin ----

WORD = {"type": "string", "minLength": 1, "maxLength": 64}
READ_ONLY, IDEMPOTENT = 1, 4
TOOLS = [
    {"name": "note_put", "description": "Keeps a note under a name.", "hints": IDEMPOTENT,
     "parameters": {"type": "object", "additionalProperties": False, "required": ["name", "text"],
                    "properties": {"name": WORD, "text": {"type": "string", "maxLength": 4096}}}},
    {"name": "note_get", "description": "Reads the note of a name.", "hints": READ_ONLY | IDEMPOTENT,
     "parameters": {"type": "object", "additionalProperties": False, "required": ["name"], "properties": {"name": WORD}}},
]  # fmt: skip
TIMES = re.compile(r"(?:\d+:)?\d\d:\d\d\.\d{3} +--> ")


class Subtitles:
    """One instance."""

    def __init__(self, call, settings):
        """What can fail belongs here; this one takes no settings."""

    def Tool(self, member, call, arguments):
        if member == "List":
            return "s", (json.dumps(TOOLS),)
        name, given = arguments[0], json.loads(arguments[1])
        if name == "note_put":
            call.broker("store.kv", {"op": "put", "key": given["name"], "value": given["text"]})
            return "ssb", ("kept", "", False)
        if name == "note_get":
            found = call.broker("store.kv", {"op": "get", "key": given["name"]})
            if found["value"] is None:
                return "ssb", ("There is no note of that name.", "", True)
            return "ssb", (found["value"], "", False)
        raise ReeveError("NotFound", f"there is no tool {name}")

    def Extractor(self, member, call, arguments):
        if member == "MediaTypes":
            return "as", (["text/vtt"],)
        document, stream = arguments[0], arguments[3]
        with Stream(stream) as pages:
            data = read_blob(document)
            if arguments[1] != "text/vtt":
                raise ReeveError("Unsupported", f"{arguments[1]} is not read")
            try:
                text = data.decode()
            except UnicodeDecodeError as error:
                raise ReeveError("InvalidArgument", f"byte {error.start}: is not UTF-8") from None
            head, *cues = re.split(r"\r?\n(?:\r?\n)+", text)
            if not head.startswith("WEBVTT"):
                raise ReeveError("InvalidArgument", "line 1: does not begin with WEBVTT")
            title = head.removeprefix("WEBVTT").split("\n")[0].strip(" -\t\r")
            pages.write({"title": title} if title else {})
            said = []
            for cue in cues:
                call.check()
                lines = cue.splitlines()
                at = next((i for i, line in enumerate(lines) if TIMES.match(line)), None)
                if at is not None:
                    said.append(re.sub(r"<[^>]*>", "", " ".join(lines[at + 1 :])))
            pages.write({"page": 0}, "\n".join(said).encode())
        return None, ()


if __name__ == "__main__":
    Wire(Subtitles).run()
