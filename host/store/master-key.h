/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveMasterKey: the key that seals all others. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_MASTER_KEY_SIZE 32

typedef struct _ReeveMasterKey ReeveMasterKey;

ReeveMasterKey *reeve_master_key_new (const guint8 bytes[REEVE_MASTER_KEY_SIZE]);
ReeveMasterKey *reeve_master_key_new_random (void);
/* 32 bytes, or base64 of 32 bytes with white space around; size may be anything */
ReeveMasterKey *reeve_master_key_parse (gconstpointer data, gsize size, GError **error);
ReeveMasterKey *reeve_master_key_ref (ReeveMasterKey *self);
void reeve_master_key_unref (ReeveMasterKey *self);
/* 16 hexadecimal digits that tell it from others and tell nothing of it */
const char *reeve_master_key_get_id (ReeveMasterKey *self);
/* (transfer full) base64 and a line end; to be wiped */
char *reeve_master_key_to_text (ReeveMasterKey *self);
char *reeve_master_key_seal (ReeveMasterKey *self, const char *bound, gconstpointer data,
                             gsize length, GError **error);
gssize reeve_master_key_unseal (ReeveMasterKey *self, const char *bound, const char *sealed,
                                gpointer data, gsize size, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveMasterKey, reeve_master_key_unref)

G_END_DECLS
