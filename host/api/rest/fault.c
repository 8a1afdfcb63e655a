/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever can connect can do this at any rate: so they are recorded as all refusals of strangers
 * are, the first of an address at once, and of those that follow their number. */
#include "fault.h"

#include "operations/gate-refuse.h"

#include "forwarded.h"

/**
 * reeve_rest_fault_from_status:
 * @status: with which it was answered
 *
 * Returns: the code that stands for it
 */
ReeveError
reeve_rest_fault_from_status (guint status)
{
  switch (status)
    {
    case 408:
      return REEVE_ERROR_TIMEOUT;
    case 413:
    case 414:
    case 431:
      return REEVE_ERROR_TOO_LARGE;
    case 417:
    case 501:
    case 505:
      return REEVE_ERROR_UNSUPPORTED;
    default:
      return REEVE_ERROR_INVALID_ARGUMENT;
    }
}

/**
 * reeve_rest_fault_note:
 * @services: what operations work with
 * @remote: the other side of the connection
 * @action: of the record
 * @code: why it is refused
 *
 * Records a refusal of somebody who is not known.
 */
void
reeve_rest_fault_note (ReeveServices *services, GSocketAddress *remote, const char *action,
                       ReeveError code)
{
  g_autofree char *peer = reeve_rest_forwarded_dup_peer (remote);

  reeve_gate_refuse_stranger (services, action, "rest", peer, code);
}
