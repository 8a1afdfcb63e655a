/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which grants a call rests on is known only when the provider has looked at what is asked for: so
 * a lease begins with all that could allow it, and is narrowed. */
#include "capability-lease.h"

#include <reeve-plugin-1.h>

struct _ReeveCapabilityLease
{
  gatomicrefcount refs;
  char *plugin_id;
  char *capability;
  GPtrArray *terms;              /* ReeveCapabilityTerms */
  ReeveCapabilityTerms *ceiling; /* (nullable) */
  GCancellable *cancellable;
  GMutex lock;
  guint64 live; /* with lock: the terms that have not ended, bit by number */
  guint64 mask; /* the same: those of them that it rests on; 0: it has ended */
};

/**
 * reeve_capability_lease_new:
 * @plugin_id: who calls
 * @capability: what
 * @terms: (element-type ReeveCapabilityTerms): the grants that may allow it; the first
 * %REEVE_CAPABILITY_LEASE_MAX count
 * @ceiling: (nullable): what no grant goes beyond
 *
 * Returns: (transfer full): a lease that rests on all of them
 */
ReeveCapabilityLease *
reeve_capability_lease_new (const char *plugin_id, const char *capability, GPtrArray *terms,
                            ReeveCapabilityTerms *ceiling)
{
  ReeveCapabilityLease *self = g_new0 (ReeveCapabilityLease, 1);

  g_atomic_ref_count_init (&self->refs);
  self->plugin_id = g_strdup (plugin_id);
  self->capability = g_strdup (capability);
  self->terms = g_ptr_array_new_with_free_func ((GDestroyNotify) reeve_capability_terms_unref);
  for (guint i = 0; i < terms->len && i < REEVE_CAPABILITY_LEASE_MAX; i++)
    {
      g_ptr_array_add (self->terms, reeve_capability_terms_ref (g_ptr_array_index (terms, i)));
      self->mask |= G_GUINT64_CONSTANT (1) << i;
    }
  self->live = self->mask;
  self->ceiling = ceiling != NULL ? reeve_capability_terms_ref (ceiling) : NULL;
  self->cancellable = g_cancellable_new ();
  g_mutex_init (&self->lock);
  return self;
}

ReeveCapabilityLease *
reeve_capability_lease_ref (ReeveCapabilityLease *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
reeve_capability_lease_unref (ReeveCapabilityLease *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->plugin_id);
  g_free (self->capability);
  g_ptr_array_unref (self->terms);
  g_clear_pointer (&self->ceiling, reeve_capability_terms_unref);
  g_object_unref (self->cancellable);
  g_mutex_clear (&self->lock);
  g_free (self);
}

const char *
reeve_capability_lease_get_plugin_id (ReeveCapabilityLease *self)
{
  return self->plugin_id;
}

const char *
reeve_capability_lease_get_capability (ReeveCapabilityLease *self)
{
  return self->capability;
}

guint
reeve_capability_lease_get_length (ReeveCapabilityLease *self)
{
  return self->terms->len;
}

const ReeveCapabilityTerms *
reeve_capability_lease_get_terms (ReeveCapabilityLease *self, guint number)
{
  return g_ptr_array_index (self->terms, number);
}

const ReeveCapabilityTerms *
reeve_capability_lease_get_ceiling (ReeveCapabilityLease *self)
{
  return self->ceiling;
}

GCancellable *
reeve_capability_lease_get_cancellable (ReeveCapabilityLease *self)
{
  return self->cancellable;
}

/**
 * reeve_capability_lease_rest_on:
 * @self: a lease
 * @mask: the grants that allow what is asked for, bit by number; not 0
 * @error: return location
 *
 * A question that is put to a second one in the place of a first rests on what allows that one.
 *
 * Returns: %FALSE with %REEVE_ERROR_CAPABILITY_REVOKED when they have ended in the meantime
 */
gboolean
reeve_capability_lease_rest_on (ReeveCapabilityLease *self, guint64 mask, GError **error)
{
  gboolean rests = FALSE;

  g_mutex_lock (&self->lock);
  if (self->mask != 0)
    self->mask = self->live & mask;
  rests = self->mask != 0;
  g_mutex_unlock (&self->lock);
  if (!rests)
    reeve_capability_lease_set_error (self, error);
  return rests;
}

/**
 * reeve_capability_lease_review:
 * @self: a lease
 * @holds: whether a grant still holds; takes no lock of this
 * @user_data: closure
 *
 * Returns: whether the last grant that it rested on has ended now
 */
gboolean
reeve_capability_lease_review (ReeveCapabilityLease *self, ReeveCapabilityLeaseHolds holds,
                               gpointer user_data)
{
  guint64 before = 0;
  guint64 after = 0;

  g_mutex_lock (&self->lock);
  before = self->mask;
  for (guint i = 0; i < self->terms->len; i++)
    {
      guint64 bit = G_GUINT64_CONSTANT (1) << i;

      if ((self->live & bit) != 0 && !holds (g_ptr_array_index (self->terms, i), user_data))
        self->live &= ~bit;
    }
  after = self->mask & self->live;
  self->mask = after;
  g_mutex_unlock (&self->lock);
  return before != 0 && after == 0;
}

/**
 * reeve_capability_lease_cut:
 * @self: a lease
 *
 * Ends what is under way by it. Calls callbacks: hold no lock.
 */
void
reeve_capability_lease_cut (ReeveCapabilityLease *self)
{
  g_cancellable_cancel (self->cancellable);
}

gboolean
reeve_capability_lease_is_cut (ReeveCapabilityLease *self)
{
  gboolean cut = FALSE;

  g_mutex_lock (&self->lock);
  cut = self->mask == 0;
  g_mutex_unlock (&self->lock);
  return cut;
}

void
reeve_capability_lease_set_error (ReeveCapabilityLease *self, GError **error)
{
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY_REVOKED,
               "capability %s of plugin %s was taken back while it was used; an administrator "
               "grants it: reevectl plugins grant %s %s --reason WHY",
               self->capability, self->plugin_id, self->plugin_id, self->capability);
}
