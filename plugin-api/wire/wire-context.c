/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Clocks need not agree on the two sides: the deadline goes as what remains until then. */
#include "wire-context.h"

#include <string.h>

#include "wire-value.h"

static void
wire_context_begin (GByteArray *out, const char *name, const char *type)
{
  wire_value_pad (out, 8);
  wire_value_append_string (out, name, strlen (name));
  wire_value_append_signature (out, type);
}

static void
wire_context_append_text (GByteArray *out, const char *name, const char *value)
{
  if (value == NULL)
    return;
  wire_context_begin (out, name, "s");
  wire_value_append_string (out, value, strlen (value));
}

static void
wire_context_append_texts (GByteArray *out, const char *name, const char *const *values)
{
  guint at = 0;

  if (values == NULL)
    return;
  wire_context_begin (out, name, "as");
  at = wire_value_begin_array (out, 's');
  for (; *values != NULL; values++)
    wire_value_append_string (out, *values, strlen (*values));
  wire_value_end_array (out, 's', at);
}

void
wire_context_append (GByteArray *out, ReeveContext *context, gint64 deadline)
{
  const char *const *roles = reeve_context_get_roles (context);
  const char *const *labels = reeve_context_get_labels (context);
  guint at = wire_value_begin_array (out, '{');

  wire_context_append_text (out, "tenant", reeve_context_get_tenant_id (context));
  wire_context_append_text (out, "user", reeve_context_get_user_id (context));
  wire_context_append_text (out, "agent", reeve_context_get_agent_id (context));
  wire_context_append_text (out, "run", reeve_context_get_run_id (context));
  wire_context_append_text (out, "trace", reeve_context_get_trace_id (context));
  wire_context_append_text (out, "traceparent", reeve_context_get_traceparent (context));
  wire_context_append_text (out, "tracestate", reeve_context_get_tracestate (context));
  wire_context_append_texts (out, "roles", roles[0] != NULL ? roles : NULL);
  wire_context_append_texts (out, "labels", labels[0] != NULL ? labels : NULL);
  wire_context_append_texts (out, "workspaces", reeve_context_get_workspaces (context));
  if (deadline != 0)
    {
      wire_context_begin (out, "remaining", "x");
      wire_value_append_number64 (out, (guint64) MAX (deadline - g_get_monotonic_time (), 0));
    }
  wire_value_end_array (out, '{', at);
}

/* ---- reading ---- */

/* Where a context's texts go; those of a list are of the message, the list itself is not. */
typedef struct
{
  ReeveContextInfo info;
  GPtrArray *roles;
  GPtrArray *labels;
  GPtrArray *workspaces;
} WireContextRead;

static const char **
wire_context_find_text (WireContextRead *self, const char *name)
{
  const struct
  {
    const char *name;
    const char **text;
  } all[] = {
    { "tenant", &self->info.tenant_id },      { "user", &self->info.user_id },
    { "agent", &self->info.agent_id },        { "run", &self->info.run_id },
    { "trace", &self->info.trace_id },        { "traceparent", &self->info.traceparent },
    { "tracestate", &self->info.tracestate },
  };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    {
      if (strcmp (name, all[i].name) == 0)
        return all[i].text;
    }
  return NULL;
}

static GPtrArray **
wire_context_find_texts (WireContextRead *self, const char *name)
{
  if (strcmp (name, "roles") == 0)
    return &self->roles;
  if (strcmp (name, "labels") == 0)
    return &self->labels;
  return strcmp (name, "workspaces") == 0 ? &self->workspaces : NULL;
}

/* (transfer full) (nullable): ends with %NULL */
static GPtrArray *
wire_context_read_texts (WireReader *reader)
{
  g_autoptr (GPtrArray) texts = g_ptr_array_new ();
  WireReader within = *reader;
  guint32 length = 0;

  if (!wire_reader_read_number (reader, &length))
    return NULL;
  within = *reader;
  if (!wire_reader_skip (reader, length))
    return NULL;
  within.end = reader->at;
  while (within.at < within.end)
    {
      const char *text = wire_reader_read_string (&within);

      if (text == NULL)
        return NULL;
      g_ptr_array_add (texts, (gpointer) text);
    }
  g_ptr_array_add (texts, NULL);
  return g_steal_pointer (&texts);
}

static gboolean
wire_context_read_remaining (WireReader *reader, gint64 *deadline)
{
  gint64 remaining = 0;

  if (!wire_reader_align (reader, sizeof remaining) || !wire_reader_skip (reader, sizeof remaining))
    return FALSE;
  memcpy (&remaining, reader->data + reader->at - sizeof remaining, sizeof remaining);
  *deadline = g_get_monotonic_time () + CLAMP (remaining, 0, G_MAXINT64 / 4);
  return TRUE;
}

/* What is not known, or of another type, is nothing. */
static gboolean
wire_context_read_entry (WireContextRead *self, WireReader *reader, GBytes *bytes)
{
  const char *name = wire_reader_align (reader, 8) ? wire_reader_read_string (reader) : NULL;
  const char *type = name != NULL ? wire_reader_read_signature (reader) : NULL;
  const char **text = type != NULL ? wire_context_find_text (self, name) : NULL;
  GPtrArray **texts = type != NULL ? wire_context_find_texts (self, name) : NULL;

  if (type == NULL)
    return FALSE;
  if (text != NULL && strcmp (type, "s") == 0)
    {
      *text = wire_reader_read_string (reader);
      return *text != NULL;
    }
  if (texts != NULL && *texts == NULL && strcmp (type, "as") == 0)
    {
      *texts = wire_context_read_texts (reader);
      return *texts != NULL;
    }
  if (strcmp (name, "remaining") == 0 && strcmp (type, "x") == 0)
    return wire_context_read_remaining (reader, &self->info.deadline);
  return *type != '\0' && wire_value_pass (reader, bytes, type);
}

static const char *const *
wire_context_get_texts (const GPtrArray *texts)
{
  return texts != NULL ? (const char *const *) texts->pdata : NULL;
}

ReeveContext *
wire_context_read (const WireLetter *letter, ReeveBroker *broker, GCancellable *cancellable,
                   GError **error)
{
  WireContextRead self = { .info = { .struct_size = sizeof self.info } };
  WireReader reader = letter->call.context;
  ReeveContext *context = NULL;
  gboolean good = TRUE;

  while (good && reader.at < reader.end)
    good = wire_context_read_entry (&self, &reader, letter->bytes);
  if (good)
    {
      self.info.roles = wire_context_get_texts (self.roles);
      self.info.labels = wire_context_get_texts (self.labels);
      self.info.workspaces = wire_context_get_texts (self.workspaces);
      context = reeve_context_new (&self.info, broker, cancellable);
    }
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "not a message: its context is wrong");
  g_clear_pointer (&self.roles, g_ptr_array_unref);
  g_clear_pointer (&self.labels, g_ptr_array_unref);
  g_clear_pointer (&self.workspaces, g_ptr_array_unref);
  return context;
}
