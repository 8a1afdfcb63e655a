/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AES-256-GCM of short secrets, as text. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_KEY_SEAL_KEY   32
#define REEVE_KEY_SEAL_NONCE 12
#define REEVE_KEY_SEAL_TAG   16

/* base64 of nonce, ciphertext and tag; bound names what the seal holds to */
char *reeve_key_seal_close (const guint8 key[REEVE_KEY_SEAL_KEY], const char *bound,
                            gconstpointer data, gsize length, GError **error);
/* (out) bytes into data, at most size; -1 with an error */
gssize reeve_key_seal_open (const guint8 key[REEVE_KEY_SEAL_KEY], const char *bound,
                            const char *sealed, gpointer data, gsize size, GError **error);

G_END_DECLS
