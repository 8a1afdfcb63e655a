/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tenant has a slot for what was since the start and two rings of slots: twelve and one of five
 * minutes, twenty-four and one of an hour; the one that is under way is among them. Whoever comes
 * first in a new slot of time empties what a ring had there. */
#include "service-levels.h"

#include "base/metrics-table.h"
#include "base/metrics.h"

#define REEVE_SERVICE_LEVELS_FINE   13
#define REEVE_SERVICE_LEVELS_COARSE 25

typedef struct
{
  gint64 number;  /* atomic: of the time since the start; -1: never used */
  guint64 errors; /* atomic */
  ReeveQuantiles *times;
} ReeveServiceLevelsSlot;

typedef struct
{
  ReeveMetricsKey key; /* tenant id */
  GMutex turning;
  ReeveServiceLevelsSlot all;
  ReeveServiceLevelsSlot fine[REEVE_SERVICE_LEVELS_FINE];
  ReeveServiceLevelsSlot coarse[REEVE_SERVICE_LEVELS_COARSE];
} ReeveServiceLevelsTenant;

struct _ReeveServiceLevels
{
  ReeveMetricsTable *tenants;
  GMutex adding;
  gint64 started;
};

static void
reeve_service_levels_open_slots (ReeveServiceLevelsSlot *slots, guint length)
{
  for (guint i = 0; i < length; i++)
    {
      slots[i].number = -1;
      slots[i].times = reeve_quantiles_new ();
    }
}

static void
reeve_service_levels_close_slots (ReeveServiceLevelsSlot *slots, guint length)
{
  for (guint i = 0; i < length; i++)
    reeve_quantiles_free (slots[i].times);
}

static void
reeve_service_levels_tenant_free (gpointer data)
{
  ReeveServiceLevelsTenant *tenant = data;

  reeve_service_levels_close_slots (&tenant->all, 1);
  reeve_service_levels_close_slots (tenant->fine, REEVE_SERVICE_LEVELS_FINE);
  reeve_service_levels_close_slots (tenant->coarse, REEVE_SERVICE_LEVELS_COARSE);
  g_mutex_clear (&tenant->turning);
  reeve_metrics_table_key_clear (&tenant->key);
  g_free (tenant);
}

void
reeve_service_levels_free (ReeveServiceLevels *self)
{
  reeve_metrics_table_free (self->tenants);
  g_mutex_clear (&self->adding);
  g_free (self);
}

static ReeveServiceLevelsTenant *
reeve_service_levels_look (ReeveServiceLevels *self, const char *tenant_id)
{
  return reeve_metrics_table_lookup (self->tenants, REEVE_LABELS (tenant_id));
}

static ReeveServiceLevelsTenant *
reeve_service_levels_make (const char *tenant_id)
{
  ReeveServiceLevelsTenant *tenant = g_new0 (ReeveServiceLevelsTenant, 1);

  reeve_metrics_table_key_init (&tenant->key, REEVE_LABELS (tenant_id), 1);
  g_mutex_init (&tenant->turning);
  reeve_service_levels_open_slots (&tenant->all, 1);
  reeve_service_levels_open_slots (tenant->fine, REEVE_SERVICE_LEVELS_FINE);
  reeve_service_levels_open_slots (tenant->coarse, REEVE_SERVICE_LEVELS_COARSE);
  return tenant;
}

/**
 * reeve_service_levels_new:
 * @tenants: how many are told apart
 * @now: monotonic µs
 *
 * Returns: (transfer full): service levels that begin now
 */
ReeveServiceLevels *
reeve_service_levels_new (guint tenants, gint64 now)
{
  ReeveServiceLevels *self = g_new0 (ReeveServiceLevels, 1);

  self->tenants = reeve_metrics_table_new (tenants + 1, 1, reeve_service_levels_tenant_free);
  (void) reeve_metrics_table_add (self->tenants, reeve_service_levels_make (""));
  g_mutex_init (&self->adding);
  self->started = now;
  return self;
}

/* (transfer none): of a tenant, or of nobody where there are as many as may be */
static ReeveServiceLevelsTenant *
reeve_service_levels_need (ReeveServiceLevels *self, const char *tenant_id)
{
  ReeveServiceLevelsTenant *tenant = reeve_service_levels_look (self, tenant_id);

  if (tenant == NULL && !reeve_metrics_table_is_full (self->tenants))
    {
      g_mutex_lock (&self->adding);
      tenant = reeve_service_levels_look (self, tenant_id);
      if (tenant == NULL && !reeve_metrics_table_is_full (self->tenants))
        {
          tenant = reeve_service_levels_make (tenant_id);
          (void) reeve_metrics_table_add (self->tenants, tenant);
        }
      g_mutex_unlock (&self->adding);
    }
  return tenant != NULL ? tenant : reeve_metrics_table_get (self->tenants, 0);
}

static void
reeve_service_levels_count (ReeveServiceLevelsSlot *slot, gboolean error, gint64 duration_us)
{
  if (error)
    __atomic_fetch_add (&slot->errors, 1, __ATOMIC_RELAXED);
  reeve_quantiles_add (slot->times, duration_us);
}

/* The slot of now; whoever is the first in it empties it. */
static ReeveServiceLevelsSlot *
reeve_service_levels_turn (ReeveServiceLevelsTenant *tenant, ReeveServiceLevelsSlot *slots,
                           guint length, gint64 number)
{
  ReeveServiceLevelsSlot *slot = &slots[number % length];

  if (__atomic_load_n (&slot->number, __ATOMIC_ACQUIRE) == number)
    return slot;
  g_mutex_lock (&tenant->turning);
  if (__atomic_load_n (&slot->number, __ATOMIC_RELAXED) != number)
    {
      reeve_quantiles_clear (slot->times);
      __atomic_store_n (&slot->errors, 0, __ATOMIC_RELAXED);
      __atomic_store_n (&slot->number, number, __ATOMIC_RELEASE);
    }
  g_mutex_unlock (&tenant->turning);
  return slot;
}

/**
 * reeve_service_levels_note:
 * @self: (nullable): service levels
 * @tenant_id: (nullable): whose request it was
 * @status: of the answer; from 500 on it is an error of ours
 * @duration_us: how long it took
 * @now: monotonic µs
 */
void
reeve_service_levels_note (ReeveServiceLevels *self, const char *tenant_id, guint status,
                           gint64 duration_us, gint64 now)
{
  gboolean error = status >= 500;
  gint64 time = 0;
  ReeveServiceLevelsTenant *tenant = NULL;

  if (self == NULL)
    return;
  time = MAX (now - self->started, 0);
  tenant = reeve_service_levels_need (self, tenant_id != NULL ? tenant_id : "");
  reeve_service_levels_count (&tenant->all, error, duration_us);
  reeve_service_levels_count (reeve_service_levels_turn (tenant, tenant->fine,
                                                         REEVE_SERVICE_LEVELS_FINE,
                                                         time / REEVE_SERVICE_LEVELS_FINE_US),
                              error, duration_us);
  reeve_service_levels_count (reeve_service_levels_turn (tenant, tenant->coarse,
                                                         REEVE_SERVICE_LEVELS_COARSE,
                                                         time / REEVE_SERVICE_LEVELS_COARSE_US),
                              error, duration_us);
}

/* ---- reading ---- */

/* Adds the slots from number @from on. */
static void
reeve_service_levels_gather (ReeveServiceLevelsSlot *slots, guint length, gint64 from,
                             ReeveQuantiles *times, guint64 *errors)
{
  for (guint i = 0; i < length; i++)
    if (__atomic_load_n (&slots[i].number, __ATOMIC_ACQUIRE) >= from)
      {
        reeve_quantiles_merge (times, slots[i].times);
        *errors += __atomic_load_n (&slots[i].errors, __ATOMIC_RELAXED);
      }
}

/* @began (out): when the first slot of the window began, since the start */
static void
reeve_service_levels_gather_tenant (ReeveServiceLevelsTenant *tenant, gint64 window_us, gint64 time,
                                    ReeveQuantiles *times, guint64 *errors, gint64 *began)
{
  gboolean fine = window_us <= REEVE_SERVICE_LEVELS_COARSE_US;
  gint64 width = fine ? REEVE_SERVICE_LEVELS_FINE_US : REEVE_SERVICE_LEVELS_COARSE_US;
  gint64 from = MAX (time - window_us, 0) / width;

  *began = 0;
  if (window_us == 0)
    {
      reeve_service_levels_gather (&tenant->all, 1, G_MININT64, times, errors);
      return;
    }
  *began = from * width;
  reeve_service_levels_gather (fine ? tenant->fine : tenant->coarse,
                               fine ? REEVE_SERVICE_LEVELS_FINE : REEVE_SERVICE_LEVELS_COARSE, from,
                               times, errors);
}

/**
 * reeve_service_levels_get:
 * @self: service levels
 * @tenant_id: (nullable): a tenant, "" for requests of nobody and of those that are not told apart,
 *   or %NULL for all together
 * @window_us: how far back, at most %REEVE_SERVICE_LEVELS_MAX_US; 0: since the start
 * @now: monotonic µs
 * @level: (out): what there was
 *
 * Returns: %FALSE when that tenant is not told apart
 */
gboolean
reeve_service_levels_get (ReeveServiceLevels *self, const char *tenant_id, gint64 window_us,
                          gint64 now, ReeveServiceLevel *level)
{
  g_autoptr (ReeveQuantiles) times = reeve_quantiles_new ();
  guint length = reeve_metrics_table_get_length (self->tenants);
  ReeveServiceLevelsTenant *one
      = tenant_id != NULL ? reeve_service_levels_look (self, tenant_id) : NULL;
  gint64 time = MAX (now - self->started, 0);
  gint64 began = 0;

  *level = (ReeveServiceLevel){ 0 };
  if (tenant_id != NULL && one == NULL)
    return FALSE;
  for (guint i = 0; i < length; i++)
    {
      ReeveServiceLevelsTenant *tenant = reeve_metrics_table_get (self->tenants, i);

      if (one == NULL || tenant == one)
        reeve_service_levels_gather_tenant (tenant, MIN (window_us, REEVE_SERVICE_LEVELS_MAX_US),
                                            time, times, &level->errors, &began);
    }
  level->requests = reeve_quantiles_get_count (times);
  level->errors = MIN (level->errors, level->requests);
  level->p50_us = reeve_quantiles_get (times, 0.50);
  level->p95_us = reeve_quantiles_get (times, 0.95);
  level->p99_us = reeve_quantiles_get (times, 0.99);
  level->covered_us = time - began;
  return TRUE;
}

/**
 * reeve_service_levels_list:
 * @self: service levels
 *
 * Returns: (transfer full): tenants that are told apart, and "" for the others
 */
char **
reeve_service_levels_list (ReeveServiceLevels *self)
{
  guint length = reeve_metrics_table_get_length (self->tenants);
  char **ids = g_new0 (char *, length + 1);

  for (guint i = 0; i < length; i++)
    {
      ReeveServiceLevelsTenant *tenant = reeve_metrics_table_get (self->tenants, i);

      ids[i] = g_strdup (tenant->key.values[0]);
    }
  return ids;
}
