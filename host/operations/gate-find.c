/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is not shown to a caller is not there. Of what was deleted an operation may know of more. */
#include "gate-find.h"

/**
 * reeve_gate_find_record:
 * @pass: a call's way
 * @identifier: a parameter of it
 * @id: what the caller gave for that
 * @exists: (out): whether there is such a thing, shown to the caller, or what remains of one
 * @error: return location
 *
 * Blocks.
 *
 * Returns: %FALSE with an error: it is not known, or not from here
 */
gboolean
reeve_gate_find_record (ReeveGatePass *pass, const ReeveIdentifier *identifier, const char *id,
                        gboolean *exists, GError **error)
{
  ReeveCall *call = pass->call;
  ReeveServices *services = pass->services;
  const char *scope = identifier->platform ? REEVE_SCOPE_PLATFORM : reeve_call_get_tenant_id (call);

  if (identifier->platform || call->caller == NULL)
    return reeve_store_exists (services->store, scope, identifier->collection, id, exists, error);
  if (!reeve_workspaces_exists (services->workspaces, call->caller, identifier->collection, id,
                                call->operation->klass == REEVE_CLASS_EFFECT, exists, error))
    return FALSE;
  return *exists || call->operation->remains == NULL
         || call->operation->remains (call, services, identifier->collection, id, exists, error);
}
