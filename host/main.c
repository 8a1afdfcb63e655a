/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reeve-host: reads its configuration, opens the rooms, then the doors, and waits to be told to
 * stop. */
#include <errno.h>
#include <glib-unix.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sysexits.h>

#include "api/dbus/dbus-door.h"
#include "api/rest/rest.h"
#include "api/rest/tls.h"
#include "base/log.h"
#include "governance/self-test.h"
#include "care.h"
#include "keys-command.h"
#include "options.h"
#include "schema-command.h"
#include "startup.h"

/* how often the files of the certificate are looked at */
#define REEVE_MAIN_LOOK_SECONDS 2

#define REEVE_MAIN_MAP_BYTES (256 * 1024)

/* SIGTERM ends within 10 s: runs get most of it, answers the rest */
#define REEVE_MAIN_RUNS_US   (5 * G_USEC_PER_SEC)
#define REEVE_MAIN_ANSWER_US (1 * G_USEC_PER_SEC)

typedef struct
{
  ReeveOptions *options;
  ReeveConfig *config;
  ReeveState *state;
  ReeveRest *rest;
  ReeveStartup *startup;
  ReeveCare *care;
  ReeveDbusDoor *bus;
  GMainLoop *loop;
  guint look; /* source */
  gint jobs;  /* atomic: readings of the certificate under way */
} ReeveMain;

static int
reeve_main_fail (const GError *error, int code)
{
  if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION))
    code = EX_CONFIG;
  else if (g_error_matches (error, REEVE_ERROR, REEVE_ERROR_BUSY)
           || g_error_matches (error, REEVE_ERROR, REEVE_ERROR_ALREADY_EXISTS))
    code = EX_TEMPFAIL;
  fprintf (stderr, "reeve-host: %s\n", error->message);
  return code;
}

static gboolean
reeve_main_setup_log (ReeveConfig *config, GError **error)
{
  ReeveLogFormat format = REEVE_LOG_JSON;
  GLogLevelFlags level = G_LOG_LEVEL_INFO;

  if (!reeve_log_parse_format (reeve_config_get_string (config, "logging.format"), &format, error)
      || !reeve_log_parse_level (reeve_config_get_string (config, "logging.level"), &level, error))
    return FALSE;
  reeve_log_setup (format, level, reeve_config_get_boolean (config, "logging.include_context"),
                   reeve_config_get_boolean (config, "logging.anonymize_logs"), STDERR_FILENO);
  for (const char *const *warning = reeve_config_get_warnings (config);
       warning != NULL && *warning != NULL; warning++)
    g_warning ("%s", *warning);
  return TRUE;
}

/* Each client is a descriptor: take all that the system allows. */
static void
reeve_main_raise_limits (void)
{
  struct rlimit limit = { 0 };

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

/* glibc raises the size from which memory is mapped, and given back at once, with the greatest
 * piece that was ever freed: then a few large answers leave the heap in holes that never close. */
static void
reeve_main_keep_memory_flat (void)
{
  mallopt (M_MMAP_THRESHOLD, REEVE_MAIN_MAP_BYTES);
}

/* There are keys in this memory: no core dump of it, and nobody of the same user looks in. */
static void
reeve_main_close_memory (void)
{
  const char *debugging = g_getenv ("REEVE_DUMPABLE");

  if (g_strcmp0 (debugging, "1") == 0)
    return;
  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    g_warning ("cannot keep this process' memory from core dumps: %s", g_strerror (errno));
}

static gboolean
reeve_main_on_signal (gpointer data)
{
  ReeveMain *self = data;

  g_main_loop_quit (self->loop);
  return G_SOURCE_CONTINUE;
}

/* ---- files that may be replaced ---- */

static ReeveNetwork *
reeve_main_get_network (ReeveMain *self)
{
  return reeve_startup_get_services (self->startup)->network;
}

static void
reeve_main_reload_geography (ReeveMain *self)
{
  g_autoptr (GError) error = NULL;

  if (reeve_network_reload (reeve_main_get_network (self), &error))
    g_message ("the database of countries was read again");
  else
    g_warning ("server.geography.database: the old one stays: %s", error->message);
}

static void
reeve_main_reload (ReeveMain *self)
{
  g_autoptr (GError) error = NULL;

  if (reeve_rest_reload (self->rest, &error))
    g_message ("new connections are shown the certificate that was read again");
  else
    g_warning ("the certificate stays as it was: %s", error->message);
}

static void
reeve_main_work_on_reload (gpointer data)
{
  ReeveMain *self = data;

  if (reeve_rest_is_encrypted (self->rest))
    reeve_main_reload (self);
  if (reeve_network_get_geography (reeve_main_get_network (self)) != NULL)
    reeve_main_reload_geography (self);
  g_atomic_int_add (&self->jobs, -1);
}

static void
reeve_main_work_on_look (gpointer data)
{
  ReeveMain *self = data;

  if (reeve_rest_has_news (self->rest))
    reeve_main_reload (self);
  if (reeve_network_has_news (reeve_main_get_network (self)))
    reeve_main_reload_geography (self);
  g_atomic_int_add (&self->jobs, -1);
}

/* Files are read on a worker. */
static void
reeve_main_push (ReeveMain *self, ReeveWorkersFunc func)
{
  ReeveWorkers *workers = reeve_startup_get_services (self->startup)->workers;
  g_autoptr (GError) error = NULL;

  g_atomic_int_inc (&self->jobs);
  if (reeve_workers_push (workers, func, self, &error))
    return;
  g_atomic_int_add (&self->jobs, -1);
  g_warning ("reading files again: %s", error->message);
}

/* The certificate, the database of countries. */
static gboolean
reeve_main_has_files (ReeveMain *self)
{
  return self->startup != NULL
         && (reeve_rest_is_encrypted (self->rest)
             || reeve_network_get_geography (reeve_main_get_network (self)) != NULL);
}

static gboolean
reeve_main_on_hangup (gpointer data)
{
  ReeveMain *self = data;

  if (!g_main_loop_is_running (self->loop))
    return G_SOURCE_CONTINUE; /* stopping: the doors are closed */
  if (reeve_main_has_files (self))
    reeve_main_push (self, reeve_main_work_on_reload);
  else
    g_message ("SIGHUP: there is nothing to be read again");
  return G_SOURCE_CONTINUE;
}

static gboolean
reeve_main_on_look (gpointer data)
{
  ReeveMain *self = data;

  if (g_atomic_int_get (&self->jobs) == 0)
    reeve_main_push (self, reeve_main_work_on_look);
  return G_SOURCE_CONTINUE;
}

static void
reeve_main_watch_files (ReeveMain *self)
{
  if (reeve_main_has_files (self))
    self->look = g_timeout_add_seconds (REEVE_MAIN_LOOK_SECONDS, reeve_main_on_look, self);
}

/* ---- doors ---- */

/* The first thing that shows, and the only thing on stdout. */
static gboolean
reeve_main_announce (ReeveMain *self, GError **error)
{
  const char *const *urls = reeve_rest_get_urls (self->rest);

  if (!reeve_state_write_address (self->state, urls[0] != NULL ? urls[0] : "", error))
    return FALSE;
  for (guint i = 0; urls[i] != NULL; i++)
    printf ("listening %s\n", urls[i]);
  fflush (stdout);
  return TRUE;
}

static void
reeve_main_on_bus (gboolean owned, const char *reason, gpointer user_data)
{
  ReeveMain *self = user_data;

  if (!owned)
    g_warning ("not on the bus: %s", reason);
  g_atomic_int_set (&reeve_startup_get_services (self->startup)->ready, 1);
}

/* Looking for a bus that nobody has started would start one. */
static gboolean
reeve_main_has_session_bus (void)
{
  g_autofree char *socket = g_build_filename (g_get_user_runtime_dir (), "bus", NULL);

  return g_getenv ("DBUS_SESSION_BUS_ADDRESS") != NULL || g_file_test (socket, G_FILE_TEST_EXISTS);
}

/* Ready only when the name on the bus is owned, or it is known that it will not be. */
static void
reeve_main_open_bus (ReeveMain *self)
{
  ReeveServices *services = reeve_startup_get_services (self->startup);
  const char *bus = self->options->bus;

  if (bus == NULL && !reeve_main_has_session_bus ())
    {
      g_warning ("there is no session bus: serving HTTP only");
      bus = "none";
    }
  if (g_strcmp0 (bus, "none") == 0)
    {
      g_atomic_int_set (&services->ready, 1);
      return;
    }
  self->bus = reeve_dbus_door_new (services, g_strcmp0 (bus, "system") == 0 ? G_BUS_TYPE_SYSTEM
                                                                            : G_BUS_TYPE_SESSION);
  reeve_dbus_door_start (self->bus, reeve_main_on_bus, self);
}

static gint64
reeve_main_get_seconds (ReeveMain *self, const char *key)
{
  return reeve_config_get_int (self->config, key) * G_USEC_PER_SEC;
}

/* Nobody is let in through a gate that does not refuse what it must. */
static gboolean
reeve_main_test_gate (ReeveServices *services, GError **error)
{
  GError *local = NULL;

  if (!reeve_policies_prepare (services->policies, REEVE_SCOPE_PLATFORM, error))
    return FALSE;
  services->self_tested = reeve_self_test_run (services->admission, services->ledger,
                                               &services->self_test_us, &local);
  if (services->self_tested)
    return TRUE;
  /* it refused, and the disk cannot take the record: then nothing has an effect anyway */
  if (g_error_matches (local, REEVE_ERROR, REEVE_ERROR_READ_ONLY))
    {
      g_warning ("%s", local->message);
      g_error_free (local);
      return TRUE;
    }
  g_critical ("%s", local->message);
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
reeve_main_open (ReeveMain *self, GError **error)
{
  g_auto (GStrv) listen = reeve_config_get_strv (self->config, "server.listen");
  g_auto (GStrv) folders = reeve_options_list_plugin_folders (self->options, self->config);
  const ReeveRestSetup setup = {
    .addresses = (const char *const *) listen,
    .config = self->config,
    .threads = (guint) reeve_config_get_int (self->config, "server.threads"),
    .limits = {
      .max_body = (gsize) reeve_config_get_int (self->config, "server.max_body"),
      .max_header = (gsize) reeve_config_get_int (self->config, "server.max_header"),
      .max_unread = (gsize) reeve_config_get_int (self->config, "server.max_unread"),
      .keep_alive_us = reeve_main_get_seconds (self, "server.keep_alive"),
      .header_us = reeve_main_get_seconds (self, "server.header_timeout"),
      .body_us = reeve_main_get_seconds (self, "server.body_timeout"),
      .send_us = reeve_main_get_seconds (self, "server.send_timeout"),
      .max_connections = (guint) reeve_config_get_int (self->config, "server.max_connections"),
      .max_per_address
      = (guint) reeve_config_get_int (self->config, "server.max_connections_per_address"),
    },
  };
  ReeveServices *services = NULL;

  self->state = reeve_state_open (self->options->state_dir, error);
  if (self->state == NULL)
    return FALSE;
  self->rest = reeve_rest_new (&setup, error);
  if (self->rest == NULL)
    return FALSE;
  self->startup
      = reeve_startup_open (self->config, self->state, (const char *const *) folders, error);
  if (self->startup == NULL || !reeve_startup_recover (self->startup, error))
    return FALSE;
  services = reeve_startup_get_services (self->startup);
  services->address = g_strdup (reeve_rest_get_urls (self->rest)[0]);
  if (!reeve_main_test_gate (services, error))
    return FALSE;
  if (!reeve_rest_start (self->rest, services, error))
    return FALSE;
  self->care = reeve_care_new (services);
  reeve_main_watch_files (self);
  reeve_main_open_bus (self);
  return reeve_main_announce (self, error);
}

static void
reeve_main_close (ReeveMain *self)
{
  ReeveServices *services
      = self->startup != NULL ? reeve_startup_get_services (self->startup) : NULL;

  g_clear_handle_id (&self->look, g_source_remove);
  g_clear_pointer (&self->care, reeve_care_free);
  while (g_atomic_int_get (&self->jobs) > 0)
    g_usleep (1000);
  if (services != NULL)
    {
      g_atomic_int_set (&services->ready, 0);
      if (services->protection != NULL)
        reeve_protection_stop (services->protection);
      reeve_rest_stop_accepting (self->rest);
      if (self->bus != NULL)
        reeve_dbus_door_stop (self->bus);
      if (services->runs != NULL)
        reeve_runs_stop (services->runs, REEVE_MAIN_RUNS_US);
      reeve_rest_stop (self->rest, REEVE_MAIN_ANSWER_US);
    }
  g_clear_pointer (&self->bus, reeve_dbus_door_free);
  g_clear_pointer (&self->rest, reeve_rest_free);
  g_clear_pointer (&self->startup, reeve_startup_close);
  g_clear_pointer (&self->state, reeve_state_close);
}

static int
reeve_main_serve (ReeveMain *self)
{
  g_autoptr (GError) error = NULL;
  int code = 0;

  reeve_main_raise_limits ();
  reeve_main_keep_memory_flat ();
  self->loop = g_main_loop_new (NULL, FALSE);
  g_unix_signal_add (SIGTERM, reeve_main_on_signal, self);
  g_unix_signal_add (SIGINT, reeve_main_on_signal, self);
  g_unix_signal_add (SIGHUP, reeve_main_on_hangup, self);
  if (reeve_main_open (self, &error))
    g_main_loop_run (self->loop);
  else
    code = reeve_main_fail (error, EXIT_FAILURE);
  reeve_main_close (self);
  g_main_loop_unref (self->loop);
  return code;
}

/* The state folder is locked: no host runs on it meanwhile. */
static int
reeve_main_work_on_keys (ReeveMain *self)
{
  const ReeveOptions *options = self->options;
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  self->state = reeve_state_open (options->state_dir, &error);
  if (self->state != NULL)
    done = options->rotate_master_key != NULL
               ? reeve_keys_command_rotate (self->config, self->state, options->rotate_master_key,
                                            &error)
               : reeve_keys_command_accept (self->config, self->state, options->accept_stores,
                                            &error);
  g_clear_pointer (&self->state, reeve_state_close);
  return done ? 0 : reeve_main_fail (error, EXIT_FAILURE);
}

/* As above. */
static int
reeve_main_move_schema (ReeveMain *self)
{
  g_auto (GStrv) folders = reeve_options_list_plugin_folders (self->options, self->config);
  g_autoptr (GError) error = NULL;
  gboolean done = FALSE;

  self->state = reeve_state_open (self->options->state_dir, &error);
  if (self->state != NULL)
    self->startup = reeve_startup_open_storage (self->config, self->state,
                                                (const char *const *) folders, &error);
  if (self->startup != NULL)
    done = reeve_schema_command_run (reeve_startup_get_services (self->startup)->store,
                                     self->options->schema, &error);
  g_clear_pointer (&self->startup, reeve_startup_close);
  g_clear_pointer (&self->state, reeve_state_close);
  return done ? 0 : reeve_main_fail (error, EXIT_FAILURE);
}

/* The certificate is a part of the configuration: what would stop the start is told now. */
static int
reeve_main_check (ReeveMain *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (ReeveRestTls) tls = NULL;

  if (!reeve_rest_tls_is_configured (self->config))
    return 0;
  tls = reeve_rest_tls_new (self->config, &error);
  return tls != NULL ? 0 : reeve_main_fail (error, EX_CONFIG);
}

static int
reeve_main_run (ReeveMain *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (self->options->version)
    {
      printf ("reeve-host %s\n", REEVE_VERSION);
      return 0;
    }
  self->config = reeve_options_load_config (self->options, &error);
  if (self->config == NULL || !reeve_main_setup_log (self->config, &error))
    return reeve_main_fail (error, EX_CONFIG);
  if (self->options->print_config)
    {
      text = reeve_config_print (self->config);
      fputs (text, stdout);
      return 0;
    }
  if (self->options->check_config)
    return reeve_main_check (self);
  if (self->options->schema != NULL)
    return reeve_main_move_schema (self);
  if (self->options->rotate_master_key != NULL || self->options->accept_stores != NULL)
    return reeve_main_work_on_keys (self);
  return reeve_main_serve (self);
}

int
main (int argc, char **argv)
{
  ReeveMain self = { 0 };
  g_autoptr (GError) error = NULL;
  int code = 0;

  reeve_main_close_memory ();
  self.options = reeve_options_parse (argc, argv, &error);
  if (self.options == NULL)
    return reeve_main_fail (error, EX_USAGE);
  code = reeve_main_run (&self);
  g_clear_pointer (&self.config, reeve_config_unref);
  reeve_options_free (self.options);
  return code;
}
