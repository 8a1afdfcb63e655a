/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The interface about itself: files that the build put into the program. */
#include "assets.h"
#include "operation-functions.h"

#include <string.h>

#define REEVE_OP_DOCS_HEADER "\"name\":\"X-API-Key\""

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

/* The document says in which header a key is shown; the configuration may name another one, which
 * is a token of letters, digits and dashes. */
static GBytes *
reeve_op_docs_name_header (const char *header)
{
  const char *data = (const char *) reeve_openapi_data;
  const char *at = g_strstr_len (data, (gssize) reeve_openapi_length, REEVE_OP_DOCS_HEADER);
  GByteArray *bytes = g_byte_array_new ();
  gsize before = at != NULL ? (gsize) (at - data) : reeve_openapi_length;
  gsize after = at != NULL ? before + strlen (REEVE_OP_DOCS_HEADER) : reeve_openapi_length;

  g_byte_array_append (bytes, reeve_openapi_data, (guint) before);
  if (at != NULL)
    {
      g_autofree char *named = g_strconcat ("\"name\":\"", header, "\"", NULL);

      g_byte_array_append (bytes, (const guint8 *) named, (guint) strlen (named));
    }
  g_byte_array_append (bytes, reeve_openapi_data + after, (guint) (reeve_openapi_length - after));
  return g_byte_array_free_to_bytes (bytes);
}

void
reeve_op_docs_openapi (ReeveCall *call, ReeveServices *services)
{
  const char *header
      = reeve_config_get_string (services->config, "authentication.api_keys.header_name");
  g_autoptr (GBytes) bytes = g_strcmp0 (header, "X-API-Key") == 0
                                 ? g_bytes_new_static (reeve_openapi_data, reeve_openapi_length)
                                 : reeve_op_docs_name_header (header);

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
