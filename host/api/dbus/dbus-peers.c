/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bus itself says which uid a connection has (GetConnectionUnixUser), and never gives a unique
 * name twice, so that answer is kept until the connection goes. On the system bus polkit decides.
 */
#include "dbus-peers.h"

#include <unistd.h>

struct _ReeveDbusPeers
{
  GDBusConnection *connection;
  GBusType bus;
  ReeveAuthentication *authentication;
  GHashTable *uids;   /* unique name -> uid + 1 */
  GHashTable *tokens; /* unique name -> token */
  GHashTable *coming; /* unique names that logged in and have not gone */
  guint watch;
};

typedef struct
{
  ReeveDbusPeers *peers;
  char *sender;
  char *action;
  ReeveDbusPeersFunc func;
  gpointer user_data;
} ReeveDbusPeersJob;

static void
reeve_dbus_peers_on_owner_changed (GDBusConnection *connection, const char *sender,
                                   const char *path, const char *interface, const char *signal,
                                   GVariant *parameters, gpointer user_data)
{
  ReeveDbusPeers *self = user_data;
  const char *name = NULL;
  const char *now = NULL;

  g_variant_get (parameters, "(&s&s&s)", &name, NULL, &now);
  if (*now != '\0')
    return;
  g_hash_table_remove (self->uids, name);
  g_hash_table_remove (self->tokens, name);
  g_hash_table_remove (self->coming, name);
}

/**
 * reeve_dbus_peers_new:
 * @connection: to the bus
 * @bus: which bus
 * @authentication: knows the owner
 *
 * Returns: (transfer full): nobody known yet
 */
ReeveDbusPeers *
reeve_dbus_peers_new (GDBusConnection *connection, GBusType bus,
                      ReeveAuthentication *authentication)
{
  ReeveDbusPeers *self = g_new0 (ReeveDbusPeers, 1);

  self->connection = g_object_ref (connection);
  self->bus = bus;
  self->authentication = g_object_ref (authentication);
  self->uids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->coming = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->watch = g_dbus_connection_signal_subscribe (
      connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
      "/org/freedesktop/DBus", NULL, G_DBUS_SIGNAL_FLAGS_NONE, reeve_dbus_peers_on_owner_changed,
      self, NULL);
  return self;
}

/**
 * reeve_dbus_peers_free:
 * @self: (transfer full): peers
 */
void
reeve_dbus_peers_free (ReeveDbusPeers *self)
{
  g_dbus_connection_signal_unsubscribe (self->connection, self->watch);
  g_hash_table_unref (self->uids);
  g_hash_table_unref (self->tokens);
  g_hash_table_unref (self->coming);
  g_object_unref (self->authentication);
  g_object_unref (self->connection);
  g_free (self);
}

/**
 * reeve_dbus_peers_expect:
 * @self: peers
 * @sender: unique name of a connection that begins to log in
 *
 * So that it is noticed when it goes before it is bound.
 */
void
reeve_dbus_peers_expect (ReeveDbusPeers *self, const char *sender)
{
  g_hash_table_add (self->coming, g_strdup (sender));
}

/**
 * reeve_dbus_peers_bind:
 * @self: peers
 * @sender: unique name of a connection
 * @token: (nullable): a key or token of a user
 *
 * Binds a connection to a user, unless it has gone since it was expected.
 */
void
reeve_dbus_peers_bind (ReeveDbusPeers *self, const char *sender, const char *token)
{
  gboolean here = g_hash_table_contains (self->coming, sender);

  if (token != NULL && here)
    g_hash_table_replace (self->tokens, g_strdup (sender), g_strdup (token));
  else
    g_hash_table_remove (self->tokens, sender);
}

static void
reeve_dbus_peers_job_free (ReeveDbusPeersJob *job)
{
  g_free (job->sender);
  g_free (job->action);
  g_free (job);
}

static void
reeve_dbus_peers_answer (ReeveDbusPeersJob *job, gboolean let_in, const char *why)
{
  g_autoptr (ReeveCaller) caller = NULL;
  g_autoptr (GError) error = NULL;

  if (let_in)
    caller = reeve_authentication_new_owner (job->peers->authentication, "dbus");
  else
    g_set_error (&error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED, "%s", why);
  job->func (caller, NULL, error, job->user_data);
  reeve_dbus_peers_job_free (job);
}

/* ---- system bus ---- */

static void
reeve_dbus_peers_on_polkit (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveDbusPeersJob *job = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  gboolean authorised = FALSE;
  g_autofree char *why = NULL;

  if (answer != NULL)
    g_variant_get (answer, "((bba{ss}))", &authorised, NULL, NULL);
  why = g_strdup_printf (
      "polkit does not let this caller use %s%s%s; Login binds the connection to a user instead",
      job->action, error != NULL ? ": " : "", error != NULL ? error->message : "");
  reeve_dbus_peers_answer (job, authorised, why);
}

static void
reeve_dbus_peers_ask_polkit (ReeveDbusPeersJob *job)
{
  GVariantBuilder subject = { 0 };
  GVariantBuilder details = { 0 };

  g_variant_builder_init (&subject, G_VARIANT_TYPE ("a{sv}"));
  g_variant_builder_add (&subject, "{sv}", "name", g_variant_new_string (job->sender));
  g_variant_builder_init (&details, G_VARIANT_TYPE ("a{ss}"));
  g_dbus_connection_call (job->peers->connection, "org.freedesktop.PolicyKit1",
                          "/org/freedesktop/PolicyKit1/Authority",
                          "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
                          g_variant_new ("((sa{sv})sa{ss}us)", "system-bus-name", &subject,
                                         job->action, &details, 0, ""),
                          G_VARIANT_TYPE ("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, 30000, NULL,
                          reeve_dbus_peers_on_polkit, job);
}

/* ---- session bus ---- */

static void
reeve_dbus_peers_judge (ReeveDbusPeersJob *job, guint32 uid)
{
  reeve_dbus_peers_answer (job, uid == getuid (),
                           "only the owner of this bus may call without Login");
}

static void
reeve_dbus_peers_on_uid (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ReeveDbusPeersJob *job = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer
      = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  guint32 uid = 0;

  if (answer == NULL)
    {
      reeve_dbus_peers_answer (job, FALSE, error->message);
      return;
    }
  g_variant_get (answer, "(u)", &uid);
  g_hash_table_replace (job->peers->uids, g_strdup (job->sender),
                        GSIZE_TO_POINTER ((gsize) uid + 1));
  reeve_dbus_peers_judge (job, uid);
}

static void
reeve_dbus_peers_ask_bus (ReeveDbusPeersJob *job)
{
  gsize known = GPOINTER_TO_SIZE (g_hash_table_lookup (job->peers->uids, job->sender));

  if (known != 0)
    {
      reeve_dbus_peers_judge (job, (guint32) (known - 1));
      return;
    }
  g_dbus_connection_call (job->peers->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                          "org.freedesktop.DBus", "GetConnectionUnixUser",
                          g_variant_new ("(s)", job->sender), G_VARIANT_TYPE ("(u)"),
                          G_DBUS_CALL_FLAGS_NONE, 5000, NULL, reeve_dbus_peers_on_uid, job);
}

/**
 * reeve_dbus_peers_identify:
 * @self: peers
 * @sender: unique name of a connection
 * @action: what polkit is asked for
 * @func: (scope async): called once, now or later
 * @user_data: closure
 *
 * Finds out who calls.
 */
void
reeve_dbus_peers_identify (ReeveDbusPeers *self, const char *sender, const char *action,
                           ReeveDbusPeersFunc func, gpointer user_data)
{
  const char *token = g_hash_table_lookup (self->tokens, sender);
  ReeveDbusPeersJob *job = NULL;

  if (token != NULL)
    {
      func (NULL, token, NULL, user_data);
      return;
    }
  job = g_new0 (ReeveDbusPeersJob, 1);
  job->peers = self;
  job->sender = g_strdup (sender);
  job->action = g_strdup (action);
  job->func = func;
  job->user_data = user_data;
  if (self->bus == G_BUS_TYPE_SYSTEM)
    reeve_dbus_peers_ask_polkit (job);
  else
    reeve_dbus_peers_ask_bus (job);
}
