/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine says next: calls of tools, or the answer. */
#pragma once

#include "extractive-dialog.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *id;
  gchar *name;
  gchar *arguments; /* JSON */
} ExtractiveTurnCall;

typedef struct
{
  GPtrArray *calls; /* ExtractiveTurnCall; empty when the answer is there */
  gchar *thought;   /* (nullable): why the calls are made */
  gchar *text;      /* (nullable): the answer */
} ExtractiveTurn;

ExtractiveTurn *extractive_turn_new (const ExtractiveDialog *dialog);
void extractive_turn_free (ExtractiveTurn *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExtractiveTurn, extractive_turn_free)

G_END_DECLS
