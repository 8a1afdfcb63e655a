#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verifies ledgers of Reeve hosts. Written from docs/ledger.md alone; shares no code with the host; needs Python 3.9 and nothing else.

    reeve-verify.py STATE [--since CHECKPOINT]…     a copied state folder: its ledger/ and keys/ledger.pub
    reeve-verify.py --proof FILE --public-key FILE  one proof
Both with --witness KEY… [--quorum N]: so many of these (all) must have cosigned; KEY is name+id+base64.
Exit code 0: good; 1: bad, and the first bad record is named; 2: usage.
"""
import argparse, base64, collections, fcntl, hashlib, json, os, re, stat, sys, zlib  # noqa: E401
KEY_NAME, PLATFORM, LEVELS, TILE, IGNORED = b"reeve-ledger", "@platform", 5, 256, (".idx", ".lock")
PACKED, MAX_RAW, WIDE = b"RVP1", TILE * (16384 + 4), {"cost_wide", "reserved_cost_wide"}  # in place of a number that JSON has not
MAX_TEXT, MAX_STRING, MAX_NUMBER, MAX_NOTE, MAX_BASE, MAX_PROOF = 16384, 1024, 2**53 - 1, 4096, 24576, 65536
KINDS, OUTCOMES = {"intent", "outcome", "read", "refusal", "event"}, {"succeeded", "failed", "blocked", "unknown"}
REQUIRED = (NUMBERS := {"epoch", "seq", "time"}) | {"action", "kind", "scope"}
Key, Checkpoint = collections.namedtuple("Key", "line id public name"), collections.namedtuple("Checkpoint", "scope size root match")
class Bad(Exception):  # seq: the first bad record, 0 where it is none
    def __init__(self, why, seq=0, file=None):
        super().__init__(why)
        self.seq, self.file = seq, file
def sha256(data):
    return hashlib.sha256(data).digest()
def open_file(path):  # of a pipe in its place one could wait for ever
    file = open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise Bad(f"{os.path.basename(path)} is no regular file")
    return file
def read(path, limit):
    with open_file(path) as file:
        if (size := os.fstat(file.fileno()).st_size) > limit:
            raise Bad(f"{os.path.basename(path)} is too large")
        return file.read(size)  # not of the limit: so much would be allocated
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
def point(data):
    number = int.from_bytes(data, "little")
    y, sign = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT % P
    x = P - x if x & 1 != sign else x
    return None if y >= P or (x * x - square) % P != 0 or x == P else (x, y, 1, x * y % P)
def add(a, b):
    m, n, o, p = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0]), 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = n - m, p - o, p + o, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P
def multiply(number, a):
    result = (0, 1, 1, 0)
    for bit in range(number.bit_length()):
        result, a = add(result, a) if number >> bit & 1 else result, add(a, a)
    return result
BASE = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
def ed25519_verify(public, message, signature):
    a, r, s = point(public), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = multiply(s, BASE), add(r, multiply(h, a))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0

def unbase64(text, length=None):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data) == text and length in (None, len(data)) else None
def parse_key(line, kind=1):  # 1: of a ledger, 4: of a witness
    name, number, text = (line.split(b"+", 2) + [b"", b""])[:3]
    raw = unbase64(text, 33)
    if raw is None or raw[0] != kind or (kind == 1) != (name == KEY_NAME) or number.decode("latin-1") != sha256(name + b"\n" + raw)[:4].hex():
        raise Bad("a public key is malformed")
    return Key(line, bytes.fromhex(number.decode()), raw[1:], name)
def load_keys(path):
    return [parse_key(line) for line in read(path, MAX_NOTE).rstrip(b"\n").split(b"\n")]

SIGNED = rb"\n\xe2\x80\x94 reeve-ledger (?P<signature>[^\n]+)\n(?P<others>(\xe2\x80\x94 [^ \n\0]+ [^ \n]+\n)*)"
NOTE = re.compile(rb"(reeve-ledger/([!-~]+)\n(0|[1-9][0-9]{0,17})\n([^\n]{44})\n)" + SIGNED)
BASE_NOTE = re.compile(rb"(reeve-ledger-base/([!-~]+)\n([1-9][0-9]{0,12})\n([^\n]{44})\nchain ([^\n]{44})\ntime (?:0|[1-9][0-9]{0,15})\n"
                       rb"keys (0|[1-9][0-9]{0,4})\nrule [!-~]{1,64}\n((?:subtree [^\n]{44}\n)*)((?:leaf [^\n]{44}\n)*))" + SIGNED)
def read_checkpoint(note, keys, cosigned=True, what="checkpoint"):
    form, limit, named = (BASE_NOTE, MAX_BASE, "base") if what == "base" else (NOTE, MAX_NOTE, "checkpoint")
    match = form.fullmatch(note) if len(note) <= limit else None
    root, blob = (unbase64(match[4], 32), unbase64(match["signature"], 68)) if match and (cosigned or not match["others"]) else (None, None)
    if root is None or blob is None or any(len(unbase64(line.split(b" ")[2]) or b"") < 5 for line in match["others"].split(b"\n")[:-1]):
        raise Bad(f"the {named} is malformed", 0, what)
    if not any(blob[:4] == key.id and ed25519_verify(key.public, match[1], blob[4:]) for key in keys):
        raise Bad(f"the {named} is not signed by a key of this ledger", 0, what)
    return Checkpoint(match[2].decode(), int(match[3]), root, match)
def check_witnesses(note, witnesses, quorum):
    (body, _, lines), found = note.partition(b"\n\n"), set()
    for key, line in ((key, line.split(b" ")) for key in witnesses for line in lines.split(b"\n")):
        blob = unbase64(line[2], 76) if line[1:2] == [key.name] else None
        if blob is not None and blob[:4] == key.id:
            time = int.from_bytes(blob[4:12], "big")
            if not 0 < time < 2**63 or not ed25519_verify(key.public, b"cosignature/v1\ntime %d\n%b\n" % (time, body), blob[12:]):
                raise Bad(f"the cosignature of {key.name.decode()} is bad", 0, "witnessed")
            found.add(key)
    if len(found) < quorum:
        raise Bad(f"{len(found)} of the witnesses have cosigned, {quorum} must have", 0, "witnessed")
    return len(found)
def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
def is_member(name, value):
    if name in WIDE:
        return isinstance(value, str) and value == str(int(value)) and MAX_NUMBER < int(value) < 2**63
    if isinstance(value, dict):
        return value and set(value) <= {"id", "type"} and all(isinstance(v, str) and is_member(n, v) for n, v in value.items())
    if type(value) is int or name in NUMBERS:
        return type(value) is int and (0 if name in NUMBERS else 1) <= value <= MAX_NUMBER
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= MAX_STRING and "\0" not in value
def parse_record(text):
    try:
        record = json.loads(text.decode())
        good = isinstance(record, dict) and canonical(record).encode() == text and all(is_member(*member) for member in record.items())
        good = good and not any({name, name[:-5]} <= set(record) for name in WIDE)
    except (ValueError, RecursionError):
        good = False
    if not good or not REQUIRED <= set(record) or record["kind"] not in KINDS or record.get("outcome", "failed") not in OUTCOMES:
        raise Bad("the record is not canonical")
    return record
def check_record(text, seq, scope):
    record = parse_record(text)
    if record["seq"] != seq or record["scope"] != scope:
        raise Bad(f"number {record['seq']} of {record['scope']} stands where {seq} of {scope} must")
    return record
def is_torn(data, length):  # may this, too short for a record, be what a crash leaves of one?
    text, start = data[4:], b'{"action":"'
    if len(data) < 4 or not 0 < length <= MAX_TEXT:
        return len(data) < 4 or not any(data)
    try:
        if len(text) >= length:
            return bool(parse_record(text[:length]))
        text.decode()
    except Bad:
        return False
    except UnicodeDecodeError as error:
        if len(text) - error.start >= 4:  # a cut may go through one character
            return False
    return text[:len(start)] == start[:len(text)] and all(byte >= 0x20 for byte in text)
def unpack(data, at, seq):  # of a packed block: where it ends, and its records, each behind its length
    count, size, check = (int.from_bytes(data[i:i + 4], "big") for i in range(at + 4, at + 16, 4))
    packed, inflate, raw, entries, done = data[at + 16:(end := at + 48 + size) - 32], zlib.decompressobj(), b"", [], 0
    try:
        if data[at:at + 4] == PACKED and size <= MAX_RAW + 2**17 and end <= len(data) and zlib.crc32(packed) == check:
            raw = inflate.decompress(packed, MAX_RAW + 1)
    except zlib.error as error:
        raise Bad("the block cannot be unpacked", seq) from error
    while len(entries) < min(count, TILE) and 0 < (length := int.from_bytes(raw[done:done + 4], "big")) <= min(MAX_TEXT, len(raw) - done - 4):
        entries.append(raw[done:(done := done + 4 + length)])
    if done < len(raw) or not inflate.eof or inflate.unused_data or not 0 < len(entries) == count <= TILE:
        raise Bad("the block is not whole", seq)
    return end, entries
def node(left, right):
    return sha256(b"\x01" + left + right)
def fold(hashes):
    return hashes[0] if len(hashes) == 1 else fold([node(*hashes[i:i + 2]) for i in range(0, len(hashes), 2)])

class Tree:  # the perfect subtrees at the right edge, and the tile of each level that is being filled
    def __init__(self):
        self.size, self.edge, self.rows = 0, [], [[] for _ in range(LEVELS + 1)]
    def add(self, leaf):
        self.size, height, carry, filled = self.size + 1, 0, leaf, []
        while self.edge and self.edge[-1][0] == height:
            carry, height = node(self.edge.pop()[1], carry), height + 1
        self.edge.append((height, carry))
        self.rows[0].append(leaf)
        for level in range(LEVELS):
            if len(self.rows[level]) == TILE:
                filled.append((level, self.size // TILE ** (level + 1) - 1, self.rows[level]))
                self.rows[level + 1].append(fold(self.rows[level]))
                self.rows[level] = []
        return filled
    def root(self):
        root = self.edge[-1][1] if self.edge else sha256(b"")
        for _, left in reversed(self.edge[:-1]):
            root = node(left, root)
        return root

def climb(path, index, size, leaf):  # the root that an inclusion proof leads to; None where it has not the length that it must
    if size == 1 or not path:
        return leaf if size == 1 and not path else None
    left = 1 << (size - 1).bit_length() - 1
    below = climb(path[:-1], index, left, leaf) if index < left else climb(path[:-1], index - left, size - left, leaf)
    return below and (node(below, path[-1]) if index < left else node(path[-1], below))
def tile_name(level, number):
    digits = f"{number:0{(len(str(number)) + 2) // 3 * 3}}"
    return f"tile/{level}/" + "/".join(f"x{digits[i:i + 3]}" for i in range(0, len(digits) - 3, 3)) + "/" * (number > 999) + digits[-3:]

class Log:
    def __init__(self, folder, scope, keys, since, live, witnesses=((), 0)):
        self.folder, self.scope, self.keys, self.live, self.witnesses = folder, scope, keys, live, witnesses
        self.tree, self.chain, self.created, self.gone, self.torn, self.covered, self.rotations, self.base = Tree(), bytes(32), [], [], 0, 0, 0, 0
        self.since, self.known = since, [(kept, "in the checkpoint that was kept") for kept in since if kept.scope == scope]

    def verify(self):
        checkpoint, base, witnessed = (self.read_note(*note) for note in (("checkpoint", MAX_NOTE), ("base", MAX_BASE), ("witnessed", MAX_NOTE)))
        self.covered, self.base = checkpoint.size, base.size if base else 0
        if self.base > self.covered:
            raise Bad("the checkpoint is older than the base of the log", 0, "checkpoint")
        self.known.insert(0, (checkpoint, "signed"))
        check_witnesses(witnessed.match[0] if witnessed else b"", *self.witnesses)
        self.known += [(witnessed, "witnessed")] if witnessed else []
        tiles, firsts = self.list_tiles(), self.list_segments()
        self.check_roots()
        self.add_dropped(base)
        firsts = [first for first in firsts if first > self.base]  # a host that was killed leaves others
        for first in firsts:
            self.read_segment(first, first == firsts[-1])
        for known, what in self.known:
            if self.tree.size < known.size:
                raise Bad(f"{self.tree.size} records are there, {known.size} were {what}", self.tree.size + 1, self.scope)
        if self.scope == PLATFORM and self.rotations + 1 < len(self.keys):
            raise Bad(f"line {self.rotations + 2} of ledger.pub came by no change that is recorded", 0, "ledger.pub")
        for level, number in sorted(tiles):
            if number >= self.tree.size // TILE ** (level + 1):
                raise Bad("the tile is of records that are not there", self.tree.size + 1, tile_name(level, number))
    def read_note(self, what, limit):
        if what != "checkpoint" and not os.path.lexists(os.path.join(self.folder, what)):
            return None
        note = read_checkpoint(read(os.path.join(self.folder, what), limit), self.keys, what == "witnessed", what)
        if note.scope != self.scope:
            raise Bad(f"the {what} is of another scope", 0, what)
        return note

    def add_dropped(self, base):  # the tiles of what was dropped must lead to the base
        for number in range(self.base // TILE):
            self.add_leaves(self.read_tile(0, number))
        if base:
            subtrees, leaves = ([unbase64(line.split(b" ")[1], 32) for line in base.match[i].splitlines()] for i in (7, 8))
            good = [edge[1] for edge in self.tree.edge] == subtrees and len(leaves) == self.base % TILE and None not in leaves
            self.add_leaves(leaves if good else [])
            self.chain, self.rotations = unbase64(base.match[5], 32), int(base.match[6])
            if not good or self.chain is None or self.tree.root() != base.root:
                raise Bad("the tiles are not those that the base stands on", 0, "base")
    def add_leaves(self, leaves):
        for leaf in leaves:
            filled = self.tree.add(leaf)
            self.check_roots()
            for level, number, row in filled:
                self.check_tile(level, number, row)

    def list_segments(self):
        firsts = []
        for name in os.listdir(self.folder):
            if re.fullmatch(r"[0-9]{20}\.log", name) and 1 <= int(name[:20]) <= MAX_NUMBER:
                firsts.append(int(name[:20]))
            elif not name.endswith(IGNORED) and name not in ("base", "checkpoint", "tile", "witnessed"):
                raise Bad(f"{name} is no file of a ledger", 0, self.scope)
        return sorted(firsts)
    def list_tiles(self, name="tile", depth=0):
        folder = os.path.isdir(path := os.path.join(self.folder, name)) and not os.path.islink(path)
        if folder and depth < 6:
            return [tile for child in os.listdir(path) for tile in self.list_tiles(f"{name}/{child}", depth + 1)]
        if not os.path.lexists(path) or (name.endswith(IGNORED) and not folder):
            return []
        match = re.fullmatch(r"tile/([0-4])((/x[0-9]{3})*/[0-9]{3})", name)
        number = int(re.sub("[/x]", "", match[2])) if match else 0
        if match is None or os.path.islink(path) or not os.path.isfile(path) or tile_name(int(match[1]), number) != name:
            raise Bad("this is no tile", 0, name)
        return [(int(match[1]), number)]
    def check_roots(self):
        for known, what in self.known:
            if known.size == self.tree.size and known.root != self.tree.root():
                raise Bad(f"the root over {known.size} records is not the one that was {what}", self.tree.size)

    def read_segment(self, first, last):
        name, seq = f"{first:020}.log", self.tree.size + 1
        if first != seq:
            raise Bad(f"record {seq} is missing", seq, name)
        try:
            data, at = read(os.path.join(self.folder, name), 2**31), 0
            if not data:
                raise Bad("the file is empty", seq)
            while data[:4] == PACKED and at < len(data):
                (at, entries), start = unpack(data, at, seq := self.tree.size + 1), seq
                for seq, entry in enumerate(entries, start):
                    self.read_record(entry + sha256(self.chain + entry), seq)
                if self.chain != data[at - 32:at]:  # of which record: its tile would have said, were it full here
                    raise Bad("the chain hash of the block does not fit", start)
            while at < len(data):
                seq, length = self.tree.size + 1, int.from_bytes(data[at:at + 4], "big")
                end = at + 4 + length + 32
                if end <= len(data) and 0 < length <= MAX_TEXT:
                    self.read_record(data[at:end], seq)
                    at = end
                    continue
                if not is_torn(data[at:], length) or not last or not (self.live or self.tree.size > self.covered):
                    raise Bad("the record is incomplete, or its length is wrong", seq)
                self.torn, at = len(data) - at, len(data)  # was never acknowledged
        except (Bad, OSError) as error:
            raise Bad(str(error), getattr(error, "seq", 0) or seq, getattr(error, "file", None) or name) from error

    def read_record(self, data, seq):
        if sha256(self.chain + data[:-32]) != data[-32:]:
            raise Bad("the chain hash does not fit", seq)
        record = check_record(data[4:-32], seq, self.scope)
        self.chain = data[-32:]
        if self.scope == PLATFORM and isinstance(record.get("resource"), dict) and "id" in record["resource"]:
            self.note_event(record, record["action"], record["resource"]["id"], seq)
        self.add_leaves([sha256(b"\0" + data[:-32])])

    def note_event(self, record, action, text, seq):
        if action in ("ledger.created", "ledger.ended"):
            self.created = [scope for scope in self.created if scope != text] + [text] * (action == "ledger.created")
            ended = re.fullmatch("records_1_to_([0-9]{1,16}) ([0-9a-f]{64})", f"{record.get('reason')} {record.get('output_digest')}")
            self.gone += [one for one in self.since if ended and one.scope == text  # kept of a log that went: of that one, or a shorter
                          and (one.size < int(ended[1]) or (str(one.size), one.root.hex()) == ended.groups())]
        if action == "ledger.key_rotated":
            parts, old = text.encode().split(b" "), self.keys[self.rotations]
            message = b"reeve-ledger rotation/v1\n%b\n%b\n" % (old.line, parts[0])
            signers, signatures = (old.public, parse_key(parts[0]).public), [unbase64(part, 64) for part in parts[1:]]
            if len(parts) != 3 or None in signatures or not all(map(ed25519_verify, signers, [message] * 2, signatures)):
                raise Bad("the change of the key is not signed by both keys", seq)
            # one that did not come to its end names a key that never signed
            self.rotations += parts[0] in [key.line for key in self.keys[self.rotations + 1:self.rotations + 2]]

    def read_tile(self, level, number):
        name, seq = tile_name(level, number), number * TILE ** (level + 1) + 1
        if not os.path.lexists(path := os.path.join(self.folder, name)):
            if self.tree.size <= self.covered:
                raise Bad("the tile is missing", seq, name)
            return None
        if os.path.islink(path) or os.path.getsize(path) != TILE * 32:
            raise Bad("the tile has not the size of one", seq, name)
        data = read(path, TILE * 32)
        return [data[i:i + 32] for i in range(0, len(data), 32)]
    def check_tile(self, level, number, row):
        for i, (found, wanted) in enumerate(zip(self.read_tile(level, number) or row, row)):
            if found != wanted:
                raise Bad("the tile is not what the records give", (number * TILE + i) * TILE**level + 1, tile_name(level, number))

def is_live(folder):
    try:
        with open_file(os.path.join(folder, "ledger.lock")) as file:
            return fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (Bad, OSError) as error:
        return isinstance(error, BlockingIOError)

def verify_state(state, since, witnesses=((), 0)):
    folder, own, keys = os.path.join(state, "ledger"), os.path.join(state, "checkpoints"), load_keys(os.path.join(state, "keys", "ledger.pub"))
    own = [os.path.join(own, name) for name in (os.listdir(own) if os.path.isdir(own) else ()) if not name.endswith(".lock")]  # the host's
    kept = [read_checkpoint(read(path, MAX_NOTE), keys) for path in (*own, *since)]
    needed, verdicts, live = [PLATFORM], [], is_live(folder)
    for platform in (True, False):
        for scope in sorted(name for name in os.listdir(folder) if not name.endswith(IGNORED) and (name == PLATFORM) == platform):
            log, verdict = Log(os.path.join(folder, scope), scope, keys, kept, live, witnesses), {"scope": scope, "valid": True}
            try:
                log.verify()
            except (Bad, OSError) as error:
                verdict.update(valid=False, error=str(error), bad_seq=getattr(error, "seq", 0), file=getattr(error, "file", None))
            verdict.update(size=log.tree.size, root=log.tree.root().hex(), checkpoint_size=log.covered, torn_bytes=log.torn)
            verdicts.append(verdict)
            needed += log.created + [one.scope for one in kept if one not in log.gone] if platform else []
    for scope in dict.fromkeys(name for name in needed if name not in {verdict["scope"] for verdict in verdicts}):
        verdicts.append({"scope": scope, "valid": False, "size": 0, "error": "the log is missing", "bad_seq": 1, "file": scope})
    return {"valid": all(verdict["valid"] for verdict in verdicts), "logs": verdicts}
def verify_proof(data, keys, witnesses=((), 0)):
    head, middle, note = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if not middle or len(lines) < 3 or lines[0] != b"c2sp.org/tlog-proof@v1" or not lines[1].startswith(b"extra "):
        raise Bad("this is no proof")
    entry, index = unbase64(lines[1][6:]), re.fullmatch(rb"index (0|[1-9][0-9]{0,15})", lines[2])
    path = [unbase64(line, 32) for line in lines[3:]]
    if entry is None or index is None or None in path or not 0 < int.from_bytes(entry[:4], "big") == len(entry) - 4 <= MAX_TEXT:
        raise Bad("the proof is malformed")
    checkpoint, index = read_checkpoint(note, keys), int(index[1])
    check_witnesses(note, *witnesses)
    record = check_record(entry[4:], index + 1, checkpoint.scope)
    if index >= checkpoint.size or climb(path, index, checkpoint.size, sha256(b"\0" + entry)) != checkpoint.root:
        raise Bad("the proof does not lead from the record to the root that was signed")
    return {"valid": True, "scope": checkpoint.scope, "seq": index + 1, "size": checkpoint.size, "root": checkpoint.root.hex(), "record": record}

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, how in (("state", {"nargs": "?"}), ("--since", {"action": "append", "default": []}), ("--witness", {"action": "append", "default": []}),
                      ("--quorum", {"type": int}), ("--proof", {}), ("--public-key", {})):
        parser.add_argument(name, **how)
    options = parser.parse_args()
    if (options.state is None) == (options.proof is None) or (options.proof and not options.public_key):
        parser.error("a state folder, or --proof and --public-key")
    try:
        witnesses = [parse_key(key.encode(), 4) for key in options.witness]
        witnesses = (witnesses, len(witnesses) if options.quorum is None else options.quorum)
        if options.proof:
            verdict = verify_proof(read(options.proof, MAX_PROOF), load_keys(options.public_key), witnesses)
            lines = [f"good  {verdict['scope']}  record {verdict['seq']} of {verdict['size']} that were signed", canonical(verdict["record"])]
        else:
            verdict = verify_state(options.state, options.since, witnesses)
            lines = [f"good  {log['scope']}  {log['size']} records" if log["valid"] else
                     f"BAD   {log['scope']}  first bad record {log['bad_seq']}: {log['error']}" for log in verdict["logs"]]
    except (Bad, OSError) as error:
        verdict, lines = {"valid": False, "error": str(error)}, [f"BAD   {error}"]
    print("\n".join(lines))
    return 0 if verdict["valid"] else 1

if __name__ == "__main__":
    sys.exit(main())
