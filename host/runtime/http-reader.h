/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveHttpReader: reads HTTP/1.1 responses from bytes, whatever their pieces; the parser is
 * http_parser's, the limits are ours. No socket in here, so that it can be fuzzed. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define REEVE_HTTP_READER_MAX_HEAD    (64 * 1024)
#define REEVE_HTTP_READER_MAX_HEADERS 128
#define REEVE_HTTP_READER_MAX_INTERIM 8

typedef struct _ReeveHttpReader ReeveHttpReader;

typedef enum
{
  REEVE_HTTP_READER_MORE,     /* all was used, the response goes on */
  REEVE_HTTP_READER_COMPLETE, /* the response ended; bytes after it were not used */
  REEVE_HTTP_READER_STOPPED,  /* a handler said stop */
  REEVE_HTTP_READER_FAILED    /* error is set */
} ReeveHttpReaderResult;

/* Handlers return FALSE to stop; the reader must not be freed within one. */
typedef struct
{
  gboolean (*head) (ReeveHttpResponse *head, gpointer user_data);
  gboolean (*body) (const guint8 *data, gsize length, gpointer user_data);
} ReeveHttpReaderHandlers;

ReeveHttpReader *reeve_http_reader_new (const ReeveHttpReaderHandlers *handlers,
                                        gpointer user_data);
void reeve_http_reader_free (ReeveHttpReader *self);
void reeve_http_reader_begin (ReeveHttpReader *self, gboolean without_body, gsize max_body);
ReeveHttpReaderResult reeve_http_reader_feed (ReeveHttpReader *self, const guint8 *data,
                                              gsize length, gsize *used, GError **error);
ReeveHttpReaderResult reeve_http_reader_end (ReeveHttpReader *self, GError **error);
gboolean reeve_http_reader_has_begun (ReeveHttpReader *self);
gboolean reeve_http_reader_can_keep_alive (ReeveHttpReader *self);
guint reeve_http_reader_get_keep_alive_seconds (ReeveHttpReader *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveHttpReader, reeve_http_reader_free)

G_END_DECLS
