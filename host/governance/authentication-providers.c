/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fails closed: a provider that knows the credentials and says no, or breaks, is the last one
 * asked; whoever goes on after an error is no user of this. */
#include "authentication-providers.h"

/* a provider that takes longer than this is not waited for */
#define REEVE_AUTHENTICATION_PROVIDERS_SECONDS 10

typedef struct
{
  char *id;
  ReeveRegistry *registry;
  ReevePlugin *instance;
} ReeveAuthenticationProvider;

struct _ReeveAuthenticationProviders
{
  GPtrArray *rows;
};

static void
reeve_authentication_providers_row_free (gpointer data)
{
  ReeveAuthenticationProvider *provider = data;

  reeve_registry_unref (provider->registry);
  g_object_unref (provider->instance);
  g_free (provider->id);
  g_free (provider);
}

/**
 * reeve_authentication_providers_new:
 *
 * Returns: (transfer full): none as yet
 */
ReeveAuthenticationProviders *
reeve_authentication_providers_new (void)
{
  ReeveAuthenticationProviders *self = g_new0 (ReeveAuthenticationProviders, 1);

  self->rows = g_ptr_array_new_with_free_func (reeve_authentication_providers_row_free);
  return self;
}

/**
 * reeve_authentication_providers_free:
 * @self: (transfer full): whom nobody asks any more
 */
void
reeve_authentication_providers_free (ReeveAuthenticationProviders *self)
{
  g_ptr_array_unref (self->rows);
  g_free (self);
}

/**
 * reeve_authentication_providers_add:
 * @self: providers, before the first is asked
 * @id: name of the provider in the configuration
 * @registry: what made @instance
 * @instance: a plugin that implements #ReeveAuth
 */
void
reeve_authentication_providers_add (ReeveAuthenticationProviders *self, const char *id,
                                    ReeveRegistry *registry, ReevePlugin *instance)
{
  ReeveAuthenticationProvider *provider = g_new0 (ReeveAuthenticationProvider, 1);

  provider->id = g_strdup (id);
  provider->registry = reeve_registry_ref (registry);
  provider->instance = g_object_ref (instance);
  g_ptr_array_add (self->rows, provider);
}

/**
 * reeve_authentication_providers_get_size:
 * @self: providers
 *
 * Returns: how many there are
 */
guint
reeve_authentication_providers_get_size (ReeveAuthenticationProviders *self)
{
  return self->rows->len;
}

/**
 * reeve_authentication_providers_knows:
 * @self: providers
 * @index: which
 * @credentials: what was shown
 *
 * Returns: whether the provider is to be asked
 */
gboolean
reeve_authentication_providers_knows (ReeveAuthenticationProviders *self, guint index,
                                      const ReeveCredentials *credentials)
{
  ReeveAuthenticationProvider *provider = g_ptr_array_index (self->rows, index);

  return reeve_auth_knows (REEVE_AUTH (provider->instance), credentials);
}

/* (transfer full) */
static ReeveContext *
reeve_authentication_providers_new_context (ReeveAuthenticationProvider *provider)
{
  ReeveContextInfo info = { .struct_size = sizeof info };

  info.deadline
      = g_get_monotonic_time () + REEVE_AUTHENTICATION_PROVIDERS_SECONDS * G_TIME_SPAN_SECOND;
  return reeve_registry_new_context (provider->registry, provider->instance, &info, NULL);
}

/**
 * reeve_authentication_providers_ask:
 * @self: providers
 * @index: which
 * @credentials: what was shown
 * @error: return location
 *
 * Returns: (transfer full) (nullable): as reeve_auth_authenticate()
 */
ReeveIdentity *
reeve_authentication_providers_ask (ReeveAuthenticationProviders *self, guint index,
                                    const ReeveCredentials *credentials, GError **error)
{
  ReeveAuthenticationProvider *provider = g_ptr_array_index (self->rows, index);
  g_autoptr (ReeveContext) context = reeve_authentication_providers_new_context (provider);
  ReeveIdentity *identity
      = reeve_auth_authenticate (REEVE_AUTH (provider->instance), credentials, context, error);

  if (identity == NULL)
    g_prefix_error (error, "provider %s: ", provider->id);
  return identity;
}

/**
 * reeve_authentication_providers_warm:
 * @self: providers
 * @index: which
 *
 * What it fails in is asked for again by the first caller who needs it.
 */
void
reeve_authentication_providers_warm (ReeveAuthenticationProviders *self, guint index)
{
  ReeveAuthenticationProvider *provider = g_ptr_array_index (self->rows, index);
  g_autoptr (ReeveContext) context = reeve_authentication_providers_new_context (provider);
  g_autoptr (GError) error = NULL;

  if (!reeve_auth_warm (REEVE_AUTH (provider->instance), context, &error))
    g_message ("provider %s is not ready as yet: %s", provider->id, error->message);
}
