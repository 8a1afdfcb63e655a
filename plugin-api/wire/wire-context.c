/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks need not agree on the two sides: the deadline goes as what remains until then. */
#include "wire-context.h"

#include <string.h>

/* A builder would look at each format and each type again. */
typedef struct
{
  GVariant *entries[16];
  gsize count;
} WireContextEntries;

static void
wire_context_add (WireContextEntries *all, const char *name, GVariant *value)
{
  all->entries[all->count++]
      = g_variant_new_dict_entry (g_variant_new_string (name), g_variant_new_variant (value));
}

static void
wire_context_add_string (WireContextEntries *all, const char *name, const char *value)
{
  if (value != NULL)
    wire_context_add (all, name, g_variant_new_string (value));
}

static void
wire_context_add_strings (WireContextEntries *all, const char *name, const char *const *values)
{
  if (values != NULL)
    wire_context_add (all, name, g_variant_new_strv (values, -1));
}

GVariant *
wire_context_to_variant (ReeveContext *context, gint64 deadline)
{
  WireContextEntries all = { .count = 0 };
  const char *const *roles = reeve_context_get_roles (context);
  const char *const *labels = reeve_context_get_labels (context);

  wire_context_add_string (&all, "tenant", reeve_context_get_tenant_id (context));
  wire_context_add_string (&all, "user", reeve_context_get_user_id (context));
  wire_context_add_string (&all, "agent", reeve_context_get_agent_id (context));
  wire_context_add_string (&all, "run", reeve_context_get_run_id (context));
  wire_context_add_string (&all, "trace", reeve_context_get_trace_id (context));
  wire_context_add_string (&all, "traceparent", reeve_context_get_traceparent (context));
  wire_context_add_string (&all, "tracestate", reeve_context_get_tracestate (context));
  wire_context_add_strings (&all, "roles", roles[0] != NULL ? roles : NULL);
  wire_context_add_strings (&all, "labels", labels[0] != NULL ? labels : NULL);
  wire_context_add_strings (&all, "workspaces", reeve_context_get_workspaces (context));
  if (deadline != 0)
    wire_context_add (&all, "remaining",
                      g_variant_new_int64 (MAX (deadline - g_get_monotonic_time (), 0)));
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), all.entries, all.count);
}

/* What is not known, or of another type, is nothing. A text lives as long as @value does. */
static void
wire_context_read_one (ReeveContextInfo *info, const char *name, GVariant *value)
{
  const struct
  {
    const char *name;
    const char **text;
    const char *const **texts;
  } all[] = {
    { "tenant", &info->tenant_id, NULL },      { "user", &info->user_id, NULL },
    { "agent", &info->agent_id, NULL },        { "run", &info->run_id, NULL },
    { "trace", &info->trace_id, NULL },        { "traceparent", &info->traceparent, NULL },
    { "tracestate", &info->tracestate, NULL }, { "roles", NULL, &info->roles },
    { "labels", NULL, &info->labels },         { "workspaces", NULL, &info->workspaces },
  };

  if (strcmp (name, "remaining") == 0 && g_variant_is_of_type (value, G_VARIANT_TYPE_INT64))
    info->deadline
        = g_get_monotonic_time () + CLAMP (g_variant_get_int64 (value), 0, G_MAXINT64 / 4);
  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (strcmp (name, all[i].name) != 0)
        continue;
      if (all[i].text != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
        *all[i].text = g_variant_get_string (value, NULL);
      if (all[i].texts != NULL && *all[i].texts == NULL
          && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING_ARRAY))
        *all[i].texts = (const char *const *) g_variant_get_strv (value, NULL);
      return;
    }
}

/* One walk: a lookup by name would be another for each. */
ReeveContext *
wire_context_from_variant (GVariant *variant, ReeveBroker *broker, GCancellable *cancellable)
{
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func ((GDestroyNotify) g_variant_unref);
  ReeveContext *context = NULL;
  GVariantIter iter;
  const char *name = NULL;
  GVariant *value = NULL;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value))
    {
      g_ptr_array_add (values, value);
      wire_context_read_one (&info, name, value);
    }
  context = reeve_context_new (&info, broker, cancellable);
  g_free ((gpointer) info.roles);
  g_free ((gpointer) info.labels);
  g_free ((gpointer) info.workspaces);
  return context;
}
