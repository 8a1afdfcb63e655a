/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interpreters that plugins may be scripts for: a fixed list, each with the places of the system
 * where its library lies. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The capability that a script requests, and an administrator grants. */
#define REEVE_INTERPRETER_CAPABILITY "interpreter"

/* Is it a word that manifests may say? */
gboolean reeve_interpreter_is_known (const char *word);
/* What the module of such a plugin ends with: `.py`. Static. */
const char *reeve_interpreter_get_ending (const char *word);
/* (transfer full) (nullable): full path of its library, which belongs to root and is written to by
 * nobody else. Blocks. %REEVE_ERROR_PLUGIN says what is to be installed. */
char *reeve_interpreter_find (const char *word, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
