/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies that ask one model for one reader and another for the next. */
#include <string.h>

#include "operations/openai-members.h"

static void
check (const char *body, const char *text)
{
  g_autoptr (GError) error = NULL;
  gboolean good = reeve_openai_members_check (body, strlen (body), &error);

  g_assert_cmpint (good, ==, text == NULL);
  if (good)
    g_assert_no_error (error);
  else
    g_assert_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT);
  if (text != NULL && strstr (error->message, text) == NULL)
    g_error ("%s: %s", body, error->message);
}

static void
test_names (void)
{
  check ("{}", NULL);
  check ("{\"model\": \"a\", \"messages\": [{\"Model\": \"b\", \"models\": []}], \"n\": 2}", NULL);
  check ("{\"user\": \"Model\", \"x\": [\"models\", {\"N\": 1}], \"Temperature\": 1}", NULL);
  check ("{\"mod\\u0065l\": \"a\", \"\\\\\\\"Model\": 1}", NULL);
  check ("{\"model\": \"a\", \"Model\": \"b\"}", "read it as model");
  check ("{\"model\": \"a\", \"\\u004dODEL\": \"b\"}", "read it as model");
  check ("{\"x\": \"\\\\\", \"N\": 100}", "read it as n");
  check ("{\"x\": {\"y\": [1, 2]}, \"Max_Tokens\": 100}", "read it as max_tokens");
  /* long s and the sign of kelvin, which Go folds too */
  check ("{\"max_to\xe2\x84\xaa"
         "ens\": 100}",
         "read it as max_tokens");
  check ("{\"\xc5\xbftream\": true}", "read it as stream");
  check ("{\"model\": \"a\", \"models\": [\"b\"]}", "only llm.fallbacks says");
  check ("{\"model\": \"a\", \"Fallbacks\": [\"b\"]}", "only llm.fallbacks says");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/openai-members/names", test_names);
  return g_test_run ();
}
