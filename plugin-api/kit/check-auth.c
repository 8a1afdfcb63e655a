/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checks of kind auth: nothing that is shown here is good, so nobody may be let in. */
#include "check-auth.h"

#include <string.h>

static const char *const check_auth_tokens[] = {
  "",
  " ",
  "x",
  "null",
  "rv_",
  "rv_0000000000000000000000000000000000000000000000000000",
  "' OR '1'='1",
  "../../etc/passwd",
  "a.b.c",
  /* a JWT that says of itself that it needs no signature */
  "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGVzIjpbImFkbWluIl19.",
  "\xff\xfe",
  "tab\tand\nline",
};

static void
check_auth_refuse (CheckRun *run, ReevePlugin *plugin, const char *scheme, const char *token)
{
  CheckReport *report = check_run_get_report (run);
  g_autoptr (ReeveContext) context = check_run_new_context (run, plugin, NULL);
  g_autoptr (GError) error = NULL;
  ReeveCredentials credentials = {
    .struct_size = sizeof credentials,
    .scheme = scheme,
    .token = token,
    .peer_address = "192.0.2.1",
    .door = "rest",
  };
  g_autoptr (ReeveIdentity) identity
      = reeve_auth_authenticate (REEVE_AUTH (plugin), &credentials, context, &error);

  check_report_expect_error (report, error, scheme);
  check_report_expect (report, identity == NULL, "scheme %s let '%.40s' in", scheme, token);
}

static gpointer
check_auth_thread (gpointer data)
{
  gpointer *shared = data;

  for (guint i = 0; i < G_N_ELEMENTS (check_auth_tokens); i++)
    check_auth_refuse (shared[0], shared[1], "bearer", check_auth_tokens[i]);
  return NULL;
}

void
check_auth_run (CheckRun *run, ReevePlugin *plugin)
{
  static const char *const schemes[] = { "bearer", "api-key", "basic", "negotiate", "" };
  CheckReport *report = check_run_get_report (run);
  g_autofree char *longest = g_strnfill (1 << 20, 'a');
  gpointer shared[] = { run, plugin };

  for (guint s = 0; s < G_N_ELEMENTS (schemes); s++)
    {
      check_report_begin (report, "auth: scheme '%s' lets nobody in who shows nonsense",
                          schemes[s]);
      for (guint i = 0; i < G_N_ELEMENTS (check_auth_tokens); i++)
        check_auth_refuse (run, plugin, schemes[s], check_auth_tokens[i]);
      check_auth_refuse (run, plugin, schemes[s], longest);
      check_report_end (report);
    }
  check_report_begin (report, "auth: four threads at once");
  check_run_parallel (check_auth_thread, shared);
  check_report_end (report);
}
