/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a conversation: what is asked, which tools there are, what they have found so far. */
#pragma once

#include <reeve-plugin-1.h>

#include "extractive-units.h"

G_BEGIN_DECLS

typedef struct
{
  gchar *id;
  gchar *name;
  gchar *query;  /* or expression: the one text among its arguments */
  gchar *result; /* (nullable): what came back */
} ExtractiveCall;

typedef struct
{
  gchar *question;     /* last message of the user */
  gchar *before;       /* (nullable): the user's message before that */
  gchar *search;       /* (nullable): name of the tool that searches */
  gint64 search_limit; /* passages to ask for; 0 when it cannot be said */
  gchar *calculate;    /* (nullable): name of the tool that calculates */
  guint rounds;        /* messages with calls since the question */
  guint all_calls;     /* calls in the whole conversation */
  GPtrArray *calls;    /* ExtractiveCall since the question */
  GPtrArray *hits;     /* ExtractiveHit that the searches found */
  GPtrArray *given;    /* ExtractiveHit without number: texts that stand in the messages */
  gsize length;        /* bytes of all messages */
} ExtractiveDialog;

ExtractiveDialog *extractive_dialog_new (JsonArray *messages, JsonArray *tools);
void extractive_dialog_free (ExtractiveDialog *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExtractiveDialog, extractive_dialog_free)

G_END_DECLS
