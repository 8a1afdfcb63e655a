/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One unchanged module in the host and in a confined runner: what is said of each call must be the
 * same on both sides. */
#pragma once

#include "wire-fixture.h"

G_BEGIN_DECLS

/* Uses @plugin, and writes down all that comes of it. */
typedef void (*WireCompareScript) (ReevePlugin *plugin, GString *transcript, gpointer user_data);

/* The first type of the module at @path, set up with @settings, here. (transfer full) */
ReevePlugin *wire_compare_make_here (const char *path, const char *settings);
/* Runs @script here and in a runner, one after the other, and compares byte for byte. */
void wire_compare (const char *path, const char *settings, WireCompareScript script,
                   gpointer user_data);
/* The same with a folder of @scratch bytes to write in. */
void wire_compare_with_scratch (const char *path, guint64 scratch, WireCompareScript script,
                                gpointer user_data);
/* Writes an error down, with all that it carries, and clears it. */
void wire_compare_note_error (GString *transcript, GError **error);

G_END_DECLS
