/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A counter is raised under the condition that it stays within its limit, in one batch for all: so
 * calls at the same time, of several hosts too, cannot pass it together. A host that is killed
 * leaves what it had reserved as taken. */
#include "plugin-tokens.h"

#include <string.h>

#include "store/store-counters.h"

/* others take of the same between our reading and our writing */
#define REEVE_PLUGIN_TOKENS_TRIES 64
/* the end of a counter's name; behind it a grant's */
#define REEVE_PLUGIN_TOKENS_ALL "/tokens"

void
reeve_plugin_tokens_add (ReevePluginTokens *self, const ReeveDelegationBound *bound)
{
  if (bound->counter == NULL)
    return;
  /* a plugin below itself may stand on one grant more than once: tokens are taken of it once */
  for (guint i = 0; i < self->length; i++)
    if (strcmp (self->bounds[i].counter, bound->counter) == 0)
      {
        self->bounds[i].limit = MIN (self->bounds[i].limit, bound->limit);
        return;
      }
  if (self->length < REEVE_PLUGIN_TOKENS_MAX)
    self->bounds[self->length++] = *bound;
}

void
reeve_plugin_tokens_add_bounds (ReevePluginTokens *self, const ReeveDelegationBound *bounds)
{
  for (guint i = 0; i < REEVE_DELEGATION_BOUNDS; i++)
    reeve_plugin_tokens_add (self, &bounds[i]);
}

char *
reeve_plugin_tokens_name (const char *plugin_id, const char *grant_id)
{
  return g_strconcat ("plugin/", plugin_id, REEVE_PLUGIN_TOKENS_ALL, grant_id != NULL ? "/" : NULL,
                      grant_id, NULL);
}

/**
 * reeve_plugin_tokens_measure:
 * @self: bounds
 * @store: where they are counted
 * @tenant_id: in which tenant
 * @left: (out): tokens that are left of the one that has least; %G_MAXINT64: there is no bound
 * @error: return location
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_plugin_tokens_measure (const ReevePluginTokens *self, ReeveStore *store,
                             const char *tenant_id, gint64 *left, GError **error)
{
  *left = G_MAXINT64;
  for (guint i = 0; i < self->length; i++)
    {
      gint64 used = 0;

      if (!reeve_store_counters_get (store, tenant_id, self->bounds[i].counter, &used, error))
        return FALSE;
      *left = MIN (*left, MAX (self->bounds[i].limit - used, 0));
    }
  return TRUE;
}

/* Whose end it is: the one that has least left. */
static const char *
reeve_plugin_tokens_blame (const ReevePluginTokens *self, ReeveStore *store, const char *tenant_id)
{
  const char *least = "";
  gint64 left = G_MAXINT64;

  for (guint i = 0; i < self->length; i++)
    {
      gint64 used = 0;

      if (!reeve_store_counters_get (store, tenant_id, self->bounds[i].counter, &used, NULL)
          || self->bounds[i].limit - used >= left)
        continue;
      left = self->bounds[i].limit - used;
      least = self->bounds[i].counter;
    }
  return g_str_has_suffix (least, REEVE_PLUGIN_TOKENS_ALL)
             ? "plugins.ceiling.tokens gives the plugin in this tenant"
             : "the grant gives in this tenant";
}

/* %FALSE without an error: one of them would be passed */
static gboolean
reeve_plugin_tokens_count (const ReevePluginTokens *self, ReeveStore *store, const char *tenant_id,
                           gint64 delta, gboolean bounded, GError **error)
{
  g_autoptr (ReeveBatch) batch = reeve_batch_new (tenant_id);
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (GError) local = NULL;

  for (guint i = 0; i < self->length; i++)
    reeve_batch_count (batch, self->bounds[i].counter, delta, 0,
                       bounded ? self->bounds[i].limit : G_MAXINT64);
  result = reeve_store_commit (store, batch, &local);
  if (result == NULL && !g_error_matches (local, REEVE_ERROR, REEVE_ERROR_OUT_OF_RANGE))
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "counting tokens of a grant: ");
  return result != NULL;
}

/**
 * reeve_plugin_tokens_reserve:
 * @self: bounds
 * @store: where they are counted
 * @tenant_id: in which tenant
 * @least: tokens with which the call can be made
 * @most: tokens that it can take
 * @error: return location
 *
 * Reserves as many as are left, in `self->reserved`.
 *
 * Returns: %FALSE with %REEVE_ERROR_BUDGET_EXCEEDED, or an error of the store; nothing is reserved
 */
gboolean
reeve_plugin_tokens_reserve (ReevePluginTokens *self, ReeveStore *store, const char *tenant_id,
                             gint64 least, gint64 most, GError **error)
{
  gint64 left = 0;

  if (self->length == 0)
    return TRUE;
  for (guint i = 0; i < REEVE_PLUGIN_TOKENS_TRIES; i++)
    {
      g_autoptr (GError) local = NULL;

      if (!reeve_plugin_tokens_measure (self, store, tenant_id, &left, error))
        return FALSE;
      if (left < least)
        break;
      if (reeve_plugin_tokens_count (self, store, tenant_id, MIN (left, most), TRUE, &local))
        {
          self->reserved = MIN (left, most);
          return TRUE;
        }
      if (local != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUDGET_EXCEEDED,
               "%" G_GINT64_FORMAT " tokens are left of what %s, and the call may take "
               "%" G_GINT64_FORMAT,
               left, reeve_plugin_tokens_blame (self, store, tenant_id), least);
  return FALSE;
}

/**
 * reeve_plugin_tokens_settle:
 * @self: bounds
 * @store: where they are counted
 * @tenant_id: in which tenant
 * @taken: tokens that the call took in the end
 */
void
reeve_plugin_tokens_settle (ReevePluginTokens *self, ReeveStore *store, const char *tenant_id,
                            gint64 taken)
{
  g_autoptr (GError) error = NULL;

  if (self->length == 0 || taken == self->reserved)
    return;
  if (!reeve_plugin_tokens_count (self, store, tenant_id, taken - self->reserved, FALSE, &error))
    g_warning ("%" G_GINT64_FORMAT " tokens that a plugin did not take stay reserved: %s",
               self->reserved - taken, error != NULL ? error->message : "the counter is lower");
}
