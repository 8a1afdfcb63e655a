/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A book of budgets in which one agent and one user spend. */
#include "budget-book-fixture.h"

void
budget_book_fixture_set (ReeveBudgetBook *book, const char *key, const char *limits, gint64 now)
{
  g_autoptr (JsonNode) node = json_from_string (limits, NULL);
  g_autoptr (ReeveBudget) budget = reeve_budget_book_copy (book, key, now);
  g_autoptr (GError) error = NULL;

  if (budget == NULL)
    {
      budget = reeve_budget_new (key, key);
      budget->anchor = budget->created_at = now;
    }
  g_assert_true (reeve_budget_set_limits (budget, json_node_get_object (node), now, &error));
  g_assert_no_error (error);
  reeve_budget_book_take (book, g_steal_pointer (&budget));
}

gint64
budget_book_fixture_look (ReeveBudgetBook *book, const char *key, const char *member, gint64 now)
{
  g_autoptr (JsonObject) shown = reeve_budget_book_show (book, key, now);

  return json_object_get_int_member (shown, member);
}

ReeveReservation *
budget_book_fixture_reserve (ReeveBudgetBook *book, gint64 input, gint64 output, gint64 now)
{
  const ReeveBudgetWho who = { .agent_id = "a", .user_id = "u", .delegated_user_id = "u" };
  const ReeveBudgetAsk ask = { .input = input, .output = output, .now = now };

  return reeve_budget_book_reserve (book, &who, &ask, NULL);
}

guint
budget_book_fixture_end (ReeveReservation *reservation, gint64 tokens)
{
  ReeveBudgetNotice notices[REEVE_RESERVATION_SCOPES];
  guint told = 0;
  guint n = 0;

  reeve_reservation_number (reservation, 1);
  n = reeve_reservation_settle (reservation, tokens, 0, NULL, 1, notices);
  for (guint i = 0; i < n; i++)
    {
      told |= notices[i].told;
      g_free (notices[i].key);
    }
  reeve_reservation_finish (reservation, TRUE);
  return told;
}
