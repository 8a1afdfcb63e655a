/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an administrator wrote into the settings says where to:
 *
 *   host, port  where
 *   transport   udp: one datagram a frame; tcp, tls: frames by octet counting (RFC 6587, RFC 5425)
 *   ca_file     tls: whom to trust; the system's roots when there is none
 *   server_name tls: whose certificate; host
 *
 * Over TCP and TLS a call is one connection. Its end is the only acknowledgement there is: we end
 * our side, and wait until the other has read that and ends its own. */
#include "net-stream.h"

#include <gio/gio.h>
#include <gnutls/x509.h>
#include <string.h>

#include "net-record.h"

#define REEVE_NET_STREAM_SECONDS 20
#define REEVE_NET_STREAM_FRAME   65000
#define REEVE_NET_STREAM_HEARD   65536 /* bytes of an answer that nobody wants */

static void
reeve_net_stream_fail (const ReeveCapabilityCaller *caller, GError *reason, GError **error)
{
  g_set_error (error, REEVE_ERROR,
               g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_CANCELLED) ? REEVE_ERROR_CANCELLED
                                                                          : REEVE_ERROR_UNAVAILABLE,
               "%s:%d: %s", reeve_json_get_string (caller->settings, "host", ""),
               (int) reeve_json_get_int (caller->settings, "port", 0), reason->message);
  g_error_free (reason);
}

/* (nullable) */
static GSocketConnection *
reeve_net_stream_connect (const ReeveCapabilityCaller *caller, gboolean datagrams, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  const char *host = reeve_json_get_string (caller->settings, "host", "");
  gint64 port = reeve_json_get_int (caller->settings, "port", 0);

  g_socket_client_set_timeout (client, REEVE_NET_STREAM_SECONDS);
  /* where to is what the administrator wrote, not what an environment says */
  g_socket_client_set_enable_proxy (client, FALSE);
  if (datagrams)
    {
      g_socket_client_set_socket_type (client, G_SOCKET_TYPE_DATAGRAM);
      g_socket_client_set_protocol (client, G_SOCKET_PROTOCOL_UDP);
    }
  return g_socket_client_connect_to_host (client, host, (guint16) port,
                                          reeve_capabilities_get_cancellable (caller), error);
}

static gboolean
reeve_net_stream_send_datagrams (const ReeveCapabilityCaller *caller, JsonArray *frames,
                                 GError **error)
{
  g_autoptr (GSocketConnection) connection = reeve_net_stream_connect (caller, TRUE, error);
  GSocket *socket = connection != NULL ? g_socket_connection_get_socket (connection) : NULL;

  for (guint i = 0; socket != NULL && i < json_array_get_length (frames); i++)
    {
      const char *frame = json_array_get_string_element (frames, i);

      if (g_socket_send (socket, frame, strlen (frame), reeve_capabilities_get_cancellable (caller),
                         error)
          < 0)
        return FALSE;
    }
  return socket != NULL;
}

/* ---- certificates ---- */

/* The library says that one is refused, and not why. */
static void
reeve_net_stream_explain (const char *name, GTlsCertificateFlags faults, GError **error)
{
  static const struct
  {
    GTlsCertificateFlags fault;
    const char *words;
  } rows[] = {
    { G_TLS_CERTIFICATE_UNKNOWN_CA, "nobody who is trusted has signed it" },
    { G_TLS_CERTIFICATE_BAD_IDENTITY, "it is of another name" },
    { G_TLS_CERTIFICATE_NOT_ACTIVATED, "it is not valid yet" },
    { G_TLS_CERTIFICATE_EXPIRED, "it has expired" },
    { G_TLS_CERTIFICATE_REVOKED, "it was revoked" },
    { G_TLS_CERTIFICATE_INSECURE, "its algorithm is insecure" },
  };
  g_autoptr (GString) why = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if ((faults & rows[i].fault) != 0)
      g_string_append_printf (why, "%s%s", why->len > 0 ? ", " : "", rows[i].words);
  g_clear_error (error);
  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
               "the certificate of %s is refused: %s", name,
               why->len > 0 ? why->str : "it does not verify");
}

static gboolean
reeve_net_stream_on_certificate (GTlsConnection *connection, GTlsCertificate *certificate,
                                 GTlsCertificateFlags faults, gpointer data)
{
  *(GTlsCertificateFlags *) data = faults;
  return FALSE;
}

/* One that is for logging in, signed by the same authority, is no server's (RFC 5280, 4.2.1.12):
 * at that the library does not look. */
static gboolean
reeve_net_stream_is_servers (GTlsConnection *connection)
{
  GTlsCertificate *certificate = g_tls_connection_get_peer_certificate (connection);
  g_autoptr (GByteArray) bytes = NULL;
  gnutls_x509_crt_t parsed = NULL;
  gboolean good = FALSE;

  if (certificate != NULL)
    g_object_get (certificate, "certificate", &bytes, NULL);
  if (bytes == NULL || gnutls_x509_crt_init (&parsed) < 0)
    return FALSE;
  good = gnutls_x509_crt_import (parsed, &(gnutls_datum_t){ bytes->data, bytes->len },
                                 GNUTLS_X509_FMT_DER)
             >= 0
         && gnutls_x509_crt_check_key_purpose (parsed, GNUTLS_KP_TLS_WWW_SERVER, 0) != 0;
  gnutls_x509_crt_deinit (parsed);
  return good;
}

static gboolean
reeve_net_stream_shake_hands (GTlsConnection *connection, const char *name,
                              GCancellable *cancellable, GError **error)
{
  GTlsCertificateFlags faults = 0;
  gulong handler = g_signal_connect (connection, "accept-certificate",
                                     G_CALLBACK (reeve_net_stream_on_certificate), &faults);
  gboolean good = g_tls_connection_handshake (connection, cancellable, error);

  g_signal_handler_disconnect (connection, handler);
  if (!good && faults != 0)
    reeve_net_stream_explain (name, faults, error);
  if (!good || reeve_net_stream_is_servers (connection))
    return good;
  g_set_error (error, G_TLS_ERROR, G_TLS_ERROR_BAD_CERTIFICATE,
               "the certificate of %s is refused: it is not for a server", name);
  return FALSE;
}

/* Whom the other side must show that it is. */
static GIOStream *
reeve_net_stream_encrypt (const ReeveCapabilityCaller *caller, GIOStream *plain, GError **error)
{
  const char *host = reeve_json_get_string (caller->settings, "host", "");
  const char *ca = reeve_json_get_string (caller->settings, "ca_file", NULL);
  const char *name = reeve_json_get_string (caller->settings, "server_name", host);
  g_autoptr (GSocketConnectable) identity
      = g_network_address_new (name, (guint16) reeve_json_get_int (caller->settings, "port", 0));
  g_autoptr (GTlsDatabase) database = ca != NULL ? g_tls_file_database_new (ca, error) : NULL;
  g_autoptr (GIOStream) stream = NULL;

  if (ca != NULL && database == NULL)
    return NULL;
  stream = g_tls_client_connection_new (plain, identity, error);
  if (stream == NULL)
    return NULL;
  if (database != NULL)
    g_tls_connection_set_database (G_TLS_CONNECTION (stream), database);
  /* what was sent is on record where it arrived; many end without that word */
  g_tls_connection_set_require_close_notify (G_TLS_CONNECTION (stream), FALSE);
  if (!reeve_net_stream_shake_hands (G_TLS_CONNECTION (stream), name,
                                     reeve_capabilities_get_cancellable (caller), error))
    return NULL;
  return g_steal_pointer (&stream);
}

/* Ends our side and waits for the other to end its own. One that talks instead, however slowly, has
 * acknowledged nothing. */
static gboolean
reeve_net_stream_end (const ReeveCapabilityCaller *caller, GIOStream *stream, GSocket *socket,
                      GError **error)
{
  GCancellable *cancellable = reeve_capabilities_get_cancellable (caller);
  char buffer[512];
  gsize heard = 0;
  gssize n = 0;

  if (G_IS_TLS_CONNECTION (stream)
      && !g_output_stream_close (g_io_stream_get_output_stream (stream), cancellable, error))
    return FALSE;
  if (!g_socket_shutdown (socket, FALSE, TRUE, error))
    return FALSE;
  /* of TLS nothing is wanted any more: its stream forgets an error where the other side ends
   * without the word for it */
  do
    {
      n = g_socket_receive (socket, buffer, sizeof buffer, cancellable, error);
      heard += (gsize) MAX (n, 0);
      if (n > 0 && heard > REEVE_NET_STREAM_HEARD)
        {
          g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UPSTREAM,
                               "the other side talks, and does not end");
          return FALSE;
        }
    }
  while (n > 0 && reeve_context_check (caller->context, error));
  return n == 0;
}

static gboolean
reeve_net_stream_send_stream (const ReeveCapabilityCaller *caller, JsonArray *frames, gboolean tls,
                              GError **error)
{
  g_autoptr (GSocketConnection) connection = reeve_net_stream_connect (caller, FALSE, error);
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (connection == NULL)
    return FALSE;
  for (guint i = 0; i < json_array_get_length (frames); i++)
    {
      const char *frame = json_array_get_string_element (frames, i);

      g_string_append_printf (text, "%" G_GSIZE_FORMAT " %s", strlen (frame), frame);
    }
  stream = tls ? reeve_net_stream_encrypt (caller, G_IO_STREAM (connection), error)
               : g_object_ref (G_IO_STREAM (connection));
  return stream != NULL
         && g_output_stream_write_all (g_io_stream_get_output_stream (stream), text->str, text->len,
                                       NULL, reeve_capabilities_get_cancellable (caller), error)
         && reeve_net_stream_end (caller, stream, g_socket_connection_get_socket (connection),
                                  error);
}

static char *
reeve_net_stream_name (const ReeveCapabilityCaller *caller)
{
  return g_strdup_printf ("%s:%d", reeve_json_get_string (caller->settings, "host", ""),
                          (int) reeve_json_get_int (caller->settings, "port", 0));
}

/* The place is the settings': a grant, and the deployment's ceiling, may leave fewer. */
static gboolean
reeve_net_stream_check_grants (const ReeveCapabilityCaller *caller, const char *place,
                               GError **error)
{
  const ReeveCapabilityTerms *ceiling = NULL;
  guint64 mask = 0;

  if (caller->lease == NULL)
    return TRUE;
  ceiling = reeve_capability_lease_get_ceiling (caller->lease);
  if (ceiling != NULL && !reeve_capability_terms_has ((const char *const *) ceiling->hosts, place))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
                   "%s is beyond what this deployment allows: plugins.ceiling.hosts", place);
      return FALSE;
    }
  for (guint i = 0; i < reeve_capability_lease_get_length (caller->lease); i++)
    if (reeve_capability_terms_has (
            (const char *const *) reeve_capability_lease_get_terms (caller->lease, i)->hosts,
            place))
      mask |= G_GUINT64_CONSTANT (1) << i;
  if (mask != 0)
    return reeve_capability_lease_rest_on (caller->lease, mask, error);
  g_set_error (error, REEVE_ERROR, REEVE_ERROR_PERMISSION_DENIED,
               "%s is not granted to plugin %s: reevectl plugins grant %s net.stream --param "
               "hosts=%s --reason WHY",
               place, caller->plugin_id, caller->plugin_id, place);
  return FALSE;
}

static JsonArray *
reeve_net_stream_read_frames (JsonNode *params, GError **error)
{
  JsonArray *frames = params != NULL && JSON_NODE_HOLDS_OBJECT (params)
                          ? reeve_json_get_array (json_node_get_object (params), "frames")
                          : NULL;

  for (guint i = 0; frames != NULL && i < json_array_get_length (frames); i++)
    {
      JsonNode *node = json_array_get_element (frames, i);

      if (json_node_get_value_type (node) != G_TYPE_STRING
          || strlen (json_node_get_string (node)) > REEVE_NET_STREAM_FRAME)
        frames = NULL;
    }
  if (frames == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT,
                 "frames: texts of at most %d bytes each", REEVE_NET_STREAM_FRAME);
  return frames;
}

/* (transfer full): all that is to be sent */
static GBytes *
reeve_net_stream_join (JsonArray *frames)
{
  GByteArray *bytes = g_byte_array_new ();

  for (guint i = 0; i < json_array_get_length (frames); i++)
    {
      const char *frame = json_array_get_string_element (frames, i);

      g_byte_array_append (bytes, (const guint8 *) frame, (guint) strlen (frame));
    }
  return g_byte_array_free_to_bytes (bytes);
}

/**
 * reeve_net_stream_perform:
 * @caller: which instance, with its settings
 * @params: `{frames: [text]}`
 * @user_data: (nullable): #ReeveNetRecords that the connection is recorded in
 * @error: return location
 *
 * Sends frames to the place that the settings name. Blocks.
 *
 * Returns: (transfer full) (nullable): `{}`; %NULL with %REEVE_ERROR_INVALID_ARGUMENT,
 * %REEVE_ERROR_UNAVAILABLE or %REEVE_ERROR_CANCELLED
 */
JsonNode *
reeve_net_stream_perform (const ReeveCapabilityCaller *caller, JsonNode *params, gpointer user_data,
                          GError **error)
{
  JsonArray *frames = reeve_net_stream_read_frames (params, error);
  const char *transport = caller->settings != NULL
                              ? reeve_json_get_string (caller->settings, "transport", "tcp")
                              : "";
  g_autoptr (JsonObject) empty = json_object_new ();
  g_autofree char *name = caller->settings != NULL ? reeve_net_stream_name (caller) : NULL;
  g_autoptr (GBytes) body = frames != NULL ? reeve_net_stream_join (frames) : NULL;
  const ReeveNetRecordPlace place
      = { .capability = "net.stream", .place = name, .named = TRUE, .body = body };
  ReeveNetRecord *record = NULL;
  ReeveNetRecordEnd end = { 0 };
  GError *reason = NULL;
  g_autoptr (GError) why = NULL;
  gboolean sent = FALSE;

  if (frames == NULL || !reeve_context_check (caller->context, error)
      || !reeve_net_stream_check_grants (caller, name, error)
      || !reeve_net_record_begin (user_data, caller, &place, &record, error))
    return NULL;
  if (strcmp (transport, "udp") == 0)
    sent = reeve_net_stream_send_datagrams (caller, frames, &reason);
  else
    sent = reeve_net_stream_send_stream (caller, frames, strcmp (transport, "tls") == 0, &reason);
  if (!sent)
    reeve_net_stream_fail (caller, reason, &why);
  end.sent = sent ? g_bytes_get_size (body) : 0;
  /* one that was cut has another reason than one whose server is away */
  end.error = why;
  reeve_net_record_end (record, &end);
  if (!sent)
    {
      g_propagate_error (error, g_steal_pointer (&why));
      return NULL;
    }
  return json_node_init_object (json_node_alloc (), empty);
}
