/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whom a certificate stands for, by rules; and rules that are none. */
#include <reeve-plugin-1.h>
#include <string.h>

#include "mtls-rules.h"

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define COLONS                                                                                     \
  "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:"  \
  "FF"

static JsonObject *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) node = reeve_json_parse_strict (text, strlen (text), &error);

  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (node));
}

static void
test_mtls_find (void)
{
  g_autoptr (JsonObject) settings
      = parse ("{\"rules\":["
               "{\"match\":{\"uri\":\"u\",\"issuer\":\"CN=A\"},\"tenant_id\":\"t\",\"user_id\":"
               "\"1\",\"roles\":[\"viewer\"]},"
               "{\"match\":{\"uri\":\"u\"},\"user_id\":\"2\",\"roles\":[\"viewer\",\"operator\"]},"
               "{\"match\":{\"email\":\"e\",\"dns_name\":\"d\"},\"user_id\":\"3\",\"roles\":[]},"
               "{\"match\":{\"fingerprint\":\"" COLONS "\"},\"user_id\":\"4\",\"roles\":[]},"
               "{\"match\":{\"serial\":\"0a\",\"issuer\":\"CN=A\"},\"user_id\":\"5\",\"roles\":[]},"
               "{\"match\":{\"subject\":\"CN=S\"},\"user_id\":\"6\",\"roles\":[]},"
               "{\"match\":{\"common_name\":\"S\"},\"user_id\":\"7\",\"roles\":[]}]}");
  static const struct
  {
    const char *certificate;
    const char *user_id;
  } cases[] = {
    { "{\"uris\":[\"x\",\"u\"],\"issuer\":\"CN=A\"}", "1" },
    { "{\"uris\":[\"u\"],\"issuer\":\"CN=B\"}", "2" },
    { "{\"uris\":[\"u\"]}", "2" },
    { "{\"uris\":[\"U\"]}", NULL },
    { "{\"uris\":[\"uu\"],\"common_name\":\"u\"}", NULL },
    { "{\"emails\":[\"e\"],\"dns_names\":[\"d\"]}", "3" },
    { "{\"emails\":[\"e\"],\"dns_names\":[\"e\"]}", NULL },
    { "{\"fingerprint\":\"" DIGITS "\"}", "4" },
    { "{\"serial\":\"0a\",\"issuer\":\"CN=A\"}", "5" },
    { "{\"serial\":\"0a\",\"issuer\":\"CN=B\"}", NULL },
    { "{\"subject\":\"CN=S\",\"common_name\":\"S\"}", "6" },
    { "{\"subject\":\"CN=S,O=X\",\"common_name\":\"S\"}", "7" },
    { "{}", NULL },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (MtlsRules) rules = mtls_rules_new (settings, &error);

  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonObject) certificate = parse (cases[i].certificate);
      const MtlsPrincipal *principal = mtls_rules_find (rules, certificate);

      g_test_message ("%s", cases[i].certificate);
      g_assert_cmpstr (principal != NULL ? principal->user_id : NULL, ==, cases[i].user_id);
      if (principal == NULL)
        continue;
      if (g_strcmp0 (cases[i].user_id, "1") == 0)
        g_assert_cmpstr (principal->tenant_id, ==, "t");
      if (g_strcmp0 (cases[i].user_id, "2") == 0)
        {
          g_assert_cmpstr (principal->tenant_id, ==, "default");
          g_assert_cmpstr (principal->roles[1], ==, "operator");
          g_assert_null (principal->roles[2]);
        }
    }
}

static void
test_mtls_bad (void)
{
  static const char *const bad[] = {
    "{\"issuer\":\"CN=A\"}",
    "{\"serial\":\"0a\"}",
    "{\"serial\":\"0a\",\"uri\":\"u\"}",
    "{\"fingerprint\":\"00\"}",
    "{\"fingerprint\":\"" DIGITS "00\"}",
    "{\"fingerprint\":\"sha256:" DIGITS "\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text
          = g_strdup_printf ("{\"rules\":[{\"match\":%s,\"user_id\":\"x\",\"roles\":[]}]}", bad[i]);
      g_autoptr (JsonObject) settings = parse (text);
      g_autoptr (GError) error = NULL;

      g_assert_null (mtls_rules_new (settings, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CONFIGURATION);
      g_assert_nonnull (strstr (error->message, "rules[0].match"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mtls/find", test_mtls_find);
  g_test_add_func ("/mtls/bad", test_mtls_bad);
  return g_test_run ();
}
