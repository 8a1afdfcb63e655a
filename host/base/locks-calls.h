/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must not be called under a lock: it may wait for a disk, a peer or a plugin, or call back
 * into our code. Included by locks-watch.h and locks-watch.c, each with a CALL of its own; a
 * function that only plugin-api can know is missing here is found by tests/base/test_locks.py. */

/* the disk and the sockets */
CALL (ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
CALL (ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
CALL (ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags))
CALL (ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
CALL (ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
CALL (ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
CALL (int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))
CALL (int, fsync, (int fd), (fd))
CALL (int, fdatasync, (int fd), (fd))
CALL (int, rename, (const char *from, const char *to), (from, to))
CALL (int, renameat2,
      (int from_folder, const char *from, int to_folder, const char *to, unsigned int flags),
      (from_folder, from, to_folder, to, flags))
CALL (int, unlink, (const char *path), (path))
CALL (int, flock, (int fd, int operation), (fd, operation))
CALL (void *, dlopen, (const char *path, int flags), (path, flags))
CALL (int, g_unlink, (const char *path), (path))
CALL (int, g_mkdir_with_parents, (const char *path, int mode), (path, mode))
CALL (GDir *, g_dir_open, (const char *path, guint flags, GError **error), (path, flags, error))
CALL (gboolean, g_file_get_contents, (const char *path, char **data, gsize *length, GError **error),
      (path, data, length, error))
CALL (gboolean, g_file_set_contents_full,
      (const char *path, const char *data, gssize length, GFileSetContentsFlags flags, int mode,
       GError **error),
      (path, data, length, flags, mode, error))
CALL (gboolean, g_file_test, (const char *path, GFileTest test), (path, test))

CALL (ssize_t, gnutls_record_recv, (gnutls_session_t session, void *data, size_t size),
      (session, data, size))
CALL (ssize_t, gnutls_record_send, (gnutls_session_t session, const void *data, size_t size),
      (session, data, size))
CALL (int, gnutls_handshake, (gnutls_session_t session), (session))
CALL (int, gnutls_bye, (gnutls_session_t session, gnutls_close_request_t how), (session, how))
CALL (int, gnutls_certificate_set_x509_system_trust, (gnutls_certificate_credentials_t self),
      (self))
CALL (int, gnutls_certificate_set_x509_trust_file,
      (gnutls_certificate_credentials_t self, const char *path, gnutls_x509_crt_fmt_t format),
      (self, path, format))

/* other threads, and the clock */
CALL (gpointer, g_thread_join, (GThread * thread), (thread))
CALL (void, g_usleep, (gulong microseconds), (microseconds))

/* callbacks: of a task in the context it was made in, of whoever waits for a cancellable */
CALL (void, g_task_return_pointer, (GTask * task, gpointer result, GDestroyNotify destroy),
      (task, result, destroy))
CALL (void, g_task_return_boolean, (GTask * task, gboolean result), (task, result))
CALL (void, g_task_return_int, (GTask * task, gssize result), (task, result))
CALL (void, g_task_return_error, (GTask * task, GError *error), (task, error))
CALL (gboolean, g_task_return_error_if_cancelled, (GTask * task), (task))
CALL (void, g_cancellable_cancel, (GCancellable * cancellable), (cancellable))
CALL (void, g_cancellable_disconnect, (GCancellable * cancellable, gulong handler),
      (cancellable, handler))
CALL (void, g_main_context_invoke, (GMainContext * context, GSourceFunc func, gpointer data),
      (context, func, data))
CALL (void, g_main_context_invoke_full,
      (GMainContext * context, int priority, GSourceFunc func, gpointer data,
       GDestroyNotify notify),
      (context, priority, func, data, notify))

/* plugins */
CALL (gboolean, reeve_plugin_setup,
      (ReevePlugin * self, JsonObject *settings, ReeveContext *context, GError **error),
      (self, settings, context, error))
CALL (void, reeve_plugin_shutdown, (ReevePlugin * self), (self))
CALL (ReeveIdentity *, reeve_auth_authenticate,
      (ReeveAuth * self, const ReeveCredentials *credentials, ReeveContext *context,
       GError **error),
      (self, credentials, context, error))
CALL (gboolean, reeve_auth_knows, (ReeveAuth * self, const ReeveCredentials *credentials),
      (self, credentials))
CALL (gboolean, reeve_auth_warm, (ReeveAuth * self, ReeveContext *context, GError **error),
      (self, context, error))
CALL (const char *const *, reeve_extractor_media_types, (ReeveExtractor * self), (self))
CALL (ReeveExtract *, reeve_extractor_extract,
      (ReeveExtractor * self, GBytes *bytes, const char *media_type, const char *file_name,
       ReeveContext *context, GError **error),
      (self, bytes, media_type, file_name, context, error))
CALL (guint, reeve_sink_deliver,
      (ReeveSink * self, ReeveSinkBatch *batch, ReeveContext *context, GError **error),
      (self, batch, context, error))
CALL (ReeveHttpRequest *, reeve_llm_codec_encode,
      (ReeveLlmCodec * self, ReeveLlmRequest *request, GError **error), (self, request, error))
CALL (ReeveLlmDecoder *, reeve_llm_codec_decoder, (ReeveLlmCodec * self, ReeveLlmRequest *request),
      (self, request))
CALL (gboolean, reeve_llm_decoder_begin,
      (ReeveLlmDecoder * self, ReeveHttpResponse *head, GError **error), (self, head, error))
CALL (gboolean, reeve_llm_decoder_feed,
      (ReeveLlmDecoder * self, const guint8 *data, gsize length, ReeveLlmDeltaFunc func,
       gpointer user_data, GError **error),
      (self, data, length, func, user_data, error))
CALL (gboolean, reeve_llm_decoder_finish,
      (ReeveLlmDecoder * self, ReeveLlmDeltaFunc func, gpointer user_data, GError **error),
      (self, func, user_data, error))
CALL (gboolean, reeve_llm_engine_generate,
      (ReeveLlmEngine * self, ReeveLlmRequest *request, ReeveContext *context,
       ReeveLlmDeltaFunc func, gpointer user_data, GError **error),
      (self, request, context, func, user_data, error))
CALL (GPtrArray *, reeve_tool_list, (ReeveTool * self, ReeveContext *context, GError **error),
      (self, context, error))
CALL (ReeveToolResult *, reeve_tool_call,
      (ReeveTool * self, const char *name, JsonObject *arguments, ReeveContext *context,
       GError **error),
      (self, name, arguments, context, error))
CALL (gboolean, reeve_storage_open,
      (ReeveStorage * self, const char *path, const ReeveMigration *platform,
       const ReeveMigration *tenant, GError **error),
      (self, path, platform, tenant, error))
CALL (void, reeve_storage_close, (ReeveStorage * self), (self))
CALL (gboolean, reeve_storage_create_scope,
      (ReeveStorage * self, const char *scope, GError **error), (self, scope, error))
CALL (gboolean, reeve_storage_has_scope, (ReeveStorage * self, const char *scope), (self, scope))
CALL (gboolean, reeve_storage_drop_scope, (ReeveStorage * self, const char *scope, GError **error),
      (self, scope, error))
CALL (char **, reeve_storage_list_scopes, (ReeveStorage * self, GError **error), (self, error))
CALL (void, reeve_storage_submit,
      (ReeveStorage * self, ReeveBatch *batch, ReeveBatchFunc func, gpointer user_data),
      (self, batch, func, user_data))
CALL (ReeveBatchResult *, reeve_storage_commit,
      (ReeveStorage * self, ReeveBatch *batch, GError **error), (self, batch, error))
CALL (ReeveRecord *, reeve_storage_get,
      (ReeveStorage * self, const char *scope, const char *collection, const char *id,
       GError **error),
      (self, scope, collection, id, error))
CALL (ReeveQueryResult *, reeve_storage_query,
      (ReeveStorage * self, ReeveQuery *query, GCancellable *cancellable, GError **error),
      (self, query, cancellable, error))
CALL (GPtrArray *, reeve_storage_read_stream,
      (ReeveStorage * self, const char *scope, const char *stream, gint64 after, guint limit,
       GError **error),
      (self, scope, stream, after, limit, error))
CALL (gboolean, reeve_storage_get_counter,
      (ReeveStorage * self, const char *scope, const char *counter, gint64 *value, GError **error),
      (self, scope, counter, value, error))
CALL (GBytes *, reeve_storage_get_blob,
      (ReeveStorage * self, const char *scope, const char *id, GError **error),
      (self, scope, id, error))
CALL (GPtrArray *, reeve_storage_search_text,
      (ReeveStorage * self, const char *scope, const char *index, const char *query,
       const char *const *groups, guint limit, GCancellable *cancellable, GError **error),
      (self, scope, index, query, groups, limit, cancellable, error))
CALL (gboolean, reeve_storage_schema_number,
      (ReeveStorage * self, const char *scope, guint *number, GError **error),
      (self, scope, number, error))
CALL (GPtrArray *, reeve_storage_schema_history,
      (ReeveStorage * self, const char *scope, GError **error), (self, scope, error))
CALL (gboolean, reeve_storage_migrate,
      (ReeveStorage * self, const char *scope, guint number, GError **error),
      (self, scope, number, error))
CALL (gboolean, reeve_storage_set_keys,
      (ReeveStorage * self, ReeveStorageKeys *keys, GError **error), (self, keys, error))
CALL (gboolean, reeve_storage_rotate,
      (ReeveStorage * self, const char *scope, ReeveRotation how, GCancellable *cancellable,
       GError **error),
      (self, scope, how, cancellable, error))
CALL (gboolean, reeve_storage_get_cache, (ReeveStorage * self, ReeveStorageCache *cache),
      (self, cache))
CALL (gboolean, reeve_storage_get_protection,
      (ReeveStorage * self, const char *scope, ReeveStorageProtection *protection, GError **error),
      (self, scope, protection, error))
