# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may include whom: the rooms, their order, and the headers that the pure decision may not reach."""

import os
import re

# from left to right: a room includes itself and what stands left of it
ROOMS = ["plugin-api", "base", "loader", "store", "governance", "runtime", "operations", "api", "main"]

# plugin-api/kit, the author's check, loads plugins as the host does and is a room of nobody else
KIT = ["plugin-api", "base", "loader"]

PURE = "host/runtime/decide.c"
# project headers that mean store, models, clock or sockets
IMPURE_PROJECT = re.compile(
    r"^host/store/|^host/base/(times?|clock|workers|log)\.h$"
    r"|^host/(governance|operations|api|loader)/"
    r"|^host/runtime/(models?|http|llm|engines?|codec|transport|router|executor|knowledge)[^/]*\.h$"
    r"|^plugin-api/reeve-(storage|llm|plugin-1|context|http)[^/]*\.h$"
)
IMPURE_SYSTEM = re.compile(
    r"^(time|sys/time|sys/socket|sys/epoll|sys/un|netdb|poll|netinet/.*|arpa/.*|gio/.*|libsoup/.*|sqlite3|http_parser"
    r"|gnutls/.*|unistd|fcntl|pthread)(\.h)?$"
)
IMPURE_CALL = re.compile(
    r"^(g_get_real_time|g_get_monotonic_time|g_date_time_new_now\w*|g_random_\w+|g_rand_\w+|clock_gettime|time|rand|random"
    r"|g_getenv|g_file_\w+|g_usleep|g_timeout_\w+|g_idle_\w+|getenv|open|read|write|socket)$"
)


def room_of(path):
    """The room a file of the project belongs to, by its path; None outside the rooms."""
    parts = path.split("/")
    if parts[0] == "plugin-api":
        return "kit" if parts[1] == "kit" else "plugin-api"
    if parts[0] == "host":
        if len(parts) == 2:
            return "main"
        return parts[1]
    if parts[0] == "plugins" and len(parts) > 2:
        return "plugins/" + parts[1]
    if parts[0] == "tests":
        return "tests"
    return None


def parse_include(directive):
    """(name, is_system) of an #include directive, or None for a computed one."""
    text = directive.text
    if text.startswith("<") and text.endswith(">"):
        return text[1:-1].strip(), True
    if text.startswith('"') and text.endswith('"') and len(text) > 2:
        return text[1:-1], False
    return None


class Tree:
    """The project's headers, so that the text of an include can be resolved to a file."""

    def __init__(self, paths):
        self.headers = {p for p in paths if p.endswith((".h", ".inc"))}
        self.by_name = {}
        for path in self.headers:
            self.by_name.setdefault(os.path.basename(path), []).append(path)

    def resolve(self, path, name, system):
        """The project file that an include in path means, or None for a system or generated header."""
        candidates = ["plugin-api/" + name] if system else [os.path.dirname(path) + "/" + name, "host/" + name, "plugin-api/" + name, name]
        for candidate in candidates:
            if candidate in self.headers:
                return candidate
        return None

    def strays(self, path, name):
        """Project headers of that bare name in other rooms, when an include names one without its room."""
        found = self.by_name.get(name, [])
        return [p for p in found if room_of(p) not in (room_of(path), "tests", None)]


def target_room(name, target):
    """The room that an include leads to: by the file when it is known, else by the first part of its name."""
    if target:
        return room_of(target)
    first = name.split("/")[0]
    if "/" in name and first in ROOMS:
        return first
    if name.startswith("plugins/"):
        return "plugins/" + (name.split("/") + [""])[1]
    return None


def judge(tree, path, name, system):
    """(rule, message) when an include in path breaks a rule, else None."""
    if path.startswith("tests/") and re.fullmatch(r"\.\./helpers/[^/]+", name):
        return None  # what tests of all rooms share
    if ".." in name.split("/"):
        return "include", f'"{name}" climbs out of its folder; write it with its room'
    own = room_of(path)
    if own in (None, "tests"):
        return None
    target = tree.resolve(path, name, system)
    if not system and not target and "/" not in name and tree.strays(path, name):
        return "include", f'"{name}" belongs to {tree.strays(path, name)[0]}; write it with its room'
    room = target_room(name, target)
    if room is None or room == own:
        return None
    if room == "tests":
        return "rooms", f'"{name}": nothing outside tests/ includes tests/'
    if own.startswith("plugins/"):
        return None if room == "plugin-api" else ("rooms", f'"{name}" of {room}: a plugin includes only plugin-api and its own files')
    if own == "kit":
        return None if room in KIT else ("rooms", f'"{name}" of {room}: the kit includes only {", ".join(KIT)}')
    if room == "kit":
        return "rooms", f'"{name}": nothing outside plugin-api/kit/ includes it'
    if room.startswith("plugins/"):
        return "rooms", f'"{name}" of {room}: host/ and plugin-api/ include nothing of plugins/'
    return judge_rooms(own, room, name, target)


def judge_rooms(own, room, name, target):
    """The part of judge() about two rooms of the host."""
    if own not in ROOMS or room not in ROOMS:
        return "rooms", f'"{name}": {own if own not in ROOMS else room} is no room of the house plan'
    if ROOMS.index(room) > ROOMS.index(own):
        return "rooms", f'"{name}" of {room}: {own} may include only {", ".join(ROOMS[: ROOMS.index(own) + 1])}'
    if target and target.endswith("-private.h"):
        return "private", f'"{name}" is private to {room}'
    return None


def judge_pure(tree, texts):
    """Findings (path, line, rule, message) of everything impure that the pure decision reaches, through any header."""
    findings = []
    seen = set()
    queue = [(PURE, None)] if PURE in texts else []
    while queue:
        path, via = queue.pop()
        if path in seen:
            continue
        seen.add(path)
        for directive in texts[path].directives:
            parsed = parse_include(directive) if directive.word == "include" else None
            if not parsed:
                continue
            name, system = parsed
            target = tree.resolve(path, name, system)
            if IMPURE_PROJECT.match(target or "") or (not target and IMPURE_SYSTEM.match(name)):
                where = f" (reached through {via})" if via else ""
                findings.append((path, directive.line, "pure", f'"{name}": the decision may know no store, model, clock or socket{where}'))
            elif target and target in texts:
                queue.append((target, path))
    for token, following in pairs(texts[PURE].code) if PURE in texts else []:
        if token.kind == "ident" and following.text == "(" and IMPURE_CALL.match(token.text):
            findings.append((PURE, token.line, "pure", f"{token.text} (): the decision is a pure function of the journal"))
    return findings


def pairs(tokens):
    return zip(tokens, tokens[1:])
