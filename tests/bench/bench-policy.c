/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our side of bench_policy.py: decisions a second with the policies of a file, and a digit for the
 * verdict on each of its requests. Usage: bench-policy FILE SECONDS */
#include <stdio.h>
#include <stdlib.h>

#include "governance/policy-decision.h"

typedef struct
{
  ReevePolicy *agent;
  ReevePolicyAsk ask;
} Request;

static ReevePolicy *
make_policy (JsonObject *document, ReevePolicyLayer layer)
{
  g_autoptr (GError) error = NULL;
  ReevePolicy *policy = reeve_policy_new (document, layer, 1, "usr_1", &error);

  if (policy == NULL)
    g_error ("%s", error->message);
  return policy;
}

static GArray *
make_requests (JsonObject *file, GHashTable *agents)
{
  JsonArray *asked = reeve_json_get_array (file, "requests");
  JsonObject *documents = reeve_json_get_object (file, "agents");
  GArray *requests = g_array_new (FALSE, TRUE, sizeof (Request));

  for (guint i = 0; i < json_array_get_length (asked); i++)
    {
      JsonArray *row = json_array_get_array_element (asked, i);
      const char *agent_id = json_array_get_string_element (row, 0);
      JsonObject *arguments = json_object_new ();
      Request request = { .agent = g_hash_table_lookup (agents, agent_id),
                          .ask = { .tool_name = json_array_get_string_element (row, 1),
                                   .tenant_id = "acme",
                                   .agent_id = agent_id,
                                   .arguments = arguments } };

      if (request.agent == NULL)
        {
          request.agent
              = make_policy (reeve_json_get_object (documents, agent_id), REEVE_POLICY_LAYER_AGENT);
          g_hash_table_insert (agents, g_strdup (agent_id), request.agent);
        }
      json_object_set_string_member (arguments, "operation",
                                     json_array_get_string_element (row, 2));
      g_array_append_val (requests, request);
    }
  return requests;
}

static gboolean
decide (ReevePolicy *org, const Request *request)
{
  g_auto (ReevePolicyDecision) decision = { 0 };

  reeve_policy_decision_make (org, request->agent, &request->ask, &decision);
  return decision.effect == REEVE_POLICY_ALLOW;
}

int
main (int argc, char **argv)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  g_autoptr (ReevePolicy) org = NULL;
  g_autoptr (GHashTable) agents = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                                         (GDestroyNotify) reeve_policy_unref);
  g_autoptr (GArray) requests = NULL;
  gint64 start = 0;
  gint64 end = 0;
  guint64 count = 0;

  if (argc != 3 || !g_file_get_contents (argv[1], &text, &length, &error))
    g_error ("usage: bench-policy FILE SECONDS");
  node = reeve_json_parse_strict (text, length, &error);
  if (node == NULL)
    g_error ("%s: %s", argv[1], error->message);
  org = make_policy (reeve_json_get_object (json_node_get_object (node), "org"),
                     REEVE_POLICY_LAYER_ORG);
  requests = make_requests (json_node_get_object (node), agents);
  start = g_get_monotonic_time ();
  end = start + (gint64) (atof (argv[2]) * G_USEC_PER_SEC);
  while (g_get_monotonic_time () < end)
    for (guint i = 0; i < 64; i++, count++)
      decide (org, &g_array_index (requests, Request, count % requests->len));
  printf ("%.0f ", (double) count * G_USEC_PER_SEC / (double) (g_get_monotonic_time () - start));
  for (guint i = 0; i < requests->len; i++)
    putchar (decide (org, &g_array_index (requests, Request, i)) ? '1' : '0');
  putchar ('\n');
  for (guint i = 0; i < requests->len; i++)
    json_object_unref (g_array_index (requests, Request, i).ask.arguments);
  return 0;
}
