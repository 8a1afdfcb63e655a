/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same for what goes through the gate and for what a door refuses: mostly he is known, and
 * nobody is asked. */
#include "gate-identify.h"

static void
reeve_gate_identify_on_authenticated (GObject *source, GAsyncResult *result, gpointer data)
{
  ReeveGatePass *pass = data;
  g_auto (ReeveLogScope) scope = reeve_log_scope (pass->call->log);
  GError *error = NULL;
  ReeveCaller *caller
      = reeve_authentication_authenticate_finish (REEVE_AUTHENTICATION (source), result, &error);

  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED))
    reeve_instruments_note_failed_login (pass->services->instruments, pass->call->scheme);
  pass->identified (pass, caller, error);
}

/**
 * reeve_gate_identify:
 * @pass: of a call that shows something
 * @func: called with who it is, on this thread; perhaps before this returns
 *
 * Never blocks.
 */
void
reeve_gate_identify (ReeveGatePass *pass, ReeveGateIdentifyFunc func)
{
  ReeveAuthentication *authentication = pass->services->authentication;
  ReeveCall *call = pass->call;
  ReeveCredentials credentials = {
    .struct_size = sizeof credentials,
    .scheme = call->scheme,
    .token = call->token,
    .peer_address = call->peer_address,
    .door = call->door,
  };
  ReeveCaller *known = reeve_authentication_lookup (authentication, &credentials);

  if (known != NULL)
    {
      func (pass, known, NULL);
      return;
    }
  pass->identified = func;
  reeve_authentication_authenticate_async (authentication, &credentials,
                                           reeve_gate_identify_on_authenticated, pass);
}
