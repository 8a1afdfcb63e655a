/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line taken apart: options that go with every command, the words, the rest by name. */
#pragma once

#include <reeve-json.h>

G_BEGIN_DECLS

/* exit codes of reevectl */
enum
{
  REEVE_CLI_DONE = 0,
  REEVE_CLI_FAILED = 1,
  REEVE_CLI_USAGE = 2,
  REEVE_CLI_REFUSED = 3,
  REEVE_CLI_NOT_FOUND = 4,
  REEVE_CLI_UNREACHABLE = 5
};

typedef struct
{
  char *url;
  char *token;
  char *bus; /* session or system */
  char *ca;  /* file of the authorities to trust */
  char *state_dir;
  char *tenant;
  gboolean json; /* the answer as JSON: asked for, or nobody reads along; settled when parsed */
  gboolean unchanged; /* the same, asked for by --json */
  gboolean human;     /* tables and words, whoever reads along */
  gboolean help;
  gboolean version;
  GPtrArray *words;  /* char *: noun, verb, arguments */
  GPtrArray *names;  /* char *: options of the command, without dashes, - turned into _ */
  GPtrArray *values; /* char *: theirs; NULL where none follows */
} ReeveCliOptions;

/* %REEVE_ERROR_INVALID_ARGUMENT names the option. */
ReeveCliOptions *reeve_cli_options_parse (int argc, char **argv, GError **error);
void reeve_cli_options_free (ReeveCliOptions *self);
/* (nullable) word number @position; 0 is the noun */
const char *reeve_cli_options_get_word (ReeveCliOptions *self, guint position);
/* (nullable) value of an option; "" when it stands without one */
const char *reeve_cli_options_get (ReeveCliOptions *self, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveCliOptions, reeve_cli_options_free)

G_END_DECLS
