/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRecord: one record as it was read. */
#include "reeve-storage.h"

/**
 * ReeveRecord:
 *
 * A record as it was read, with the revision by which it can be replaced. Immutable.
 *
 * Since: 1.0
 */
struct _ReeveRecord
{
  gatomicrefcount refs;
  char *id;
  gint64 revision;
  JsonObject *fields;
};

/**
 * reeve_record_new:
 * @id: of the record
 * @revision: its revision
 * @fields: (transfer none): its members, never changed again; no other thread may hold a reference
 * to them, since the reference counts of JsonObject are not atomic
 *
 * Returns: (transfer full): a record
 *
 * Since: 1.0
 */
ReeveRecord *
reeve_record_new (const char *id, gint64 revision, JsonObject *fields)
{
  ReeveRecord *self = NULL;

  g_return_val_if_fail (id != NULL && fields != NULL, NULL);
  self = g_new0 (ReeveRecord, 1);
  g_atomic_ref_count_init (&self->refs);
  self->id = g_strdup (id);
  self->revision = revision;
  self->fields = json_object_ref (fields);
  return self;
}

/**
 * reeve_record_ref:
 * @self: a record
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
ReeveRecord *
reeve_record_ref (ReeveRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

/**
 * reeve_record_unref:
 * @self: (transfer full): a record
 *
 * Drops a reference; from any thread.
 *
 * Since: 1.0
 */
void
reeve_record_unref (ReeveRecord *self)
{
  g_return_if_fail (self != NULL);
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  json_object_unref (self->fields);
  g_free (self->id);
  g_free (self);
}

G_DEFINE_BOXED_TYPE (ReeveRecord, reeve_record, reeve_record_ref, reeve_record_unref)

/**
 * reeve_record_get_id:
 * @self: a record
 *
 * Returns: (transfer none): its id
 *
 * Since: 1.0
 */
const char *
reeve_record_get_id (ReeveRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->id;
}

/**
 * reeve_record_get_revision:
 * @self: a record
 *
 * Returns: its revision, from 1
 *
 * Since: 1.0
 */
gint64
reeve_record_get_revision (ReeveRecord *self)
{
  g_return_val_if_fail (self != NULL, 0);
  return self->revision;
}

/**
 * reeve_record_get_fields:
 * @self: a record
 *
 * The object is immutable. A record that several threads hold is kept by its own references: the
 * count of the object is not atomic.
 *
 * Returns: (transfer none): its members
 *
 * Since: 1.0
 */
JsonObject *
reeve_record_get_fields (ReeveRecord *self)
{
  g_return_val_if_fail (self != NULL, NULL);
  return self->fields;
}
