/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SHA-256, HMAC-SHA-256 and the encodings that digests travel in. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_DIGESTS_LENGTH 32

/* a SHA-256 in the making */
typedef struct _ReeveDigests ReeveDigests;

void reeve_digests_sha256 (gconstpointer data, gsize length, guint8 digest[REEVE_DIGESTS_LENGTH]);
char *reeve_digests_sha256_hex (gconstpointer data, gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean reeve_digests_sha256_fd (int fd, guint8 digest[REEVE_DIGESTS_LENGTH], GError **error);
void reeve_digests_hmac_sha256 (gconstpointer key, gsize key_length, gconstpointer data,
                                gsize length, guint8 mac[REEVE_DIGESTS_LENGTH]);

ReeveDigests *reeve_digests_begin (void) G_GNUC_WARN_UNUSED_RESULT;
void reeve_digests_update (ReeveDigests *self, gconstpointer data, gsize length);
void reeve_digests_finish (ReeveDigests *self, guint8 digest[REEVE_DIGESTS_LENGTH]);
void reeve_digests_free (ReeveDigests *self);

gboolean reeve_digests_equal (gconstpointer a, gconstpointer b, gsize length);
gboolean reeve_digests_equal_text (const char *a, const char *b);

/* hex: 2 * length digits and a NUL */
void reeve_digests_write_hex (gconstpointer data, gsize length, char *hex);
char *reeve_digests_hex (gconstpointer data, gsize length) G_GNUC_WARN_UNUSED_RESULT;
gboolean reeve_digests_from_hex (const char *hex, guint8 *out, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveDigests, reeve_digests_free)

G_END_DECLS
