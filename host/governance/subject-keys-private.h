/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records of keys, for the files of ReeveSubjectKeys alone. */
#pragma once

#include "store/subject-shares.h"

#include "subject-keys.h"

G_BEGIN_DECLS

struct _ReeveSubjectKeys
{
  GObject parent_instance;

  ReeveStore *store;
  char *folder;
  GMutex mutex;
  GCond cond;
  GHashTable
      *changing; /* under the mutex: "scope\nsubject" of those that a thread makes or erases */
};

/* A record, or that there is none. */
typedef struct
{
  gint64 revision; /* REEVE_REVISION_ABSENT: none */
  guint generation;
  guint erased; /* the generation before, where there is no half since; 0: none */
  gint64 created_at;
  gint64 erased_at; /* 0: never */
  guint8 half[REEVE_SUBJECT_KEYS_SIZE];
  gboolean alive;     /* it has a half */
  const char *damage; /* (nullable): what it lacks */
} ReeveSubjectRecord;

/* Of a record that came from the store, which may be damaged. */
void reeve_subject_keys_take (ReeveRecord *record, ReeveSubjectRecord *found);
/* %REEVE_ERROR_CORRUPT: names the record, and what to do; FALSE */
gboolean reeve_subject_keys_blame (const char *scope, const char *subject, const char *damage,
                                   GError **error);

G_END_DECLS
