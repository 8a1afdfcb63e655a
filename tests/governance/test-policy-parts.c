/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What policies are made of: globs, the index, kinds, constraints, rates; against plain ones. */
#include <string.h>

#include "governance/policy-constraints.h"
#include "governance/policy-glob.h"
#include "governance/policy-index.h"
#include "governance/policy-kinds.h"
#include "governance/policy-rates.h"

#include "policy-plain.h"

static char *
random_text (const char *letters, guint most)
{
  gsize length = (gsize) g_test_rand_int_range (0, (gint) most + 1);
  char *text = g_malloc0 (length + 1);

  for (gsize i = 0; i < length; i++)
    text[i] = letters[g_test_rand_int_range (0, (gint) strlen (letters))];
  return text;
}

static void
test_glob (void)
{
  for (guint i = 0; i < 200000; i++)
    {
      g_autofree char *pattern = random_text ("ab*?", 7);
      g_autofree char *text = random_text ("ab", 8);

      if (reeve_policy_glob_match (pattern, text) != policy_plain_match (pattern, text))
        g_error ("\"%s\" and \"%s\"", pattern, text);
    }
}

static gboolean
count_up (guint value, gpointer user_data)
{
  ((guint8 *) user_data)[value]++;
  return TRUE;
}

static void
test_index (void)
{
  for (guint round = 0; round < 300; round++)
    {
      g_autoptr (ReevePolicyIndex) index = reeve_policy_index_new ();
      g_autoptr (GPtrArray) patterns = g_ptr_array_new_with_free_func (g_free);
      guint length = (guint) g_test_rand_int_range (0, 60);

      for (guint i = 0; i < length; i++)
        {
          g_ptr_array_add (patterns, random_text ("aabb*?_", 8));
          reeve_policy_index_add (index, patterns->pdata[i], i);
        }
      reeve_policy_index_seal (index);
      for (guint i = 0; i < 60; i++)
        {
          g_autofree char *name = random_text ("ab_", 9);
          guint8 seen[60] = { 0 };

          reeve_policy_index_visit (index, name, count_up, seen);
          for (guint k = 0; k < length; k++)
            if (seen[k] != policy_plain_match (patterns->pdata[k], name))
              g_error ("\"%s\" and \"%s\": %u", (char *) patterns->pdata[k], name, seen[k]);
        }
    }
}

static gboolean
stop_at_first (guint value, gpointer user_data)
{
  *(guint *) user_data += 1;
  return FALSE;
}

static void
test_index_edges (void)
{
  g_autoptr (ReevePolicyIndex) index = reeve_policy_index_new ();
  g_autofree char *longest = g_strnfill (REEVE_POLICY_INDEX_LONGEST, 'x');
  g_autofree char *longer = g_strnfill (1000, 'x');
  guint8 seen[4] = { 0 };
  guint first = 0;

  reeve_policy_index_add (index, "*", 0);
  reeve_policy_index_add (index, longest, 1);
  reeve_policy_index_add (index, "xx*", 2);
  reeve_policy_index_add (index, "*xx", 3);
  reeve_policy_index_seal (index);
  reeve_policy_index_visit (index, longest, count_up, seen);
  g_assert_cmpmem (seen, 4, "\1\1\1\1", 4);
  reeve_policy_index_visit (index, longer, count_up, seen);
  g_assert_cmpmem (seen, 4, "\2\1\2\2", 4);
  reeve_policy_index_visit (index, "", count_up, seen);
  g_assert_cmpmem (seen, 4, "\3\1\2\2", 4);
  reeve_policy_index_visit (index, longest, stop_at_first, &first);
  g_assert_cmpuint (first, ==, 1);
}

static void
test_paths (void)
{
  static const struct
  {
    const char *from;
    const char *to; /* NULL: refused */
  } rows[] = { { "/workspace/a", "/workspace/a" },
               { "//workspace///a/", "/workspace/a" },
               { "/workspace/./b/../a", "/workspace/a" },
               { "/../../etc", "/etc" },
               { "/workspace/..", "/" },
               { "a/../b", "b" },
               { "a/..", "." },
               { "file:///workspace/../etc", "/etc" },
               { "FILE:///a", "/a" },
               { "", NULL },
               { "../a", NULL },
               { "a/../../b", NULL },
               { "~/a", NULL },
               { "/a\\..\\b", NULL },
               { "/a/%2e%2E/b", NULL },
               { "/a%2Fb", NULL },
               { "/a%252fb", NULL },
               { "/a\nb", NULL },
               { "http://x/a", NULL },
               { "/a\xff", NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *path = reeve_policy_glob_path (rows[i].from, &error);

      g_assert_cmpstr (path, ==, rows[i].to);
      g_assert_true ((path == NULL) == (error != NULL));
      if (error != NULL)
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
}

static void
test_path_globs (void)
{
  static const struct
  {
    const char *pattern;
    const char *path;
    gboolean matches;
  } rows[] = { { "/workspace/*", "/workspace/a", TRUE },
               { "/workspace/*", "/workspace/a/b", TRUE },
               { "/workspace/*", "/workspace", FALSE },
               { "/workspace/*", "/workspacex/a", FALSE },
               { "/workspace/*", "/workspace/", FALSE },
               { "/w/*/c", "/w/b/c", TRUE },
               { "/w/*/c", "/w/b/b/c", FALSE },
               { "/w/**/c", "/w/b/b/c", TRUE },
               { "/w/*.txt", "/w/a.txt", TRUE },
               { "/w/*.txt", "/w/b/a.txt", FALSE },
               { "/w/?", "/w/a", TRUE },
               { "/w?a", "/w/a", FALSE },
               { "documents/*", "documents/a/b", TRUE },
               { "*", "a/b", TRUE },
               { "/**", "/a/b", TRUE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (reeve_policy_glob_match_path (rows[i].pattern, rows[i].path) != rows[i].matches)
      g_error ("%s and %s", rows[i].pattern, rows[i].path);
}

static void
test_domains (void)
{
  static const struct
  {
    const char *pattern;
    const char *asked;
    gboolean allowed;
  } rows[] = { { "api.internal.com", "https://api.internal.com/x", TRUE },
               { "api.internal.com", "HTTPS://API.Internal.COM:8443/x", TRUE },
               { "api.internal.com.", "https://api.internal.com", TRUE },
               { "api.internal.com", "https://api.internal.com./", TRUE },
               { "api.internal.com", "api.internal.com:80", TRUE },
               { "api.internal.com", "https://x.api.internal.com/", FALSE },
               { "api.internal.com", "https://api.internal.com.evil.example/", FALSE },
               { "api.internal.com", "https://api.internal.com@evil.example/", FALSE },
               { "api.internal.com", "https://evil.example/api.internal.com", FALSE },
               { "api.internal.com", "https://evil.example\\@api.internal.com/", FALSE },
               { "api.internal.com", "https://evil.example#@api.internal.com/", FALSE },
               { "*.internal.com", "https://api.internal.com/", TRUE },
               { "*.internal.com", "https://a.b.internal.com/", TRUE },
               { "*.internal.com", "https://internal.com/", FALSE },
               { "*.internal.com", "https://xinternal.com/", FALSE },
               { "b\303\274cher.example", "https://xn--bcher-kva.example/", TRUE },
               { "xn--bcher-kva.example", "https://B\303\234CHER.example/", TRUE },
               { "*", "https://anything.example/", TRUE },
               { "*", "https:///nohost", FALSE },
               { "10.0.0.1", "http://10.0.0.1/", TRUE },
               { "10.0.0.1", "http://10.0.0.10/", FALSE },
               { "api.internal.com", "file://api.internal.com/etc/passwd", FALSE },
               { "api.internal.com", "gopher://api.internal.com:25/x", FALSE },
               { "api.internal.com", "api.internal.com?u=http://x", FALSE },
               { "*", "file:/etc/passwd", FALSE },
               { "*", "http:/evil.example", FALSE },
               { "*", "//evil.example/", FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *pattern = reeve_policy_glob_domain_pattern (rows[i].pattern, NULL);
      g_autofree char *asked = reeve_policy_glob_domain (rows[i].asked, NULL);

      g_assert_nonnull (pattern);
      if ((asked != NULL && reeve_policy_glob_match_domain (pattern, asked)) != rows[i].allowed)
        g_error ("%s and %s", rows[i].pattern, rows[i].asked);
    }
  g_assert_null (reeve_policy_glob_domain_pattern ("a.*.example", NULL));
}

typedef struct
{
  const char *constraints;
  const char *arguments;
  const char *broken;
} ConstraintsRow;

static void
check_constraints (const ConstraintsRow *rows, guint length)
{
  for (guint i = 0; i < length; i++)
    {
      g_autoptr (JsonObject) said = policy_plain_parse (rows[i].constraints);
      g_autoptr (JsonObject) arguments = policy_plain_parse (rows[i].arguments);
      g_autoptr (ReevePolicyConstraints) self = reeve_policy_constraints_new (said, NULL);
      g_autofree char *detail = NULL;

      g_assert_nonnull (self);
      g_assert_cmpstr (reeve_policy_constraints_check (self, arguments, &detail), ==,
                       rows[i].broken);
    }
}

static void
test_constraints (void)
{
  static const ConstraintsRow rows[] = {
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a.txt'}", NULL },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/../etc/passwd'}", "paths" },
    { "{'paths':['/workspace/*']}", "{'PATH':'/etc/passwd'}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','to':{'file':'/etc/x'}}", "paths" },
    { "{'paths':['/workspace/*']}", "{'paths':['/workspace/a','/etc/x']}", "paths" },
    { "{'paths':['/workspace/*']}", "{'items':[{'path':'/etc/x'}],'path':'/workspace/a'}",
      "paths" },
    { "{'paths':['/workspace/*']}", "{'place':'/workspace/a'}", "paths" },
    { "{'paths':['/workspace/*']}", "{}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':3}", "paths" },
    { "{'paths':['/workspace/*'],'arguments':{'paths':['place']}}", "{'place':'/workspace/a'}",
      NULL },
    { "{'paths':['/workspace/*'],'arguments':{'paths':['place']}}", "{'place':'/etc/a'}", "paths" },
    { "{'paths':[]}", "{'path':'/workspace/a'}", "paths" },
    { "{'domains':['api.internal.com']}", "{'url':'https://api.internal.com/a'}", NULL },
    { "{'domains':['api.internal.com']}", "{'url':'https://evil.example/a'}", "domains" },
    { "{'domains':['api.internal.com']}",
      "{'url':'https://api.internal.com/','host':'evil.example'}", "domains" },
    { "{'operations':['read']}", "{'operation':'READ'}", NULL },
    { "{'operations':['read']}", "{'operation':'write'}", "operations" },
    { "{'operations':['read']}", "{'query':'drop table x'}", "operations" },
    { "{'paths':['/a/*'],'operations':['read']}", "{'path':'/a/b','operation':'write'}",
      "operations" },
  };

  check_constraints (rows, G_N_ELEMENTS (rows));
}

/* Members that no list of names knows must fit as well. */
static void
test_constraints_strays (void)
{
  static const ConstraintsRow rows[] = {
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','dest':'etc'}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','out':'/etc/x'}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','outputPath':'x'}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','x':[[' /etc/x']]}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','x':{'/etc/x':1}}", "paths" },
    { "{'paths':['/workspace/*']}", "{'path':'/workspace/a','x':'C:/x'}", "paths" },
    { "{'paths':['/workspace/*']}",
      "{'path':'/workspace/a','output_path':'/workspace/b','content':'/* C */','profile':'x'}",
      NULL },
    { "{'paths':['/workspace/*'],'arguments':{'paths':['path']}}",
      "{'path':'/workspace/a','route':'/x'}", NULL },
    { "{'domains':['a.example']}", "{'url':'https://a.example/','link':'evil.example'}",
      "domains" },
    { "{'domains':['a.example']}", "{'url':'https://a.example/','x':{'y':['ftp://a.example/']}}",
      "domains" },
    { "{'domains':['a.example']}", "{'url':'https://a.example/','next':'//evil.example'}",
      "domains" },
    { "{'domains':['a.example']}", "{'url':'https://a.example/','callbackUrl':'evil'}", "domains" },
    { "{'domains':['a.example']}",
      "{'url':'https://a.example/','next':'http://a.example/2','body':'http://b.example'}", NULL },
  };

  check_constraints (rows, G_N_ELEMENTS (rows));
}

static void
test_constraints_faults (void)
{
  static const char *const rows[] = { "{'paths':'x'}",           "{'paths':['../x']}",
                                      "{'domains':['a b']}",     "{'rate_limit':'100'}",
                                      "{'rate_limit':'0/hour'}", "{'rate_limit':'5/week'}",
                                      "{'rate_limit':'-1/day'}", "{'arguments':3}",
                                      "{'operations':[3]}",      "{'arguments':{'paths':'x'}}" };
  g_autoptr (JsonObject) none = policy_plain_parse ("{'allowed':true}");
  g_autoptr (JsonObject) good = policy_plain_parse ("{'rate_limit':'100/hour'}");
  g_autoptr (GError) no_error = NULL;
  g_autoptr (ReevePolicyConstraints) rate = reeve_policy_constraints_new (good, NULL);
  guint seconds = 0;

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (JsonObject) said = policy_plain_parse (rows[i]);
      g_autoptr (GError) error = NULL;

      g_assert_null (reeve_policy_constraints_new (said, &error));
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
    }
  g_assert_null (reeve_policy_constraints_new (none, &no_error));
  g_assert_no_error (no_error);
  g_assert_cmpuint (reeve_policy_constraints_get_rate (rate, &seconds), ==, 100);
  g_assert_cmpuint (seconds, ==, 3600);
}

static void
test_kinds (void)
{
  static const struct
  {
    const char *name;
    gboolean known;
    ReeveToolHints hints;
    const char *kind;
    gboolean external;
  } rows[] = {
    { "semantic_search", TRUE, REEVE_TOOL_READ_ONLY, "read", FALSE },
    { "calculate", TRUE, REEVE_TOOL_READ_ONLY, "compute", FALSE },
    { "http_request", TRUE, REEVE_TOOL_OPEN_WORLD, "network", TRUE },
    { "http_request", FALSE, 0, "network", TRUE },
    { "web_search", FALSE, 0, "network", TRUE },
    { "read_orders", TRUE, REEVE_TOOL_READ_ONLY | REEVE_TOOL_OPEN_WORLD, "network", TRUE },
    { "file_write", FALSE, 0, "write", FALSE },
    { "listAndDelete", FALSE, 0, "delete", FALSE },
    { "code_execution", FALSE, 0, "execute", TRUE },
    { "tidy_up", TRUE, REEVE_TOOL_DESTRUCTIVE, "delete", FALSE },
    { "frobnicate", FALSE, 0, "unknown", TRUE },
    { "frobnicate", TRUE, 0, "unknown", TRUE },
    { "thread", FALSE, 0, "unknown", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      ReevePolicyKind kind
          = reeve_policy_kinds_classify (rows[i].name, rows[i].known, rows[i].hints);

      g_assert_cmpstr (reeve_policy_kinds_get_name (kind), ==, rows[i].kind);
      g_assert_cmpint (reeve_policy_kinds_is_external (kind, rows[i].known, rows[i].hints), ==,
                       rows[i].external);
    }
}

/* In no span of the window's length are more calls made than allowed, whatever the times. */
static void
test_rates_window (void)
{
  g_autoptr (ReevePolicyRates) rates = reeve_policy_rates_new (10);
  ReevePolicyRatesDemand demand = { .key = (char *) "a", .limit = 7, .seconds = 1 };
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (gint64));
  gint64 now = 1234567;
  guint refused = 0;

  for (guint i = 0; i < 5000; i++)
    {
      now += g_test_rand_int_range (0, i % 50 == 0 ? 3000000 : 200000);
      if (reeve_policy_rates_take (rates, &demand, 1, now, TRUE, &refused))
        g_array_append_val (taken, now);
    }
  g_assert_cmpuint (taken->len, >, 1000);
  for (guint i = 7; i < taken->len; i++)
    g_assert_cmpint (g_array_index (taken, gint64, i) - g_array_index (taken, gint64, i - 7), >=,
                     G_USEC_PER_SEC);
}

static void
test_rates_all_or_none (void)
{
  g_autoptr (ReevePolicyRates) rates = reeve_policy_rates_new (2);
  ReevePolicyRatesDemand demands[] = { { (char *) "org", 10, 60 }, { (char *) "agent", 2, 60 } };
  ReevePolicyRatesDemand third = { (char *) "third", 5, 60 };
  guint refused = 9;

  g_assert_true (reeve_policy_rates_take (rates, demands, 2, 1000000, FALSE, &refused));
  for (guint i = 0; i < 2; i++)
    g_assert_true (reeve_policy_rates_take (rates, demands, 2, 1000000, TRUE, &refused));
  for (guint i = 0; i < 20; i++)
    g_assert_false (reeve_policy_rates_take (rates, demands, 2, 1000000, TRUE, &refused));
  g_assert_cmpuint (refused, ==, 1);
  for (guint i = 0; i < 8; i++)
    g_assert_true (reeve_policy_rates_take (rates, demands, 1, 1000000, TRUE, &refused));
  g_assert_false (reeve_policy_rates_take (rates, demands, 1, 1000000, TRUE, &refused));
  /* no room for a third one until the others are idle */
  g_assert_false (reeve_policy_rates_take (rates, &third, 1, 1000000, TRUE, &refused));
  g_assert_true (reeve_policy_rates_take (rates, &third, 1, 200000000, TRUE, &refused));
  g_assert_true (reeve_policy_rates_take (rates, NULL, 0, 0, TRUE, &refused));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/policy-parts/glob", test_glob);
  g_test_add_func ("/policy-parts/index", test_index);
  g_test_add_func ("/policy-parts/index-edges", test_index_edges);
  g_test_add_func ("/policy-parts/paths", test_paths);
  g_test_add_func ("/policy-parts/path-globs", test_path_globs);
  g_test_add_func ("/policy-parts/domains", test_domains);
  g_test_add_func ("/policy-parts/constraints", test_constraints);
  g_test_add_func ("/policy-parts/constraints-strays", test_constraints_strays);
  g_test_add_func ("/policy-parts/constraints-faults", test_constraints_faults);
  g_test_add_func ("/policy-parts/kinds", test_kinds);
  g_test_add_func ("/policy-parts/rates-window", test_rates_window);
  g_test_add_func ("/policy-parts/rates-all-or-none", test_rates_all_or_none);
  return g_test_run ();
}
