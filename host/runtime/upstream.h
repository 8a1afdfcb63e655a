/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveUpstream: what the host needs of an HTTP client for model traffic, so that another one could
 * take its place.
 *
 * Ownership, in full:
 * - An upstream belongs to one GMainContext; every function here is called on the thread that runs
 * it.
 * - start() never calls back before it has returned. The call it returns belongs to the upstream
 * and is valid until done() has returned, or until cancel() has been called.
 * - Callbacks come in this order: head() once, data() any number of times, done() once. With an
 * error done() may come first. After cancel() none comes any more, not even done().
 * - Within any callback the caller may cancel this call or another one, start new ones, pause,
 * resume, and drop its last reference to the upstream.
 * - pause() stops reading from the socket; what had been read already is still delivered, at most
 * one read's worth.
 */
#pragma once

#include <gio/gio.h>
#include <reeve-plugin-1.h>

#include "http-trust.h"

G_BEGIN_DECLS

#define REEVE_TYPE_UPSTREAM (reeve_upstream_get_type ())
G_DECLARE_INTERFACE (ReeveUpstream, reeve_upstream, REEVE, UPSTREAM, GObject)

/* How far a call has come: what may have happened on the other side. */
typedef enum
{
  REEVE_UPSTREAM_UNSENT,  /* not one byte was written: nothing can have happened */
  REEVE_UPSTREAM_SENT,    /* written at least in part, no byte of an answer: unknown */
  REEVE_UPSTREAM_ANSWERED /* at least one byte of an answer has come */
} ReeveUpstreamProgress;

/* Base of an implementation's call. */
typedef struct
{
  ReeveUpstream *upstream;
  ReeveUpstreamProgress progress;
} ReeveUpstreamCall;

/* Times in milliseconds; 0 in any member means the default of the implementation. */
typedef struct
{
  GPtrArray *addresses;  /* (nullable) (element-type GInetAddress): connect to these only */
  ReeveHttpTrust *trust; /* (nullable): certificates to trust instead of the default's */
  guint connect_ms; /* name look-up, connection, TLS handshake, and waiting for a free connection */
  guint first_byte_ms; /* from the last byte written to the first one of the answer */
  guint idle_ms;       /* between two pieces of the body */
  guint total_ms;      /* all of it */
  gsize max_response;  /* bytes of body */
} ReeveUpstreamOptions;

typedef struct
{
  void (*head) (ReeveUpstreamCall *call, ReeveHttpResponse *head, gpointer user_data);
  void (*data) (ReeveUpstreamCall *call, const guint8 *data, gsize length, gpointer user_data);
  void (*done) (ReeveUpstreamCall *call, const GError *error, gpointer user_data);
} ReeveUpstreamHandlers;

struct _ReeveUpstreamInterface
{
  GTypeInterface parent_iface;

  void (*warm) (ReeveUpstream *self, ReeveHttpRequest *request,
                const ReeveUpstreamOptions *options);
  ReeveUpstreamCall *(*start) (ReeveUpstream *self, ReeveHttpRequest *request,
                               const ReeveUpstreamOptions *options,
                               const ReeveUpstreamHandlers *handlers, gpointer user_data);
  void (*pause) (ReeveUpstream *self, ReeveUpstreamCall *call);
  void (*resume) (ReeveUpstream *self, ReeveUpstreamCall *call);
  void (*cancel) (ReeveUpstream *self, ReeveUpstreamCall *call);
};

void reeve_upstream_warm (ReeveUpstream *self, ReeveHttpRequest *request,
                          const ReeveUpstreamOptions *options);
ReeveUpstreamCall *reeve_upstream_start (ReeveUpstream *self, ReeveHttpRequest *request,
                                         const ReeveUpstreamOptions *options,
                                         const ReeveUpstreamHandlers *handlers, gpointer user_data);
void reeve_upstream_call_pause (ReeveUpstreamCall *call);
void reeve_upstream_call_resume (ReeveUpstreamCall *call);
void reeve_upstream_call_cancel (ReeveUpstreamCall *call);
ReeveUpstreamProgress reeve_upstream_call_get_progress (ReeveUpstreamCall *call);

G_END_DECLS
