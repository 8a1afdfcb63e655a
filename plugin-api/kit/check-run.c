/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the plugin under check exactly as a host would, through the registry, and stands behind its
 * capabilities: with what the author gave as answers, else with "unavailable", which a plugin must
 * live with. */
#include "check-run.h"

#include <string.h>
#include <unistd.h>

#include "base/digests.h"
#include "loader/confined.h"
#include "loader/manifest-script.h"

/* user ids of scripts, where root checks them */
#define CHECK_RUN_FIRST_UID 1500000000
#define CHECK_RUN_PROCESSES 100000
#define CHECK_RUN_UIDS      1000

struct _CheckRun
{
  const CheckOptions *options;
  CheckReport *report;
  ReeveManifest *manifest;
  char *module_digest;
  ReevePin pins[2];
  ReeveCapabilities *capabilities;
  ReeveConfined *confined; /* (nullable): of a script */
  ReeveRegistry *registry;
  JsonNode *settings;
  guint n_instances;
  GPtrArray *providers; /* of CheckRunCapability; outlives the registry */
};

typedef struct
{
  CheckRun *run;
  const char *name;
} CheckRunCapability;

CheckRun *
check_run_new (const CheckOptions *options, CheckReport *report)
{
  CheckRun *self = g_new0 (CheckRun, 1);

  self->options = options;
  self->report = report;
  self->providers = g_ptr_array_new_with_free_func (g_free);
  return self;
}

void
check_run_free (CheckRun *self)
{
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_pointer (&self->confined, reeve_confined_unref);
  g_clear_pointer (&self->capabilities, reeve_capabilities_unref);
  g_ptr_array_unref (self->providers);
  g_clear_pointer (&self->manifest, reeve_manifest_unref);
  g_clear_pointer (&self->settings, json_node_unref);
  g_free (self->module_digest);
  g_free (self);
}

CheckReport *
check_run_get_report (CheckRun *self)
{
  return self->report;
}

const CheckOptions *
check_run_get_options (CheckRun *self)
{
  return self->options;
}

ReeveManifest *
check_run_get_manifest (CheckRun *self)
{
  return self->manifest;
}

/* (transfer full) (nullable): the JSON behind NAME= in a list of such texts */
static JsonNode *
check_run_find (char **list, const char *name, GError **error)
{
  for (guint i = 0; list != NULL && list[i] != NULL; i++)
    {
      const char *equals = strchr (list[i], '=');

      if (equals != NULL && strlen (name) == (gsize) (equals - list[i])
          && strncmp (list[i], name, strlen (name)) == 0)
        return reeve_json_parse_strict (equals + 1, strlen (equals + 1), error);
    }
  return NULL;
}

JsonNode *
check_run_get_arguments (CheckRun *self, const char *tool)
{
  return check_run_find (self->options->arguments, tool, NULL);
}

gboolean
check_run_is_script (CheckRun *self)
{
  return reeve_manifest_get_interpreter (self->manifest) != NULL;
}

/* ---- what stands behind the capabilities ---- */

static JsonNode *
check_run_answer (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data,
                  GError **error)
{
  CheckRunCapability *capability = user_data;
  g_autoptr (GError) problem = NULL;
  JsonNode *answer = check_run_find (capability->run->options->answers, capability->name, &problem);

  if (answer == NULL && problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (answer == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                 "there is no %s behind this check; give an answer with --answer %s=JSON",
                 capability->name, capability->name);
  return answer;
}

/* net.http: {"status", "headers": {…}, "body"} */
static ReeveHttpResponse *
check_run_answer_http (const ReeveCapabilityCaller *caller, ReeveHttpRequest *request,
                       gpointer user_data, GError **error)
{
  g_autoptr (JsonNode) answer = check_run_answer (caller, NULL, user_data, error);
  JsonObject *object = NULL;
  JsonObject *headers = NULL;
  g_autoptr (ReeveHttpResponse) response = NULL;
  g_autoptr (GBytes) body = NULL;
  const char *text = NULL;

  if (answer == NULL)
    return NULL;
  object = JSON_NODE_HOLDS_OBJECT (answer) ? json_node_get_object (answer) : NULL;
  if (object == NULL)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
                           "the answer for net.http is no object");
      return NULL;
    }
  response = reeve_http_response_new ((guint) reeve_json_get_int (object, "status", 200));
  headers = reeve_json_get_object (object, "headers");
  if (headers != NULL)
    {
      g_autoptr (GList) names = json_object_get_members (headers);

      for (GList *name = names; name != NULL; name = name->next)
        reeve_http_response_add_header (response, name->data,
                                        reeve_json_get_string (headers, name->data, ""));
    }
  text = reeve_json_get_string (object, "body", "");
  body = g_bytes_new (text, strlen (text));
  reeve_http_response_set_body (response, body);
  return g_steal_pointer (&response);
}

static gboolean
check_run_has_answer (CheckRun *self, const char *name)
{
  g_autofree char *prefix = g_strconcat (name, "=", NULL);

  for (guint i = 0; self->options->answers != NULL && self->options->answers[i] != NULL; i++)
    if (g_str_has_prefix (self->options->answers[i], prefix))
      return TRUE;
  return FALSE;
}

static void
check_run_provide (CheckRun *self)
{
  const char *const *names = reeve_manifest_get_capabilities (self->manifest);

  self->capabilities = reeve_capabilities_new ();
  for (guint i = 0; names[i] != NULL; i++)
    {
      CheckRunCapability *capability = NULL;

      /* what every host offers is offered here too, unless the author answers in its place */
      if (reeve_capabilities_has (self->capabilities, names[i])
          && !check_run_has_answer (self, names[i]))
        continue;
      capability = g_new0 (CheckRunCapability, 1);

      capability->run = self;
      capability->name = names[i];
      g_ptr_array_add (self->providers, capability);
      if (strcmp (names[i], "net.http") == 0)
        reeve_capabilities_provide_http (self->capabilities, check_run_answer_http, capability);
      else
        reeve_capabilities_provide (self->capabilities, capability->name, check_run_answer,
                                    capability);
    }
}

/* ---- loading ---- */

static gboolean
check_run_read_manifest (CheckRun *self)
{
  g_autofree char *name = g_path_get_basename (self->options->folder);
  g_autofree char *file = g_strconcat (name, ".plugin", NULL);
  g_autofree char *path = g_build_filename (self->options->folder, file, NULL);
  g_autoptr (GError) error = NULL;

  check_report_begin (self->report, "manifest: %s is right", file);
  self->manifest = reeve_manifest_new_from_file (path, &error);
  check_report_expect (self->report, self->manifest != NULL, "%s",
                       error != NULL ? error->message : "");
  if (self->manifest != NULL)
    check_report_expect (self->report, strcmp (reeve_manifest_get_id (self->manifest), name) == 0,
                         "its id is %s, its folder %s", reeve_manifest_get_id (self->manifest),
                         name);
  check_report_end (self->report);
  return self->manifest != NULL && strcmp (reeve_manifest_get_id (self->manifest), name) == 0;
}

static gboolean
check_run_read_settings (CheckRun *self)
{
  const char *text = self->options->settings != NULL ? self->options->settings : "{}";
  const char *hint = self->options->settings != NULL ? "" : "; give some with --settings JSON";
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) faults = NULL;
  gboolean right = FALSE;

  check_report_begin (self->report, "settings: %s",
                      self->options->settings != NULL ? "those given fit the manifest's schema"
                                                      : "none are needed");
  self->settings = reeve_json_parse_strict (text, strlen (text), &error);
  if (check_report_expect (self->report, self->settings != NULL, "%s",
                           error != NULL ? error->message : ""))
    right = JSON_NODE_HOLDS_OBJECT (self->settings)
            && reeve_schema_validate (reeve_manifest_get_schema (self->manifest), self->settings,
                                      &faults, &error);
  for (guint i = 0; faults != NULL && i < faults->len; i++)
    {
      const ReeveSchemaFault *fault = g_ptr_array_index (faults, i);

      check_report_expect (self->report, FALSE, "'%s': %s%s", fault->pointer, fault->message, hint);
    }
  check_report_expect (self->report, right, "they are no object%s", hint);
  check_report_end (self->report);
  return right;
}

/* The author trusts the files that lie there: their digests are the pins. */
static gboolean
check_run_pin (CheckRun *self)
{
  g_autofree char *bytes = NULL;
  gsize length = 0;
  g_autoptr (GError) error = NULL;
  gboolean found = FALSE;

  check_report_begin (self->report, "module: the file is there");
  found = g_file_get_contents (reeve_manifest_get_module (self->manifest), &bytes, &length, &error);
  check_report_expect (self->report, found, "%s", error != NULL ? error->message : "");
  check_report_end (self->report);
  if (!found)
    return FALSE;
  self->module_digest
      = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) bytes, length);
  self->pins[0].id = reeve_manifest_get_id (self->manifest);
  self->pins[0].manifest = reeve_manifest_get_digest (self->manifest);
  self->pins[0].module = self->module_digest;
  self->pins[0].settings = reeve_manifest_get_settings_digest (self->manifest);
  return TRUE;
}

static gboolean
check_run_open (CheckRun *self)
{
  g_autofree char *folder = g_canonicalize_filename (self->options->folder, NULL);
  g_autofree char *parent = g_path_get_dirname (folder);
  const char *const folders[] = { parent, NULL };
  /* threads of one user are counted on the whole machine: checks beside each other share none */
  const ReeveConfinedSetup confinement
      = { .setup_us = self->options->seconds * G_USEC_PER_SEC,
          .cgroup = "none",
          .first_uid
          = CHECK_RUN_FIRST_UID + (guint32) getpid () % CHECK_RUN_PROCESSES * CHECK_RUN_UIDS };
  ReeveRegistrySetup setup
      = { .folders = folders, .pins = self->pins, .capabilities = self->capabilities };
  g_autoptr (ReeveRegistryEntry) entry = NULL;

  /* a script runs nowhere but in a process of its own, which is confined here as there */
  if (check_run_is_script (self))
    setup.confined = self->confined = reeve_confined_new (&confinement);

  check_report_begin (self->report, "manifest: a host would take it");
  self->registry = reeve_registry_new (&setup);
  reeve_registry_scan (self->registry);
  entry = reeve_registry_get (self->registry, reeve_manifest_get_id (self->manifest));
  check_report_expect (self->report, entry != NULL && entry->state == REEVE_PLUGIN_STATE_FOUND,
                       "%s",
                       entry != NULL && entry->reason != NULL ? entry->reason : "it was not found");
  check_report_end (self->report);
  return entry != NULL && entry->state == REEVE_PLUGIN_STATE_FOUND;
}

gboolean
check_run_load (CheckRun *self)
{
  if (!check_run_read_manifest (self) || !check_run_read_settings (self) || !check_run_pin (self))
    return FALSE;
  check_run_provide (self);
  return check_run_open (self);
}

ReevePlugin *
check_run_make (CheckRun *self, GType iface, gboolean wanted)
{
  g_autofree char *instance_id = g_strdup_printf ("check-%u", self->n_instances++);
  g_autoptr (GError) error = NULL;
  ReevePlugin *plugin = reeve_registry_instantiate (self->registry, instance_id,
                                                    reeve_manifest_get_id (self->manifest), iface,
                                                    json_node_get_object (self->settings), &error);

  if (plugin == NULL && wanted)
    check_report_note (self->report, "%s", error->message);
  return plugin;
}

void
check_run_shutdown (CheckRun *self)
{
  check_report_begin (self->report, "plugin: shuts down");
  reeve_registry_shutdown (self->registry);
  check_report_end (self->report);
}

static ReeveContext *
check_run_context (CheckRun *self, ReevePlugin *plugin, gint64 deadline, GCancellable *cancellable)
{
  static const char *const roles[] = { "operator", NULL };
  const ReeveContextInfo info = {
    .struct_size = sizeof info,
    .tenant_id = "check",
    .user_id = "usr_check",
    .agent_id = "agt_check",
    .run_id = "run_check",
    .trace_id = "00000000000000000000000000c0ffee",
    .deadline = deadline,
    .roles = roles,
  };

  return reeve_registry_new_context (self->registry, plugin, &info, cancellable);
}

ReeveContext *
check_run_new_context (CheckRun *self, ReevePlugin *plugin, GCancellable *cancellable)
{
  return check_run_context (
      self, plugin, g_get_monotonic_time () + self->options->seconds * G_USEC_PER_SEC, cancellable);
}

ReeveContext *
check_run_new_late_context (CheckRun *self, ReevePlugin *plugin)
{
  return check_run_context (self, plugin, g_get_monotonic_time () - 1, NULL);
}

void
check_run_parallel (GThreadFunc func, gpointer data)
{
  GThread *threads[4] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("check", func, data);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}
