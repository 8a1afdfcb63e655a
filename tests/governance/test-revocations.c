/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was taken back concerns who is older and rests on it, and nobody else. */
#include "governance/revocations.h"

#include <reeve-plugin-1.h>

#include "base/times.h"
#include "governance/authentication.h"

static void
test_revocations_versions (void)
{
  g_autoptr (ReeveRevocations) revocations = reeve_revocations_new ();
  g_autofree char *user = reeve_revocations_name_user ("acme", "usr_1");
  g_autofree char *key = reeve_revocations_name_key ("key_1");
  g_autofree char *other = reeve_revocations_name_user ("other", "usr_1");
  const char *const grounds[] = { user, key, NULL };
  const char *const others[] = { other, NULL };
  guint64 before = reeve_revocations_get_version (revocations);
  guint64 between = 0;

  g_assert_false (reeve_revocations_concern (revocations, before, grounds));
  reeve_revocations_mark (revocations, key);
  between = reeve_revocations_get_version (revocations);
  g_assert_cmpuint (between, >, before);
  g_assert_true (reeve_revocations_concern (revocations, before, grounds));
  g_assert_false (reeve_revocations_concern (revocations, before, others));
  g_assert_false (reeve_revocations_concern (revocations, before, NULL));
  /* let in again afterwards: what was taken back then is part of what was read */
  g_assert_false (reeve_revocations_concern (revocations, between, grounds));
  reeve_revocations_mark (revocations, user);
  reeve_revocations_mark (revocations, key);
  g_assert_true (reeve_revocations_concern (revocations, between, grounds));
  g_assert_false (reeve_revocations_concern (revocations,
                                             reeve_revocations_get_version (revocations), grounds));
}

/* More marks than are kept: who is older than the oldest kept one counts as concerned. */
static void
test_revocations_bound (void)
{
  g_autoptr (ReeveRevocations) revocations = reeve_revocations_new ();
  const char *const mine[] = { "user/acme/usr_1", NULL };
  guint64 before = reeve_revocations_get_version (revocations);
  guint64 then = 0;

  reeve_revocations_mark (revocations, "key/first");
  then = reeve_revocations_get_version (revocations);
  for (guint i = 0; i < 65536; i++)
    {
      g_autofree char *key_id = g_strdup_printf ("key_%u", i);
      g_autofree char *ground = reeve_revocations_name_key (key_id);

      g_assert_false (reeve_revocations_concern (revocations, before, mine));
      reeve_revocations_mark (revocations, ground);
    }
  g_assert_true (reeve_revocations_concern (revocations, before, mine));
  g_assert_false (reeve_revocations_concern (revocations, then, mine));
}

static void
test_revocations_caller (void)
{
  const char *const roles[] = { "viewer", NULL };
  const char *const grounds[] = { "user/acme/usr_1", NULL };
  g_autoptr (ReeveIdentity) identity = reeve_identity_new ("acme", "usr_1", roles, "api_key");
  g_autoptr (ReeveCaller) caller
      = reeve_caller_new (identity, "acme", FALSE, reeve_roles_union (roles), "rest", NULL);
  g_autoptr (ReeveCaller) there = NULL;

  reeve_caller_elevate (caller, reeve_roles_match ("agent:execute"),
                        reeve_times_now () + 600 * G_USEC_PER_SEC);
  reeve_caller_elevate (caller, reeve_roles_match ("user:manage"), reeve_times_now () - 1);
  reeve_caller_rest_on (caller, 7, grounds);
  there = reeve_caller_new_in_tenant (caller, "other");
  for (guint i = 0; i < 2; i++)
    {
      ReeveCaller *one = i == 0 ? caller : there;

      g_assert_true (reeve_caller_has_permission (one, "agent:read"));
      g_assert_true (reeve_caller_has_permission (one, "agent:execute"));
      g_assert_false (reeve_caller_has_permission (one, "user:manage"));
      g_assert_cmpuint (reeve_caller_get_version (one), ==, 7);
      g_assert_true (g_strv_equal (reeve_caller_get_grounds (one), grounds));
    }
  /* more than there is room for: the last are left out */
  for (guint i = 0; i < 16; i++)
    reeve_caller_elevate (caller, reeve_roles_match (i < 6 ? "audit:read" : "system:config"),
                          reeve_times_now () + 600 * G_USEC_PER_SEC);
  g_assert_true (reeve_caller_has_permission (caller, "audit:read"));
  g_assert_false (reeve_caller_has_permission (caller, "system:config"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/revocations/versions", test_revocations_versions);
  g_test_add_func ("/revocations/bound", test_revocations_bound);
  g_test_add_func ("/revocations/caller", test_revocations_caller);
  return g_test_run ();
}
