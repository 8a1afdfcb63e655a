/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fuzzes what is said of a client's certificate: strict JSON of the promised members, each text
 * whole or not there at all. */
/* covers: host/api/rest/tls-peer.c */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <reeve-plugin-1.h>

#include "api/rest/tls-peer.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const gnutls_datum_t der = { (unsigned char *) data, (unsigned int) size };
  g_autofree char *text = reeve_rest_tls_peer_describe (&der);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = NULL;
  JsonObject *object = NULL;

  if (text == NULL)
    return 0;
  node = reeve_json_parse_strict (text, strlen (text), &error);
  g_assert (node != NULL && error == NULL && JSON_NODE_HOLDS_OBJECT (node));
  object = json_node_get_object (node);
  g_assert (strlen (reeve_json_get_string (object, "fingerprint", "")) == 64);
  g_assert (reeve_json_get_int (object, "expires_at", -1) >= 0);
  g_assert (reeve_json_get_array (object, "uris") != NULL);
  g_assert (json_array_get_length (reeve_json_get_array (object, "uris")) <= 64);
  return 0;
}
