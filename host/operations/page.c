/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cursor is the position of the next item; what has an order of its own keeps it. */
#include "page.h"

#define REEVE_PAGE_LIMIT 50

/**
 * reeve_page_answer:
 * @call: one with limit and cursor among its parameters
 * @all: (transfer full): every item
 */
void
reeve_page_answer (ReeveCall *call, JsonArray *all)
{
  g_autoptr (JsonArray) items = all;
  const char *cursor = reeve_call_get_string (call, "cursor");
  guint64 limit = (guint64) reeve_call_get_int (call, "limit", REEVE_PAGE_LIMIT);
  guint64 length = json_array_get_length (items);
  guint64 from = 0;
  g_autofree char *next = NULL;
  JsonObject *page = NULL;
  JsonArray *part = NULL;
  GError *error = NULL;

  if (cursor != NULL && !g_ascii_string_to_unsigned (cursor, 10, 0, length, &from, NULL))
    {
      reeve_error_set_member (&error, "/cursor", "is not one that this list gave");
      reeve_call_fail (call, error);
      return;
    }
  page = json_object_new ();
  part = json_array_new ();
  for (guint64 i = from; i < MIN (from + limit, length); i++)
    json_array_add_element (part, json_node_ref (json_array_get_element (items, (guint) i)));
  json_object_set_array_member (page, "items", part);
  next = g_strdup_printf ("%" G_GUINT64_FORMAT, from + limit);
  if (from + limit < length)
    json_object_set_string_member (page, "next_cursor", next);
  else
    json_object_set_null_member (page, "next_cursor");
  /* the answer goes to another thread, and nothing of it is held here any more */
  g_clear_pointer (&items, json_array_unref);
  reeve_call_answer (call, page, NULL);
}
