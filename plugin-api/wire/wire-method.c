/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks methods up in what gdbus-codegen made of the XML. Messages are held against that by hand:
 * GDBus's own objects and proxies need a main loop on each side, and another for each call. */
#include "wire-method.h"

#include <string.h>

const GDBusMethodInfo *
wire_method_find (const char *interface, const char *member)
{
  static const GDBusInterfaceInfo *const all[]
      = { &wire_tool_interface,       &wire_broker_interface, &wire_runner_interface,
          &wire_llm_engine_interface, &wire_sink_interface,   &wire_extractor_interface,
          &wire_llm_codec_interface };

  for (guint i = 0; interface != NULL && member != NULL && i < G_N_ELEMENTS (all); i++)
    {
      for (guint j = 0; strcmp (all[i]->name, interface) == 0 && all[i]->methods[j] != NULL; j++)
        {
          if (strcmp (all[i]->methods[j]->name, member) == 0)
            return all[i]->methods[j];
        }
    }
  return NULL;
}

gboolean
wire_method_fits (GDBusArgInfo *const *arguments, const WireLetter *message)
{
  const char *type = message->head.signature;

  for (guint i = 0; arguments != NULL && arguments[i] != NULL; i++)
    {
      gsize length = strlen (arguments[i]->signature);

      if (strncmp (type, arguments[i]->signature, length) != 0)
        return FALSE;
      type += length;
    }
  return *type == '\0';
}

int
wire_method_take_fd (WireLetter *message, guint index)
{
  GUnixFDList *list = message->fds;
  GVariant *body = message->body;
  g_autoptr (GVariant) handle = body != NULL && index < g_variant_n_children (body)
                                    ? g_variant_get_child_value (body, index)
                                    : NULL;
  gint32 at = handle != NULL && g_variant_is_of_type (handle, G_VARIANT_TYPE_HANDLE)
                  ? g_variant_get_handle (handle)
                  : -1;

  if (list == NULL || at < 0 || at >= g_unix_fd_list_get_length (list))
    return -1;
  return g_unix_fd_list_get (list, at, NULL);
}
