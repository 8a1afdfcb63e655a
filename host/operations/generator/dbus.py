# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the typed D-Bus interfaces as introspection XML, and which operation each method is."""

from xml.sax.saxutils import quoteattr

from .schema_c import text
from .table_c import HEAD

PREFIX = "io.reeve."


def interfaces(table):
    """Operations with a typed method, by interface."""
    found = {}
    for operation in table.operations:
        if "dbus" in operation:
            found.setdefault(operation["dbus"]["interface"], []).append(operation)
    return dict(sorted(found.items()))


def xml(table):
    lines = ["<!-- Generated from host/operations/<noun>.json; do not edit. -->", "<node>"]
    for name, operations in interfaces(table).items():
        lines.append(f"  <interface name={quoteattr(PREFIX + name)}>")
        for operation in sorted(operations, key=lambda o: o["dbus"]["method"]):
            lines.append(f"    <!-- {operation['summary']} ({operation['name']}) -->")
            lines.append(f"    <method name={quoteattr(operation['dbus']['method'])}>")
            for arg in operation["dbus"]["in"]:
                lines.append(f"      <arg name={quoteattr(arg[0])} type={quoteattr(arg[1])} direction=\"in\"/>")
            for arg in operation["dbus"]["out"]:
                lines.append(f"      <arg name={quoteattr(arg[0])} type={quoteattr(arg[1])} direction=\"out\"/>")
            lines.append("    </method>")
        lines.append('    <property name="version" type="u" access="read"/>')
        lines.append("  </interface>")
    lines.append("</node>\n")
    return "\n".join(lines)


def source(table):
    lines = [HEAD + '#include "operations/dbus-methods.h"\n']
    rows = []
    for name, operations in interfaces(table).items():
        for operation in sorted(operations, key=lambda o: o["dbus"]["method"]):
            method = operation["dbus"]["method"]
            args = [f"{{ {text(a[0])}, {text(a[1])}, {text(a[2])} }}" for a in operation["dbus"]["in"]]
            lines.append(f"static const ReeveDbusArgument in_{name}_{method}[] = {{ {', '.join(args + ['{ NULL }'])} }};")
            rows.append(f"  {{ {text(PREFIX + name)}, {text(method)}, {text(operation['name'])}, in_{name}_{method}, "
                        f"{text(operation['dbus']['out'][0][1])}, "
                        f"{text(operation['dbus']['generate']) if 'generate' in operation['dbus'] else 'NULL'} }},")
    lines.append("\nconst ReeveDbusMethod reeve_dbus_methods[] = {\n" + "\n".join(rows) + "\n  { NULL }\n};\n")
    lines.append("const char reeve_dbus_xml[] =")
    lines.append("\n".join("  " + text(line + "\n") for line in xml(table).splitlines()) + ";\n")
    return "\n".join(lines)
