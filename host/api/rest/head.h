/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestHead: a strict look at the head of a request before libsoup sees it: what two readers
 * could understand in two ways is refused. No socket in here, so that it can be fuzzed. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define REEVE_REST_HEAD_MAX_LINE   (8 * 1024) /* of the request line */
#define REEVE_REST_HEAD_MAX_FIELDS 100

typedef enum
{
  REEVE_REST_HEAD_MORE, /* all was looked at, the head goes on */
  REEVE_REST_HEAD_DONE,
  REEVE_REST_HEAD_BAD /* status and detail are set */
} ReeveRestHeadResult;

typedef struct
{
  gsize offset;
  gsize length;
} ReeveRestHeadSpan;

/* All offsets are into the bytes that were scanned. */
typedef struct
{
  /* ---- where it stands ---- */
  gsize max_size; /* of the whole head */
  gsize scanned;
  guint once; /* bits: fields that came and may not come again */
  gsize line; /* where the line begins that is being read */
  guint blanks;
  guint fields;
  gboolean begun; /* the request line has come */

  /* ---- what it found ---- */
  gsize start; /* blank lines before it are nobody's */
  gsize end;
  ReeveRestHeadSpan method;
  ReeveRestHeadSpan target;
  ReeveRestHeadSpan host;
  gboolean old;    /* HTTP/1.0 */
  gboolean close;  /* the client wants the connection closed afterwards */
  gboolean expect; /* it waits for 100 (Continue) */
  gboolean chunked;
  gboolean sized;
  guint64 content_length;

  /* ---- why it is refused ---- */
  guint status;
  const char *detail;
} ReeveRestHead;

void reeve_rest_head_init (ReeveRestHead *self, gsize max_size);
/* data: all bytes from the first one on, those that were scanned before included. */
ReeveRestHeadResult reeve_rest_head_scan (ReeveRestHead *self, const char *data, gsize length);
/* A line of a head or of a trailer; NULL or why it is none. name_length: of the field's name. */
const char *reeve_rest_head_check_field (const char *line, gsize length, gsize *name_length);

G_END_DECLS
