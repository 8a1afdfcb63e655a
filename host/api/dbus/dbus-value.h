/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON as values of D-Bus and back: objects are a{sv}. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

GVariant *reeve_dbus_value_from_object (JsonObject *object);
GVariant *reeve_dbus_value_from_objects (JsonArray *array);
JsonNode *reeve_dbus_value_to_json (GVariant *value, GError **error);

G_END_DECLS
