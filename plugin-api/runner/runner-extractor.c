/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The document is memory of the host's; pages go back one by one. */
#include "runner-extractor.h"

#include <string.h>
#include <unistd.h>

#include "wire/wire-blob.h"
#include "wire/wire-method.h"
#include "wire/wire-stream.h"

static gboolean
runner_extractor_write (ReeveExtract *extract, int fd, GError **error)
{
  const char *title = reeve_extract_get_title (extract);
  JsonObject *head = json_object_new ();

  if (title != NULL)
    json_object_set_string_member (head, "title", title);
  if (!wire_stream_write (fd, head, NULL, 0, error))
    return FALSE;
  for (guint i = 0; i < reeve_extract_get_n_pages (extract); i++)
    {
      guint number = 0;
      const char *text = reeve_extract_get_page (extract, i, &number);
      JsonObject *page = json_object_new ();

      json_object_set_int_member (page, "page", number);
      if (!wire_stream_write (fd, page, text, strlen (text), error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
runner_extractor_extract (const RunnerServeCall *call, int result, GError **error)
{
  g_autoptr (GBytes) document = NULL;
  g_autoptr (ReeveExtract) extract = NULL;
  int fd = wire_method_take_fd (call->message, 2);
  const char *type = NULL;
  const char *name = NULL;

  if (fd < 0)
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_INVALID_ARGUMENT, "there is no document");
      return FALSE;
    }
  document = wire_blob_map (fd, error);
  if (document == NULL)
    return FALSE;
  g_variant_get_child (call->body, 3, "&s", &type);
  g_variant_get_child (call->body, 4, "&s", &name);
  extract = reeve_extractor_extract (REEVE_EXTRACTOR (call->instance), document, type,
                                     *name != '\0' ? name : NULL, call->context, error);
  return extract != NULL && runner_extractor_write (extract, result, error);
}

GVariant *
runner_extractor_perform (const RunnerServeCall *call, GError **error)
{
  gboolean good = FALSE;
  int result = -1;

  if (strcmp (call->member, "MediaTypes") == 0)
    return g_variant_new ("(^as)", reeve_extractor_media_types (REEVE_EXTRACTOR (call->instance)));
  result = wire_method_take_fd (call->message, 5);
  good = runner_extractor_extract (call, result, error);
  if (result >= 0)
    close (result);
  return good ? g_variant_new ("()") : NULL;
}
