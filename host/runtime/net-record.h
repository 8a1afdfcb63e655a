/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveNetRecord: what the ledger has of a connection that a plugin opens within a call made for
 * somebody: an intent before it, and how it ended. */
#pragma once

#include "loader/capabilities.h"

#include "net-records.h"

G_BEGIN_DECLS

/* A connection to be made. */
typedef struct
{
  const char *capability; /* net.http, net.stream, net.tcp; static */
  const char *place;      /* host:port */
  gboolean named;         /* an administrator wrote it: settings, or a grant */
  const char *method;     /* (nullable): of HTTP */
  const char *target;     /* (nullable): path and query of HTTP */
  GBytes *body;           /* (nullable): what is sent with it, where that is known */
} ReeveNetRecordPlace;

typedef struct _ReeveNetRecord ReeveNetRecord;

/* Blocks until the intent is durable. @records: (nullable): nothing is recorded. @self: (out)
 * (transfer full) (nullable): NULL where nobody made the call, as while a plugin gets ready, and
 * where a sink's was recorded within the hour. FALSE: it may not be made, or cannot be recorded. */
gboolean reeve_net_record_begin (ReeveNetRecords *records, const ReeveCapabilityCaller *caller,
                                 const ReeveNetRecordPlace *place, ReeveNetRecord **self,
                                 GError **error);
/* How a connection ended. */
typedef struct
{
  guint64 sent;
  guint64 received;
  const char *digest;  /* (nullable): hexadecimal SHA-256 of what was received; NULL: nothing was */
  const GError *error; /* (nullable): why it failed */
} ReeveNetRecordEnd;

/* (transfer full) (nullable) @self. Any thread; does not block. */
void reeve_net_record_end (ReeveNetRecord *self, const ReeveNetRecordEnd *end);

G_END_DECLS
