/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which host, by which way. */
#include "cli-host.h"

#include <string.h>
#include <unistd.h>

#include "cli-host-private.h"

/**
 * reeve_cli_answer_free:
 * @answer: (transfer full): an answer
 */
/* layers: allow prefix: the answer is a type of its own, named as callers say it */
void
reeve_cli_answer_free (ReeveCliAnswer *answer)
{
  g_free (answer->body);
  g_free (answer->detail);
  g_free (answer);
}

ReeveCliAnswer *
reeve_cli_host_new_answer (int exit, char *body, char *detail)
{
  ReeveCliAnswer *answer = g_new0 (ReeveCliAnswer, 1);

  answer->exit = exit;
  answer->body = body != NULL ? body : g_strdup ("");
  answer->detail = detail;
  return answer;
}

/**
 * reeve_cli_host_get_state_dir:
 * @options: the command line
 *
 * Returns: (transfer full): the state folder named there, else the default of reeve-host
 */
char *
reeve_cli_host_get_state_dir (ReeveCliOptions *options)
{
  if (options->state_dir != NULL)
    return g_strdup (options->state_dir);
  if (getuid () == 0)
    return g_strdup ("/var/lib/reeve");
  return g_build_filename (g_get_user_state_dir (), "reeve", NULL);
}

static char *
reeve_cli_host_read_line (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  char *text = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  text[strcspn (text, "\r\n")] = '\0';
  return text;
}

static void
reeve_cli_host_use_url (ReeveCliHost *self, const char *url, const char *token)
{
  gsize length = strlen (url);

  while (length > 0 && url[length - 1] == '/')
    length--;
  self->url = g_strndup (url, length);
  self->token = g_strdup (token);
  self->name = g_strdup (self->url);
}

static gboolean
reeve_cli_host_use_state (ReeveCliHost *self, ReeveCliOptions *options, GError **error)
{
  g_autofree char *folder = reeve_cli_host_get_state_dir (options);
  g_autofree char *address = reeve_cli_host_read_line (folder, "address");
  g_autofree char *key = reeve_cli_host_read_line (folder, "admin.key");

  if (address != NULL)
    {
      reeve_cli_host_use_url (self, address, options->token != NULL ? options->token : key);
      return TRUE;
    }
  g_set_error (
      error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE,
      "no host: none on the session bus, and %s holds no address; start reeve-host or name one "
      "with --url",
      folder);
  return FALSE;
}

static gboolean
reeve_cli_host_use_bus (ReeveCliHost *self, const char *bus, GError **error)
{
  if (strcmp (bus, "session") == 0)
    return reeve_cli_host_connect_bus (self, G_BUS_TYPE_SESSION, error);
  if (strcmp (bus, "system") == 0)
    return reeve_cli_host_connect_bus (self, G_BUS_TYPE_SYSTEM, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "option --bus is session or system");
  return FALSE;
}

static gboolean
reeve_cli_host_choose (ReeveCliHost *self, ReeveCliOptions *options, GError **error)
{
  const char *url = options->url;
  const char *token = options->token;

  if (options->bus != NULL)
    return reeve_cli_host_use_bus (self, options->bus, error);
  if (url == NULL && options->state_dir == NULL)
    url = g_getenv ("REEVE_URL");
  if (token == NULL)
    token = g_getenv ("REEVE_TOKEN");
  if (url != NULL && *url != '\0')
    {
      reeve_cli_host_use_url (self, url, token);
      return TRUE;
    }
  if (options->state_dir == NULL && options->token == NULL
      && reeve_cli_host_connect_bus (self, G_BUS_TYPE_SESSION, NULL))
    return TRUE;
  return reeve_cli_host_use_state (self, options, error);
}

/* What is asked for there is appended to it. */
static gboolean
reeve_cli_host_check_url (const char *url, GError **error)
{
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;
  const char *scheme = uri != NULL ? g_uri_get_scheme (uri) : NULL;

  if (url == NULL)
    return TRUE;
  if (scheme != NULL && (strcmp (scheme, "http") == 0 || strcmp (scheme, "https") == 0)
      && g_uri_get_host (uri) != NULL && *g_uri_get_host (uri) != '\0'
      && g_uri_get_query (uri) == NULL && g_uri_get_fragment (uri) == NULL)
    return TRUE;
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
               "\"%s\" is no address of a host, as http://127.0.0.1:8080 is", url);
  return FALSE;
}

/* libsoup leaves out a field with a line break: the command would act in another tenant. */
static gboolean
reeve_cli_host_check_word (const char *what, const char *word, GError **error)
{
  for (const char *at = word; at != NULL && *at != '\0'; at++)
    {
      if (!g_ascii_iscntrl (*at))
        continue;
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                   "the %s has a line break or another control character", what);
      return FALSE;
    }
  return TRUE;
}

/**
 * reeve_cli_host_new:
 * @options: the command line
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the way to a host
 */
ReeveCliHost *
reeve_cli_host_new (ReeveCliOptions *options, GError **error)
{
  g_autoptr (ReeveCliHost) self = g_new0 (ReeveCliHost, 1);

  self->tenant = g_strdup (options->tenant);
  self->ca = g_strdup (options->ca != NULL ? options->ca : g_getenv ("REEVE_CA"));
  if (!reeve_cli_host_choose (self, options, error) || !reeve_cli_host_check_url (self->url, error)
      || !reeve_cli_host_check_word ("tenant", self->tenant, error)
      || !reeve_cli_host_check_word ("token", self->token, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * reeve_cli_host_free:
 * @self: (transfer full): a way
 */
void
reeve_cli_host_free (ReeveCliHost *self)
{
  g_clear_object (&self->session);
  g_clear_object (&self->connection);
  g_free (self->url);
  g_free (self->token);
  g_free (self->tenant);
  g_free (self->ca);
  g_free (self->name);
  g_free (self);
}

/**
 * reeve_cli_host_describe:
 * @self: a way
 *
 * Returns: (transfer none): it, for people
 */
const char *
reeve_cli_host_describe (ReeveCliHost *self)
{
  return self->name;
}

/**
 * reeve_cli_host_call:
 * @self: a way
 * @command: what to ask
 * @params: all members of the operation
 * @events: (nullable) (scope call): receives a stream as it comes
 * @user_data: closure
 *
 * Returns: (transfer full): what was answered
 */
ReeveCliAnswer *
reeve_cli_host_call (ReeveCliHost *self, const ReeveCliCommand *command, JsonObject *params,
                     ReeveCliEventFunc events, gpointer user_data)
{
  if (self->url != NULL)
    return reeve_cli_host_call_rest (self, command, params, events, user_data);
  return reeve_cli_host_call_bus (self, command, params, events, user_data);
}
