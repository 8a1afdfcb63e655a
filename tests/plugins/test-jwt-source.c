/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* auth-jwt: the keys of an issuer: fetched, kept, renewed, and how often. The clock is the test's.
 */
#include <reeve-plugin-1.h>

#include <string.h>

#include "../helpers/jwt-signer.h"
#include "jwt-verifier.h"

#define NOW    G_GINT64_CONSTANT (1800000000)
#define ISSUER "https://idp.example"
#define CLAIMS "{\"iss\":\"" ISSUER "\",\"sub\":\"alice\",\"exp\":1800000600,\"org_id\":\"acme\"}"

/* ---- an issuer ---- */

#define FAKE_TYPE_BROKER (fake_broker_get_type ())
G_DECLARE_FINAL_TYPE (FakeBroker, fake_broker, FAKE, BROKER, GObject)

struct _FakeBroker
{
  GObject parent_instance;
  GMutex lock; /* guards what follows */
  GCond changed;
  char *description; /* (nullable): 404 */
  char *keys;        /* (nullable): 404 */
  guint status;      /* instead, unless 0 */
  gboolean dead;
  gboolean held; /* answers wait until it is released */
  guint calls;   /* for keys */
  guint described;
  char *url; /* of the last request for keys */
};

static ReeveHttpResponse *
fake_broker_http (ReeveBroker *broker, ReeveContext *context, ReeveHttpRequest *request,
                  GError **error)
{
  FakeBroker *self = FAKE_BROKER (broker);
  const char *url = reeve_http_request_get_url (request);
  gboolean description = g_str_has_suffix (url, "/openid-configuration");
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const char *text = description ? self->description : self->keys;
  ReeveHttpResponse *response = NULL;

  g_assert_cmpuint (reeve_http_request_get_max_response (request), ==, 512 * 1024);
  g_assert_cmpuint (reeve_http_request_get_timeout_ms (request), >, 0);
  if (description)
    self->described++;
  else
    {
      self->calls++;
      g_free (self->url);
      self->url = g_strdup (url);
    }
  g_cond_broadcast (&self->changed);
  while (self->held)
    g_cond_wait (&self->changed, &self->lock);
  if (self->dead)
    {
      g_set_error_literal (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE, "connection refused");
      return NULL;
    }
  response = reeve_http_response_new (self->status != 0 ? self->status : text != NULL ? 200 : 404);
  if (text != NULL)
    {
      g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));

      reeve_http_response_set_body (response, body);
    }
  return response;
}

static void
fake_broker_iface_init (ReeveBrokerInterface *iface)
{
  iface->http = fake_broker_http;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBroker, fake_broker, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_BROKER, fake_broker_iface_init))

static void
fake_broker_finalize (GObject *object)
{
  FakeBroker *self = FAKE_BROKER (object);

  g_free (self->description);
  g_free (self->keys);
  g_free (self->url);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  G_OBJECT_CLASS (fake_broker_parent_class)->finalize (object);
}

static void
fake_broker_class_init (FakeBrokerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_broker_finalize;
}

static void
fake_broker_init (FakeBroker *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
}

/* ---- one verifier and three keys ---- */

typedef struct
{
  FakeBroker *broker;
  ReeveContext *context;
  JwtVerifier *verifier;
  JwtSigner *signers[3]; /* ids a, b, a */
  char *tokens[3];
} World;

static void
set_keys (World *world, const char *first, const char *second)
{
  g_mutex_lock (&world->broker->lock);
  g_free (world->broker->keys);
  world->broker->keys = g_strdup_printf ("{\"keys\":[%s%s%s]}", first, second != NULL ? "," : "",
                                         second != NULL ? second : "");
  g_mutex_unlock (&world->broker->lock);
}

static void
publish (World *world, int first, int second)
{
  g_autofree char *one = jwt_signer_make_jwk (world->signers[first], ",\"use\":\"sig\"");
  g_autofree char *two
      = second >= 0 ? jwt_signer_make_jwk (world->signers[second], ",\"alg\":\"ES256\"") : NULL;

  set_keys (world, one, two);
}

static void
set_up_with (World *world, const char *more)
{
  static const char *const ids[] = { "a", "b", "a" };
  ReeveContextInfo info = { .struct_size = sizeof info };
  g_autofree char *text = g_strdup_printf ("{\"issuer\":\"" ISSUER "\"%s}", more);
  g_autoptr (JsonNode) node = json_from_string (text, NULL);
  g_autoptr (GError) error = NULL;
  JwtSettings *settings = jwt_settings_new (json_node_get_object (node), TRUE, &error);

  g_assert_no_error (error);
  world->broker = g_object_new (FAKE_TYPE_BROKER, NULL);
  world->context = reeve_context_new (&info, REEVE_BROKER (world->broker), NULL);
  world->verifier = jwt_verifier_new (settings);
  for (guint i = 0; i < G_N_ELEMENTS (ids); i++)
    {
      world->signers[i] = jwt_signer_new ("ES256", ids[i]);
      world->tokens[i] = jwt_signer_sign (world->signers[i], NULL, CLAIMS);
    }
  publish (world, 0, -1);
}

static void
set_up (World *world, gconstpointer data)
{
  set_up_with (world, data != NULL ? data : ",\"jwks_uri\":\"" ISSUER "/keys\"");
}

static void
tear_down (World *world, gconstpointer data)
{
  jwt_verifier_free (world->verifier);
  g_object_unref (world->context);
  g_object_unref (world->broker);
  for (guint i = 0; i < G_N_ELEMENTS (world->signers); i++)
    {
      jwt_signer_free (world->signers[i]);
      g_free (world->tokens[i]);
    }
}

/* 0: let in; else the code of the refusal. @seconds: of the test's clock */
static int
show_token (World *world, const char *token, double seconds, gint64 *expires_at)
{
  g_autoptr (GError) error = NULL;
  gboolean ours = FALSE;
  gint64 passed = (gint64) (seconds * G_USEC_PER_SEC);
  g_autoptr (ReeveIdentity) identity = jwt_verifier_verify (
      world->verifier, token, world->context, NOW * G_USEC_PER_SEC + passed, passed, &ours, &error);

  g_assert_true (ours);
  if (identity == NULL)
    return error->code;
  if (expires_at != NULL)
    *expires_at = reeve_identity_get_expires_at (identity) / G_USEC_PER_SEC - NOW;
  return 0;
}

static int
show (World *world, int which, double seconds)
{
  return show_token (world, world->tokens[which], seconds, NULL);
}

#define BAD  ((int) REEVE_ERROR_UNAUTHENTICATED)
#define DOWN ((int) REEVE_ERROR_UNAVAILABLE)
#define BUSY ((int) REEVE_ERROR_BUSY)

/* Fetched once, looked at again at four fifths of its time. */
static void
test_jwt_source_cache (World *world, gconstpointer data)
{
  gint64 expires_at = 0;

  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (show_token (world, world->tokens[0], i, &expires_at), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 1);
  g_assert_cmpstr (world->broker->url, ==, ISSUER "/keys");
  /* no longer than the keys are good for, whatever the token says */
  g_assert_cmpint (expires_at, ==, 300);
  g_assert_cmpint (show (world, 0, 239), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 1);
  g_assert_cmpint (show_token (world, world->tokens[0], 241, &expires_at), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 2);
  g_assert_cmpint (expires_at, ==, 541);
}

/* A new key is learnt at once; one that was taken back is good no longer than the cache. */
static void
test_jwt_source_rotation (World *world, gconstpointer data)
{
  g_assert_cmpint (show (world, 0, 0), ==, 0);
  publish (world, 1, 0);
  g_assert_cmpint (show (world, 1, 20), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 2);
  publish (world, 1, -1);
  g_assert_cmpint (show (world, 0, 100), ==, 0);
  g_assert_cmpint (show (world, 0, 320), ==, BAD);
  g_assert_cmpint (show (world, 1, 321), ==, 0);
}

/* Nobody makes this host ask again and again. */
static void
test_jwt_source_limit (World *world, gconstpointer data)
{
  g_assert_cmpint (show (world, 0, 0), ==, 0);
  for (guint i = 0; i < 50; i++)
    {
      g_autofree char *header = g_strdup_printf ("{\"alg\":\"ES256\",\"kid\":\"x%u\"}", i);
      g_autofree char *token = jwt_signer_sign (world->signers[0], header, CLAIMS);

      g_assert_cmpint (show_token (world, token, 1 + i * 0.1, NULL), ==, BAD);
    }
  g_assert_cmpuint (world->broker->calls, ==, 2);
  /* an id that was not there is not asked for again even after that */
  g_assert_cmpint (show (world, 1, 12), ==, BAD);
  g_assert_cmpuint (world->broker->calls, ==, 3);
  g_assert_cmpint (show (world, 1, 30), ==, BAD);
  g_assert_cmpuint (world->broker->calls, ==, 3);
  publish (world, 0, 1);
  g_assert_cmpint (show (world, 1, 43), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 4);
}

/* A signature that is bad under a known id is no reason to ask. */
static void
test_jwt_source_bad (World *world, gconstpointer data)
{
  g_assert_cmpint (show (world, 0, 0), ==, 0);
  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (show (world, 2, 20 * i), ==, BAD);
  g_assert_cmpuint (world->broker->calls, ==, 1);
}

/* Several keys of one id, and tokens that name none. */
static void
test_jwt_source_ids (World *world, gconstpointer data)
{
  g_autofree char *unnamed = jwt_signer_sign (world->signers[1], "{\"alg\":\"ES256\"}", CLAIMS);

  publish (world, 0, 2);
  g_assert_cmpint (show (world, 0, 0), ==, 0);
  g_assert_cmpint (show (world, 2, 0), ==, 0);
  g_assert_cmpint (show_token (world, unnamed, 0, NULL), ==, BAD);
  publish (world, 0, 1);
  g_assert_cmpint (show_token (world, unnamed, 11, NULL), ==, 0);
  g_assert_cmpint (show (world, 2, 11), ==, BAD);
}

/* The old keys hold for a while, not for ever; without any nobody gets in, and that is no 401. */
static void
test_jwt_source_down (World *world, gconstpointer data)
{
  gint64 expires_at = 0;

  world->broker->dead = TRUE;
  g_assert_cmpint (show (world, 0, 0), ==, DOWN);
  g_assert_cmpint (show (world, 0, 1), ==, DOWN);
  g_assert_cmpuint (world->broker->calls, ==, 1);
  world->broker->dead = FALSE;
  g_assert_cmpint (show (world, 0, 3), ==, 0);
  world->broker->dead = TRUE;
  g_assert_cmpint (show_token (world, world->tokens[0], 400, &expires_at), ==, 0);
  g_assert_cmpint (expires_at, ==, 402);
  g_assert_cmpuint (world->broker->calls, ==, 3);
  g_assert_cmpint (show (world, 0, 401), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 3);
  /* 3 + 300 + 100 */
  g_assert_cmpint (show (world, 0, 404), ==, DOWN);
  world->broker->dead = FALSE;
  g_assert_cmpint (show (world, 0, 410), ==, 0);
}

/* What is no key set changes nothing. */
static void
test_jwt_source_garbage (World *world, gconstpointer data)
{
  static const char *const texts[]
      = { "", "<html>", "[]", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}" };

  g_assert_cmpint (show (world, 0, 0), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_free (world->broker->keys);
      world->broker->keys = g_strdup (texts[i]);
      g_assert_cmpint (show (world, 0, 301 + 10 * i), ==, 0);
      g_assert_cmpuint (world->broker->calls, ==, 2 + i);
    }
  world->broker->status = 302;
  g_assert_cmpint (show (world, 0, 390), ==, 0);
  g_assert_cmpint (show (world, 0, 401), ==, DOWN);
}

/* The issuer says where its keys are; if it says nothing they are at the usual place. */
static void
test_jwt_source_discovery (World *world, gconstpointer data)
{
  static const struct
  {
    const char *description;
    const char *url; /* NULL: refused */
  } cases[] = {
    { NULL, ISSUER "/.well-known/jwks.json" },
    { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"https://keys.example/k\"}",
      "https://keys.example/k" },
    { "{\"issuer\":\"" ISSUER "/\",\"jwks_uri\":\"https://keys.example/k\"}", NULL },
    { "{\"jwks_uri\":\"https://keys.example/k\"}", NULL },
    { "{\"issuer\":\"" ISSUER "\",\"jwks_uri\":\"http://keys.example/k\"}", NULL },
    { "{\"issuer\":\"" ISSUER "\"}", NULL },
    { "not json", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World other = { NULL };

      set_up_with (&other, "");
      other.broker->description = g_strdup (cases[i].description);
      g_assert_cmpint (show (&other, 0, 0), ==, cases[i].url != NULL ? 0 : DOWN);
      g_assert_cmpstr (other.broker->url, ==, cases[i].url);
      g_assert_cmpuint (other.broker->described, ==, 1);
      tear_down (&other, NULL);
    }
}

/* ---- many at once ---- */

static gpointer
test_jwt_source_run (gpointer data)
{
  return GINT_TO_POINTER (show (data, 0, 0));
}

static void
hold (World *world, gboolean held)
{
  g_mutex_lock (&world->broker->lock);
  world->broker->held = held;
  g_cond_broadcast (&world->broker->changed);
  g_mutex_unlock (&world->broker->lock);
}

static void
wait_for_calls (World *world, guint calls)
{
  g_mutex_lock (&world->broker->lock);
  while (world->broker->calls < calls)
    g_cond_wait (&world->broker->changed, &world->broker->lock);
  g_mutex_unlock (&world->broker->lock);
}

/* One asks, and nobody waits for it: who cannot be answered without is told that it is busy, so
 * that an issuer that hangs never takes a second thread. */
static void
test_jwt_source_crowd (World *world, gconstpointer data)
{
  GThread *fetcher = NULL;

  hold (world, TRUE);
  fetcher = g_thread_new ("caller", test_jwt_source_run, world);
  wait_for_calls (world, 1);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (show (world, 0, 0), ==, BUSY);
  hold (world, FALSE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fetcher)), ==, 0);
  g_assert_cmpint (show (world, 0, 0), ==, 0);
  g_assert_cmpuint (world->broker->calls, ==, 1);
}

static gpointer
test_jwt_source_run_unknown (gpointer data)
{
  return GINT_TO_POINTER (show (data, 1, 20));
}

/* While one that nobody knows is looked for, those that are known are let in. */
static void
test_jwt_source_known (World *world, gconstpointer data)
{
  GThread *fetcher = NULL;

  g_assert_cmpint (show (world, 0, 0), ==, 0);
  hold (world, TRUE);
  fetcher = g_thread_new ("caller", test_jwt_source_run_unknown, world);
  wait_for_calls (world, 2);
  g_assert_cmpint (show (world, 0, 20), ==, 0);
  g_assert_cmpint (show (world, 1, 20), ==, BUSY);
  hold (world, FALSE);
  g_assert_cmpint (GPOINTER_TO_INT (g_thread_join (fetcher)), ==, BAD);
}

/* The first caller finds the keys there; and where they could not be had, he tries at once. */
static void
test_jwt_source_warm (World *world, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  world->broker->dead = TRUE;
  g_assert_false (jwt_verifier_warm (world->verifier, world->context, 0, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_UNAVAILABLE);
  g_assert_cmpint (show (world, 0, 0), ==, DOWN);
  g_assert_cmpuint (world->broker->calls, ==, 2);
  world->broker->dead = FALSE;
  g_assert_true (jwt_verifier_warm (world->verifier, world->context, 1, NULL));
  g_assert_cmpint (show (world, 0, 1), ==, 0);
  g_assert_true (jwt_verifier_warm (world->verifier, world->context, 1, NULL));
  g_assert_cmpuint (world->broker->calls, ==, 3);
}

/* Of whose tokens it wants to be asked. */
static void
test_jwt_source_knows (World *world, gconstpointer data)
{
  g_autofree char *other = jwt_signer_sign (world->signers[0], NULL, "{\"iss\":\"https://x\"}");

  g_assert_true (jwt_verifier_knows (world->verifier, world->tokens[0]));
  g_assert_false (jwt_verifier_knows (world->verifier, other));
  /* it is the one that says so */
  g_assert_true (jwt_verifier_knows (world->verifier, "e.."));
  g_assert_cmpuint (world->broker->calls, ==, 0);
}

static void
add (const char *path, gconstpointer settings, void (*test) (World *, gconstpointer))
{
  g_test_add (path, World, settings, set_up, test, tear_down);
}

int
main (int argc, char **argv)
{
  const char *brief = ",\"jwks_uri\":\"" ISSUER "/keys\",\"jwks_stale_seconds\":100";

  g_test_init (&argc, &argv, NULL);
  add ("/jwt/source/cache", NULL, test_jwt_source_cache);
  add ("/jwt/source/rotation", NULL, test_jwt_source_rotation);
  add ("/jwt/source/limit", NULL, test_jwt_source_limit);
  add ("/jwt/source/bad", NULL, test_jwt_source_bad);
  add ("/jwt/source/ids", NULL, test_jwt_source_ids);
  add ("/jwt/source/down", brief, test_jwt_source_down);
  add ("/jwt/source/garbage", brief, test_jwt_source_garbage);
  add ("/jwt/source/discovery", NULL, test_jwt_source_discovery);
  add ("/jwt/source/crowd", NULL, test_jwt_source_crowd);
  add ("/jwt/source/known", NULL, test_jwt_source_known);
  add ("/jwt/source/warm", NULL, test_jwt_source_warm);
  add ("/jwt/source/knows", NULL, test_jwt_source_knows);
  return g_test_run ();
}
