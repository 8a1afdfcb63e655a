/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveRestRouter: literals before parameters, methods, decoding. */
#include "api/rest/router.h"

#include <string.h>

static const char *const aliases[] = { "/short/{id}", NULL };

static const ReeveOperation operations[] = {
  { .name = "a.list", .method = "GET", .path = "/things" },
  { .name = "a.create", .method = "POST", .path = "/things" },
  { .name = "a.check", .method = "GET", .path = "/things/check" },
  { .name = "a.get", .method = "GET", .path = "/things/{id}", .aliases = aliases },
  { .name = "a.part", .method = "DELETE", .path = "/things/{id}/parts/{part}" },
  { .name = NULL },
};

/* name of the operation, "405", or "404" */
static const char *
match (ReeveRestRouter *router, const char *method, const char *path, ReeveRestMatch *found)
{
  if (!reeve_rest_router_match (router, method, path, found))
    return "404";
  return found->operation != NULL ? found->operation->name : "405";
}

static void
test_routes (void)
{
  static const struct
  {
    const char *method, *path, *expected;
  } cases[] = {
    { "GET", "/things", "a.list" },
    { "HEAD", "/things", "a.list" },
    { "POST", "/things", "a.create" },
    { "PUT", "/things", "405" },
    { "HEAD", "/things/1/parts/2", "405" },
    { "GET", "/things/check", "a.check" },
    { "GET", "/things/checks", "a.get" },
    { "GET", "/short/1", "a.get" },
    { "DELETE", "/things/1/parts/2", "a.part" },
    { "GET", "/things/", "404" },
    { "GET", "/things//parts/2", "404" },
    { "GET", "/", "404" },
    { "GET", "", "404" },
    { "GET", "things", "404" },
    { "GET", "//things", "404" },
    { "GET", "/things/1/parts", "404" },
    { "GET", "/things/%00", "404" },
    { "GET", "/things/%FF", "404" },
    { "GET", "/things/%zz", "404" },
    { "GET", "/THINGS", "404" },
  };
  g_autoptr (ReeveRestRouter) router = reeve_rest_router_new (operations);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (ReeveRestMatch) found = { 0 };

      g_test_message ("%s %s", cases[i].method, cases[i].path);
      g_assert_cmpstr (match (router, cases[i].method, cases[i].path, &found), ==,
                       cases[i].expected);
    }
}

static void
test_members (void)
{
  g_autoptr (ReeveRestRouter) router = reeve_rest_router_new (operations);
  g_auto (ReeveRestMatch) found = { 0 };

  g_assert_true (reeve_rest_router_match (router, "DELETE", "/things/a%2Fb/parts/c%20d", &found));
  g_assert_cmpuint (found.length, ==, 2);
  g_assert_cmpstr (found.names[0], ==, "id");
  g_assert_cmpstr (found.values[0], ==, "a/b");
  g_assert_cmpstr (found.names[1], ==, "part");
  g_assert_cmpstr (found.values[1], ==, "c d");
}

static void
test_allow (void)
{
  g_autoptr (ReeveRestRouter) router = reeve_rest_router_new (operations);
  g_auto (ReeveRestMatch) found = { 0 };

  g_assert_true (reeve_rest_router_match (router, "DELETE", "/things", &found));
  g_assert_null (found.operation);
  g_assert_cmpstr (found.allow, ==, "GET, HEAD, POST");
}

/* A long segment is nobody's literal, but may be an identifier. */
static void
test_long (void)
{
  g_autoptr (ReeveRestRouter) router = reeve_rest_router_new (operations);
  g_autofree char *name = g_strnfill (5000, 'x');
  g_autofree char *path = g_strconcat ("/things/", name, NULL);
  g_autofree char *other = g_strconcat ("/", name, NULL);
  g_auto (ReeveRestMatch) found = { 0 };
  g_auto (ReeveRestMatch) none = { 0 };

  g_assert_cmpstr (match (router, "GET", path, &found), ==, "a.get");
  g_assert_cmpuint (strlen (found.values[0]), ==, 5000);
  g_assert_cmpstr (match (router, "GET", other, &none), ==, "404");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rest/router/routes", test_routes);
  g_test_add_func ("/rest/router/members", test_members);
  g_test_add_func ("/rest/router/allow", test_allow);
  g_test_add_func ("/rest/router/long", test_long);
  return g_test_run ();
}
