/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Grants lie in the platform's store and, all of them, in memory: each call of a capability asks.
 * Whoever is let through holds a lease. When grants change, or one comes to its end, the leases
 * that rest on nothing any more are cut, under the same lock as the change: a call either sees it
 * or is seen by it. */
#include "grants-private.h"

#include <string.h>

#include "base/times.h"

#include "directory.h"

/* a clock may be set: what is far off is looked at again */
#define REEVE_GRANTS_LOOK_MS 5000

G_DEFINE_FINAL_TYPE (ReeveGrants, reeve_grants, G_TYPE_OBJECT)

static void
reeve_grants_finalize (GObject *object)
{
  ReeveGrants *self = REEVE_GRANTS (object);

  reeve_grants_stop (self);
  g_clear_object (&self->store);
  g_clear_pointer (&self->registry, reeve_registry_unref);
  g_clear_pointer (&self->ceiling, reeve_grants_ceiling_free);
  g_clear_pointer (&self->page, reeve_grants_page_unref);
  g_hash_table_unref (self->first_party);
  g_hash_table_unref (self->leases);
  g_mutex_clear (&self->mutex);
  G_OBJECT_CLASS (reeve_grants_parent_class)->finalize (object);
}

static void
reeve_grants_class_init (ReeveGrantsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_grants_finalize;
}

static void
reeve_grants_init (ReeveGrants *self)
{
  g_mutex_init (&self->mutex);
  self->first_party = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->leases = g_hash_table_new (NULL, NULL);
}

/**
 * reeve_grants_new:
 * @store: where they are
 * @registry: the plugins, scanned
 * @ceiling: (transfer full): what can be granted at all
 *
 * Returns: (transfer full): grants; none before reeve_grants_load()
 */
ReeveGrants *
reeve_grants_new (ReeveStore *store, ReeveRegistry *registry, ReeveGrantsCeiling *ceiling)
{
  ReeveGrants *self = g_object_new (REEVE_TYPE_GRANTS, NULL);
  g_autoptr (GPtrArray) entries = reeve_registry_list (registry);

  self->store = g_object_ref (store);
  self->registry = reeve_registry_ref (registry);
  self->ceiling = ceiling;
  for (guint i = 0; i < entries->len; i++)
    {
      ReeveRegistryEntry *entry = g_ptr_array_index (entries, i);

      if (entry->first_party)
        g_hash_table_add (self->first_party, g_strdup (entry->id));
    }
  return self;
}

ReeveGrantsCeiling *
reeve_grants_get_ceiling (ReeveGrants *self)
{
  return self->ceiling;
}

gboolean
reeve_grants_is_hosts_own (ReeveGrants *self, const char *plugin_id)
{
  return g_hash_table_contains (self->first_party, plugin_id);
}

ReeveRegistryEntry *
reeve_grants_find_plugin (ReeveGrants *self, const char *plugin_id, GError **error)
{
  ReeveRegistryEntry *entry = reeve_registry_get (self->registry, plugin_id);

  if (entry == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, REEVE_STORE_MISSING, "plugins");
  return entry;
}

ReeveGrantsPage *
reeve_grants_look (ReeveGrants *self)
{
  ReeveGrantsPage *page = NULL;

  g_mutex_lock (&self->mutex);
  page = self->page != NULL ? reeve_grants_page_ref (self->page) : NULL;
  g_mutex_unlock (&self->mutex);
  return page;
}

/* ---- what is cut ---- */

typedef struct
{
  ReeveGrantsPage *page;
  gint64 now;
} ReeveGrantsMoment;

static gboolean
reeve_grants_on_review (const ReeveCapabilityTerms *terms, gpointer user_data)
{
  const ReeveGrantsMoment *moment = user_data;

  return reeve_grants_page_holds (moment->page, terms->grant_id, moment->now);
}

/* With the mutex. (transfer full): to be cut without it */
static GPtrArray *
reeve_grants_collect (ReeveGrants *self)
{
  GPtrArray *ended = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_capability_lease_unref);
  ReeveGrantsMoment moment = { self->page, reeve_times_now () };
  GHashTableIter iter;
  gpointer lease = NULL;

  g_hash_table_iter_init (&iter, self->leases);
  while (g_hash_table_iter_next (&iter, &lease, NULL))
    if (reeve_capability_lease_review (lease, reeve_grants_on_review, &moment))
      g_ptr_array_add (ended, reeve_capability_lease_ref (lease));
  return ended;
}

static void
reeve_grants_cut (GPtrArray *ended)
{
  for (guint i = 0; i < ended->len; i++)
    reeve_capability_lease_cut (g_ptr_array_index (ended, i));
}

static gboolean reeve_grants_on_alarm (gpointer user_data);

/* With the mutex. Ends come by themselves: the main context looks at the next one. */
static void
reeve_grants_arm (ReeveGrants *self)
{
  gint64 now = reeve_times_now ();
  gint64 next = self->page != NULL ? reeve_grants_page_get_next_end (self->page, now) : 0;

  if (self->alarm != NULL)
    g_source_destroy (self->alarm);
  g_clear_pointer (&self->alarm, g_source_unref);
  if (next == 0 || self->stopped)
    return;
  self->alarm = g_timeout_source_new ((guint) MIN ((next - now) / 1000 + 1, REEVE_GRANTS_LOOK_MS));
  g_source_set_callback (self->alarm, reeve_grants_on_alarm, g_object_ref (self), g_object_unref);
  g_source_attach (self->alarm, NULL);
}

static gboolean
reeve_grants_on_alarm (gpointer user_data)
{
  ReeveGrants *self = user_data;
  g_autoptr (GPtrArray) ended = NULL;

  g_mutex_lock (&self->mutex);
  ended = reeve_grants_collect (self);
  /* another one may have been set meanwhile */
  if (self->alarm == g_main_current_source ())
    reeve_grants_arm (self);
  g_mutex_unlock (&self->mutex);
  reeve_grants_cut (ended);
  reeve_registry_look (self->registry);
  return G_SOURCE_REMOVE;
}

/**
 * reeve_grants_stop:
 * @self: grants
 *
 * No more ends are waited for: before the main context goes. Twice is as once.
 */
void
reeve_grants_stop (ReeveGrants *self)
{
  g_autoptr (GSource) alarm = NULL;

  g_mutex_lock (&self->mutex);
  self->stopped = TRUE;
  alarm = g_steal_pointer (&self->alarm);
  g_mutex_unlock (&self->mutex);
  if (alarm != NULL)
    g_source_destroy (alarm);
}

/* ---- reading ---- */

/* (transfer full) (nullable) */
static ReeveGrantsPage *
reeve_grants_read (ReeveGrants *self, GError **error)
{
  g_autoptr (ReeveGrantsPage) page = reeve_grants_page_new ();
  g_autoptr (GPtrArray) records = reeve_directory_read_all (self->store, REEVE_SCOPE_PLATFORM,
                                                            REEVE_STORE_GRANTS, NULL, NULL, error);

  if (records == NULL)
    {
      g_prefix_error (error, "reading grants: ");
      return NULL;
    }
  for (guint i = 0; i < records->len; i++)
    reeve_grants_page_add (page, g_ptr_array_index (records, i));
  return g_steal_pointer (&page);
}

/**
 * reeve_grants_load:
 * @self: grants
 * @error: return location
 *
 * Two that read at once: whoever finds that another has read meanwhile reads again, so that what is
 * older never stays.
 *
 * Returns: %FALSE with an error of the store
 */
gboolean
reeve_grants_load (ReeveGrants *self, GError **error)
{
  g_autoptr (ReeveGrantsPage) before = reeve_grants_look (self);
  gboolean settled = FALSE;

  while (!settled)
    {
      g_autoptr (ReeveGrantsPage) page = reeve_grants_read (self, error);
      g_autoptr (ReeveGrantsPage) old = NULL;
      g_autoptr (GPtrArray) ended = NULL;

      if (page == NULL)
        return FALSE;
      g_mutex_lock (&self->mutex);
      settled = self->page == before;
      if (settled)
        {
          old = self->page;
          self->page = g_steal_pointer (&page);
          ended = reeve_grants_collect (self);
          reeve_grants_arm (self);
        }
      else
        {
          old = g_steal_pointer (&before);
          before = reeve_grants_page_ref (self->page);
        }
      g_mutex_unlock (&self->mutex);
      if (ended != NULL)
        reeve_grants_cut (ended);
    }
  reeve_registry_look (self->registry);
  return TRUE;
}

gboolean
reeve_grants_commit (ReeveGrants *self, ReeveAdmitted *admitted, const char *operation,
                     const char *name, JsonObject *params, ReeveBatch *batch, GError **error)
{
  g_autoptr (ReeveBatchResult) result = NULL;

  reeve_admitted_consume_exactly (admitted, operation, name, params);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL && reeve_grants_load (self, error);
}

/* ---- asking ---- */

/* Why there is no grant: what was given and ended says so. */
static gboolean
reeve_grants_refuse (GPtrArray *rows, const char *plugin_id, const char *capability,
                     const char *tenant_id, GError **error)
{
  const ReeveGrantsPageRow *last = NULL;
  g_autofree char *when = NULL;

  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const ReeveGrantsPageRow *row = g_ptr_array_index (rows, i);

      if (reeve_grants_page_row_concerns (row, tenant_id))
        last = row;
    }
  if (last != NULL)
    when = reeve_times_format (last->revoked_at != 0 ? last->revoked_at : last->until);
  g_set_error (error, REEVE_ERROR,
               last != NULL ? REEVE_ERROR_CAPABILITY_REVOKED : REEVE_ERROR_CAPABILITY,
               "plugin %s %s capability %s%s%s%s%s; an administrator grants it: reevectl plugins "
               "grant %s %s --reason WHY",
               plugin_id, last != NULL ? "no more has" : "is not granted", capability,
               tenant_id != NULL ? " in tenant " : "", tenant_id != NULL ? tenant_id : "",
               last == NULL            ? ""
               : last->revoked_at != 0 ? ": it was taken back at "
                                       : ": the time it was granted for ended at ",
               when != NULL ? when : "", plugin_id, capability);
  return FALSE;
}

/* With the mutex. (transfer full) (nullable): terms of the grants that hold for that tenant */
static GPtrArray *
reeve_grants_gather (GPtrArray *rows, const char *tenant_id)
{
  GPtrArray *terms = NULL;
  gint64 now = reeve_times_now ();

  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      const ReeveGrantsPageRow *row = g_ptr_array_index (rows, i);

      if (!reeve_grants_page_row_holds (row, now)
          || !reeve_grants_page_row_concerns (row, tenant_id))
        continue;
      if (terms == NULL)
        terms = g_ptr_array_new ();
      g_ptr_array_add (terms, row->terms);
    }
  return terms;
}

static gboolean
reeve_grants_check_known (ReeveGrants *self, const char *plugin_id, const char *capability,
                          gboolean *asked, GError **error)
{
  const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_find (capability);
  const char *key = reeve_grants_ceiling_find_key (self->ceiling, capability);

  *asked = row == NULL || row->kind == REEVE_GRANT_ASKED;
  if (row != NULL && row->kind == REEVE_GRANT_ALWAYS)
    return TRUE;
  if (row == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                 "there is no capability %s that plugin %s could be granted", capability,
                 plugin_id);
  else if (row->kind == REEVE_GRANT_HOST && !reeve_grants_is_hosts_own (self, plugin_id))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                 "capability %s is for plugins that come with the host, and %s does not",
                 capability, plugin_id);
  else if (*asked && key != NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY,
                 "capability %s of plugin %s is beyond what this deployment allows: %s of the "
                 "configuration",
                 capability, plugin_id, key);
  else
    return TRUE;
  return FALSE;
}

static gboolean
reeve_grants_acquire (const char *plugin_id, const char *capability, const char *tenant_id,
                      gpointer user_data, ReeveCapabilityLease **lease, GError **error)
{
  ReeveGrants *self = user_data;
  g_autoptr (ReeveGrantsPage) page = NULL;
  g_autoptr (GPtrArray) terms = NULL;
  GPtrArray *rows = NULL;
  gboolean asked = TRUE;

  if (!reeve_grants_check_known (self, plugin_id, capability, &asked, error))
    return FALSE;
  if (!asked)
    return TRUE;
  g_mutex_lock (&self->mutex);
  page = self->page != NULL ? reeve_grants_page_ref (self->page) : NULL;
  rows = page != NULL ? reeve_grants_page_find (page, plugin_id, capability) : NULL;
  terms = reeve_grants_gather (rows, tenant_id);
  if (terms != NULL)
    {
      *lease = reeve_capability_lease_new (plugin_id, capability, terms,
                                           reeve_grants_ceiling_get_terms (self->ceiling));
      g_hash_table_add (self->leases, *lease);
    }
  g_mutex_unlock (&self->mutex);
  return terms != NULL || reeve_grants_refuse (rows, plugin_id, capability, tenant_id, error);
}

static void
reeve_grants_release (ReeveCapabilityLease *lease, gpointer user_data)
{
  ReeveGrants *self = user_data;

  g_mutex_lock (&self->mutex);
  g_hash_table_remove (self->leases, lease);
  g_mutex_unlock (&self->mutex);
  reeve_capability_lease_unref (lease);
}

/**
 * reeve_grants_provide:
 * @self: grants; outlive the calls of plugins
 * @capabilities: what this host offers
 *
 * From now on a call of a capability needs a grant.
 */
void
reeve_grants_provide (ReeveGrants *self, ReeveCapabilities *capabilities)
{
  const ReeveCapabilityGrants grants = { reeve_grants_acquire, reeve_grants_release };

  reeve_capabilities_set_grants (capabilities, &grants, self);
}
