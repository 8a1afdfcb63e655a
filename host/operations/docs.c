/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface about itself: files that the build put into the program. */
#include "assets.h"
#include "operation-functions.h"

#include <string.h>

static void
reeve_op_docs_send (ReeveCall *call, const char *name)
{
  for (const ReeveAsset *asset = reeve_assets; asset->name != NULL; asset++)
    if (strcmp (asset->name, name) == 0)
      {
        g_autoptr (GBytes) bytes = g_bytes_new_static (asset->data, asset->length);

        reeve_call_complete_bytes (call, 0, asset->media_type, bytes);
        return;
      }
  reeve_call_fail (call, g_error_new (REEVE_ERROR, REEVE_ERROR_FAILED, "%s is not built in", name));
}

void
reeve_op_docs_openapi (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (reeve_openapi_data, reeve_openapi_length);

  reeve_call_complete_bytes (call, 0, "application/json", bytes);
}

void
reeve_op_docs_page (ReeveCall *call, ReeveServices *services)
{
  reeve_op_docs_send (call, "docs.html");
}

void
reeve_op_docs_script (ReeveCall *call, ReeveServices *services)
{
  reeve_op_docs_send (call, "docs.js");
}

void
reeve_op_docs_style (ReeveCall *call, ReeveServices *services)
{
  reeve_op_docs_send (call, "docs.css");
}
