/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A span is one piece of memory and its texts; it is bounded, since what stands in it partly comes
 * from outside. */
#include "span.h"

#include <reeve-error.h>
#include <string.h>

#include "tracer.h"

/**
 * reeve_span_begin_root:
 * @tracer: (nullable): who records
 * @own: the span's own place
 * @parent: (nullable): what it stands below, in another process
 * @kind: kind
 * @name: of few values: no ids
 *
 * Returns: (transfer full) (nullable): a span; %NULL when it is not recorded
 */
ReeveSpan *
reeve_span_begin_root (ReeveTracer *tracer, const ReeveTrace *own, const ReeveTrace *parent,
                       ReeveSpanKind kind, const char *name)
{
  ReeveSpan *self = NULL;

  if (tracer == NULL || (own->flags & REEVE_TRACE_SAMPLED) == 0)
    return NULL;
  self = g_new (ReeveSpan, 1);
  self->tracer = tracer;
  self->trace = *own;
  self->parent_id[0] = '\0';
  if (parent != NULL)
    memcpy (self->parent_id, parent->span_id, sizeof self->parent_id);
  self->name = g_strdup (name);
  self->kind = kind;
  self->began = g_get_monotonic_time ();
  self->ended = 0;
  self->failed = FALSE;
  self->n_attributes = 0;
  self->attributes = NULL;
  return self;
}

/**
 * reeve_span_begin:
 * @tracer: (nullable): who records
 * @parent: (nullable): what it stands below
 * @kind: kind
 * @name: of few values: no ids
 *
 * Returns: (transfer full) (nullable): a span of its own id; %NULL when it is not recorded
 */
ReeveSpan *
reeve_span_begin (ReeveTracer *tracer, const ReeveTrace *parent, ReeveSpanKind kind,
                  const char *name)
{
  ReeveTrace own = { 0 };

  if (tracer == NULL || parent == NULL || (parent->flags & REEVE_TRACE_SAMPLED) == 0)
    return NULL;
  own = *parent;
  reeve_trace_make_span (&own);
  return reeve_span_begin_root (tracer, &own, parent, kind, name);
}

void
reeve_span_set_name (ReeveSpan *self, const char *name)
{
  if (self == NULL)
    return;
  g_free (self->name);
  self->name = g_strdup (name);
}

/* (nullable): where the value goes; one that is there already is replaced */
static ReeveSpanAttribute *
reeve_span_put (ReeveSpan *self, const char *key, ReeveSpanType type)
{
  ReeveSpanAttribute *attribute = NULL;

  if (self == NULL)
    return NULL;
  for (guint i = 0; i < self->n_attributes && attribute == NULL; i++)
    if (strcmp (self->attributes[i].key, key) == 0)
      attribute = &self->attributes[i];
  if (attribute != NULL
      && (attribute->type == REEVE_SPAN_STRING || attribute->type == REEVE_SPAN_LIST))
    g_free (attribute->value.text);
  if (attribute == NULL && self->n_attributes < REEVE_SPAN_ATTRIBUTES)
    {
      if (self->n_attributes % REEVE_SPAN_STEP == 0)
        self->attributes
            = g_renew (ReeveSpanAttribute, self->attributes, self->n_attributes + REEVE_SPAN_STEP);
      attribute = &self->attributes[self->n_attributes++];
    }
  if (attribute != NULL)
    *attribute = (ReeveSpanAttribute){ .key = key, .type = type };
  return attribute;
}

static void
reeve_span_put_text (ReeveSpan *self, const char *key, ReeveSpanType type, const char *text)
{
  ReeveSpanAttribute *attribute = text != NULL ? reeve_span_put (self, key, type) : NULL;

  if (attribute != NULL)
    {
      g_autofree char *cut = g_strndup (text, REEVE_SPAN_TEXT);

      attribute->value.text = g_utf8_make_valid (cut, -1);
    }
}

void
reeve_span_set_string (ReeveSpan *self, const char *key, const char *text)
{
  reeve_span_put_text (self, key, REEVE_SPAN_STRING, text);
}

void
reeve_span_set_list (ReeveSpan *self, const char *key, const char *text)
{
  reeve_span_put_text (self, key, REEVE_SPAN_LIST, text);
}

void
reeve_span_set_int (ReeveSpan *self, const char *key, gint64 value)
{
  ReeveSpanAttribute *attribute = reeve_span_put (self, key, REEVE_SPAN_INTEGER);

  if (attribute != NULL)
    attribute->value.integer = value;
}

void
reeve_span_set_double (ReeveSpan *self, const char *key, double value)
{
  ReeveSpanAttribute *attribute = reeve_span_put (self, key, REEVE_SPAN_DOUBLE);

  if (attribute != NULL)
    attribute->value.number = value;
}

void
reeve_span_set_boolean (ReeveSpan *self, const char *key, gboolean value)
{
  ReeveSpanAttribute *attribute = reeve_span_put (self, key, REEVE_SPAN_BOOLEAN);

  if (attribute != NULL)
    attribute->value.integer = value;
}

void
reeve_span_fail (ReeveSpan *self, const char *type)
{
  if (self == NULL)
    return;
  self->failed = TRUE;
  reeve_span_set_string (self, "error.type", type != NULL ? type : "_OTHER");
}

void
reeve_span_fail_with (ReeveSpan *self, const GError *error)
{
  if (error != NULL)
    reeve_span_fail (self,
                     reeve_error_get_name (error->domain == REEVE_ERROR ? (ReeveError) error->code
                                                                        : REEVE_ERROR_FAILED));
}

/**
 * reeve_span_end:
 * @self: (transfer full) (nullable): a span
 */
void
reeve_span_end (ReeveSpan *self)
{
  if (self == NULL)
    return;
  self->ended = g_get_monotonic_time ();
  reeve_tracer_take (self->tracer, self);
}

/**
 * reeve_span_free:
 * @self: (transfer full): a span
 */
void
reeve_span_free (ReeveSpan *self)
{
  for (guint i = 0; i < self->n_attributes; i++)
    if (self->attributes[i].type == REEVE_SPAN_STRING
        || self->attributes[i].type == REEVE_SPAN_LIST)
      g_free (self->attributes[i].value.text);
  g_free (self->attributes);
  g_free (self->name);
  g_free (self);
}
