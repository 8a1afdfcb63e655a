/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One method call on its way through the gate and back. */
#pragma once

#include "dbus-peers.h"
#include "operations/dbus-methods.h"
#include "operations/services.h"

G_BEGIN_DECLS

/* Takes over @invocation. params: (nullable) (transfer full) all members in one object; method:
 * (nullable) typed, NULL: the answer is the result as JSON. */
void reeve_dbus_call_start (ReeveServices *services, ReeveDbusPeers *peers,
                            GDBusMethodInvocation *invocation, const ReeveOperation *operation,
                            JsonObject *params, const ReeveDbusMethod *method);
/* Refuses it, with a record. params: (transfer full) (nullable); text: (nullable) arguments that
 * are no members; error: (transfer full) */
void reeve_dbus_call_refuse (ReeveServices *services, ReeveDbusPeers *peers,
                             GDBusMethodInvocation *invocation, const ReeveOperation *operation,
                             JsonObject *params, const char *text, GError *error);
/* (transfer full) members of a typed method's arguments */
JsonObject *reeve_dbus_call_collect (const ReeveDbusMethod *method, GVariant *parameters,
                                     GError **error);
void reeve_dbus_call_return_error (GDBusMethodInvocation *invocation, const GError *error,
                                   JsonArray *faults);

G_END_DECLS
