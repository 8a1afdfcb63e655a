/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host's side of a plugin's capabilities; plugins reach it only through their ReeveContext. */
#include "reeve-context.h"

/**
 * ReeveBroker:
 *
 * What stands behind the capabilities of a #ReeveContext. The host implements it; tests of a plugin
 * may implement it as well, to answer in the host's place.
 *
 * Since: 1.0
 */
G_DEFINE_INTERFACE (ReeveBroker, reeve_broker, G_TYPE_OBJECT)

static void
reeve_broker_default_init (ReeveBrokerInterface *iface)
{
}
