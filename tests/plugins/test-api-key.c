/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-api-key against a host that answers what the test wants. */
#include <reeve-plugin-1.h>

#include <string.h>

#include "api-key-address.h"

#define KEY "rv_abcdefghijklmnopqrstuvwx23_secretsecretsecret"

extern const ReevePluginDescriptor reeve_plugin_descriptor;

/* ---- the host ---- */

#define TEST_TYPE_BROKER (test_broker_get_type ())
G_DECLARE_FINAL_TYPE (TestBroker, test_broker, TEST, BROKER, GObject)

struct _TestBroker
{
  GObject parent_instance;
  const char *record; /* what lookup answers; NULL: not found */
  int failure;        /* of lookup, when record is NULL */
  guint calls;
};

static JsonNode *
test_broker_call (ReeveBroker *broker, ReeveContext *context, const char *capability,
                  JsonNode *params, GError **error)
{
  TestBroker *self = TEST_BROKER (broker);
  JsonObject *object = json_node_get_object (params);
  gboolean digest = strcmp (capability, "credentials.digest") == 0;

  self->calls++;
  if (digest)
    return json_from_string (strcmp (json_object_get_string_member (object, "text"), KEY) == 0
                                 ? "{\"digest\":\"aabb\"}"
                                 : "{\"digest\":\"ccdd\"}",
                             NULL);
  g_assert_cmpstr (capability, ==, "credentials.lookup");
  g_assert_true (g_str_has_prefix (json_object_get_string_member (object, "key_id"), "key_"));
  if (self->record != NULL)
    return json_from_string (self->record, NULL);
  g_set_error_literal (error, REEVE_ERROR, self->failure, "as the test wants");
  return NULL;
}

static void
test_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->call = test_broker_call;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (TestBroker, test_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, test_broker_iface_init))

static void
test_broker_class_init (TestBrokerClass *klass)
{
}

static void
test_broker_init (TestBroker *self)
{
}

/* ---- cases ---- */

typedef struct
{
  ReeveAuth *auth;
  TestBroker *broker;
  ReeveContext *context;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  ReeveContextInfo info = { .struct_size = sizeof info };

  fixture->auth = g_object_new (reeve_plugin_descriptor.query_types ()[0], NULL);
  fixture->broker = g_object_new (TEST_TYPE_BROKER, NULL);
  fixture->broker->failure = REEVE_ERROR_NOT_FOUND;
  fixture->context = reeve_context_new (&info, REEVE_BROKER (fixture->broker), NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_object_unref (fixture->auth);
  g_object_unref (fixture->context);
  g_object_unref (fixture->broker);
}

static ReeveIdentity *
show (Fixture *fixture, const char *scheme, const char *token, const char *peer, GError **error)
{
  ReeveCredentials credentials = { .struct_size = sizeof credentials,
                                   .scheme = scheme,
                                   .token = token,
                                   .peer_address = peer,
                                   .door = "rest" };

  return reeve_auth_authenticate (fixture->auth, &credentials, fixture->context, error);
}

static void
test_api_key_good (Fixture *fixture, gconstpointer data)
{
  static const char *const schemes[] = { "bearer", "api-key" };

  fixture->broker->record
      = "{\"digest\":\"aabb\",\"tenant_id\":\"acme\",\"user_id\":\"usr_1\",\"roles\":[\"viewer\"],"
        "\"expires_at\":9000000000000000}";
  for (guint i = 0; i < G_N_ELEMENTS (schemes); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (ReeveIdentity) identity = show (fixture, schemes[i], KEY, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (reeve_identity_get_tenant_id (identity), ==, "acme");
      g_assert_cmpstr (reeve_identity_get_user_id (identity), ==, "usr_1");
      g_assert_cmpstr (reeve_identity_get_roles (identity)[0], ==, "viewer");
      g_assert_null (reeve_identity_get_roles (identity)[1]);
      g_assert_cmpstr (reeve_identity_get_key_id (identity), ==, "key_abcdefghijklmnopqrstuvwx23");
      g_assert_cmpstr (reeve_identity_get_method (identity), ==, "api_key");
      g_assert_cmpint (reeve_identity_get_expires_at (identity), ==, 9000000000000000);
    }
}

/* Not of its kind: the next provider is asked, the host is not. */
static void
test_api_key_others (Fixture *fixture, gconstpointer data)
{
  static const char *const shown[][2]
      = { { "bearer", "eyJ.eyJ.x" }, { "bearer", "" },    { "basic", KEY },
          { "negotiate", "x" },      { "bearer", "RV_" }, { "", KEY } };

  for (guint i = 0; i < G_N_ELEMENTS (shown); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (show (fixture, shown[i][0], shown[i][1], NULL, &error));
      g_assert_no_error (error);
    }
  g_assert_cmpuint (fixture->broker->calls, ==, 0);
}

/* Every way to be bad is refused with the same words. */
static void
test_api_key_bad (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *token;
    const char *record;
  } cases[] = {
    { KEY, NULL },
    { "rv_", NULL },
    { "rv__x", NULL },
    { "rv_a", NULL },
    { "rv_a_", NULL },
    { "rv_A_b", NULL },
    { "rv_a_b_c", NULL },
    { "rv_a_\xff", NULL },
    { "rv_a_B", NULL },
    { KEY "x", "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"roles\":[]}" },
    { KEY, "{\"digest\":\"ccdd\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"roles\":[]}" },
    { KEY, "{\"digest\":\"\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"roles\":[]}" },
    { KEY, "{\"tenant_id\":\"t\",\"user_id\":\"u\",\"roles\":[]}" },
    { KEY, "{\"digest\":\"aabb\",\"user_id\":\"u\",\"roles\":[]}" },
    { KEY, "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"roles\":[]}" },
    { KEY, "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"expires_at\":1}" },
    { KEY, "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"revoked_at\":1}" },
    { KEY,
      "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"ip_allow\":[\"10.0.0.1\"]}" },
    { KEY, "{\"digest\":\"aabb\",\"tenant_id\":\"t\",\"user_id\":\"u\",\"ip_allow\":[7]}" },
  };
  g_autofree char *endless = g_strconcat ("rv_a_", NULL);

  for (guint i = 0; i <= G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *tail = i == G_N_ELEMENTS (cases) ? g_strnfill (600, 'a') : NULL;
      g_autofree char *token
          = tail != NULL ? g_strconcat (endless, tail, NULL) : g_strdup (cases[i].token);

      fixture->broker->record = tail != NULL ? NULL : cases[i].record;
      g_assert_null (show (fixture, "api-key", token, "192.0.2.1", &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAUTHENTICATED);
      g_assert_cmpstr (error->message, ==, "the API key is not valid");
    }
}

/* A host that cannot answer is not a key that is bad. */
static void
test_api_key_failure (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->broker->failure = REEVE_ERROR_CORRUPT;
  g_assert_null (show (fixture, "bearer", KEY, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CORRUPT);
  g_clear_error (&error);
  fixture->broker->record = "[]";
  g_assert_null (show (fixture, "bearer", KEY, NULL, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_FAILED);
}

static void
test_api_key_addresses (void)
{
  static const struct
  {
    const char *allowed;
    const char *address;
    gboolean good;
  } cases[] = {
    { "[]", NULL, TRUE },
    { "[\"10.0.0.1\"]", "10.0.0.1", TRUE },
    { "[\"10.0.0.1\"]", "10.0.0.2", FALSE },
    { "[\"10.0.0.1\"]", NULL, FALSE },
    { "[\"10.0.0.0/8\"]", "10.255.0.1", TRUE },
    { "[\"10.0.0.0/8\"]", "::ffff:10.255.0.1", TRUE },
    { "[\"10.0.0.0/8\"]", "11.0.0.1", FALSE },
    { "[\"2001:db8::/32\"]", "2001:db8:1::1", TRUE },
    { "[\"2001:db8::/32\"]", "2001:db9::1", FALSE },
    { "[\"nonsense\",\"10.0.0.1\"]", "10.0.0.1", TRUE },
    { "[\"nonsense\"]", "10.0.0.1", FALSE },
    { "[\"10.0.0.1\"]", "nonsense", FALSE },
    { "[\"10.0.0.1\"]", "10.0.0.1:80", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (JsonNode) node = json_from_string (cases[i].allowed, NULL);

      g_assert_true (api_key_address_is_allowed (json_node_get_array (node), cases[i].address)
                     == cases[i].good);
    }
  g_assert_true (api_key_address_is_allowed (NULL, NULL));
}

#define ADD(name, func) g_test_add ("/api-key/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("good", test_api_key_good);
  ADD ("others", test_api_key_others);
  ADD ("bad", test_api_key_bad);
  ADD ("failure", test_api_key_failure);
  g_test_add_func ("/api-key/addresses", test_api_key_addresses);
  return g_test_run ();
}
