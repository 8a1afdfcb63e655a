/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A conversation is a record (whose it is, when it moved) and a stream of messages. A turn comes in
 * one batch with the end of its run, with the record's revision as precondition: so turns of one
 * conversation do not overwrite each other, and none revives a deleted one. */
#include "conversations.h"

#include <string.h>

#include "base/times.h"
#include "listing.h"

#define REEVE_CONVERSATIONS_TITLE    80 /* characters of the first message */
#define REEVE_CONVERSATIONS_PAGE     500
#define REEVE_CONVERSATIONS_MESSAGES 10000

struct _ReeveConversations
{
  GObject parent_instance;

  ReeveStore *store;
};

G_DEFINE_FINAL_TYPE (ReeveConversations, reeve_conversations, G_TYPE_OBJECT)

static void
reeve_conversations_finalize (GObject *object)
{
  g_clear_object (&REEVE_CONVERSATIONS (object)->store);
  G_OBJECT_CLASS (reeve_conversations_parent_class)->finalize (object);
}

static void
reeve_conversations_class_init (ReeveConversationsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = reeve_conversations_finalize;
}

static void
reeve_conversations_init (ReeveConversations *self)
{
}

/**
 * reeve_conversations_new:
 * @store: the store
 *
 * Returns: (transfer full): the conversations of all tenants
 */
ReeveConversations *
reeve_conversations_new (ReeveStore *store)
{
  ReeveConversations *self = g_object_new (REEVE_TYPE_CONVERSATIONS, NULL);

  self->store = g_object_ref (store);
  return self;
}

static char *
reeve_conversations_stream (const char *conversation_id)
{
  return g_strconcat ("conversation/", conversation_id, NULL);
}

/* Deleted ones and those of others are not found. */
static ReeveRecord *
reeve_conversations_read (ReeveConversations *self, ReeveCaller *caller,
                          const char *conversation_id, GError **error)
{
  g_autoptr (ReeveRecord) record
      = reeve_store_get (self->store, reeve_caller_get_tenant_id (caller),
                         REEVE_STORE_CONVERSATIONS, conversation_id, error);
  JsonObject *fields = record != NULL ? reeve_record_get_fields (record) : NULL;

  if (record == NULL)
    return NULL;
  if (!reeve_json_get_boolean (fields, "deleted", FALSE)
      && g_strcmp0 (reeve_json_get_string (fields, "user_id", ""),
                    reeve_caller_get_user_id (caller))
             == 0)
    return g_steal_pointer (&record);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "no such conversation");
  return NULL;
}

static JsonObject *
reeve_conversations_describe (ReeveRecord *record)
{
  static const char *const members[]
      = { "agent_id", "workspace_id", "title", "created_at", "updated_at", NULL };
  JsonObject *conversation = json_object_new ();

  json_object_set_string_member (conversation, "conversation_id", reeve_record_get_id (record));
  json_object_set_null_member (conversation, "agent_id");
  reeve_listing_copy (reeve_record_get_fields (record), conversation, members);
  reeve_listing_set_time (conversation, "created_at");
  reeve_listing_set_time (conversation, "updated_at");
  return conversation;
}

/**
 * reeve_conversations_list:
 * @self: conversations
 * @caller: whose
 * @seen: (nullable): workspaces whose conversations are shown
 * @params: `limit`, `cursor`
 * @error: return location
 *
 * Returns: (transfer full) (nullable): {items, next_cursor}, last moved first
 */
JsonObject *
reeve_conversations_list (ReeveConversations *self, ReeveCaller *caller, const char *const *seen,
                          JsonObject *params, GError **error)
{
  g_autoptr (ReeveQuery) query
      = reeve_query_new (reeve_caller_get_tenant_id (caller), REEVE_STORE_CONVERSATIONS);
  g_autoptr (JsonNode) no = json_node_init_boolean (json_node_alloc (), FALSE);

  reeve_query_filter_string (query, "user_id", REEVE_FILTER_EQ, reeve_caller_get_user_id (caller));
  reeve_query_filter (query, "deleted", REEVE_FILTER_EQ, no);
  return reeve_listing_new (self->store, query, "updated_at", params, seen,
                            reeve_conversations_describe, error);
}

/* (element-type JsonObject) all messages, oldest first */
static GPtrArray *
reeve_conversations_read_messages (ReeveConversations *self, const char *tenant_id,
                                   const char *conversation_id, GError **error)
{
  g_autoptr (GPtrArray) messages
      = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  g_autofree char *stream = reeve_conversations_stream (conversation_id);
  gint64 after = 0;
  guint n = REEVE_CONVERSATIONS_PAGE;

  while (n == REEVE_CONVERSATIONS_PAGE && messages->len < REEVE_CONVERSATIONS_MESSAGES)
    {
      g_autoptr (GPtrArray) entries = reeve_store_read_stream (
          self->store, tenant_id, stream, after, REEVE_CONVERSATIONS_PAGE, error);

      if (entries == NULL)
        return NULL;
      n = entries->len;
      for (guint i = 0; i < n; i++)
        {
          ReeveStreamEntry *entry = g_ptr_array_index (entries, i);
          gsize length = 0;
          const char *data = g_bytes_get_data (entry->payload, &length);
          g_autoptr (JsonNode) node = reeve_json_parse_strict (data, length, error);

          if (node == NULL)
            {
              g_prefix_error (error, "conversation %s: message %" G_GINT64_FORMAT ": ",
                              conversation_id, entry->seq);
              return NULL;
            }
          g_ptr_array_add (messages, json_node_dup_object (node));
          after = entry->seq;
        }
    }
  return g_steal_pointer (&messages);
}

/**
 * reeve_conversations_locate:
 * @self: conversations
 * @caller: whose
 * @conversation_id: a conversation
 * @workspace_id: (out) (transfer full) (nullable): the workspace it lies in
 * @error: return location
 *
 * Returns: %FALSE with %REEVE_ERROR_NOT_FOUND
 */
gboolean
reeve_conversations_locate (ReeveConversations *self, ReeveCaller *caller,
                            const char *conversation_id, char **workspace_id, GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_conversations_read (self, caller, conversation_id, error);

  if (record == NULL)
    return FALSE;
  *workspace_id
      = g_strdup (reeve_json_get_string (reeve_record_get_fields (record), "workspace_id", NULL));
  return TRUE;
}

/**
 * reeve_conversations_get:
 * @self: conversations
 * @caller: whose
 * @conversation_id: a conversation
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the conversation with its `messages`
 */
JsonObject *
reeve_conversations_get (ReeveConversations *self, ReeveCaller *caller, const char *conversation_id,
                         GError **error)
{
  g_autoptr (ReeveRecord) record = reeve_conversations_read (self, caller, conversation_id, error);
  g_autoptr (GPtrArray) messages = NULL;
  JsonObject *conversation = NULL;
  JsonArray *shown = NULL;

  if (record != NULL)
    messages = reeve_conversations_read_messages (self, reeve_caller_get_tenant_id (caller),
                                                  conversation_id, error);
  if (messages == NULL)
    return NULL;
  conversation = reeve_conversations_describe (record);
  shown = json_array_new ();
  for (guint i = 0; i < messages->len; i++)
    {
      JsonObject *message = reeve_listing_dup (g_ptr_array_index (messages, i));

      reeve_listing_set_time (message, "created_at");
      json_array_add_object_element (shown, message);
    }
  json_object_set_array_member (conversation, "messages", shown);
  return conversation;
}

/**
 * reeve_conversations_delete:
 * @self: conversations
 * @admitted: the right to `conversations.delete`
 * @conversation_id: a conversation of its caller
 * @error: return location
 *
 * Marks it deleted: it is not listed and not found any more.
 *
 * Returns: whether it is
 */
gboolean
reeve_conversations_delete (ReeveConversations *self, ReeveAdmitted *admitted,
                            const char *conversation_id, GError **error)
{
  ReeveCaller *caller = reeve_admitted_get_caller (admitted);
  g_autoptr (ReeveRecord) record = reeve_conversations_read (self, caller, conversation_id, error);
  g_autoptr (ReeveBatch) batch = reeve_batch_new (reeve_caller_get_tenant_id (caller));
  g_autoptr (ReeveBatchResult) result = NULL;
  g_autoptr (JsonObject) fields = NULL;

  if (record == NULL)
    return FALSE;
  fields = reeve_listing_dup (reeve_record_get_fields (record));
  json_object_set_boolean_member (fields, "deleted", TRUE);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_CONVERSATIONS, conversation_id, fields,
                   reeve_record_get_revision (record));
  reeve_admitted_consume_exactly (admitted, "conversations.delete", conversation_id, NULL);
  result = reeve_store_commit (self->store, batch, error);
  return result != NULL;
}

/**
 * reeve_conversations_history:
 * @self: conversations
 * @caller: whose
 * @conversation_id: a conversation
 * @max_bytes: most text
 * @error: return location: %REEVE_ERROR_NOT_FOUND
 *
 * Returns: (transfer full) (nullable): the last messages that fit, oldest first, as {role, content}
 */
JsonArray *
reeve_conversations_history (ReeveConversations *self, ReeveCaller *caller,
                             const char *conversation_id, gsize max_bytes, GError **error)
{
  static const char *const members[] = { "role", "content", NULL };
  g_autoptr (ReeveRecord) record = reeve_conversations_read (self, caller, conversation_id, error);
  g_autoptr (GPtrArray) messages = NULL;
  JsonArray *history = NULL;
  guint first = 0;
  gsize bytes = 0;

  if (record != NULL)
    messages = reeve_conversations_read_messages (self, reeve_caller_get_tenant_id (caller),
                                                  conversation_id, error);
  if (messages == NULL)
    return NULL;
  for (first = messages->len; first > 0; first--)
    {
      bytes += strlen (
          reeve_json_get_string (g_ptr_array_index (messages, first - 1), "content", ""));
      if (bytes > max_bytes)
        break;
    }
  history = json_array_new ();
  for (guint i = first; i < messages->len; i++)
    {
      JsonObject *message = json_object_new ();

      reeve_listing_copy (g_ptr_array_index (messages, i), message, members);
      json_array_add_object_element (history, message);
    }
  return history;
}

/* ---- a turn ---- */

static void
reeve_conversations_append (ReeveBatch *batch, const char *stream, const char *role,
                            const char *content, const char *run_id)
{
  g_autoptr (JsonObject) message = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autoptr (GBytes) bytes = NULL;
  char *text = NULL;

  json_object_set_string_member (message, "role", role);
  json_object_set_string_member (message, "content", content);
  json_object_set_string_member (message, "run_id", run_id);
  json_object_set_int_member (message, "created_at", reeve_times_now ());
  json_node_set_object (node, message);
  text = reeve_json_canonical (node);
  bytes = g_bytes_new_take (text, strlen (text));
  reeve_batch_append (batch, stream, bytes, REEVE_REVISION_ANY);
}

static JsonObject *
reeve_conversations_new_fields (ReeveCaller *caller, const char *agent_id, const char *workspace_id,
                                const char *message)
{
  JsonObject *fields = json_object_new ();
  g_autofree char *title = g_utf8_strlen (message, -1) > REEVE_CONVERSATIONS_TITLE
                               ? g_utf8_substring (message, 0, REEVE_CONVERSATIONS_TITLE)
                               : g_strdup (message);

  json_object_set_string_member (fields, "user_id", reeve_caller_get_user_id (caller));
  if (agent_id != NULL)
    json_object_set_string_member (fields, "agent_id", agent_id);
  if (workspace_id != NULL)
    json_object_set_string_member (fields, "workspace_id", workspace_id);
  json_object_set_string_member (fields, "title", title);
  json_object_set_int_member (fields, "created_at", reeve_times_now ());
  json_object_set_boolean_member (fields, "deleted", FALSE);
  return fields;
}

/**
 * reeve_conversations_add_turn:
 * @self: conversations
 * @batch: takes up the turn
 * @caller: whose conversation it is
 * @conversation_id: a conversation, which need not exist yet
 * @agent_id: (nullable): who answered
 * @workspace_id: (nullable): where a new one lies
 * @run_id: the run
 * @message: what was asked
 * @answer: what was answered
 * @error: return location: %REEVE_ERROR_NOT_FOUND when it was deleted, or is another's
 *
 * Committing @batch fails with %REEVE_ERROR_CONFLICT or %REEVE_ERROR_ALREADY_EXISTS when another
 * turn came first: try again.
 *
 * Returns: whether @batch has the turn
 */
gboolean
reeve_conversations_add_turn (ReeveConversations *self, ReeveBatch *batch, ReeveCaller *caller,
                              const char *conversation_id, const char *agent_id,
                              const char *workspace_id, const char *run_id, const char *message,
                              const char *answer, GError **error)
{
  const char *tenant_id = reeve_caller_get_tenant_id (caller);
  g_autofree char *stream = reeve_conversations_stream (conversation_id);
  g_autoptr (JsonObject) fields = NULL;
  g_autoptr (ReeveRecord) record = NULL;
  gint64 revision = REEVE_REVISION_ABSENT;
  gboolean exists = FALSE;

  if (!reeve_store_exists (self->store, tenant_id, REEVE_STORE_CONVERSATIONS, conversation_id,
                           &exists, error))
    return FALSE;
  if (exists)
    {
      record = reeve_conversations_read (self, caller, conversation_id, error);
      if (record == NULL)
        return FALSE;
      fields = reeve_listing_dup (reeve_record_get_fields (record));
      revision = reeve_record_get_revision (record);
    }
  else
    fields = reeve_conversations_new_fields (caller, agent_id, workspace_id, message);
  json_object_set_int_member (fields, "updated_at", reeve_times_now ());
  reeve_batch_put (batch, REEVE_STORE_CONVERSATIONS, conversation_id, fields, revision);
  reeve_conversations_append (batch, stream, "user", message, run_id);
  reeve_conversations_append (batch, stream, "assistant", answer, run_id);
  return TRUE;
}
