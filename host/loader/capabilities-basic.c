/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capabilities that give nothing away, so that a manifest need not ask for them: a line in the
 * host's log (the host says which plugin it is from), the time, and random bytes. In a runner they
 * are all that a plugin has of these. */
#include "capabilities-basic.h"

#include "base/digests.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/times.h"

#include <string.h>

/* most bytes that one call of "random" gives */
#define REEVE_CAPABILITIES_BASIC_RANDOM 1024

/* {message, level?}: a line of the host's log, which says from which plugin */
static JsonNode *
reeve_capabilities_basic_log (const ReeveCapabilityCaller *caller, JsonNode *params,
                              gpointer user_data, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  const char *message = reeve_json_get_string (object, "message", NULL);
  const char *level = reeve_json_get_string (object, "level", "info");
  ReeveLogContext *before = NULL;
  gboolean warning = strcmp (level, "warning") == 0;

  if (message == NULL || (!warning && strcmp (level, "info") != 0 && strcmp (level, "debug") != 0))
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                           "log: wants a message, and debug, info or warning as level");
      return NULL;
    }
  before = reeve_log_enter (REEVE_LOG_TENANT_ID, reeve_context_get_tenant_id (caller->context),
                            REEVE_LOG_USER_ID, reeve_context_get_user_id (caller->context),
                            REEVE_LOG_AGENT_ID, reeve_context_get_agent_id (caller->context),
                            REEVE_LOG_RUN_ID, reeve_context_get_run_id (caller->context),
                            REEVE_LOG_TRACE_ID, reeve_context_get_trace_id (caller->context),
                            REEVE_LOG_N_FIELDS);
  g_log_structured (G_LOG_DOMAIN,
                    warning                       ? G_LOG_LEVEL_WARNING
                    : strcmp (level, "info") == 0 ? G_LOG_LEVEL_INFO
                                                  : G_LOG_LEVEL_DEBUG,
                    "MESSAGE", "plugin %s: %s", caller->plugin_id, message);
  reeve_log_leave (before);
  return json_node_init_null (json_node_alloc ());
}

/* {} -> {time} */
static JsonNode *
reeve_capabilities_basic_clock (const ReeveCapabilityCaller *caller, JsonNode *params,
                                gpointer user_data, GError **error)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autofree char *time = reeve_times_format (reeve_times_now ());

  json_object_set_string_member (object, "time", time);
  return json_node_init_object (json_node_alloc (), object);
}

/* {length} -> {bytes}, base64url */
static JsonNode *
reeve_capabilities_basic_random (const ReeveCapabilityCaller *caller, JsonNode *params,
                                 gpointer user_data, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL;
  gint64 length = reeve_json_get_int (object, "length", 0);
  guint8 bytes[REEVE_CAPABILITIES_BASIC_RANDOM];
  g_autoptr (JsonObject) result = json_object_new ();

  if (length < 1 || length > REEVE_CAPABILITIES_BASIC_RANDOM)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "random: length must be 1 to %d", REEVE_CAPABILITIES_BASIC_RANDOM);
      return NULL;
    }
  reeve_ids_fill_random (bytes, (gsize) length);
  g_autofree char *text = reeve_base64url_encode (bytes, (gsize) length);
  json_object_set_string_member (result, "bytes", text);
  return json_node_init_object (json_node_alloc (), result);
}

/* func: NULL: a higher room provides it */
static const struct
{
  const char *name;
  ReeveCapabilityFunc func;
} reeve_capabilities_basic[] = { { "metrics", NULL },
                                 { "audit.emit", NULL },
                                 { "log", reeve_capabilities_basic_log },
                                 { "clock", reeve_capabilities_basic_clock },
                                 { "random", reeve_capabilities_basic_random } };

/**
 * reeve_capabilities_basic_has:
 * @name: a capability
 *
 * Returns: whether every plugin has it
 */
gboolean
reeve_capabilities_basic_has (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_capabilities_basic); i++)
    if (strcmp (name, reeve_capabilities_basic[i].name) == 0)
      return TRUE;
  return FALSE;
}

/**
 * reeve_capabilities_basic_provide:
 * @capabilities: where to register them
 *
 * Registers those that this room performs itself.
 */
void
reeve_capabilities_basic_provide (ReeveCapabilities *capabilities)
{
  for (guint i = 0; i < G_N_ELEMENTS (reeve_capabilities_basic); i++)
    if (reeve_capabilities_basic[i].func != NULL)
      reeve_capabilities_provide (capabilities, reeve_capabilities_basic[i].name,
                                  reeve_capabilities_basic[i].func, NULL);
}
