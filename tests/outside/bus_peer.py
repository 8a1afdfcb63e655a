#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Connections to a bus for tests from outside: commands come and answers go as lines of JSON.

    {"peer": "viewer", "method": "Login", "arguments": ["rv_…"]}             -> {"result": …, "ns": …}
    {"peer": "viewer", "method": "Call", "arguments": ["me.get", "{}"]}      -> {"error": "io.reeve.Error.…", "message": …, "ns": …}
    {"peer": "owner", "interface": "io.reeve.ControlPlane1", "method": "GetBudget", "signature": "(ss)", "arguments": ["default", ""]}
                                                                             -> {"result": the first value, "results": [all of them], "ns": …}
    {"peer": "owner", "events": true, "method": "Call", "arguments": […]}    -> {…, "events": [[type, json], …]}: the signals that came before the answer

Each peer is a connection of its own. DBUS_SESSION_BUS_ADDRESS says where.
"""

import json
import os
import sys
import time

from gi.repository import Gio, GLib

FLAGS = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION


def variant(value):
    """As v: whole numbers are x."""
    if isinstance(value, dict):
        return GLib.Variant("a{sv}", {name: variant(inner) for name, inner in value.items()})
    if isinstance(value, list):
        return GLib.Variant("av", [variant(inner) for inner in value])
    return GLib.Variant({bool: "b", int: "x", float: "d", str: "s"}[type(value)], value)


def argument(value):
    """In a signature there is a{sv} or aa{sv} where these are: what they hold is in variants."""
    if isinstance(value, dict):
        return {name: variant(inner) for name, inner in value.items()}
    return [argument(inner) for inner in value] if isinstance(value, list) else value


def listen(peer, command):
    """The signals go to the one who asked, in front of the answer."""
    answer, events = None, []
    number = peer.signal_subscribe("io.reeve.Host", "io.reeve.Host1", "Event", None, None, 0, lambda *told: events.append(told[5].unpack()))
    try:
        answer = call(peer, command)
        while GLib.MainContext.default().iteration(False):
            pass
    finally:
        peer.signal_unsubscribe(number)
    return {**answer, "events": events}


def perform(peers, command):
    name = command["peer"]
    if name not in peers:
        peers[name] = Gio.DBusConnection.new_for_address_sync(os.environ["DBUS_SESSION_BUS_ADDRESS"], FLAGS, None, None)
    return (listen if command.get("events") else call)(peers[name], command)


def call(peer, command):
    arguments = command["arguments"]
    parameters = GLib.Variant(command.get("signature", f"({'s' * len(arguments)})"), [argument(a) for a in arguments])
    start = time.perf_counter_ns()
    try:
        result = peer.call_sync("io.reeve.Host", "/io/reeve/Host", command.get("interface", "io.reeve.Host1"), command["method"], parameters, None, 0, 60000, None)
    except GLib.Error as error:
        took = time.perf_counter_ns() - start
        kind = Gio.DBusError.get_remote_error(error)
        Gio.DBusError.strip_remote_error(error)
        return {"error": kind, "message": error.message, "ns": took}
    took = time.perf_counter_ns() - start
    values = result.unpack()
    return {"result": values[0] if values else None, "results": values, "ns": took}


def main():
    peers = {}
    for line in sys.stdin:
        print(json.dumps(perform(peers, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
