#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections to a bus for tests from outside: commands come and answers go as lines of JSON.

    {"peer": "viewer", "method": "Login", "arguments": ["rv_…"]}             -> {"result": …, "ns": …}
    {"peer": "viewer", "method": "Call", "arguments": ["me.get", "{}"]}      -> {"error": "io.reeve.Error.…", "message": …, "ns": …}

Each peer is a connection of its own. DBUS_SESSION_BUS_ADDRESS says where.
"""

import json
import os
import sys
import time

from gi.repository import Gio, GLib

FLAGS = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION


def perform(peers, command):
    name = command["peer"]
    if name not in peers:
        peers[name] = Gio.DBusConnection.new_for_address_sync(os.environ["DBUS_SESSION_BUS_ADDRESS"], FLAGS, None, None)
    arguments = command["arguments"]
    parameters = GLib.Variant(f"({'s' * len(arguments)})", arguments)
    start = time.perf_counter_ns()
    try:
        result = peers[name].call_sync("io.reeve.Host", "/io/reeve/Host", "io.reeve.Host1", command["method"], parameters, None, 0, 60000, None)
    except GLib.Error as error:
        took = time.perf_counter_ns() - start
        kind = Gio.DBusError.get_remote_error(error)
        Gio.DBusError.strip_remote_error(error)
        return {"error": kind, "message": error.message, "ns": took}
    took = time.perf_counter_ns() - start
    values = result.unpack()
    return {"result": values[0] if values else None, "ns": took}


def main():
    peers = {}
    for line in sys.stdin:
        print(json.dumps(perform(peers, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
