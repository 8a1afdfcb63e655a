/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an argument could be. A tool may have any member lead anywhere, so a text that looks like a
 * path or an address is taken for one wherever it stands, except where members hold prose. */
#include "policy-arguments.h"

#include <string.h>

/* Members that hold text for its own sake. */
static const char *const reeve_policy_arguments_prose[]
    = { "content",     "contents",    "text",     "body",       "data",    "message",
        "prompt",      "description", "pattern",  "code",       "query",   "old_string",
        "regex",       "new_string",  "old_text", "new_text",   "diff",    "patch",
        "replacement", "comment",     "title",    "subject",    "command", "commands",
        "cmd",         "reason",      "sql",      "expression", NULL };
static const char *const reeve_policy_arguments_paths[]
    = { "dest", "dst", "src", "out", "outfile", "infile", "save_to", "save_as", NULL };
static const char *const reeve_policy_arguments_path_ends[]
    = { "path", "paths", "file", "files", "dir", "dirs", "directory", "folder", "filename", NULL };
static const char *const reeve_policy_arguments_addresses[] = {
  "link", "links", "href", "site", "website", "webhook", "callback", "proxy", "referer", NULL
};
static const char *const reeve_policy_arguments_address_ends[]
    = { "url",    "urls",     "uri",    "uris", "host", "hostname",
        "domain", "endpoint", "server", "link", NULL };
/* Schemes that lead somewhere without `//` too. */
static const char *const reeve_policy_arguments_schemes[] = {
  "http:", "https:", "ftp:", "file:", "gopher:", "ws:", "wss:", "data:", "javascript:", NULL
};

/* Programs that run what they are given. */
static const char *const reeve_policy_arguments_runners[]
    = { "sudo",       "doas",    "su",    "env",     "nice",     "nohup",  "time",
        "timeout",    "exec",    "eval",  "command", "builtin",  "xargs",  "find",
        "busybox",    "toybox",  "sh",    "bash",    "dash",     "zsh",    "ksh",
        "mksh",       "fish",    "csh",   "tcsh",    "ash",      "rbash",  "cmd",
        "powershell", "pwsh",    "watch", "setsid",  "stdbuf",   "ionice", "chroot",
        "nsenter",    "unshare", "ssh",   "script",  "parallel", "source", "systemd-run",
        "runuser",    "pkexec",  "flock", "taskset", "start",    "wsl",    NULL };

/* ---- paths and addresses ---- */

static gboolean
reeve_policy_arguments_is_one_of (const char *const *words, const char *name)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (g_ascii_strcasecmp (words[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* As output_path, outputPath, output-path; not profile. */
static gboolean
reeve_policy_arguments_ends (const char *const *ends, const char *name)
{
  gsize length = strlen (name);

  for (guint i = 0; ends[i] != NULL; i++)
    {
      gsize size = strlen (ends[i]);
      const char *at = length >= size ? name + length - size : NULL;

      if (at != NULL && g_ascii_strcasecmp (at, ends[i]) == 0
          && (at == name || g_ascii_isupper (*at) || !g_ascii_isalnum (at[-1])))
        return TRUE;
    }
  return FALSE;
}

static gboolean
reeve_policy_arguments_looks_like_path (const char *text)
{
  static const char *const begins[] = { "/", "~", "\\", "./", "../", ".\\", "..\\" };

  for (guint i = 0; i < G_N_ELEMENTS (begins); i++)
    if (g_str_has_prefix (text, begins[i]))
      return TRUE;
  return strcmp (text, "..") == 0 || g_ascii_strncasecmp (text, "file:", 5) == 0
         || strstr (text, "/../") != NULL || strstr (text, "\\..\\") != NULL
         || g_str_has_suffix (text, "/..")
         || (g_ascii_isalpha (text[0]) && text[1] == ':' && (text[2] == '\\' || text[2] == '/'));
}

static gboolean
reeve_policy_arguments_looks_like_address (const char *text)
{
  gsize scheme = strspn (text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

  for (guint i = 0; reeve_policy_arguments_schemes[i] != NULL; i++)
    if (g_ascii_strncasecmp (text, reeve_policy_arguments_schemes[i],
                             strlen (reeve_policy_arguments_schemes[i]))
        == 0)
      return TRUE;
  return (scheme > 0 && g_str_has_prefix (text + scheme, "://")) || g_str_has_prefix (text, "//")
         || g_ascii_strncasecmp (text, "www.", 4) == 0 || g_hostname_is_ip_address (text);
}

/**
 * reeve_policy_arguments_looks_like:
 * @name: of the member that holds it
 * @text: a text
 * @path: whether a path is asked for; else an address
 *
 * Returns: whether it looks like one, where the member is none that holds prose
 */
gboolean
reeve_policy_arguments_looks_like (const char *name, const char *text, gboolean path)
{
  while (g_ascii_isspace (*text))
    text++;
  if (reeve_policy_arguments_is_one_of (reeve_policy_arguments_prose, name))
    return FALSE;
  return path ? reeve_policy_arguments_looks_like_path (text)
              : reeve_policy_arguments_looks_like_address (text);
}

/**
 * reeve_policy_arguments_may_be_path:
 * @name: of the member
 * @text: its text
 *
 * Returns: whether a tool could take it for a path
 */
gboolean
reeve_policy_arguments_may_be_path (const char *name, const char *text)
{
  return reeve_policy_arguments_is_one_of (reeve_policy_arguments_paths, name)
         || reeve_policy_arguments_ends (reeve_policy_arguments_path_ends, name)
         || reeve_policy_arguments_looks_like (name, text, TRUE);
}

/**
 * reeve_policy_arguments_may_be_address:
 * @name: of the member
 * @text: its text
 *
 * Returns: whether a tool could take it for a URL or a host
 */
gboolean
reeve_policy_arguments_may_be_address (const char *name, const char *text)
{
  return reeve_policy_arguments_is_one_of (reeve_policy_arguments_addresses, name)
         || reeve_policy_arguments_ends (reeve_policy_arguments_address_ends, name)
         || reeve_policy_arguments_looks_like (name, text, FALSE);
}

/* ---- commands ---- */

/* (transfer full): blanks at the ends away, each other run of them as one */
static char *
reeve_policy_arguments_tidy (const char *text)
{
  GString *tidy = g_string_new (NULL);

  for (const char *at = text; *at != '\0'; at++)
    {
      gboolean blank = *at == ' ' || *at == '\t';

      if (!blank)
        g_string_append_c (tidy, *at);
      else if (tidy->len > 0 && tidy->str[tidy->len - 1] != ' ')
        g_string_append_c (tidy, ' ');
    }
  if (tidy->len > 0 && tidy->str[tidy->len - 1] == ' ')
    g_string_truncate (tidy, tidy->len - 1);
  return g_string_free (tidy, FALSE);
}

/* (transfer full): the program's name in lower case, without folder, version and `.exe` */
static char *
reeve_policy_arguments_program (const char *word)
{
  const char *slash = strrchr (word, '/');
  char *name = g_ascii_strdown (slash != NULL ? slash + 1 : word, -1);
  gsize length = strlen (name);

  if (g_str_has_suffix (name, ".exe"))
    length -= strlen (".exe");
  while (length > 0 && (g_ascii_isdigit (name[length - 1]) || strchr (".-", name[length - 1])))
    length--;
  name[length] = '\0';
  return name;
}

/**
 * reeve_policy_arguments_is_plain_command:
 * @text: a command
 *
 * Returns: whether it is certainly one program with its arguments: nothing that a shell reads as
 * more than a word, and no program that runs another
 */
gboolean
reeve_policy_arguments_is_plain_command (const char *text)
{
  g_autofree char *tidy = reeve_policy_arguments_tidy (text);
  gsize length = strcspn (tidy, " ");
  g_autofree char *word = g_strndup (tidy, length);
  g_autofree char *program = reeve_policy_arguments_program (word);

  for (const char *at = tidy; *at != '\0'; at++)
    if ((guchar) *at < 0x20 || *at == 0x7f || strchr (";|&`$()<>\\\"'", *at) != NULL)
      return FALSE;
  for (const char *at = word; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr ("_-./+", *at) == NULL)
      return FALSE;
  return *program != '\0'
         && !reeve_policy_arguments_is_one_of (reeve_policy_arguments_runners, program);
}

/**
 * reeve_policy_arguments_spell_command:
 * @text: a command
 *
 * Returns: (transfer full) (array zero-terminated=1): its spellings; each with a blank behind it
 * too, since its arguments may stand in another member
 */
char **
reeve_policy_arguments_spell_command (const char *text)
{
  g_autofree char *tidy = reeve_policy_arguments_tidy (text);
  gsize length = strcspn (tidy, " ");
  g_autofree char *word = g_strndup (tidy, length);
  const char *slash = strrchr (word, '/');
  const char *base = slash != NULL ? tidy + (slash - word) + 1 : tidy;
  g_autofree char *lower = g_ascii_strdown (base, -1);
  const char *const texts[] = { tidy, base, lower };
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *longer = g_strconcat (texts[i], " ", NULL);

      g_strv_builder_add (builder, texts[i]);
      g_strv_builder_add (builder, longer);
    }
  return g_strv_builder_end (builder);
}
