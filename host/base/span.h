/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveSpan: one piece of work in a trace, from its beginning to its end. Belongs to one thread at
 * a time. What is not recorded has no span: every function takes NULL and does nothing. */
#pragma once

#include "trace.h"

G_BEGIN_DECLS

/* numbers as OTLP has them */
typedef enum
{
  REEVE_SPAN_INTERNAL = 1,
  REEVE_SPAN_SERVER = 2,
  REEVE_SPAN_CLIENT = 3
} ReeveSpanKind;

typedef enum
{
  REEVE_SPAN_STRING,
  REEVE_SPAN_INTEGER,
  REEVE_SPAN_DOUBLE,
  REEVE_SPAN_BOOLEAN,
  REEVE_SPAN_LIST /* of one text */
} ReeveSpanType;

#define REEVE_SPAN_ATTRIBUTES 24
#define REEVE_SPAN_STEP       6 /* for so many more there is room at a time */
/* bytes of a text; what is longer is cut */
#define REEVE_SPAN_TEXT 256

typedef struct
{
  const char *key; /* static */
  ReeveSpanType type;
  union
  {
    char *text;
    gint64 integer;
    double number;
  } value;
} ReeveSpanAttribute;

typedef struct _ReeveTracer ReeveTracer;

typedef struct
{
  ReeveTracer *tracer;
  ReeveTrace trace;
  char parent_id[17]; /* "": it has none */
  char *name;
  ReeveSpanKind kind;
  gint64 began; /* monotonic µs */
  gint64 ended;
  gboolean failed;
  guint n_attributes;
  ReeveSpanAttribute *attributes; /* a span that waits for a stream's end holds but what it has */
} ReeveSpan;

/* (transfer full) (nullable): a child of @parent, where that is sampled and somebody records */
ReeveSpan *reeve_span_begin (ReeveTracer *tracer, const ReeveTrace *parent, ReeveSpanKind kind,
                             const char *name);
/* The first one of this host: it is @own, below @parent (nullable). */
ReeveSpan *reeve_span_begin_root (ReeveTracer *tracer, const ReeveTrace *own,
                                  const ReeveTrace *parent, ReeveSpanKind kind, const char *name);
void reeve_span_set_name (ReeveSpan *self, const char *name);
/* @key: lives as long as the process; a NULL @text is left out. Ids and words of the host: never
 * what a caller or a model wrote. */
void reeve_span_set_string (ReeveSpan *self, const char *key, const char *text);
void reeve_span_set_list (ReeveSpan *self, const char *key, const char *text);
void reeve_span_set_int (ReeveSpan *self, const char *key, gint64 value);
void reeve_span_set_double (ReeveSpan *self, const char *key, double value);
void reeve_span_set_boolean (ReeveSpan *self, const char *key, gboolean value);
/* It failed: @type (nullable) goes to `error.type`. */
void reeve_span_fail (ReeveSpan *self, const char *type);
/* The same, of an error (nullable: it did not); its text stays here. */
void reeve_span_fail_with (ReeveSpan *self, const GError *error);
/* (transfer full) (nullable): hands it to its tracer */
void reeve_span_end (ReeveSpan *self);
void reeve_span_free (ReeveSpan *self);

G_END_DECLS
