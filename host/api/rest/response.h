/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes out: status, headers, bodies, problems. */
#pragma once

#include "operations/call.h"

#include "message.h"

G_BEGIN_DECLS

/* Headers that the answer to a call has. */
void reeve_rest_response_set_common (ReeveRestMessage *msg, ReeveCall *call);
/* The same where there is no call. */
void reeve_rest_response_set_own (ReeveRestMessage *msg);
/* The call's whole answer, or what its error means. instance: target as it was sent, without query
 */
void reeve_rest_response_send (ReeveRestMessage *msg, ReeveCall *call, const char *instance);
/* Of an answer that was to be read while it is sent, and of which nothing could be. */
void reeve_rest_response_fail (ReeveRestMessage *msg, ReeveCall *call, const char *instance,
                               const GError *error);
/* A message has ended, one way or the other: it is counted. operation, call: (nullable); began:
 * monotonic µs */
void reeve_rest_response_measure (ReeveRestMessage *msg, const ReeveOperation *operation,
                                  ReeveCall *call, gint64 began, ReeveServices *services);
/* A refusal before the call was dispatched. compatible: in OpenAI's envelope. */
void reeve_rest_response_refuse (ReeveRestMessage *msg, ReeveCall *call, const GError *error,
                                 const char *instance, gboolean compatible);

G_END_DECLS
