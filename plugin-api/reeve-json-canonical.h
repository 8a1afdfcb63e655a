/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer behind reeve_json_canonical(). Not installed. */
#pragma once

#include "reeve-json.h"

G_BEGIN_DECLS

G_GNUC_INTERNAL void reeve_json_canonical_append (GString *out, JsonNode *node);
G_GNUC_INTERNAL void reeve_json_canonical_append_string (GString *out, const char *text);
G_GNUC_INTERNAL void reeve_json_canonical_append_double (GString *out, double value);

G_END_DECLS
