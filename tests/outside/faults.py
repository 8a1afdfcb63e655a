# SPDX-License-Identifier: LGPL-2.1-or-later
"""A disk and a clock that misbehave, for a host in a test: tests/helpers/fault-preload.c, told what to do through a file that both map.

    with Faults() as faults, Host(state=faults.state, environment=faults.environment) as host:
        faults.arm(IO, path="/ledger/")      # every write, sync, … of such a file fails from now on
        faults.disarm()
        faults.set_clock(3600)
"""

import mmap
import os
import struct
import tempfile

from reeve import BUILD

PRELOAD = os.path.join(BUILD, "tests", "helpers", "fault-preload.so")

# fault-control.h
WRITE, SYNC, TRUNCATE, RENAME, CREATE, ALLOCATE = 1, 2, 4, 8, 16, 32
ALL = 63
NONE, FULL, READ_ONLY, IO, SHORT, SPARE, KILL, KILL_HALF = range(8)
ALWAYS = 0xFFFFFFFF
HEAD = struct.Struct("=IIIIIIq")
HELD = HEAD.size + 4 * 256
SIZE = HELD + 16


class Faults:
    def __init__(self):
        # no disk below: it does not really fail, and is quicker
        self.folder = tempfile.TemporaryDirectory(prefix="reeve-faults-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.state = os.path.join(self.folder.name, "state")
        path = os.path.join(self.folder.name, "control")
        with open(path, "wb") as file:
            file.truncate(SIZE)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), SIZE)
        self.environment = {"LD_PRELOAD": PRELOAD, "REEVE_FAULT_FILE": path, "REEVE_FAULT_ROOT": self.state}

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.memory.close()
        self.folder.cleanup()

    def put(self, offset, form, *values):
        struct.pack_into("=" + form, self.memory, offset, *values)

    def text(self, number, value):
        self.put(HEAD.size + 256 * number, "256s", value.encode())

    def arm(self, kind, calls=ALL, path="", first=1, last=ALWAYS):
        """The first to the last of those calls, counted from now on, on files whose path contains path."""
        self.disarm()
        self.text(0, path)
        self.text(1, "")
        self.put(4, "IIIII", calls, first, last, 0, 0)
        self.put(0, "I", kind)

    def fill(self, path=""):
        """A full disk, on which the ledger's reserve is the only room."""
        self.text(2, os.path.join(self.state, "ledger", "reserve.lock"))
        self.text(3, "/ledger/")
        self.arm(SPARE, calls=ALL & ~(SYNC | TRUNCATE), path=path)

    def disarm(self):
        self.put(0, "I", NONE)

    def pause(self):
        """Nothing is counted or fails until go_on()."""
        self.paused = HEAD.unpack_from(self.memory)[:2]
        self.put(0, "II", NONE, 0)

    def go_on(self):
        self.put(4, "I", self.paused[1])
        self.put(0, "I", self.paused[0])

    @property
    def seen(self):
        """How many calls counted since it was armed."""
        return HEAD.unpack_from(self.memory)[4]

    @property
    def failed(self):
        """How many calls met the fault."""
        return HEAD.unpack_from(self.memory)[5]

    @property
    def hit(self):
        """The file of the last of them, below the state folder."""
        return struct.unpack_from("256s", self.memory, HEAD.size + 256)[0].split(b"\0", 1)[0].decode()

    def set_clock(self, seconds):
        """The wall clock is so many seconds ahead of the true one, or behind it."""
        self.put(24, "q", int(seconds * 1_000_000))

    def hold(self, pid, name):
        """The thread of that name gets no processor until it is let go; that of any other one does not change."""
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/comm", encoding="ascii") as file:
                if file.read().strip() == name:
                    self.put(HELD, "I", int(task))
                    return
        raise AssertionError(f"no thread {name}")

    def let_go(self):
        self.put(HELD, "I", 0)

    def stall(self, path):
        """Syncs of files whose path contains that wait until flow()."""
        self.text(0, path)
        self.put(HELD + 4, "I", 1)

    def flow(self):
        """What waits goes on, and meets what is armed."""
        self.put(HELD + 4, "I", 0)

    @property
    def waiting(self):
        """How many syncs wait."""
        return struct.unpack_from("=I", self.memory, HELD + 8)[0]
