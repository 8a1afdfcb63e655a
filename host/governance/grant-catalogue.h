/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The capabilities there are, in words that an administrator understands: what one lets a plugin
 * do, what it risks, and what a grant may say of it. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_GRANT_ASKED,  /* an administrator decides */
  REEVE_GRANT_ALWAYS, /* gives nothing away: every plugin has it */
  REEVE_GRANT_HOST    /* the host's own plugins cannot work without: they have it, no other can */
} ReeveGrantKind;

typedef struct
{
  const char *name;
  ReeveGrantKind kind;
  const char *meaning;
  const char *risk;       /* (nullable) */
  const char *parameters; /* names, with blanks between and around */
} ReeveGrantCatalogueRow;

/* (nullable): there is no such capability */
const ReeveGrantCatalogueRow *reeve_grant_catalogue_find (const char *capability);
/* all of them, ended by a NULL name */
const ReeveGrantCatalogueRow *reeve_grant_catalogue_get_rows (void);
gboolean reeve_grant_catalogue_takes (const ReeveGrantCatalogueRow *row, const char *parameter);

G_END_DECLS
