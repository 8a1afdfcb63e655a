/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* W3C Trace Context, rule by rule; which traces are recorded; what a tracer holds. */
#include <reeve-error.h>
#include <string.h>

#include "base/tracer.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

/* malformed, each in one way */
static const char *const bad[] = {
  NULL,
  "",
  "00",
  "00-" TRACE "-" SPAN,
  "00-" TRACE "-" SPAN "-",
  "00-" TRACE "-" SPAN "-0",
  "00-" TRACE "-" SPAN "-001",
  "00-" TRACE "-" SPAN "-01-",
  "00-" TRACE "-" SPAN "-01-more",
  "01-" TRACE "-" SPAN "-01.more",
  "ff-" TRACE "-" SPAN "-01",
  "0-" TRACE "-" SPAN "-01",
  "0g-" TRACE "-" SPAN "-01",
  "A0-" TRACE "-" SPAN "-01",
  "00-" TRACE "-" SPAN "-0x",
  "00-" TRACE "-" SPAN "-0A",
  "00_" TRACE "-" SPAN "-01",
  "00-" TRACE "_" SPAN "-01",
  "00-" TRACE "-" SPAN "_01",
  "00-00000000000000000000000000000000-" SPAN "-01",
  "00-" TRACE "-0000000000000000-01",
  "00-4BF92f3577b34da6a3ce929d0e0e4736-" SPAN "-01",
  "00-4bf92f3577b34da6a3ce929d0e0e473-" SPAN "-01",
  " 00-" TRACE "-" SPAN "-01",
  "00-" TRACE "-" SPAN "-01 ",
  "00-" TRACE "-" SPAN "-01, 00-" TRACE "-" SPAN "-01",
};

static void
test_parent (void)
{
  static const struct
  {
    const char *text;
    guint8 flags;
  } good[] = { { "00-" TRACE "-" SPAN "-00", 0 },
               { "00-" TRACE "-" SPAN "-01", 1 },
               { "00-" TRACE "-" SPAN "-03", 3 },
               { "00-" TRACE "-" SPAN "-ff", 3 },
               { "00-" TRACE "-" SPAN "-09", 1 },
               { "01-" TRACE "-" SPAN "-01", 1 },
               { "cc-" TRACE "-" SPAN "-01-what-the-future-brings", 1 },
               { "cc-" TRACE "-" SPAN "-01-", 1 } };
  ReeveTrace trace = { 0 };
  char text[REEVE_TRACE_LENGTH + 1];

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (reeve_trace_parse (bad[i], &trace));
      g_assert_cmpstr (trace.trace_id, ==, "");
    }
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_test_message ("%s", good[i].text);
      g_assert_true (reeve_trace_parse (good[i].text, &trace));
      g_assert_cmpstr (trace.trace_id, ==, TRACE);
      g_assert_cmpstr (trace.span_id, ==, SPAN);
      g_assert_cmpuint (trace.flags, ==, good[i].flags);
    }
  reeve_trace_parse (good[2].text, &trace);
  reeve_trace_write (&trace, text);
  g_assert_cmpstr (text, ==, good[2].text);
}

static void
test_make (void)
{
  ReeveTrace first = { 0 }, second = { 0 };
  char text[REEVE_TRACE_LENGTH + 1];

  reeve_trace_make (&first);
  reeve_trace_make (&second);
  g_assert_cmpstr (first.trace_id, !=, second.trace_id);
  g_assert_cmpstr (first.span_id, !=, second.span_id);
  reeve_trace_write (&first, text);
  g_assert_true (reeve_trace_parse (text, &second));
  g_assert_cmpuint (second.flags, ==, REEVE_TRACE_RANDOM);
  reeve_trace_make_span (&second);
  g_assert_cmpstr (first.trace_id, ==, second.trace_id);
  g_assert_cmpstr (first.span_id, !=, second.span_id);
}

static void
check_state (const char *given, const char *expected)
{
  g_autofree char *read = reeve_trace_read_state (given);

  g_test_message ("%.60s", given);
  g_assert_cmpstr (read, ==, expected);
}

static void
test_state (void)
{
  g_autoptr (GString) many = g_string_new ("");
  g_autofree char *key = g_strnfill (256, 'a');
  g_autofree char *value = g_strnfill (256, 'v');
  g_autofree char *longest = g_strconcat (key, "=1", NULL);
  g_autofree char *too_long = g_strconcat ("b", key, "=1", NULL);
  g_autofree char *full = g_strconcat ("a=", value, NULL);
  g_autofree char *fuller = g_strconcat ("a=", value, "v", NULL);
  g_autofree char *over = g_strconcat ("x=1,", full, ",y=2,b=", value, ",z=3", NULL);
  g_autofree char *kept = g_strconcat ("x=1,", full, ",y=2,z=3", NULL);
  g_autofree char *cut = NULL;

  check_state (NULL, NULL);
  check_state ("", NULL);
  check_state (",, ,\t", NULL);
  check_state ("a=1", "a=1");
  check_state (" a=1\t, b= 2 ,,c=3", "a=1,b= 2,c=3");
  check_state ("0tenant@system=1", "0tenant@system=1");
  check_state ("a_-*/9=!~", "a_-*/9=!~");
  /* one bad member, and nothing is left */
  check_state ("a=1,b", NULL);
  check_state ("a=1,=2", NULL);
  check_state ("a=1,b=", NULL);
  check_state ("a=1,B=2", NULL);
  check_state ("9a=1", NULL);
  check_state ("a=1=2", NULL);
  check_state ("a=\x01", NULL);
  check_state ("a=\xc3\xa4", NULL);
  check_state ("@a=1", NULL);
  check_state ("a@=1", NULL);
  check_state ("a@b@c=1", NULL);
  check_state ("a@123456789012345=1", NULL);
  check_state ("a=1,a=2", NULL);
  check_state ("a b=1", NULL);
  check_state (longest, longest);
  check_state (too_long, NULL);
  check_state (full, full);
  check_state (fuller, NULL);
  /* long members go first */
  check_state (over, kept);
  for (guint i = 0; i < 32; i++)
    g_string_append_printf (many, "%sk%u=1", i > 0 ? "," : "", i);
  check_state (many->str, many->str);
  g_string_append (many, ",k32=1");
  check_state (many->str, NULL);
  g_string_truncate (many, 0);
  for (guint i = 0; i < 30; i++)
    g_string_append_printf (many, "%sk%02u=%.*s", i > 0 ? "," : "", i, 26, value);
  cut = reeve_trace_read_state (many->str);
  g_assert_cmpuint (strlen (cut), ==, 16 * 31 - 1);
  g_assert_true (g_str_has_prefix (many->str, cut));
}

static void
test_sampling (void)
{
  g_autoptr (ReeveTracer) all = reeve_tracer_new (1, 8);
  g_autoptr (ReeveTracer) none = reeve_tracer_new (0, 8);
  g_autoptr (ReeveTracer) half = reeve_tracer_new (0.5, 8);
  g_autoptr (ReeveTracer) most = reeve_tracer_new (0.9, 8);
  guint taken = 0;
  ReeveTrace trace = { 0 };

  for (guint i = 0; i < 4000; i++)
    {
      gboolean by_half = FALSE;

      reeve_trace_make (&trace);
      reeve_tracer_sample (all, &trace);
      g_assert_true ((trace.flags & REEVE_TRACE_SAMPLED) != 0);
      reeve_tracer_sample (half, &trace);
      by_half = (trace.flags & REEVE_TRACE_SAMPLED) != 0;
      taken += by_half;
      /* what a smaller ratio takes a greater one takes too */
      reeve_tracer_sample (most, &trace);
      g_assert_true (!by_half || (trace.flags & REEVE_TRACE_SAMPLED) != 0);
      reeve_tracer_sample (none, &trace);
      g_assert_false ((trace.flags & REEVE_TRACE_SAMPLED) != 0);
      reeve_tracer_sample (NULL, &trace);
      g_assert_cmpuint (trace.flags, ==, REEVE_TRACE_RANDOM);
    }
  g_assert_cmpuint (taken, >, 1600);
  g_assert_cmpuint (taken, <, 2400);
}

static void
on_ready (gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_queue (void)
{
  g_autoptr (ReeveTracer) tracer = reeve_tracer_new (1, 5);
  g_autoptr (GPtrArray) first = NULL, second = NULL;
  guint ready = 0;
  ReeveTrace root = { 0 };

  reeve_tracer_set_ready (tracer, 3, on_ready, &ready);
  reeve_trace_make (&root);
  g_assert_null (reeve_span_begin (tracer, &root, REEVE_SPAN_INTERNAL, "not sampled"));
  g_assert_null (reeve_span_begin (tracer, NULL, REEVE_SPAN_INTERNAL, "nowhere"));
  reeve_tracer_sample (tracer, &root);
  g_assert_null (reeve_span_begin (NULL, &root, REEVE_SPAN_INTERNAL, "nobody"));
  for (guint i = 0; i < 7; i++)
    {
      g_autofree char *name = g_strdup_printf ("span %u", i);
      ReeveSpan *span = reeve_span_begin (tracer, &root, REEVE_SPAN_CLIENT, name);

      g_assert_cmpstr (span->parent_id, ==, root.span_id);
      g_assert_cmpstr (span->trace.trace_id, ==, root.trace_id);
      g_assert_cmpstr (span->trace.span_id, !=, root.span_id);
      reeve_span_end (span);
    }
  g_assert_cmpuint (ready, ==, 1);
  g_assert_cmpuint (reeve_tracer_get_dropped (tracer), ==, 2);
  first = reeve_tracer_drain (tracer, 2);
  g_assert_cmpuint (first->len, ==, 2);
  g_assert_cmpstr (((ReeveSpan *) first->pdata[0])->name, ==, "span 0");
  second = reeve_tracer_drain (tracer, 100);
  g_assert_cmpuint (second->len, ==, 3);
  g_assert_cmpstr (((ReeveSpan *) second->pdata[2])->name, ==, "span 4");
  /* one that nobody takes goes with its tracer */
  reeve_span_end (reeve_span_begin (tracer, &root, REEVE_SPAN_SERVER, "last"));
}

static void
test_attributes (void)
{
  g_autoptr (ReeveTracer) tracer = reeve_tracer_new (1, 5);
  g_autoptr (GError) error = g_error_new (REEVE_ERROR, REEVE_ERROR_TIMEOUT, "what a caller wrote");
  g_autofree char *longest = g_strnfill (1000, 'x');
  static const char *const keys[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b",
                                      "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n" };
  ReeveTrace root = { 0 };
  ReeveSpan *span = NULL;

  reeve_trace_make (&root);
  reeve_tracer_sample (tracer, &root);
  span = reeve_span_begin (tracer, &root, REEVE_SPAN_INTERNAL, "x");
  reeve_span_set_string (span, "text", longest);
  reeve_span_set_string (span, "none", NULL);
  g_assert_cmpuint (span->n_attributes, ==, 1);
  g_assert_cmpuint (strlen (span->attributes[0].value.text), ==, REEVE_SPAN_TEXT);
  reeve_span_set_int (span, "text", 7);
  g_assert_cmpuint (span->n_attributes, ==, 1);
  g_assert_cmpint (span->attributes[0].value.integer, ==, 7);
  reeve_span_fail_with (span, NULL);
  g_assert_false (span->failed);
  reeve_span_fail_with (span, error);
  g_assert_true (span->failed);
  g_assert_cmpstr (span->attributes[1].key, ==, "error.type");
  g_assert_cmpstr (span->attributes[1].value.text, ==, "timeout");
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    reeve_span_set_list (span, keys[i], "\xff");
  g_assert_cmpuint (span->n_attributes, ==, REEVE_SPAN_ATTRIBUTES);
  g_assert_cmpstr (span->attributes[5].value.text, ==, "\xef\xbf\xbd");
  reeve_span_end (span);
  /* of what is not recorded */
  reeve_span_set_name (NULL, "x");
  reeve_span_set_string (NULL, "x", "y");
  reeve_span_set_list (NULL, "x", "y");
  reeve_span_set_int (NULL, "x", 1);
  reeve_span_set_double (NULL, "x", 1);
  reeve_span_set_boolean (NULL, "x", TRUE);
  reeve_span_fail (NULL, NULL);
  reeve_span_fail_with (NULL, error);
  reeve_span_end (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace/parent", test_parent);
  g_test_add_func ("/trace/make", test_make);
  g_test_add_func ("/trace/state", test_state);
  g_test_add_func ("/trace/sampling", test_sampling);
  g_test_add_func ("/trace/queue", test_queue);
  g_test_add_func ("/trace/attributes", test_attributes);
  return g_test_run ();
}
