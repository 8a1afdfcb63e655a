/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A body against the schema of agents.create: taken with all its bounds, or refused with faults. */
/* covers: host/operations/gate-params.c */
#include "operations/gate-params.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static ReeveSchemaCache *schemas = NULL;
  g_autoptr (GBytes) body = g_bytes_new (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveCall) call
      = reeve_call_new (reeve_operation_find ("agents.create"), NULL, "fuzz");
  gboolean good = FALSE;

  if (schemas == NULL)
    schemas = reeve_schema_cache_new (reeve_operations);
  reeve_call_set_body (call, "application/json", body);
  good = reeve_gate_params_prepare (call, schemas, &error);
  g_assert_true (good == (error == NULL));
  if (good)
    {
      g_autofree char *digest = reeve_gate_params_digest (call);

      g_assert_nonnull (reeve_call_get_string (call, "name"));
    }
  else
    g_assert_nonnull (reeve_call_get_faults (call));
  return 0;
}
