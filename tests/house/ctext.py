# SPDX-License-Identifier: LGPL-2.1-or-later
"""C source as tokens, functions and nesting: enough of the language to judge its shape without compiling it."""

import re

LEXER = re.compile(
    r"""
    (?P<space>(?:[ \t\f\v\r]|\\\n)+)
  | (?P<newline>\n)
  | (?P<comment>/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*)
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"?)
  | (?P<char>(?:[uUL])?'(?:\\.|[^'\\\n])*'?)
  | (?P<ident>[A-Za-z_][A-Za-z_0-9]*)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|[A-Za-z0-9_.])*)
  | (?P<punct>->|\+\+|--|<<=|>>=|\.\.\.|[-+*/%&|^<>=!]=|&&|\|\||<<|>>|\#\#|.)
    """,
    re.X | re.S,
)
CONTROL = {"if", "for", "while", "switch"}
ATTRIBUTE = re.compile(r"^(__attribute__|__extension__|_Static_assert|[A-Z][A-Z0-9_]*)$")


class Token:
    """One token: its kind, its text and the line it starts on."""

    __slots__ = ("kind", "text", "line")

    def __init__(self, kind, text, line):
        self.kind = kind
        self.text = text
        self.line = line

    def __repr__(self):
        return f"{self.kind}:{self.text!r}@{self.line}"


class Function:
    """A function definition: name, first line (return type), line of the name, last line, body tokens."""

    def __init__(self, name, start, line, end, body):
        self.name = name
        self.start = start
        self.line = line
        self.end = end
        self.body = body

    @property
    def lines(self):
        return self.end - self.line + 1


class Directive:
    """A preprocessor line: its word (include, if, ...) and its remaining tokens and text."""

    def __init__(self, word, tokens, text, line):
        self.word = word
        self.tokens = tokens
        self.text = text
        self.line = line


class CText:
    """A C file taken apart: comments, directives, and the code tokens of the first branch of each #if."""

    def __init__(self, text):
        self.lines = text.count("\n") + (0 if text.endswith("\n") or not text else 1)
        self.comments = []
        self.directives = []
        self.every = []  # every token outside comments, macros and all branches included
        self.code = []  # what is parsed: no directives, one branch of each #if
        self._split(tokenize(text))
        self.functions = find_functions(self.code)

    def _split(self, tokens):
        branches = []
        i = 0
        at_start = True
        while i < len(tokens):
            token = tokens[i]
            if token.kind == "newline":
                at_start = True
            elif token.kind == "comment":
                self.comments.append(token)
            elif token.kind == "space":
                pass
            elif token.text == "#" and at_start:
                i = self._directive(tokens, i, branches)
                at_start = True
                continue
            else:
                at_start = False
                self.every.append(token)
                if all(branches):
                    self.code.append(token)
            i += 1

    def _directive(self, tokens, i, branches):
        line = tokens[i].line
        i += 1
        parts = []
        while i < len(tokens) and tokens[i].kind != "newline":
            if tokens[i].kind == "comment":
                self.comments.append(tokens[i])
            elif tokens[i].kind != "space":
                parts.append(tokens[i])
            i += 1
        if not parts:
            return i
        word, rest = parts[0].text, parts[1:]
        self.directives.append(Directive(word, rest, "".join(t.text for t in rest), line))
        self.every.extend(rest)
        if word in ("if", "ifdef", "ifndef"):
            branches.append(not (word == "if" and [t.text for t in rest] == ["0"]))
        elif word in ("else", "elif") and branches:
            # the first live branch is the one that is parsed, so that braces balance
            branches[-1] = None if branches[-1] or branches[-1] is None else True
        elif word == "endif" and branches:
            branches.pop()
        return i


def tokenize(text):
    """Every token of the text, spaces, newlines and comments included."""
    tokens = []
    line = 1
    for match in LEXER.finditer(text):
        body = match.group()
        tokens.append(Token(match.lastgroup, body, line))
        line += body.count("\n")
    return tokens


def closing(tokens, i):
    """Index of the bracket that closes the one at i, or the end of the tokens."""
    pairs = {"(": ")", "[": "]", "{": "}"}
    stack = []
    while i < len(tokens):
        text = tokens[i].text
        if tokens[i].kind == "punct":
            if text in pairs:
                stack.append(pairs[text])
            elif stack and text == stack[-1]:
                stack.pop()
                if not stack:
                    return i
        i += 1
    return len(tokens) - 1


def function_name(head):
    """Index in head of the name of the function that head declares, or None when it declares something else."""
    name = None
    i = 0
    while i < len(head):
        token = head[i]
        if token.kind == "punct" and token.text == "=":
            return None
        if token.kind == "punct" and token.text in "([{":
            i = closing(head, i)
        elif token.kind == "ident" and i + 1 < len(head) and head[i + 1].text == "(":
            if not ATTRIBUTE.match(token.text):
                name = i
        i += 1
    return name


def head_start(head, name):
    """Index in head where the definition itself starts, after macros such as G_DEFINE_TYPE (...) that end without ';'."""
    start = 0
    i = 0
    while i < name:
        if head[i].kind == "ident" and ATTRIBUTE.match(head[i].text) and head[i + 1].text == "(":
            i = closing(head, i + 1)
            start = i + 1
        i += 1
    return start


def find_functions(code):
    """The function definitions at file level."""
    functions = []
    start = 0
    i = 0
    while i < len(code):
        token = code[i]
        if token.kind == "punct" and token.text in "([":
            i = closing(code, i)
        elif token.text == ";" and token.kind == "punct":
            start = i + 1
        elif token.text == "{" and token.kind == "punct":
            head = code[start:i]
            end = closing(code, i)
            name = function_name(head)
            if name is not None:
                first = head[head_start(head, name)]
                functions.append(Function(head[name].text, first.line, head[name].line, code[end].line, code[i : end + 1]))
                start = end + 1
            i = end
        i += 1
    return functions


class Nesting:
    """Walks the statements of a body and remembers the deepest control structure and where it starts."""

    def __init__(self, body):
        self.tokens = body
        self.deepest = 0
        self.line = body[0].line if body else 0
        if body:
            self.block(0, 0)

    def text(self, i):
        return self.tokens[i].text if i < len(self.tokens) else ""

    def note(self, i, depth):
        if depth > self.deepest:
            self.deepest = depth
            self.line = self.tokens[min(i, len(self.tokens) - 1)].line

    def block(self, i, depth):
        """Walks the block whose '{' is at i; returns the index after its '}'."""
        end = closing(self.tokens, i)
        i += 1
        while i < end:
            i = max(i + 1, self.statement(i, depth))
        return end + 1

    def statement(self, i, depth):
        """Walks one statement; returns the index after it."""
        token = self.tokens[i]
        if token.text == "{" and token.kind == "punct":
            return self.block(i, depth)
        if token.kind == "ident" and token.text in CONTROL and self.text(i + 1) == "(":
            return self.control(i, depth + 1)
        if token.kind == "ident" and token.text == "do":
            self.note(i, depth + 1)
            return self.simple(self.statement(i + 1, depth + 1), depth)
        if token.kind == "ident" and token.text in ("case", "default"):
            while i < len(self.tokens) and self.text(i) != ":":
                i += 1
            return i + 1
        return self.simple(i, depth)

    def control(self, i, depth):
        self.note(i, depth)
        word = self.text(i)
        i = closing(self.tokens, i + 1) + 1
        if i >= len(self.tokens):
            return i
        i = self.statement(i, depth)
        if word == "if" and self.text(i) == "else" and i + 1 < len(self.tokens):
            # else if chains do not nest deeper
            return self.statement(i + 1, depth - 1 if self.text(i + 1) == "if" else depth)
        return i

    def simple(self, i, depth):
        """Walks to the end of an expression or declaration; a macro with a block after it nests like a loop."""
        start = i
        while i < len(self.tokens):
            token = self.tokens[i]
            if token.kind == "punct":
                if token.text == ";":
                    return i + 1
                if token.text == "}":
                    return i
                if token.text == "{" and self.is_block_macro(start, i):
                    self.note(start, depth + 1)
                    return self.block(i, depth + 1)
                if token.text in "([{":
                    i = closing(self.tokens, i)
            i += 1
        return i

    def is_block_macro(self, start, brace):
        """Whether the tokens from start to the brace are one macro, `FOO {` or `FOO (...) {`."""
        if self.tokens[start].kind != "ident" or self.text(start) in ("struct", "union", "enum"):
            return False
        if brace == start + 1:
            return True
        return self.text(start + 1) == "(" and closing(self.tokens, start + 1) == brace - 1
