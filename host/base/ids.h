/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opaque identifiers and random bytes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* characters behind "<kind>_" */
#define REEVE_IDS_LENGTH 26

/* for keys */
void reeve_ids_fill_random (gpointer data, gsize length);
/* for names: nobody guesses them, and nothing hangs on their being secret */
void reeve_ids_fill_name (gpointer data, gsize length);
char *reeve_ids_new (const char *kind) G_GNUC_WARN_UNUSED_RESULT;
char *reeve_ids_new_uuid (void) G_GNUC_WARN_UNUSED_RESULT;
char *reeve_ids_new_secret (void) G_GNUC_WARN_UNUSED_RESULT;
char *reeve_ids_encode (gconstpointer data, gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean reeve_ids_is_valid (const char *id, const char *kind);
gboolean reeve_ids_is_made (const char *id);
const char *reeve_ids_get_plain (const char *id);

G_END_DECLS
