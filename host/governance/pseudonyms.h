/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReevePseudonyms: what may be personal has another name in records. Any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Those of one host process. */
typedef struct
{
  guint8 key[32];
} ReevePseudonyms;

void reeve_pseudonyms_init (ReevePseudonyms *self);
/* (transfer full) "<kind>_<16 hexadecimal digits>" */
char *reeve_pseudonyms_name (const ReevePseudonyms *self, const char *kind,
                             const char *text) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
