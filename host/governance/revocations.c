/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Revocations by version.
 *
 * A caller knows the version that was current before its rights were read, and names what they rest
 * on. Taking one of those back marks its name with the next version: who is older and rests on it
 * has no further effect, also in a run that was begun long before. Versions, not times: no clock
 * decides.
 *
 * The marks are bounded. The oldest make room for new ones, and with each that goes the floor
 * rises: who is older than the floor cannot be judged any more and counts as concerned. */
#include "revocations.h"

#define REEVE_REVOCATIONS_MAX 65536

typedef struct
{
  char *ground;
  guint64 version;
} ReeveRevocationsMark;

struct _ReeveRevocations
{
  GMutex mutex;
  GHashTable *marks; /* ground -> link in @order */
  GQueue order;      /* of ReeveRevocationsMark, oldest first */
  guint64 version;
  guint64 floor;
};

static void
reeve_revocations_mark_free (gpointer data)
{
  ReeveRevocationsMark *mark = data;

  g_free (mark->ground);
  g_free (mark);
}

/**
 * reeve_revocations_new:
 *
 * Returns: (transfer full): nothing was taken back
 */
ReeveRevocations *
reeve_revocations_new (void)
{
  ReeveRevocations *self = g_new0 (ReeveRevocations, 1);

  g_mutex_init (&self->mutex);
  g_queue_init (&self->order);
  self->marks = g_hash_table_new (g_str_hash, g_str_equal);
  self->version = 1;
  self->floor = 1; /* version 0 is older than everything */
  return self;
}

/**
 * reeve_revocations_free:
 * @self: revocations
 */
void
reeve_revocations_free (ReeveRevocations *self)
{
  g_hash_table_unref (self->marks);
  g_queue_clear_full (&self->order, reeve_revocations_mark_free);
  g_mutex_clear (&self->mutex);
  g_free (self);
}

/**
 * reeve_revocations_get_version:
 * @self: revocations
 *
 * Returns: the current version
 */
guint64
reeve_revocations_get_version (ReeveRevocations *self)
{
  guint64 version = 0;

  g_mutex_lock (&self->mutex);
  version = self->version;
  g_mutex_unlock (&self->mutex);
  return version;
}

/* Under the mutex. */
static void
reeve_revocations_drop_oldest (ReeveRevocations *self)
{
  ReeveRevocationsMark *oldest = g_queue_pop_head (&self->order);

  g_hash_table_remove (self->marks, oldest->ground);
  self->floor = oldest->version;
  reeve_revocations_mark_free (oldest);
}

/**
 * reeve_revocations_mark:
 * @self: revocations
 * @ground: name of what was taken back
 *
 * To be called after the change is in the store, and before anybody is told that it is.
 */
void
reeve_revocations_mark (ReeveRevocations *self, const char *ground)
{
  GList *link = NULL;
  ReeveRevocationsMark *mark = NULL;

  g_mutex_lock (&self->mutex);
  link = g_hash_table_lookup (self->marks, ground);
  if (link != NULL)
    g_queue_unlink (&self->order, link);
  else
    {
      mark = g_new0 (ReeveRevocationsMark, 1);
      mark->ground = g_strdup (ground);
      link = g_list_append (NULL, mark);
      g_hash_table_insert (self->marks, mark->ground, link);
    }
  mark = link->data;
  mark->version = ++self->version;
  g_queue_push_tail_link (&self->order, link);
  if (self->order.length > REEVE_REVOCATIONS_MAX)
    reeve_revocations_drop_oldest (self);
  g_mutex_unlock (&self->mutex);
}

/**
 * reeve_revocations_concern:
 * @self: revocations
 * @version: what was current when the rights were read
 * @grounds: (nullable): names of what they rest on
 *
 * Returns: whether one of @grounds was taken back since, or that is not known any more
 */
gboolean
reeve_revocations_concern (ReeveRevocations *self, guint64 version, const char *const *grounds)
{
  gboolean concerned = FALSE;

  if (grounds == NULL)
    return FALSE;
  g_mutex_lock (&self->mutex);
  if (version < self->floor)
    concerned = TRUE;
  for (guint i = 0; version < self->version && !concerned && grounds[i] != NULL; i++)
    {
      GList *link = g_hash_table_lookup (self->marks, grounds[i]);

      concerned = link != NULL && ((ReeveRevocationsMark *) link->data)->version > version;
    }
  g_mutex_unlock (&self->mutex);
  return concerned;
}

/* ---- names ---- */

/**
 * reeve_revocations_name_tenant:
 * @tenant_id: a tenant
 *
 * Returns: (transfer full): its name here
 */
char *
reeve_revocations_name_tenant (const char *tenant_id)
{
  return g_strconcat ("tenant/", tenant_id, NULL);
}

/**
 * reeve_revocations_name_user:
 * @tenant_id: a tenant
 * @user_id: a user of it
 *
 * Returns: (transfer full): its name here
 */
char *
reeve_revocations_name_user (const char *tenant_id, const char *user_id)
{
  return g_strconcat ("user/", tenant_id, "/", user_id, NULL);
}

/**
 * reeve_revocations_name_key:
 * @key_id: a key
 *
 * Returns: (transfer full): its name here
 */
char *
reeve_revocations_name_key (const char *key_id)
{
  return g_strconcat ("key/", key_id, NULL);
}

/**
 * reeve_revocations_name_role:
 * @tenant_id: a tenant
 * @role: a role in it
 *
 * Returns: (transfer full): its name here
 */
char *
reeve_revocations_name_role (const char *tenant_id, const char *role)
{
  return g_strconcat ("role/", tenant_id, "/", role, NULL);
}

/**
 * reeve_revocations_name_elevation:
 * @elevation_id: an elevation
 *
 * Returns: (transfer full): its name here
 */
char *
reeve_revocations_name_elevation (const char *elevation_id)
{
  return g_strconcat ("elevation/", elevation_id, NULL);
}
