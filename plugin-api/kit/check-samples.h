/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sample responses of a model service, as an author keeps them beside a codec. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

typedef struct
{
  char *name; /* of the file */
  ReeveLlmTask task;
  gboolean stream;
  char *error; /* (nullable) name of the error it must lead to */
  ReeveHttpResponse *head;
  GBytes *body;
} CheckSamplesEntry;

/* (transfer full) (element-type CheckSamplesEntry): every *.http of a folder, by name */
GPtrArray *check_samples_load (const char *folder, GError **error);
/* (transfer full) */
CheckSamplesEntry *check_samples_parse (const char *name, const char *text, gsize length,
                                        GError **error);
void check_samples_entry_free (CheckSamplesEntry *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CheckSamplesEntry, check_samples_entry_free)

G_END_DECLS
