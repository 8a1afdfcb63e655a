/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The bytes of an entry are a blob of the storage, under a name that is new each time: its record
 * says which. Record, new bytes, the former ones' end and the count are one batch, so an entry is
 * whole or as it was, whenever something ends. Who reads while another one writes has either. */
#include "plugin-blobs.h"

#include <string.h>

#include "loader/capability-caller.h"
#include "base/ids.h"
#include "base/times.h"
#include "plugin-entries.h"

/* The bytes may have got another name between the record and them. */
#define REEVE_PLUGIN_BLOBS_TRIES 20

typedef struct
{
  ReevePluginEntries entries;
  GBytes *bytes;
  GBytes **content; /* (out) (nullable): the caller can take none */
} ReevePluginBlobs;

static gint64
reeve_plugin_blobs_measure (JsonObject *fields)
{
  return reeve_json_get_int (fields, "size", 0)
         + (gint64) strlen (reeve_json_get_string (fields, "type", ""));
}

static void
reeve_plugin_blobs_show (JsonObject *fields, JsonObject *shown)
{
  g_autofree char *time = reeve_times_format (reeve_json_get_int (fields, "updated_at", 0));

  json_object_set_int_member (shown, "size", reeve_json_get_int (fields, "size", 0));
  json_object_set_string_member (shown, "type", reeve_json_get_string (fields, "type", ""));
  json_object_set_string_member (shown, "updated_at", time);
}

static void
reeve_plugin_blobs_stage (ReevePluginEntries *self, ReeveBatch *batch, JsonObject *before,
                          JsonObject *after)
{
  if (after != NULL)
    reeve_batch_blob_put (batch, reeve_json_get_string (after, "blob", ""),
                          ((ReevePluginBlobs *) self)->bytes);
  if (before != NULL)
    reeve_batch_blob_delete (batch, reeve_json_get_string (before, "blob", ""));
}

/* ---- reading ---- */

/* %FALSE without an error: other bytes stand there by now */
static gboolean
reeve_plugin_blobs_read (ReevePluginBlobs *self, JsonObject *fields, GError **error)
{
  ReevePluginEntries *entries = &self->entries;
  gint64 size = reeve_json_get_int (fields, "size", 0);
  g_autoptr (GError) local = NULL;

  if (!reeve_capability_caller_hold (entries->caller, (gsize) size, error))
    return FALSE;
  *self->content = reeve_store_get_blob (entries->store, entries->tenant_id,
                                         reeve_json_get_string (fields, "blob", ""), &local);
  if (*self->content != NULL)
    return reeve_capability_caller_check (entries->caller, error);
  if (!g_error_matches (local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND))
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "store.blob: reading: ");
  return FALSE;
}

static JsonNode *
reeve_plugin_blobs_show_one (ReeveRecord *record)
{
  JsonObject *answer = json_object_new ();

  json_object_set_int_member (answer, "revision", reeve_record_get_revision (record));
  reeve_plugin_blobs_show (reeve_record_get_fields (record), answer);
  return reeve_plugin_entries_answer (answer);
}

static JsonNode *
reeve_plugin_blobs_get (ReevePluginEntries *entries, GError **error)
{
  ReevePluginBlobs *self = (ReevePluginBlobs *) entries;

  if (self->content == NULL)
    return reeve_plugin_entries_refuse (entries, "op", "get is asked by reeve_context_transfer ()",
                                        error);
  for (guint i = 0; i < REEVE_PLUGIN_BLOBS_TRIES; i++)
    {
      GError *local = NULL;
      g_autoptr (ReeveRecord) record = reeve_plugin_entries_find (entries, &local);

      if (record != NULL
          && reeve_plugin_blobs_read (self, reeve_record_get_fields (record), &local))
        return reeve_plugin_blobs_show_one (record);
      if (local == NULL && record != NULL)
        continue;
      if (local == NULL)
        g_set_error (&local, REEVE_ERROR, REEVE_ERROR_NOT_FOUND,
                     "store.blob: there is nothing under this key");
      g_propagate_error (error, local);
      return NULL;
    }
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_BUSY, "store.blob: it is written all the time");
  return NULL;
}

/* ---- writing ---- */

static gboolean
reeve_plugin_blobs_is_type (const char *text)
{
  gsize length = strlen (text);

  for (const char *p = text; *p != '\0'; p++)
    if (*p < 0x20 || *p >= 0x7f)
      return FALSE;
  return length > 0 && length <= REEVE_PLUGIN_BLOBS_TYPE;
}

static JsonNode *
reeve_plugin_blobs_put (ReevePluginEntries *entries, GError **error)
{
  ReevePluginBlobs *self = (ReevePluginBlobs *) entries;
  JsonNode *given = json_object_get_member (entries->params, "type");
  const char *type = reeve_json_get_string (entries->params, "type", "");
  gsize size = g_bytes_get_size (self->bytes);
  g_autoptr (JsonObject) fields = json_object_new ();
  g_autofree char *id = reeve_ids_new ("b");
  g_autofree char *name = g_strconcat ("plugin/", entries->caller->plugin_id, "/", id, NULL);
  ReevePluginEntriesChanged changed = { 0 };

  if (self->content == NULL)
    return reeve_plugin_entries_refuse (entries, "op", "put is asked by reeve_context_transfer ()",
                                        error);
  if (given != NULL && !reeve_plugin_blobs_is_type (type))
    return reeve_plugin_entries_refuse (entries, "type",
                                        "is a media type of 1 to 128 letters of ASCII", error);
  if (size > REEVE_PLUGIN_BLOBS_BYTES)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE,
                   "store.blob: %" G_GSIZE_FORMAT " bytes, and %d are the most", size,
                   REEVE_PLUGIN_BLOBS_BYTES);
      return NULL;
    }
  json_object_set_int_member (fields, "size", (gint64) size);
  json_object_set_string_member (fields, "type", given != NULL ? type : "application/octet-stream");
  json_object_set_string_member (fields, "blob", name);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  if (!reeve_capability_caller_hold (entries->caller, size, error)
      || !reeve_capability_caller_check (entries->caller, error)
      || !reeve_plugin_entries_change (entries, fields, &changed, error))
    return NULL;
  return reeve_plugin_entries_show_change (&changed);
}

/* ---- all of it ---- */

static const ReevePluginEntriesOp reeve_plugin_blobs_ops[]
    = { { "get", TRUE, reeve_plugin_blobs_get },
        { "put", TRUE, reeve_plugin_blobs_put },
        { "delete", TRUE, reeve_plugin_entries_delete },
        { "list", FALSE, reeve_plugin_entries_list },
        { NULL, FALSE, NULL } };

static const ReevePluginEntriesKind reeve_plugin_blobs_kind = {
  .capability = "store.blob",
  .collection = REEVE_STORE_PLUGIN_BLOBS,
  .counter = "blobs",
  .usual = REEVE_PLUGIN_BLOBS_QUOTA,
  .measure = reeve_plugin_blobs_measure,
  .show = reeve_plugin_blobs_show,
  .stage = reeve_plugin_blobs_stage,
};

/* a ReeveCapabilityTransferFunc */
static JsonNode *
reeve_plugin_blobs_perform (const ReeveCapabilityCaller *caller, JsonNode *params, GBytes *bytes,
                            GBytes **content, gpointer user_data, GError **error)
{
  g_autoptr (GBytes) empty = bytes == NULL ? g_bytes_new_static ("", 0) : NULL;
  ReevePluginBlobs self
      = { .entries
          = { .kind = &reeve_plugin_blobs_kind,
              .store = user_data,
              .caller = caller,
              .params = JSON_NODE_HOLDS_OBJECT (params) ? json_node_get_object (params) : NULL },
          .bytes = bytes != NULL ? bytes : empty,
          .content = content };

  return reeve_plugin_entries_run (&self.entries, reeve_plugin_blobs_ops,
                                   "is get, put, delete or list", error);
}

/**
 * reeve_plugin_blobs_provide:
 * @store: where they lie; outlives @capabilities
 * @capabilities: what this host offers to plugins
 *
 * Offers `store.blob`: {op, key, type, revision, prefix, cursor, limit}, see docs/plugin-guide.md.
 */
void
reeve_plugin_blobs_provide (ReeveStore *store, ReeveCapabilities *capabilities)
{
  reeve_capabilities_provide_transfer (capabilities, "store.blob", reeve_plugin_blobs_perform,
                                       store);
}
