/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service may ask its user for a password: who is not there to type it does not hold up a start
 * for ever. What crosses the bus is encrypted by libsecret. */
#include "master-key-service.h"

#include <libsecret/secret.h>
#include <string.h>

#include <reeve-plugin-1.h>

#define REEVE_MASTER_KEY_SERVICE_SECONDS 30

static const SecretSchema reeve_master_key_service_schema
    = { "io.reeve.MasterKey",
        SECRET_SCHEMA_NONE,
        { { "name", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
        0,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL,
        NULL };

typedef struct
{
  GMutex mutex;
  GCond cond;
  gboolean over;
  GCancellable *cancellable;
  GThread *thread;
} ReeveMasterKeyService;

static gpointer
reeve_master_key_service_watch (gpointer data)
{
  ReeveMasterKeyService *self = data;
  gint64 until = g_get_monotonic_time () + REEVE_MASTER_KEY_SERVICE_SECONDS * G_TIME_SPAN_SECOND;
  gboolean over = FALSE;

  g_mutex_lock (&self->mutex);
  while (!self->over && g_cond_wait_until (&self->cond, &self->mutex, until))
    ;
  over = self->over;
  g_mutex_unlock (&self->mutex);
  if (!over)
    g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
reeve_master_key_service_begin (ReeveMasterKeyService *self)
{
  *self = (ReeveMasterKeyService){ .cancellable = g_cancellable_new () };
  g_mutex_init (&self->mutex);
  g_cond_init (&self->cond);
  self->thread = g_thread_new ("reeve-secrets", reeve_master_key_service_watch, self);
}

static void
reeve_master_key_service_end (ReeveMasterKeyService *self)
{
  g_mutex_lock (&self->mutex);
  self->over = TRUE;
  g_cond_signal (&self->cond);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);
  g_object_unref (self->cancellable);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->mutex);
}

static void
reeve_master_key_service_set_error (GError **error, const char *doing, const char *name,
                                    const GError *reason)
{
  gboolean late = g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION,
               "%s master key \"%s\" in the Secret Service: %s", doing, name,
               late ? "no answer in time; is it locked, waiting for a password?" : reason->message);
}

/**
 * reeve_master_key_service_look_up:
 * @name: which one
 * @error: return location
 *
 * Returns: (transfer full): the key; %NULL with %REEVE_ERROR_NOT_FOUND when the service has none,
 * %REEVE_ERROR_CONFIGURATION when there is no service, it is locked, or what it has is no key
 */
ReeveMasterKey *
reeve_master_key_service_look_up (const char *name, GError **error)
{
  ReeveMasterKeyService watch = { 0 };
  g_autoptr (GError) local = NULL;
  ReeveMasterKey *key = NULL;
  char *text = NULL;

  reeve_master_key_service_begin (&watch);
  text = secret_password_lookup_nonpageable_sync (&reeve_master_key_service_schema,
                                                  watch.cancellable, &local, "name", name, NULL);
  reeve_master_key_service_end (&watch);
  if (text != NULL)
    {
      key = reeve_master_key_parse (text, strlen (text), error);
      if (key == NULL)
        g_prefix_error (error, "master key \"%s\" in the Secret Service: ", name);
      secret_password_free (text);
      return key;
    }
  if (local != NULL)
    reeve_master_key_service_set_error (error, "looking up", name, local);
  else
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                 "the Secret Service has no master key \"%s\" (schema %s, or it is locked)", name,
                 reeve_master_key_service_schema.name);
  return NULL;
}

/**
 * reeve_master_key_service_store:
 * @name: which one
 * @key: it
 * @error: return location
 *
 * Keeps a key in the default collection.
 *
 * Returns: %FALSE with %REEVE_ERROR_CONFIGURATION
 */
gboolean
reeve_master_key_service_store (const char *name, ReeveMasterKey *key, GError **error)
{
  ReeveMasterKeyService watch = { 0 };
  g_autoptr (GError) local = NULL;
  char *text = reeve_master_key_to_text (key);
  gboolean ok = FALSE;

  reeve_master_key_service_begin (&watch);
  ok = secret_password_store_sync (&reeve_master_key_service_schema, SECRET_COLLECTION_DEFAULT,
                                   "Reeve: master key of the stores", text, watch.cancellable,
                                   &local, "name", name, NULL);
  reeve_master_key_service_end (&watch);
  explicit_bzero (text, strlen (text));
  g_free (text);
  if (!ok)
    reeve_master_key_service_set_error (error, "keeping", name, local);
  return ok;
}
