/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSubjectKeys: a key for each subject of a tenant, under which personal values are kept. */
#pragma once

#include "store/store.h"

#include "admission.h"

G_BEGIN_DECLS

#define REEVE_SUBJECT_KEYS_SIZE      32
#define REEVE_SUBJECT_KEYS_OPERATION "compliance.erase"

/* On the stack, for one use: wipe it. */
typedef struct
{
  guint8 key[REEVE_SUBJECT_KEYS_SIZE];
  guint generation; /* from 1; another one after each erasure */
  gint64 revision;  /* of the record, as a condition of what is written under the key */
} ReeveSubjectKey;

#define REEVE_TYPE_SUBJECT_KEYS (reeve_subject_keys_get_type ())
G_DECLARE_FINAL_TYPE (ReeveSubjectKeys, reeve_subject_keys, REEVE, SUBJECT_KEYS, GObject)

/* folder: <state>/keys */
ReeveSubjectKeys *reeve_subject_keys_new (ReeveStore *store, const char *folder);

/* Worker threads only: these block. Nothing of a key stays in memory behind them. */

/* The one that holds now; made at first use. REEVE_ERROR_CORRUPT: half of it is damaged. */
gboolean reeve_subject_keys_make (ReeveSubjectKeys *self, const char *scope, const char *subject,
                                  ReeveSubjectKey *key, GError **error);
/* REEVE_ERROR_NOT_FOUND: it was destroyed. REEVE_ERROR_CORRUPT: half of it is damaged. */
gboolean reeve_subject_keys_find (ReeveSubjectKeys *self, const char *scope, const char *subject,
                                  guint generation, ReeveSubjectKey *key, GError **error);
/* Consumes @admitted ("compliance.erase"). What was sealed until now cannot be read again;
 * idempotent. %REEVE_ERROR_NOT_FOUND: nobody of that id is known. */
gboolean reeve_subject_keys_erase (ReeveSubjectKeys *self, ReeveAdmitted *admitted,
                                   const char *scope, const char *subject, gint64 *erased_at,
                                   GError **error);
/* At the start: ends an erasure that was cut off. */
gboolean reeve_subject_keys_recover (ReeveSubjectKeys *self, GError **error);
/* (transfer full) (element-type utf8): which are damaged, and what to do. keys: how many there are
 */
GPtrArray *reeve_subject_keys_check (ReeveSubjectKeys *self, guint *keys,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Those of a tenant that is removed, with its store. */
gboolean reeve_subject_keys_erase_scope (ReeveSubjectKeys *self, const char *scope, GError **error);

G_END_DECLS
