#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes databases of countries in MaxMind's format 2.0, for tests: no download, and every network known.

    write("x.mmdb", {"192.0.2.0/24": "DE", "2001:db8::/32": "FR"})

As a program: mmdb.py FILE NETWORK=COUNTRY…
"""

import ipaddress
import os
import struct
import sys
import time

MARKER = b"\xab\xcd\xefMaxMind.com"


def control(kind, size):
    """Type and length of a field; types above 7 have a byte of their own."""
    assert size < 29 or kind == 2
    more = b""
    if size >= 29:
        assert size < 285
        size, more = 29, bytes([size - 29])
    return (bytes([kind << 5 | size]) if kind <= 7 else bytes([size, kind - 7])) + more


def encode(value):
    if isinstance(value, str):
        text = value.encode()
        return control(2, len(text)) + text
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(name) + encode(one) for name, one in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(map(encode, value))
    kind, data = value  # ("uint16" …, number)
    number = {"uint16": 5, "uint32": 6, "uint64": 9}[kind]
    packed = data.to_bytes((data.bit_length() + 7) // 8, "big")
    return control(number, len(packed)) + packed


def record(country):
    """What an entry holds; of None: a network that is known, but in no country."""
    if isinstance(country, dict):
        return country
    if country is None:
        return {"registered_country": {"iso_code": "US"}}
    return {"country": {"iso_code": country, "names": {"en": country}}, "registered_country": {"iso_code": "US"}}


class Tree:
    def __init__(self, version):
        self.version, self.root = version, [None, None]

    def bits(self, network):
        number, length = int(network.network_address), network.prefixlen
        if self.version == 6 and network.version == 4:
            length += 96
        width = 128 if self.version == 6 else 32
        return [number >> (width - 1 - i) & 1 for i in range(length)]

    def add(self, network, value):
        node, bits = self.root, self.bits(network)
        for bit in bits[:-1]:
            if not isinstance(node[bit], list):
                node[bit] = [node[bit], node[bit]]
            node = node[bit]
        node[bits[-1]] = value

    def number(self):
        nodes, at = [self.root], 0
        while at < len(nodes):
            nodes += [side for side in nodes[at] if isinstance(side, list)]
            at += 1
        return nodes


def pack(left, right, size):
    if size == 24:
        return struct.pack(">I", left)[1:] + struct.pack(">I", right)[1:]
    if size == 28:
        return struct.pack(">I", left)[1:] + bytes([left >> 24 << 4 | right >> 24]) + struct.pack(">I", right)[1:]
    return struct.pack(">II", left, right)


def make(networks, version=6, size=24, made_at=None):
    tree, data, places = Tree(version), b"", {}
    parsed = [(ipaddress.ip_network(text), country) for text, country in networks.items()]
    for network, country in sorted(parsed, key=lambda one: one[0].prefixlen + (96 if one[0].version == 4 else 0)):
        entry = encode(record(country))
        if entry not in places:
            places[entry] = len(data)
            data += entry
        tree.add(network, places[entry])
    nodes = tree.number()
    numbers = {id(node): i for i, node in enumerate(nodes)}

    def side(value):
        if value is None:
            return len(nodes)
        return numbers[id(value)] if isinstance(value, list) else len(nodes) + 16 + value

    metadata = {
        "binary_format_major_version": ("uint16", 2), "binary_format_minor_version": ("uint16", 0),
        "build_epoch": ("uint64", int(time.time() if made_at is None else made_at)),
        "database_type": "Test-Country", "description": {"en": "made for a test"},
        "ip_version": ("uint16", version), "languages": ["en"],
        "node_count": ("uint32", len(nodes)), "record_size": ("uint16", size),
    }
    return b"".join(pack(side(left), side(right), size) for left, right in nodes) + bytes(16) + data + MARKER + encode(metadata)


def write(path, networks, **options):
    """In one stroke, as whoever replaces a database does."""
    with open(path + ".new", "wb") as file:
        file.write(make(networks, **options))
    os.replace(path + ".new", path)


if __name__ == "__main__":
    write(sys.argv[1], {network: country or None for network, country in (one.split("=") for one in sys.argv[2:])})
