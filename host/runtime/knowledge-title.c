/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A title is shown in lists and cited in answers: one line of bounded length. What somebody says
 * himself must be one; what stands in a text is made one. */
#include "knowledge-title.h"

#include "base/plain.h"

#define REEVE_KNOWLEDGE_TITLE_MAX 500 /* characters */

/* (nullable): the text's own, in one line: whoever wrote the text need not be who uploads it */
static char *
reeve_knowledge_title_find (ReeveExtract *extract)
{
  const char *title = reeve_extract_get_title (extract);

  return title != NULL ? reeve_plain_make_line (title) : NULL;
}

/**
 * reeve_knowledge_title_choose:
 * @metadata: (nullable): what was said of the document
 * @file_name: (nullable): of what was uploaded
 * @extract: what was found in it
 * @error: return location
 *
 * Returns: (transfer full): what it is called, in one line; %NULL with
 * %REEVE_ERROR_INVALID_ARGUMENT
 */
char *
reeve_knowledge_title_choose (JsonObject *metadata, const char *file_name, ReeveExtract *extract,
                              GError **error)
{
  const char *title = metadata != NULL ? reeve_json_get_string (metadata, "title", NULL) : NULL;
  const char *member = title != NULL ? "/metadata/title" : "/file";
  g_autofree char *found = NULL;

  if (title == NULL)
    title = file_name;
  if (title != NULL && !reeve_plain_is_line (title))
    {
      reeve_error_set_member (error, member,
                              "the title has a line break or another control character");
      return NULL;
    }
  if (title == NULL)
    title = found = reeve_knowledge_title_find (extract);
  if (title == NULL || *title == '\0')
    title = "untitled";
  if (g_utf8_strlen (title, -1) <= REEVE_KNOWLEDGE_TITLE_MAX)
    return g_strdup (title);
  reeve_error_set_member (error, member, "the title is longer than %d characters",
                          REEVE_KNOWLEDGE_TITLE_MAX);
  return NULL;
}
