/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lines come on the thread that reads them; a test asks for them on its own. */
#include "runner-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* what runners print, by the thread that reads it */
static GMutex printed_lock;
static GHashTable *printed; /* line -> itself */

static GLogWriterOutput
runner_fixture_keep_printed (GLogLevelFlags level, const GLogField *fields, gsize n_fields,
                             gpointer data)
{
  for (gsize i = 0; i < n_fields; i++)
    {
      const char *text = strcmp (fields[i].key, "MESSAGE") == 0 ? fields[i].value : NULL;
      const char *line = text != NULL ? strstr (text, " prints: ") : NULL;

      if (text != NULL && (line != NULL || strstr (text, " prints too much: ") != NULL))
        {
          g_mutex_lock (&printed_lock);
          g_hash_table_add (printed, g_strdup (line != NULL ? line + 9 : "too much"));
          g_mutex_unlock (&printed_lock);
          return G_LOG_WRITER_HANDLED;
        }
    }
  return g_log_writer_default (level, fields, n_fields, data);
}

gboolean
runner_fixture_has_printed (const char *line)
{
  g_mutex_lock (&printed_lock);
  gboolean found = g_hash_table_contains (printed, line);
  g_mutex_unlock (&printed_lock);
  return found;
}

void
runner_fixture_assert_printed (const char *line)
{
  gint64 end = g_get_monotonic_time () + RUNNER_FIXTURE_WAIT_US;

  while (!runner_fixture_has_printed (line) && g_get_monotonic_time () < end)
    g_usleep (1000);
  if (!runner_fixture_has_printed (line))
    g_error ("the runner did not print \"%s\"", line);
}

/* ---- runners ---- */

char *
runner_fixture_build_path (const char *name)
{
  return g_build_filename (g_getenv ("REEVE_CONFINE_DIR"), name, NULL);
}

RunnerFixture *
runner_fixture_new (RunnerLayersProfile profile, const char *module)
{
  RunnerFixture *self = g_new0 (RunnerFixture, 1);
  g_autofree char *path = module != NULL ? runner_fixture_build_path (module) : NULL;

  self->launcher = reeve_runner_launcher_new ();
  self->command = g_ptr_array_new_with_free_func (g_free);
  self->setup.name = "hostile";
  self->setup.profile = profile;
  self->setup.uid = geteuid () == 0 ? RUNNER_FIXTURE_UID : 0;
  self->setup.processes = geteuid () == 0 ? 16 : 4096;
  self->setup.files = 64;
  self->setup.file_size = 1 << 20;
  self->setup.wait_us = RUNNER_FIXTURE_WAIT_US;
  self->module = path != NULL ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  g_assert_true (path == NULL || self->module >= 0);
  return self;
}

void
runner_fixture_free (RunnerFixture *self)
{
  g_clear_error (&self->error);
  g_clear_pointer (&self->launcher, reeve_runner_launcher_unref);
  g_ptr_array_unref (self->command);
  if (self->module >= 0)
    close (self->module);
  g_free (self);
}

ReeveRunner *
runner_fixture_start (RunnerFixture *self, const char *before)
{
  g_auto (GStrv) words = g_strsplit (before != NULL ? before : "", " ", 0);

  g_ptr_array_set_size (self->command, 0);
  if (before != NULL)
    {
      g_ptr_array_add (self->command, runner_fixture_build_path ("without"));
      for (guint i = 0; words[i] != NULL; i++)
        g_ptr_array_add (self->command, g_strdup (words[i]));
      g_ptr_array_add (self->command, g_strdup ("--"));
    }
  g_ptr_array_add (self->command, g_strdup (g_getenv ("REEVE_PLUGIN_RUNNER")));
  g_ptr_array_add (self->command, NULL);
  self->setup.command = (const char *const *) self->command->pdata;
  g_clear_error (&self->error);
  return reeve_runner_new (self->launcher, &self->setup, self->module, &self->error);
}

gboolean
runner_fixture_offers (RunnerLayersProfile profile)
{
  g_autoptr (RunnerFixture) fixture = runner_fixture_new (profile, NULL);
  g_autoptr (ReeveRunner) probe = runner_fixture_start (fixture, NULL);
  RunnerLayers required = runner_layers_get_required (profile, geteuid () == 0);

  g_assert_no_error (fixture->error);
  return (required & ~reeve_runner_get_layers (probe)) == 0;
}

void
runner_fixture_assert_refused (ReeveRunner *runner, const GError *error)
{
  g_assert_null (runner);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (error->message, " of its confinement is missing ("));
  g_test_message ("this machine does not offer it: %s", error->message);
}

void
runner_fixture_forget_printed (void)
{
  g_mutex_lock (&printed_lock);
  g_hash_table_remove_all (printed);
  g_mutex_unlock (&printed_lock);
}

int
runner_fixture_run (void)
{
  int code = 0;

  printed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_log_set_writer_func (runner_fixture_keep_printed, NULL, NULL);
  code = g_test_run ();
  g_hash_table_unref (printed);
  return code;
}
