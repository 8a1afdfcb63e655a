/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A number stands beside a reason: whoever asks for much has to request the capability too. */
#include "manifest-limits.h"

#include <string.h>

#include "manifest-private.h"

#define REEVE_MANIFEST_LIMITS "Limits"

static const struct
{
  const char *key;
  const char *capability;
  guint32 least;
  guint32 most;
} reeve_manifest_limits[REEVE_MANIFEST_LIMITS_COUNT] = {
  { "Memory", "memory", 512, 1024 * 1024 },
  { "Threads", "threads", 8, 4096 },
  { "Cpu", "cpu", 1, 100 * 1024 },
  { "Scratch", "scratch", 1, 16 * 1024 },
};

static gint
reeve_manifest_limits_find (const char *capability)
{
  for (gint i = 0; i < REEVE_MANIFEST_LIMITS_COUNT; i++)
    {
      if (strcmp (reeve_manifest_limits[i].capability, capability) == 0)
        return i;
    }
  return -1;
}

guint32
reeve_manifest_limits_get_least (const char *capability)
{
  gint index = reeve_manifest_limits_find (capability);

  return index >= 0 ? reeve_manifest_limits[index].least : 0;
}

guint32
reeve_manifest_limits_get (ReeveManifest *self, const char *capability)
{
  gint index = reeve_manifest_limits_find (capability);

  return index >= 0 ? self->limits[index] : 0;
}

/* One that stands there. FALSE: @error names the key. */
static gboolean
reeve_manifest_limits_read_one (ReeveManifest *self, GKeyFile *file, guint index, GError **error)
{
  const char *key = reeve_manifest_limits[index].key;
  const char *capability = reeve_manifest_limits[index].capability;
  g_autofree char *text = g_key_file_get_string (file, REEVE_MANIFEST_LIMITS, key, NULL);
  guint64 amount = 0;

  if (text == NULL
      || !g_ascii_string_to_unsigned (text, 10, reeve_manifest_limits[index].least,
                                      reeve_manifest_limits[index].most, &amount, NULL))
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: is no number from %u to %u", key,
                 reeve_manifest_limits[index].least, reeve_manifest_limits[index].most);
  else if (reeve_manifest_get_reason (self, capability) == NULL)
    g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN,
                 "%s: capability %s is not requested, which says why", key, capability);
  else
    {
      self->limits[index] = (guint32) amount;
      return TRUE;
    }
  return FALSE;
}

gboolean
reeve_manifest_limits_read (ReeveManifest *self, GKeyFile *file, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, REEVE_MANIFEST_LIMITS, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    {
      guint index = 0;

      while (index < REEVE_MANIFEST_LIMITS_COUNT
             && strcmp (keys[i], reeve_manifest_limits[index].key) != 0)
        index++;
      if (index == REEVE_MANIFEST_LIMITS_COUNT)
        {
          g_set_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN, "%s: unknown key", keys[i]);
          return FALSE;
        }
      if (!reeve_manifest_limits_read_one (self, file, index, error))
        return FALSE;
    }
  return TRUE;
}
