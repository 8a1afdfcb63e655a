/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Health: the process answers, and store and ledger can be read and written. */
#include "base/times.h"
#include "operation-functions.h"

#include <string.h>

static const char *
reeve_op_health_get_telemetry (ReeveServices *services)
{
  g_auto (ReeveOtlpExporterStatus) status = { 0 };

  reeve_otlp_exporter_get_status (services->exporter, &status);
  return status.failing != 0 ? "failing" : "delivering";
}

static JsonObject *
reeve_op_health_new (ReeveServices *services, gboolean healthy)
{
  JsonObject *health = json_object_new ();
  gint64 uptime = (g_get_monotonic_time () - services->started) / G_USEC_PER_SEC;
  const char *sinks = services->sinks != NULL ? reeve_sinks_get_health (services->sinks) : NULL;

  json_object_set_string_member (health, "status", healthy ? "healthy" : "unhealthy");
  json_object_set_string_member (health, "version", REEVE_VERSION);
  json_object_set_int_member (health, "uptime_seconds", MAX (uptime, 0));
  /* the ledger is their queue: one that fails loses nothing, and makes nobody unhealthy */
  if (sinks != NULL)
    json_object_set_string_member (health, "sinks", sinks);
  if (services->exporter != NULL)
    json_object_set_string_member (health, "telemetry", reeve_op_health_get_telemetry (services));
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

static const char *
reeve_op_health_get_ledger (ReeveServices *services)
{
  switch (reeve_ledger_get_health (services->ledger))
    {
    case REEVE_LEDGER_FULL:
      return "full";
    case REEVE_LEDGER_FAILED:
      return "failed";
    case REEVE_LEDGER_AWAY:
      return "second_place";
    case REEVE_LEDGER_WELL:
    default:
      return "writable";
    }
}

/* Not ready is also a host that lets people read only: see docs/trouble.md. */
void
reeve_op_health_ready (ReeveCall *call, ReeveServices *services)
{
  g_autoptr (GError) error = NULL;
  gboolean exists = FALSE;
  gboolean connected
      = reeve_store_exists (services->store, REEVE_SCOPE_PLATFORM, REEVE_STORE_TENANTS,
                            REEVE_TENANTS_DEFAULT, &exists, &error);
  gboolean writable = connected && reeve_store_is_writable (services->store, TRUE);
  const char *ledger = reeve_op_health_get_ledger (services);
  gboolean recorded = strcmp (ledger, "writable") == 0 || strcmp (ledger, "second_place") == 0;
  gboolean ready = g_atomic_int_get (&services->ready) != 0 && writable && recorded;
  JsonObject *health = reeve_op_health_new (services, ready);
  JsonNode *node = NULL;

  if (error != NULL)
    g_warning ("the store does not answer: %s", error->message);
  json_object_set_string_member (health, "database",
                                 writable    ? "connected"
                                 : connected ? "read_only"
                                             : "disconnected");
  json_object_set_string_member (health, "ledger", ledger);
  json_object_set_string_member (health, "self_test",
                                 services->self_tested ? "passed" : "unrecorded");
  node = json_node_init_object (json_node_alloc (), health);
  /* before the answer goes to another thread: the count is not atomic */
  json_object_unref (health);
  reeve_call_complete (call, ready ? 200 : 503, node);
}
