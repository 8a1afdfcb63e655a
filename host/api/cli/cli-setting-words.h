/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A JSON Schema of settings as a form in words. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* @plugin: answer of plugins.get */
void reeve_cli_setting_words_print (JsonObject *plugin);

G_END_DECLS
