# SPDX-License-Identifier: LGPL-2.1-or-later
"""A fake witness of transparency logs. It is honest, and no service: one process, nothing on a disk. Written from the specifications
c2sp.org/tlog-witness, tlog-cosignature, signed-note and RFC 6962 alone: it keeps what it has cosigned of each origin, verifies the signature of the log and
the consistency proof itself, and refuses with the status that is said there.

    witness = Witness("witness.example/w1", log_keys=lambda: [line of ledger.pub, …])
    witness.url, witness.vkey
    witness.faults.append(fault)     # used up, one a request: stall, hang (on_hang says when), cut, garbage, empty, wrong_key, other, a status
    witness.seen                     # origin -> (size, root) that it has cosigned last
    witness.asked                    # [(origin, old size, size, status)]
    witness.close()

Standard library only.
"""

import base64
import hashlib
import http.server
import os
import socket
import struct
import threading
import time

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


# ---- Ed25519, RFC 8032 ----


def plus(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    a, b, c, d = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), 2 * t1 * t2 * D, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    r = (0, 1, 1, 0)
    while n:
        if n & 1:
            r = plus(r, a)
        a, n = plus(a, a), n >> 1
    return r


def decode(data):
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u or y >= P:
        raise ValueError("no point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def encode(a):
    inverse = pow(a[2], -1, P)
    x, y = a[0] * inverse % P, a[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


B = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def number_of(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


class Key:
    def __init__(self, seed):
        digest = hashlib.sha512(seed).digest()
        self.scalar = int.from_bytes(digest[:32], "little") & (2**254 - 8) | 2**254
        self.prefix = digest[32:]
        self.public = encode(times(self.scalar, B))

    def sign(self, message):
        nonce = number_of(self.prefix, message) % L
        first = encode(times(nonce, B))
        second = (nonce + number_of(first, self.public, message) * self.scalar) % L
        return first + second.to_bytes(32, "little")


def is_signed(public, message, signature):
    try:
        a, r, s = decode(public), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    return s < L and encode(times(s, B)) == encode(plus(r, times(number_of(signature[:32], public, message) % L, a)))


# ---- signed notes and trees ----


def key_id(name, kind, public):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def is_of_log(note, vkeys):
    """Is there a signature of one of these keys?"""
    body, _, lines = note.partition("\n\n")
    for vkey in vkeys:
        name, _, material = vkey.split("+", 2)
        public = base64.b64decode(material)[1:]
        for line in lines.splitlines():
            _, signer, blob = line.split(" ")
            blob = base64.b64decode(blob)
            if signer == name and blob[:4] == key_id(name, 1, public) and is_signed(public, body.encode() + b"\n", blob[4:]):
                return True
    return False


def joined(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_consistent(old, old_root, size, root, proof):
    """RFC 9162, section 2.1.4.2."""
    if old == 0:
        return not proof
    if old == size:
        return not proof and old_root == root
    if not proof:
        return False
    if old & (old - 1) == 0:
        proof = [old_root] + proof
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    a = b = proof[0]
    for step in proof[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            a, b = joined(step, a), joined(step, b)
            while first & 1 == 0 and first:
                first, last = first >> 1, last >> 1
        else:
            b = joined(b, step)
        first, last = first >> 1, last >> 1
    return a == old_root and b == root and last == 0


class Witness(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, name, log_keys, stall=20):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.log_keys, self.stall = name, log_keys, stall
        self.key = Key(os.urandom(32))
        self.changed = threading.Condition()
        self.seen, self.asked, self.faults, self.unknown = {}, [], [], set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/log/"
        self.released = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def vkey(self):
        material = base64.b64encode(b"\x04" + self.key.public).decode()
        return f"{self.name}+{key_id(self.name, 4, self.key.public).hex()}+{material}"

    def handle_error(self, request, client_address):
        """Breaking off is what some of it is about."""

    def cosign(self, body, key=None):
        key, now = key or self.key, int(time.time())
        signature = key.sign(f"cosignature/v1\ntime {now}\n".encode() + body)
        blob = key_id(self.name, 4, self.key.public) + now.to_bytes(8, "big") + signature
        return f"— {self.name} {base64.b64encode(blob).decode()}\n"

    def judge(self, data):
        """Status and body of the answer to an honest request."""
        head, _, note = data.decode().partition("\n\n")
        lines = head.split("\n")
        proof = [base64.b64decode(line, validate=True) for line in lines[1:]]
        body = note.partition("\n\n")[0] + "\n"
        origin, size, root = body.split("\n")[:3]
        old, size, root = int(lines[0].removeprefix("old ")), int(size), base64.b64decode(root)
        with self.changed:
            status, answer = self.decide(origin, old, size, root, proof, note)
            if status == 200:
                self.seen[origin] = (size, root)
                answer = self.cosign(body.encode())
            self.asked.append((origin, old, size, status))
            self.changed.notify_all()
        return status, answer, body

    def decide(self, origin, old, size, root, proof, note):
        if origin in self.unknown:
            return 404, ""
        if not is_of_log(note, self.log_keys()):
            return 403, ""
        if old > size or len(proof) > 63:
            return 400, ""
        known, known_root = self.seen.get(origin, (0, b""))
        if old != known or (old == size and known_root != root):
            return 409, f"{known}\n"
        return (200, "") if is_consistent(old, known_root, size, root, proof) else (422, "")

    def wait(self, what):
        """Until what() is true."""
        end = time.monotonic() + 120
        with self.changed:
            while not what():
                if time.monotonic() > end:
                    raise AssertionError((self.seen, self.asked[-10:], self.faults))
                self.changed.wait(0.2)

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, text):
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        if status == 409:
            self.send_header("Content-Type", "text/x.tlog.size")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):  # noqa: N802
        witness = self.server
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/log/add-checkpoint":
            self.answer(404, "")
            return
        with witness.changed:
            fault = witness.faults.pop(0) if witness.faults else None
            witness.changed.notify_all()
        if fault is None:
            self.answer(*witness.judge(data)[:2])
        elif isinstance(fault, int):
            self.answer(fault, "no\n")
        else:
            getattr(self, fault)(data)

    # ---- faults ----

    def stall(self, _data):
        self.server.released.wait(self.server.stall)
        self.close_connection = True

    def hang(self, _data):
        """Until the other side gives up."""
        self.server.on_hang(True)
        self.connection.settimeout(60)
        try:
            self.connection.recv(1)
        except OSError:
            pass
        self.server.on_hang(False)
        self.close_connection = True

    def cut(self, _data):
        """The answer breaks off in the middle."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n\xe2\x80\x94 half")
        self.wfile.flush()
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def garbage(self, _data):
        self.answer(200, os.urandom(3000))

    def empty(self, _data):
        self.answer(200, "")

    def wrong_key(self, data):
        """Signed by another key, under our name and id."""
        self.answer(200, self.server.cosign(self.server.judge(data)[2].encode(), Key(os.urandom(32))))

    def other(self, data):
        """A good cosignature, over another checkpoint."""
        body = self.server.judge(data)[2].split("\n")
        body[1] = str(int(body[1]) + 1)
        self.answer(200, self.server.cosign("\n".join(body).encode()))

    def no_size(self, _data):
        self.answer(409, "many\n")
