/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that the build puts into the program. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

extern const guint8 reeve_openapi_data[];
extern const gsize reeve_openapi_length;

typedef struct
{
  const char *name;
  const char *media_type;
  const guint8 *data;
  gsize length;
} ReeveAsset;

/* The page /docs and what it loads, ended by a NULL name. */
extern const ReeveAsset reeve_assets[];

G_END_DECLS
