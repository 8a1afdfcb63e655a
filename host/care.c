/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks every minute for API keys that end soon, every hour for what tenants keep too long. */
#include "care.h"

#include "runtime/kept-retention.h"
#include "runtime/retention.h"

#define REEVE_CARE_SECONDS 60
/* looks between two at what is kept too long */
#define REEVE_CARE_RETENTION 60

struct _ReeveCare
{
  gatomicrefcount references;
  ReeveStore *store;
  ReeveLedger *ledger;
  ReeveTenants *tenants;
  ReeveApiKeys *api_keys;
  ReeveAdmission *admission;
  ReeveAuditRetention *audit_retention;
  ReeveWorkers *workers;
  guint timer;
  gint busy;   /* atomic: one look at a time */
  guint looks; /* of who is busy */
};

static void
reeve_care_unref (ReeveCare *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  g_object_unref (self->store);
  g_object_unref (self->ledger);
  g_object_unref (self->tenants);
  g_object_unref (self->api_keys);
  g_object_unref (self->admission);
  g_object_unref (self->audit_retention);
  reeve_workers_unref (self->workers);
  g_free (self);
}

static void
reeve_care_work (gpointer data)
{
  ReeveCare *self = data;
  g_autoptr (GError) error = NULL;

  if (reeve_api_keys_check_ends (self->api_keys, self->admission, &error) < 0)
    g_message ("%s", error->message);
  if (self->looks++ % REEVE_CARE_RETENTION == 0)
    {
      reeve_retention_run (self->store, self->tenants, self->admission);
      /* where somebody has asked for it just now, that does */
      (void) reeve_audit_retention_run (self->audit_retention, NULL);
      reeve_kept_retention_run (self->store, self->ledger, self->admission);
    }
  g_atomic_int_set (&self->busy, 0);
  reeve_care_unref (self);
}

static gboolean
reeve_care_look (gpointer data)
{
  ReeveCare *self = data;

  if (!g_atomic_int_compare_and_exchange (&self->busy, 0, 1))
    return G_SOURCE_CONTINUE;
  g_atomic_ref_count_inc (&self->references);
  if (!reeve_workers_push (self->workers, reeve_care_work, self, NULL))
    {
      g_atomic_int_set (&self->busy, 0);
      reeve_care_unref (self);
    }
  return G_SOURCE_CONTINUE;
}

/**
 * reeve_care_new:
 * @services: (transfer none): of a host that has recovered
 *
 * Returns: (transfer full): what looks after things by itself
 */
ReeveCare *
reeve_care_new (ReeveServices *services)
{
  ReeveCare *self = g_new0 (ReeveCare, 1);

  g_atomic_ref_count_init (&self->references);
  self->store = g_object_ref (services->store);
  self->ledger = g_object_ref (services->ledger);
  self->tenants = g_object_ref (services->tenants);
  self->api_keys = g_object_ref (services->api_keys);
  self->admission = g_object_ref (services->admission);
  self->audit_retention = g_object_ref (services->audit_retention);
  self->workers = reeve_workers_ref (services->workers);
  self->timer = g_timeout_add_seconds (REEVE_CARE_SECONDS, reeve_care_look, self);
  reeve_care_look (self);
  return self;
}

/**
 * reeve_care_free:
 * @self: (transfer full): what looks after things
 */
void
reeve_care_free (ReeveCare *self)
{
  g_source_remove (self->timer);
  reeve_care_unref (self);
}
