/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON as values of D-Bus and back: objects are a{sv}. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* of one call: a value takes some 500 bytes once it is JSON, of a byte that came */
#define REEVE_DBUS_VALUE_MAX_VALUES 65536

GVariant *reeve_dbus_value_from_object (JsonObject *object);
/* of one call: a value takes some 500 bytes once it is JSON, of a byte that came */
#define REEVE_DBUS_VALUE_MAX_VALUES 65536

GVariant *reeve_dbus_value_from_objects (JsonArray *array);
JsonNode *reeve_dbus_value_to_json (GVariant *value, GError **error);

G_END_DECLS
