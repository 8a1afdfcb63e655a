/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants: what is granted by itself, what waits, what a change does to calls that come and to those
 * that are under way, ends, tenants, the ceiling, another start. */
#include <string.h>

#include "governance/grants.h"

#include <glib/gstdio.h>

#include "base/digests.h"
#include "base/times.h"
#include "directory-fixture.h"

#define OWN     "tool-own"     /* comes with the host */
#define FOREIGN "tool-foreign" /* does not */

typedef struct
{
  DirectoryFixture directory;
  char *folder;
  ReevePin own[2];
  ReevePin foreign[2];
  ReeveCapabilities *capabilities;
  ReeveRegistry *registry;
  ReeveGrants *grants;
  ReeveCaller *admin;
  JsonObject *settings;
  GMutex lock;
  GCond changed;
  guint entered; /* with lock */
} Fixture;

/* Waits until the call is given up. */
static JsonNode *
wait_for_ever (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data,
               GError **error)
{
  Fixture *fixture = user_data;
  GPollFD fd = { 0 };

  g_mutex_lock (&fixture->lock);
  fixture->entered++;
  g_cond_broadcast (&fixture->changed);
  g_mutex_unlock (&fixture->lock);
  g_assert_true (g_cancellable_make_pollfd (reeve_capabilities_get_cancellable (caller), &fd));
  while (!g_cancellable_is_cancelled (reeve_capabilities_get_cancellable (caller)))
    g_poll (&fd, 1, -1);
  g_cancellable_release_fd (reeve_capabilities_get_cancellable (caller));
  g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_CANCELLED, "the call was cancelled");
  return NULL;
}

static JsonNode *
answer (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data, GError **error)
{
  return json_node_init_boolean (json_node_alloc (), TRUE);
}

static const char *
write_manifest (Fixture *fixture, const char *id, const char *capabilities)
{
  g_autofree char *folder = g_build_filename (fixture->folder, id, NULL);
  g_autofree char *path = g_strdup_printf ("%s/%s.plugin", folder, id);
  g_autofree char *text
      = g_strdup_printf ("[Plugin]\nId=%s\nVersion=1.0.0\nName=n\nDescription=d\nKinds=tool\n"
                         "Api=%d.%d\n[Capabilities]\n%s",
                         id, REEVE_API_MAJOR, REEVE_API_MINOR, capabilities);
  g_autofree char *digest = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  digest = reeve_digests_sha256_hex (text, strlen (text));
  return g_intern_string (digest);
}

/* A host that starts with plugins that request that. */
static void
start (Fixture *fixture, const char *own, const char *foreign, const char *ceiling)
{
  const char *const folders[] = { fixture->folder, NULL };
  g_autoptr (JsonObject) section = ceiling != NULL ? directory_fixture_parse (ceiling) : NULL;
  g_autoptr (GError) error = NULL;
  ReeveGrantsCeiling *limit = reeve_grants_ceiling_new (section, &error);
  ReeveBootstrap bootstrap = {
    .admission = fixture->directory.admission,
    .tenants = fixture->directory.tenants,
    .users = fixture->directory.users,
    .api_keys = fixture->directory.api_keys,
    .authentication = fixture->directory.authentication,
    .state_folder = fixture->directory.ledger.state,
  };
  ReeveRegistrySetup setup
      = { .folders = folders, .pins = fixture->own, .extra_pins = fixture->foreign };

  g_assert_no_error (error);
  fixture->own[0] = (ReevePin){ OWN, write_manifest (fixture, OWN, own), "-", NULL };
  fixture->foreign[0]
      = (ReevePin){ FOREIGN, write_manifest (fixture, FOREIGN, foreign), "-", NULL };
  fixture->capabilities = reeve_capabilities_new ();
  setup.capabilities = fixture->capabilities;
  reeve_capabilities_provide (fixture->capabilities, "knowledge.search", answer, NULL);
  reeve_capabilities_provide (fixture->capabilities, "host.profile", answer, NULL);
  reeve_capabilities_provide (fixture->capabilities, "net.stream", wait_for_ever, fixture);
  fixture->registry = reeve_registry_new (&setup);
  reeve_registry_scan (fixture->registry);
  fixture->grants = reeve_grants_new (fixture->directory.store, fixture->registry, limit);
  reeve_grants_provide (fixture->grants, fixture->capabilities);
  reeve_grants_load (fixture->grants, &error);
  g_assert_no_error (error);
  bootstrap.grants = fixture->grants;
  reeve_bootstrap_run (&bootstrap, &error);
  g_assert_no_error (error);
}

static void
stop (Fixture *fixture)
{
  reeve_grants_stop (fixture->grants);
  g_clear_pointer (&fixture->registry, reeve_registry_unref);
  g_clear_pointer (&fixture->capabilities, reeve_capabilities_unref);
  g_assert_finalize_object (fixture->grants);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  directory_fixture_set_up (&fixture->directory, data);
  fixture->admin = directory_fixture_admin (&fixture->directory, NULL);
  fixture->folder = g_build_filename (g_get_tmp_dir (), "grants.XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (fixture->folder));
  fixture->settings = json_object_new ();
  g_mutex_init (&fixture->lock);
  g_cond_init (&fixture->changed);
  start (fixture, "knowledge.search=to search\nhost.profile=why\nnet.stream=why\nfs.write=why\n",
         "knowledge.search=to search\nhost.profile=why\n", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  stop (fixture);
  g_clear_pointer (&fixture->admin, reeve_caller_unref);
  json_object_unref (fixture->settings);
  g_free (fixture->folder);
  g_mutex_clear (&fixture->lock);
  g_cond_clear (&fixture->changed);
  directory_fixture_tear_down (&fixture->directory, data);
}

/* ---- what is done ---- */

static gboolean
use (Fixture *fixture, const char *plugin_id, const char *capability, const char *tenant_id,
     GCancellable *cancellable, GError **error)
{
  const ReeveContextInfo info = { .struct_size = sizeof info, .tenant_id = tenant_id };
  g_autoptr (ReeveRegistryEntry) entry = reeve_registry_get (fixture->registry, plugin_id);
  g_autoptr (ReeveBroker) broker = reeve_capabilities_new_broker (
      fixture->capabilities, entry->manifest, "one", fixture->settings);
  g_autoptr (ReeveContext) context = reeve_context_new (&info, broker, cancellable);
  g_autoptr (JsonNode) result = reeve_context_call (context, capability, NULL, error);

  return result != NULL;
}

static void
must_work (Fixture *fixture, const char *plugin_id, const char *capability, const char *tenant_id)
{
  g_autoptr (GError) error = NULL;

  use (fixture, plugin_id, capability, tenant_id, NULL, &error);
  g_assert_no_error (error);
}

static void
must_fail (Fixture *fixture, const char *plugin_id, const char *capability, const char *tenant_id,
           ReeveError code, const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (use (fixture, plugin_id, capability, tenant_id, NULL, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("\"%s\" is not \"%s\"", error->message, pattern);
}

static JsonObject *
grant (Fixture *fixture, const char *params, GError **error)
{
  return directory_fixture_effect (&fixture->directory, fixture->admin, "plugins.grant",
                                   reeve_grants_create, fixture->grants, params, error);
}

/* (transfer full): its id */
static char *
must_grant (Fixture *fixture, const char *params)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) made = grant (fixture, params, &error);

  g_assert_no_error (error);
  return g_strdup (json_object_get_string_member (made, "grant_id"));
}

static void
must_refuse (Fixture *fixture, const char *params, ReeveError code, const char *member,
             const char *pattern)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (grant (fixture, params, &error));
  g_assert_error (error, REEVE_ERROR, (int) code);
  g_assert_cmpstr (reeve_error_get_member (error), ==, member);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("\"%s\" is not \"%s\"", error->message, pattern);
}

static gboolean
take_back (Fixture *fixture, const char *plugin_id, const char *grant_id, GError **error)
{
  ReeveAdmissionRequest request = { .caller = fixture->admin, .operation = "plugins.revoke" };
  ReeveSettlement settlement = { .outcome = REEVE_OUTCOME_SUCCEEDED };
  ReeveAdmitted *admitted = reeve_admission_begin (fixture->directory.admission, &request, error);
  gboolean ok = FALSE;

  g_assert_nonnull (admitted);
  ok = reeve_grants_revoke (fixture->grants, admitted, plugin_id, grant_id, error);
  if (!ok)
    settlement.outcome = REEVE_OUTCOME_FAILED;
  reeve_admission_settle_async (fixture->directory.admission, admitted, &settlement, NULL, NULL);
  return ok;
}

static void
must_revoke (Fixture *fixture, const char *plugin_id, const char *grant_id)
{
  g_assert_true (take_back (fixture, plugin_id, grant_id, NULL));
}

/* (transfer full): what is shown of a capability */
static JsonObject *
show (Fixture *fixture, const char *plugin_id, const char *capability)
{
  g_autoptr (JsonArray) rows = reeve_grants_show (fixture->grants, plugin_id, NULL);

  for (guint i = 0; i < json_array_get_length (rows); i++)
    {
      JsonObject *row = json_array_get_object_element (rows, i);

      if (strcmp (json_object_get_string_member (row, "capability"), capability) == 0)
        return json_object_ref (row);
    }
  g_error ("%s is not shown", capability);
}

static void
assert_state (Fixture *fixture, const char *plugin_id, const char *capability, const char *state)
{
  g_autoptr (JsonObject) row = show (fixture, plugin_id, capability);
  const char *remedy = reeve_json_get_string (row, "remedy", NULL);
  gboolean open = strcmp (state, "waiting") == 0 || strcmp (state, "revoked") == 0
                  || strcmp (state, "ended") == 0;

  g_assert_cmpstr (json_object_get_string_member (row, "state"), ==, state);
  g_assert_true ((remedy != NULL) == open);
}

/* (transfer full): the grant that was given first */
static char *
first_grant (Fixture *fixture, const char *plugin_id, const char *capability)
{
  g_autoptr (JsonObject) row = show (fixture, plugin_id, capability);
  JsonObject *one
      = json_array_get_object_element (json_object_get_array_member (row, "granted"), 0);

  return g_strdup (json_object_get_string_member (one, "grant_id"));
}

/* ---- what is granted by itself ---- */

static void
test_defaults (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonObject) row = show (fixture, OWN, "knowledge.search");
  JsonObject *one
      = json_array_get_object_element (json_object_get_array_member (row, "granted"), 0);

  must_work (fixture, OWN, "knowledge.search", "acme");
  must_work (fixture, OWN, "knowledge.search", NULL);
  must_work (fixture, OWN, "host.profile", NULL);
  g_assert_cmpstr (json_object_get_string_member (one, "source"), ==, "default");
  g_assert_cmpstr (json_object_get_string_member (row, "reason"), ==, "to search");
  assert_state (fixture, OWN, "knowledge.search", "effective");
  assert_state (fixture, OWN, "host.profile", "effective");
  /* what is risky is not granted by itself */
  assert_state (fixture, OWN, "fs.write", "waiting");
  must_fail (fixture, OWN, "fs.write", "acme", REEVE_ERROR_CAPABILITY,
             "plugin tool-own is not granted capability fs.write in tenant acme;*reevectl plugins "
             "grant tool-own fs.write*");
  /* nor is anything of what comes from elsewhere; what is the host's own can nobody else have */
  assert_state (fixture, FOREIGN, "knowledge.search", "waiting");
  assert_state (fixture, FOREIGN, "host.profile", "host_only");
  must_fail (fixture, FOREIGN, "knowledge.search", NULL, REEVE_ERROR_CAPABILITY,
             "plugin tool-foreign is not granted capability knowledge.search; *");
  must_fail (fixture, FOREIGN, "host.profile", NULL, REEVE_ERROR_CAPABILITY, "*come*");
  must_fail (fixture, FOREIGN, "net.stream", NULL, REEVE_ERROR_CAPABILITY, "*did not request*");
}

/* A later version that requests more waits; what was consented to goes on. */
static void
test_upgrade (Fixture *fixture, gconstpointer data)
{
  stop (fixture);
  start (fixture,
         "knowledge.search=why\nhost.profile=why\nnet.stream=why\nfs.write=why\n"
         "identity.read=to greet\n",
         "knowledge.search=why\n", NULL);
  must_work (fixture, OWN, "knowledge.search", "acme");
  assert_state (fixture, OWN, "identity.read", "waiting");
  must_fail (fixture, OWN, "identity.read", "acme", REEVE_ERROR_CAPABILITY, "*is not granted*");
  g_free (must_grant (fixture, "{\"plugin_id\":\"tool-own\",\"capability\":\"identity.read\","
                               "\"reason\":\"read\"}"));
  assert_state (fixture, OWN, "identity.read", "effective");
  must_fail (fixture, OWN, "identity.read", "acme", REEVE_ERROR_CAPABILITY, "*does not offer*");
  /* and one that requests less has less */
  stop (fixture);
  start (fixture, "net.stream=why\n", "knowledge.search=why\n", NULL);
  assert_state (fixture, OWN, "knowledge.search", "not_requested");
  must_fail (fixture, OWN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY, "*did not request*");
}

/* ---- giving and taking back ---- */

static void
test_revoke (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = first_grant (fixture, OWN, "knowledge.search");
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (take_back (fixture, FOREIGN, id, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  must_work (fixture, OWN, "knowledge.search", "acme");
  must_revoke (fixture, OWN, id);
  must_fail (fixture, OWN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY_REVOKED,
             "plugin tool-own no more has capability knowledge.search in tenant acme: it was taken "
             "back at 2*; *reevectl plugins grant tool-own knowledge.search*");
  assert_state (fixture, OWN, "knowledge.search", "revoked");
  must_revoke (fixture, OWN, id);
  /* another start does not give it back */
  stop (fixture);
  start (fixture, "knowledge.search=why\nnet.stream=why\n", "knowledge.search=why\n", NULL);
  must_fail (fixture, OWN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY_REVOKED, "*");
  again = must_grant (fixture, "{\"plugin_id\":\"tool-own\",\"capability\":\"knowledge.search\","
                               "\"reason\":\"again\"}");
  must_work (fixture, OWN, "knowledge.search", "acme");
  stop (fixture);
  start (fixture, "knowledge.search=why\nnet.stream=why\n", "knowledge.search=why\n", NULL);
  must_work (fixture, OWN, "knowledge.search", "acme");
}

static void
test_tenants (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = NULL;

  must_refuse (fixture,
               "{\"plugin_id\":\"tool-foreign\",\"capability\":\"knowledge.search\","
               "\"tenant_id\":\"nowhere\",\"reason\":\"r\"}",
               REEVE_ERROR_INVALID_ARGUMENT, "/tenant_id", "*no such tenant*");
  id = must_grant (fixture, "{\"plugin_id\":\"tool-foreign\",\"capability\":\"knowledge.search\","
                            "\"tenant_id\":\"default\",\"reason\":\"r\"}");
  must_work (fixture, FOREIGN, "knowledge.search", "default");
  must_fail (fixture, FOREIGN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY,
             "*in tenant acme*");
  must_fail (fixture, FOREIGN, "knowledge.search", NULL, REEVE_ERROR_CAPABILITY, "*");
  /* taken back in one tenant, it never was granted in the other */
  must_revoke (fixture, FOREIGN, id);
  must_fail (fixture, FOREIGN, "knowledge.search", "default", REEVE_ERROR_CAPABILITY_REVOKED, "*");
  must_fail (fixture, FOREIGN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY, "*");
}

static void
test_faults (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *members;
    ReeveError code;
    const char *member;
    const char *pattern;
  } cases[] = {
    { "\"capability\":\"fly\"", REEVE_ERROR_INVALID_ARGUMENT, "/capability", "*fly is no*" },
    { "\"capability\":\"clock\"", REEVE_ERROR_INVALID_ARGUMENT, "/capability", "*every plugin*" },
    { "\"capability\":\"host.profile\"", REEVE_ERROR_INVALID_ARGUMENT, "/capability",
      "*host's own*" },
    { "\"capability\":\"jit\"", REEVE_ERROR_INVALID_ARGUMENT, "/capability", "*not requested*" },
    { "\"capability\":\"net.stream\",\"parameters\":{\"origins\":[]}", REEVE_ERROR_INVALID_ARGUMENT,
      "/parameters/origins", "*" },
    { "\"capability\":\"net.stream\",\"parameters\":{\"hosts\":[\"a:1\",\"a:70000\"]}",
      REEVE_ERROR_INVALID_ARGUMENT, "/parameters/hosts/1", "*HOST:PORT*" },
    { "\"capability\":\"net.stream\",\"until\":\"2020-01-01T00:00:00.000Z\"",
      REEVE_ERROR_INVALID_ARGUMENT, "/until", "*past*" },
    { "\"capability\":\"net.stream\",\"until\":\"soon\"", REEVE_ERROR_INVALID_ARGUMENT, "/until",
      "*" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *params
          = g_strdup_printf ("{\"plugin_id\":\"tool-own\",%s,\"reason\":\"r\"}", cases[i].members);

      must_refuse (fixture, params, cases[i].code, cases[i].member, cases[i].pattern);
    }
  must_refuse (fixture, "{\"plugin_id\":\"none\",\"capability\":\"net.stream\",\"reason\":\"r\"}",
               REEVE_ERROR_NOT_FOUND, NULL, "*plugins*");
}

static void
test_room (Fixture *fixture, gconstpointer data)
{
  const char *params
      = "{\"plugin_id\":\"tool-foreign\",\"capability\":\"knowledge.search\",\"reason\":\"r\"}";
  g_autofree char *first = must_grant (fixture, params);
  g_autoptr (JsonObject) row = NULL;

  for (guint i = 1; i < REEVE_GRANTS_MAX; i++)
    g_free (must_grant (fixture, params));
  must_refuse (fixture, params, REEVE_ERROR_CONFLICT, NULL, "*as many*");
  must_revoke (fixture, FOREIGN, first);
  for (guint i = 0; i <= REEVE_GRANTS_ENDED; i++)
    {
      g_autofree char *one = must_grant (fixture, params);

      must_revoke (fixture, FOREIGN, one);
    }
  /* those that ended long ago are forgotten */
  row = show (fixture, FOREIGN, "knowledge.search");
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (row, "granted")), <=,
                    REEVE_GRANTS_MAX + REEVE_GRANTS_ENDED);
  must_work (fixture, FOREIGN, "knowledge.search", NULL);
}

/* ---- what is under way ---- */

typedef struct
{
  Fixture *fixture;
  GCancellable *cancellable; /* (nullable) */
  GError *error;
  GMainLoop *loop; /* (nullable): ended behind the call */
} Call;

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static gpointer
call_in_thread (gpointer data)
{
  Call *call = data;

  g_assert_false (use (call->fixture, OWN, "net.stream", "acme", call->cancellable, &call->error));
  if (call->loop != NULL)
    g_idle_add (quit, call->loop);
  return NULL;
}

static GThread *
begin (Call *call)
{
  Fixture *fixture = call->fixture;
  guint before = fixture->entered;
  GThread *thread = g_thread_new ("call", call_in_thread, call);

  g_mutex_lock (&fixture->lock);
  while (fixture->entered == before)
    g_cond_wait (&fixture->changed, &fixture->lock);
  g_mutex_unlock (&fixture->lock);
  return thread;
}

static void
test_under_way (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = first_grant (fixture, OWN, "net.stream");
  g_autofree char *other = must_grant (
      fixture, "{\"plugin_id\":\"tool-own\",\"capability\":\"net.stream\",\"reason\":\"r\"}");
  Call call = { fixture, NULL, NULL, NULL };
  Call given_up = { fixture, g_cancellable_new (), NULL, NULL };
  GThread *thread = begin (&call);
  GThread *second = begin (&given_up);

  /* it rests on both */
  must_revoke (fixture, OWN, id);
  g_assert_null (call.error);
  g_cancellable_cancel (given_up.cancellable);
  g_thread_join (second);
  g_assert_error (given_up.error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  must_revoke (fixture, OWN, other);
  g_thread_join (thread);
  g_assert_error (call.error, REEVE_ERROR, REEVE_ERROR_CAPABILITY_REVOKED);
  g_assert_nonnull (strstr (call.error->message, "reevectl plugins grant tool-own net.stream"));
  must_fail (fixture, OWN, "net.stream", "acme", REEVE_ERROR_CAPABILITY_REVOKED, "*");
  g_clear_error (&call.error);
  g_clear_error (&given_up.error);
  g_object_unref (given_up.cancellable);
}

/* An end comes by itself, for what is under way too. */
static void
test_end (Fixture *fixture, gconstpointer data)
{
  g_autofree char *id = first_grant (fixture, OWN, "net.stream");
  g_autofree char *until = reeve_times_format (reeve_times_now () + REEVE_TIMES_SECOND);
  g_autofree char *params
      = g_strdup_printf ("{\"plugin_id\":\"tool-own\",\"capability\":\"net.stream\",\"until\":"
                         "\"%s\",\"reason\":\"r\"}",
                         until);
  g_autofree char *ending = must_grant (fixture, params);
  Call call = { fixture, NULL, NULL, g_main_loop_new (NULL, FALSE) };
  GThread *thread = begin (&call);

  must_revoke (fixture, OWN, id);
  g_main_loop_run (call.loop);
  g_thread_join (thread);
  g_assert_error (call.error, REEVE_ERROR, REEVE_ERROR_CAPABILITY_REVOKED);
  must_fail (fixture, OWN, "net.stream", "acme", REEVE_ERROR_CAPABILITY_REVOKED,
             "*the time it was granted for ended at 2*");
  assert_state (fixture, OWN, "net.stream", "ended");
  g_clear_error (&call.error);
  g_main_loop_unref (call.loop);
}

/* ---- the ceiling ---- */

static void
test_ceiling (Fixture *fixture, gconstpointer data)
{
  g_autoptr (JsonObject) row = NULL;
  JsonObject *effective = NULL;

  stop (fixture);
  start (fixture, "knowledge.search=why\nnet.http=why\n", "knowledge.search=why\nnet.http=why\n",
         "{\"capabilities\":[\"net.http\"],\"origins\":[\"https://A.example\"],"
         "\"methods\":[\"GET\"],\"max_bytes\":1000}");
  assert_state (fixture, OWN, "knowledge.search", "beyond_ceiling");
  must_fail (fixture, OWN, "knowledge.search", "acme", REEVE_ERROR_CAPABILITY,
             "*plugins.ceiling.capabilities*");
  must_refuse (fixture,
               "{\"plugin_id\":\"tool-foreign\",\"capability\":\"knowledge.search\",\"reason\":"
               "\"r\"}",
               REEVE_ERROR_PERMISSION_DENIED, NULL, "*plugins.ceiling.capabilities*");
  must_refuse (fixture,
               "{\"plugin_id\":\"tool-foreign\",\"capability\":\"net.http\",\"parameters\":{"
               "\"origins\":[\"https://b.example\"]},\"reason\":\"r\"}",
               REEVE_ERROR_PERMISSION_DENIED, NULL,
               "https://b.example:443*plugins.ceiling.origins*");
  must_refuse (fixture,
               "{\"plugin_id\":\"tool-foreign\",\"capability\":\"net.http\",\"parameters\":{"
               "\"methods\":[\"POST\"]},\"reason\":\"r\"}",
               REEVE_ERROR_PERMISSION_DENIED, NULL, "POST*plugins.ceiling.methods*");
  must_refuse (fixture,
               "{\"plugin_id\":\"tool-foreign\",\"capability\":\"net.http\",\"parameters\":{"
               "\"max_bytes\":1001},\"reason\":\"r\"}",
               REEVE_ERROR_PERMISSION_DENIED, NULL, "*plugins.ceiling.max_bytes*");
  g_free (must_grant (fixture,
                      "{\"plugin_id\":\"tool-foreign\",\"capability\":\"net.http\","
                      "\"parameters\":{\"origins\":[\"https://a.example:443\"]},\"reason\":"
                      "\"r\"}"));
  row = show (fixture, FOREIGN, "net.http");
  effective = json_object_get_object_member (
      json_array_get_object_element (json_object_get_array_member (row, "effective"), 0),
      "parameters");
  g_assert_cmpint (json_object_get_int_member (effective, "max_bytes"), ==, 1000);
  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (effective, "origins")), ==,
                    1);
}

#define ADD(name, func) g_test_add ("/grants/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("defaults", test_defaults);
  ADD ("upgrade", test_upgrade);
  ADD ("revoke", test_revoke);
  ADD ("tenants", test_tenants);
  ADD ("faults", test_faults);
  ADD ("room", test_room);
  ADD ("under-way", test_under_way);
  ADD ("end", test_end);
  ADD ("ceiling", test_ceiling);
  return g_test_run ();
}
