/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks the engine a question the way a run does: calls its tools, hands back the results, takes the
 * answer. */
#pragma once

#include <reeve-plugin-1.h>

#include "corpus.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *answer;
  guint searches;
  GPtrArray *titles;   /* of the passages the answer cites, in the order of first use */
  GPtrArray *passages; /* their texts */
  GPtrArray *quotes;   /* lines of the answer without their markers */
} Asked;

Asked *asker_ask (ReeveLlmEngine *engine, Corpus *corpus, const gchar *question);
void asker_free (Asked *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Asked, asker_free)

G_END_DECLS
