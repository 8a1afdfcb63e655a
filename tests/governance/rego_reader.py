# SPDX-License-Identifier: LGPL-2.1-or-later
"""Evaluates modules in Rego, as far as Reeve's generator writes them. This is no Open Policy Agent and no engine of Rego: it
knows the forms that policy-rego.c uses and refuses everything else, so that what is generated can be run in a test at all.
What it knows was written from OPA's language reference (https://www.openpolicyagent.org/docs/policy-language), version 1.0:
a rule is the disjunction of its bodies, a body the conjunction of its expressions; what is absent is undefined and makes
its expression, its body and whatever refers to it undefined; `not` turns undefined or false into true.

    Module(text).get("decision", {"tool": …})
"""

import json
import re

TOKEN = re.compile(r"""(?P<blank>[ \t]+|\#[^\n]*)|(?P<line>\n)|(?P<string>"(?:[^"\\\n]|\\["\\]|\\u[0-9a-f]{4})*")
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)|(?P<word>[a-z_][a-z0-9_]*)|(?P<sign>:=|==|<=|[\[\]{}(),.:>])""", re.X)
WORDS = {"package", "default", "if", "contains", "not", "some", "in", "true", "false", "null"}


class Unreadable(Exception):
    """Not one of the forms that are known."""


class Undefined(Exception):
    pass


class Set:
    def __init__(self, items=()):
        self.items = []
        for item in items:
            if not any(same(item, other) for other in self.items):
                self.items.append(item)


def same(one, other):
    """JSON's equality: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    return type(one) in (int, float) and type(other) in (int, float) and one == other or type(one) is type(other) and one == other


def rank(value):
    """OPA's order of types."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return 2, value
    return (0, 0) if value is None else (1, value) if isinstance(value, bool) else (3, value)


def tokens(text):
    at, found = 0, []
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Unreadable(text[at:at + 40])
        at = match.end()
        if match.lastgroup != "blank":
            found.append((match.lastgroup, match.group()))
    return found + [("end", "")]


class Reader:
    """Text to rules: (name, kind, parameters, head, bodies[expressions])."""

    def __init__(self, text):
        self.tokens, self.at = tokens(text), 0

    def peek(self, lines=False):
        while lines and self.tokens[self.at][0] == "line":
            self.at += 1
        return self.tokens[self.at]

    def take(self, text=None, kind=None, lines=False):
        found = self.peek(lines)
        if (text is not None and found[1] != text) or (kind is not None and found[0] != kind):
            raise Unreadable(f"{found} instead of {text or kind}")
        self.at += 1
        return found[1]

    def has(self, text, lines=False):
        if self.peek(lines)[1] != text:
            return False
        self.at += 1
        return True

    def name(self):
        word = self.take(kind="word")
        if word in WORDS:
            raise Unreadable(word)
        return word

    def module(self):
        self.take("package", lines=True)
        package = [self.name()]
        while self.peek()[1] in (".", "["):
            if self.has("."):
                package.append(self.name())
            else:
                self.take("[")
                package.append(json.loads(self.take(kind="string")))
                self.take("]")
        rules = []
        while self.peek(lines=True)[0] != "end":
            rules.append(self.rule())
            if self.tokens[self.at][0] not in ("line", "end"):
                raise Unreadable(self.tokens[self.at])
        return ".".join(package), rules

    def rule(self):
        if self.has("default"):
            name = self.name()
            self.take(":=")
            return name, "default", None, self.term(), []
        name, kind, parameters, head = self.name(), "is", None, ("value", True)
        if self.has("("):
            kind, parameters = "function", [self.name()]
            while self.has(","):
                parameters.append(self.name())
            self.take(")")
        elif self.has("contains"):
            kind, head = "contains", self.term()
        elif self.has(":="):
            head = self.term()
        body = self.body() if self.has("if") else []
        return name, kind, parameters, head, body

    def body(self):
        if not self.has("{"):
            return [self.expression()]
        found = []
        while not self.has("}", lines=True):
            found.append(self.expression())
        return found

    def expression(self):
        if self.has("some"):
            name = self.name()
            self.take("in")
            return "some", name, self.term()
        if self.has("not"):
            return "not", self.comparison()
        return self.comparison()

    def comparison(self):
        left = self.term()
        for sign in ("==", "<=", ">", "in"):
            if self.has(sign):
                return "compare", sign, left, self.term()
        return left

    def items(self, end):
        found = []
        while not self.has(end, lines=True):
            found.append(self.term(lines=True))
            if self.has(":"):
                found[-1] = (found[-1], self.term())
            if not self.has(",", lines=True):
                self.take(end, lines=True)
                break
        return found

    def term(self, lines=False):
        kind, text = self.peek(lines)
        self.at += 1
        if kind == "string":
            return "value", re.sub(r'\\(u[0-9a-f]{4}|.)', lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "u" else m[1], text[1:-1])
        if kind == "number":
            return "value", float(text) if re.search("[.e]", text) else int(text)
        if text in ("true", "false", "null"):
            return "value", {"true": True, "false": False, "null": None}[text]
        if text == "[":
            return "array", self.items("]")
        if text == "{":
            items = self.items("}")
            if not items:
                raise Unreadable("{} is an empty object")
            pairs = [isinstance(item[0], tuple) for item in items]
            if any(pairs) != all(pairs):
                raise Unreadable("a set and an object")
            return ("object" if all(pairs) else "set"), items
        if kind != "word" or text in WORDS:
            raise Unreadable(text)
        path = [text]
        while self.has("."):
            path.append(self.take(kind="word"))
        if self.has("("):
            return "call", ".".join(path), self.items(")")
        return "ref", path


class Module:
    def __init__(self, text):
        self.package, found = Reader(text).module()
        self.rules = {}
        for rule in found:
            self.rules.setdefault(rule[0], []).append(rule)
        for name, rules in self.rules.items():
            kinds = {rule[1] for rule in rules} - {"default"}
            if len(kinds) > 1 or sum(rule[1] == "default" for rule in rules) > 1:
                raise Unreadable(f"{name} is {kinds}")

    def get(self, name, given):
        return Evaluation(self.rules, given).rule(name)


class Evaluation:
    def __init__(self, rules, given):
        self.rules, self.input, self.known = rules, given, {}

    def rule(self, name):
        if name not in self.known:
            if name not in self.rules:
                raise Unreadable(f"{name} is not safe")
            self.known[name] = Unreadable(f"{name} is recursive")
            try:
                self.known[name] = self.find(self.rules[name])
            except Undefined as error:
                self.known[name] = error
        if isinstance(self.known[name], Exception):
            raise self.known[name]
        return self.known[name]

    def find(self, rules):
        if any(rule[1] == "contains" for rule in rules):
            return Set(self.term(rule[3], bound) for rule in rules for bound in self.solve(rule[4], {}))
        values = [self.term(rule[3], bound) for rule in rules if rule[1] == "is" for bound in self.solve(rule[4], {})]
        if any(not self.equal(value, values[0]) for value in values):
            raise Unreadable(f"{rules[0][0]} has two values")
        if values:
            return values[0]
        for rule in rules:
            if rule[1] == "default":
                return self.term(rule[3], {})
        raise Undefined(rules[0][0])

    @staticmethod
    def equal(one, other):
        return same(one, other) or isinstance(one, (list, dict)) and one == other

    def solve(self, body, bound):
        """Each way to make all expressions true."""
        if not body:
            yield bound
            return
        first, rest = body[0], body[1:]
        if first[0] == "some":
            try:
                many = self.term(first[2], bound)
            except Undefined:
                return
            for item in many.items if isinstance(many, Set) else many:
                yield from self.solve(rest, {**bound, first[1]: item})
        elif self.holds(first, bound):
            yield from self.solve(rest, bound)

    def holds(self, expression, bound):
        if expression[0] == "not":
            return not self.holds(expression[1], bound)
        try:
            return self.term(expression, bound) is not False
        except Undefined:
            return False

    def term(self, term, bound):
        kind = term[0]
        if kind == "value":
            return term[1]
        if kind == "array":
            return [self.term(item, bound) for item in term[1]]
        if kind == "set":
            return Set(self.term(item, bound) for item in term[1])
        if kind == "object":
            return {self.term(key, bound): self.term(value, bound) for key, value in term[1]}
        if kind == "ref":
            return self.reference(term[1], bound)
        if kind == "call":
            return self.call(term[1], [self.term(item, bound) for item in term[2]])
        return self.compare(term[1], self.term(term[2], bound), self.term(term[3], bound))

    def reference(self, path, bound):
        if path[0] == "input":
            value = self.input
        elif path[0] in bound:
            value = bound[path[0]]
        else:
            value = self.rule(path[0])
        for member in path[1:]:
            if not isinstance(value, dict) or member not in value:
                raise Undefined(".".join(path))
            value = value[member]
        return value

    @staticmethod
    def compare(sign, left, right):
        if sign == "==":
            return same(left, right)
        if sign == "in":
            if isinstance(right, dict):
                right = list(right.values())
            if not isinstance(right, (list, Set)):
                return False
            return any(same(left, item) for item in (right.items if isinstance(right, Set) else right))
        return rank(left) <= rank(right) if sign == "<=" else rank(left) > rank(right)

    def call(self, name, values):
        if name == "set" and not values:
            return Set()
        if name == "count":
            return len(values[0].items if isinstance(values[0], Set) else values[0])
        if name == "is_string":
            return isinstance(values[0], str)
        if name == "is_number":
            return isinstance(values[0], (int, float)) and not isinstance(values[0], bool)
        if name == "concat":
            items = sorted(values[1].items) if isinstance(values[1], Set) else values[1]
            if not all(isinstance(item, str) for item in items):
                raise Undefined(name)
            return values[0].join(items)
        if name == "regex.match":
            if not all(isinstance(value, str) for value in values):
                raise Undefined(name)
            return self.match(*values)
        for _name, kind, parameters, head, body in self.rules.get(name, ()):
            if kind != "function" or len(parameters) != len(values):
                raise Unreadable(name)
            for bound in self.solve(body, dict(zip(parameters, values))):
                return self.term(head, bound)
        if name not in self.rules:
            raise Unreadable(f"function {name}")
        raise Undefined(name)

    @staticmethod
    def match(pattern, text):
        """Of RE2 only what globs become: (?s)^…$ of literals, \\ and a sign, . and .*"""
        if not re.fullmatch(r"\(\?s\)\^(?:[A-Za-z0-9_:/ @-]|\\[.+()|\[\]{}^$\\]|\.\*?)*\$", pattern):
            raise Unreadable(pattern)
        return re.fullmatch(pattern[5:-1], text, re.S) is not None
