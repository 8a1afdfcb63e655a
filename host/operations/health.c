/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Health: the process answers, and so does its store. */
#include "base/times.h"
#include "operation-functions.h"

static JsonObject *
reeve_op_health_new (ReeveServices *services, gboolean healthy)
{
  JsonObject *health = json_object_new ();
  gint64 uptime = (reeve_times_now () - services->started_at) / REEVE_TIMES_SECOND;

  json_object_set_string_member (health, "status", healthy ? "healthy" : "unhealthy");
  json_object_set_string_member (health, "version", REEVE_VERSION);
  json_object_set_int_member (health, "uptime_seconds", MAX (uptime, 0));
  return health;
}

void
reeve_op_health_get (ReeveCall *call, ReeveServices *services)
{
  reeve_call_answer (call, reeve_op_health_new (services, TRUE), NULL);
}

void
reeve_op_health_live (ReeveCall *call, ReeveServices *services)
{
  reeve_call_answer (call, reeve_op_health_new (services, TRUE), NULL);
}

void
reeve_op_health_ready (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (GError) error = NULL;
  gboolean exists = FALSE;
  gboolean ready
      = g_atomic_int_get (&services->ready) != 0
        && reeve_store_exists (services->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS,
                               REEVE_TENANTS_DEFAULT, &exists, &error);
  JsonObject *health = reeve_op_health_new (services, ready);
  JsonNode *node = NULL;

  if (error != NULL)
    g_warning ("the store does not answer: %s", error->message);
  json_object_set_string_member (health, "database", error == NULL ? "connected" : "disconnected");
  node = json_node_init_object (json_node_alloc (), health);
  /* before the answer goes to another thread: the count is not atomic */
  json_object_unref (health);
  reeve_call_complete (call, ready ? 200 : 503, node);
}
