/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks need not agree on the two sides: the deadline goes as what remains until then. */
#include "wire-context.h"

static void
wire_context_add_string (GVariantBuilder *builder, const char *name, const char *value)
{
  if (value != NULL)
    g_variant_builder_add (builder, "{sv}", name, g_variant_new_string (value));
}

static void
wire_context_add_strings (GVariantBuilder *builder, const char *name, const char *const *values)
{
  if (values != NULL)
    g_variant_builder_add (builder, "{sv}", name, g_variant_new_strv (values, -1));
}

GVariant *
wire_context_to_variant (ReeveContext *context, gint64 deadline)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  const char *const *roles = reeve_context_get_roles (context);
  const char *const *labels = reeve_context_get_labels (context);

  wire_context_add_string (&builder, "tenant", reeve_context_get_tenant_id (context));
  wire_context_add_string (&builder, "user", reeve_context_get_user_id (context));
  wire_context_add_string (&builder, "agent", reeve_context_get_agent_id (context));
  wire_context_add_string (&builder, "run", reeve_context_get_run_id (context));
  wire_context_add_string (&builder, "trace", reeve_context_get_trace_id (context));
  wire_context_add_string (&builder, "traceparent", reeve_context_get_traceparent (context));
  wire_context_add_string (&builder, "tracestate", reeve_context_get_tracestate (context));
  wire_context_add_strings (&builder, "roles", roles[0] != NULL ? roles : NULL);
  wire_context_add_strings (&builder, "labels", labels[0] != NULL ? labels : NULL);
  wire_context_add_strings (&builder, "workspaces", reeve_context_get_workspaces (context));
  if (deadline != 0)
    g_variant_builder_add (&builder, "{sv}", "remaining",
                           g_variant_new_int64 (MAX (deadline - g_get_monotonic_time (), 0)));
  return g_variant_builder_end (&builder);
}

ReeveContext *
wire_context_from_variant (GVariant *variant, ReeveBroker *broker, GCancellable *cancellable)
{
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autofree const char **roles = NULL;
  g_autofree const char **labels = NULL;
  g_autofree const char **workspaces = NULL;
  gint64 remaining = 0;

  g_variant_lookup (variant, "tenant", "&s", &info.tenant_id);
  g_variant_lookup (variant, "user", "&s", &info.user_id);
  g_variant_lookup (variant, "agent", "&s", &info.agent_id);
  g_variant_lookup (variant, "run", "&s", &info.run_id);
  g_variant_lookup (variant, "trace", "&s", &info.trace_id);
  g_variant_lookup (variant, "traceparent", "&s", &info.traceparent);
  g_variant_lookup (variant, "tracestate", "&s", &info.tracestate);
  g_variant_lookup (variant, "roles", "^a&s", &roles);
  g_variant_lookup (variant, "labels", "^a&s", &labels);
  g_variant_lookup (variant, "workspaces", "^a&s", &workspaces);
  if (g_variant_lookup (variant, "remaining", "x", &remaining))
    info.deadline = g_get_monotonic_time () + CLAMP (remaining, 0, G_MAXINT64 / 4);
  info.roles = (const char *const *) roles;
  info.labels = (const char *const *) labels;
  info.workspaces = (const char *const *) workspaces;
  return reeve_context_new (&info, broker, cancellable);
}
