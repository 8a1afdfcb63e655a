#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Python's json module as a second opinion on thousands of valid, mutated and odd texts: same verdict, same canonical form."""

import json
import math
import os
import random
import subprocess
import unittest

ROUNDS = 6000


class Refused(Exception):
    pass


def pairs(items):
    names = [name for name, _ in items]
    if len(set(names)) != len(names):
        raise Refused("twice")
    return dict(items)


def constant(word):
    raise Refused(word)


def number(text):
    if len(text) > 1100:
        raise Refused("long")
    value = float(text)
    if math.isinf(value):
        raise Refused("range")
    return value


def integer(text):
    value = int(text) if len(text) < 1000 else None
    if value is not None and -(2**63) <= value < 2**63:
        return value
    return number(text)


def walk(value, depth):
    if isinstance(value, str):
        if "\0" in value:
            raise Refused("nul")
        value.encode("utf-8")  # lone surrogates
    elif isinstance(value, (list, dict)):
        if depth == 64:
            raise Refused("depth")
        for item in value:
            walk(item, depth + 1)
        if isinstance(value, dict):
            for item in value.values():
                walk(item, depth + 1)


def es_number(value):
    if isinstance(value, int):
        return str(value)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    text = repr(abs(value))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len((whole + fraction).lstrip("0")))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits + "0" * (point - len(digits))
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def canonical(value):
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return es_number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in names) + "}"


def opinion(text):
    try:
        decoded = text.decode("utf-8")
        if decoded.startswith("\ufeff"):
            raise Refused("bom")
        value = json.loads(decoded, object_pairs_hook=pairs, parse_constant=constant, parse_float=number, parse_int=integer)
        walk(value, 0)
        return canonical(value).encode("utf-8").hex()
    except (ValueError, Refused, RecursionError):
        return "-"


class Source:
    """Random texts, from a fixed seed so that a failure can be had again."""

    STRINGS = ["", "a", "b", "name", "\u00e4", "\u20ac", "\U0001f600", "\ufb33", "\x7f", "a/b~c", "\\", '"', "\n", "x" * 40]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def string(self):
        text = "".join(self.random.choice(self.STRINGS) for _ in range(self.random.randrange(3)))
        return json.dumps(text, ensure_ascii=self.random.random() < 0.5)

    def number(self):
        pick = self.random.randrange(5)
        if pick == 0:
            return str(self.random.randint(-100, 100))
        if pick == 1:
            return str(self.random.randint(-(2**65), 2**65))
        if pick == 2:
            return repr(self.random.uniform(-1e6, 1e6))
        if pick == 3:
            return f"{self.random.randint(-99, 99)}.{self.random.randint(0, 10**9)}e{self.random.randint(-340, 320)}"
        return self.random.choice(["-0", "-0.0", "1e308", "1e309", "0e999", "1E+2", "5e-324", "2e-324", "9007199254740993"])

    def value(self, depth):
        pick = self.random.randrange(8 if depth > 0 else 5)
        space = self.random.choice(["", "", "", " ", "\n", "\t \r"])
        if pick == 0:
            return self.random.choice(["null", "true", "false"])
        if pick in (1, 2):
            return self.string()
        if pick in (3, 4):
            return self.number()
        count = self.random.randrange(5)
        if pick == 5:
            return "[" + space + ("," + space).join(self.value(depth - 1) for _ in range(count)) + space + "]"
        members = [self.string() + space + ":" + space + self.value(depth - 1) for _ in range(count)]
        return "{" + space + ("," + space).join(members) + "}" + space

    def mutate(self, text):
        text = bytearray(text)
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(text) + 1)
            pick = self.random.randrange(4)
            if pick == 0 and text:
                del text[min(at, len(text) - 1)]
            elif pick == 1:
                text.insert(at, self.random.choice(b'{}[],:"\\0123456789.eE+-tfn u/*\x00\x1f\x80\xc3\xed\xff\n'))
            elif pick == 2 and text:
                text[min(at, len(text) - 1)] = self.random.randrange(256)
            else:
                del text[at:]
        return bytes(text)

    def texts(self):
        for _ in range(ROUNDS):
            text = self.value(4).encode("utf-8")
            yield text
            yield self.mutate(text)
        for depth in range(60, 70):
            yield b"[" * depth + b"]" * depth
            yield b'{"a":' * depth + b"1" + b"}" * depth
        for escape in (b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\ud83d\\ude00", b"\\uD83D\\uDE00", b"\\u00E4", b"\\x", b"\\"):
            yield b'"' + escape + b'"'
            yield b'{"' + escape + b'":1,"\xf0\x9f\x98\x80":2}'
            yield b'{"' + escape + b'":1,"\xc3\xa4":2}'


class SecondOpinion(unittest.TestCase):
    def test_same_verdicts(self):
        texts = list(Source(20261122).texts())
        answer = subprocess.run(
            [os.environ["REEVE_JSON_VERDICT"]],
            input="".join(text.hex() + "\n" for text in texts),
            capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
        self.assertEqual(len(answer), len(texts))
        taken = 0
        for text, verdict in zip(texts, answer):
            # an empty line is an empty text
            self.assertEqual(verdict, opinion(text), text)
            taken += verdict != "-"
        # both kinds were really there
        self.assertGreater(taken, ROUNDS / 2)
        self.assertGreater(len(texts) - taken, ROUNDS / 2)


if __name__ == "__main__":
    unittest.main()
