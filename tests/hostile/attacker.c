/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tool whose names are attacks. It answers how the attack ended: `succeeded`, or the name of an
 * error. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <reeve-plugin-1.h>

#include "attack.h"

#define ATTACKER_SHOUT_BYTES (1024u * 1024 * 1024)
#define ATTACKER_THREADS     4
#define ATTACKER_SOME        10

G_DECLARE_FINAL_TYPE (Attacker, attacker, ATTACKER, PLUGIN, ReevePlugin)

struct _Attacker
{
  ReevePlugin parent_instance;
};

static void attacker_tool_init (ReeveToolInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (Attacker, attacker, REEVE_TYPE_PLUGIN,
                               G_IMPLEMENT_INTERFACE (REEVE_TYPE_TOOL, attacker_tool_init))

static void
attacker_class_init (AttackerClass *klass)
{
}

static void
attacker_init (Attacker *self)
{
}

static const Attack *
attacker_find (const char *name)
{
  const Attack *const themes[] = { attack_files,  attack_memory,     attack_network, attack_code,
                                   attack_kernel, attack_exhaustion, attack_scratch };

  for (guint i = 0; i < G_N_ELEMENTS (themes); i++)
    {
      for (const Attack *one = themes[i]; one->name != NULL; one++)
        {
          if (strcmp (one->name, name) == 0)
            return one;
        }
    }
  return NULL;
}

static const char *
attacker_describe (int code)
{
  if (code == 0)
    return "succeeded";
  if (code < 0)
    return code == EAI_AGAIN ? "EAI_AGAIN" : code == EAI_SYSTEM ? "EAI_SYSTEM" : "EAI_NONAME";
  return strerrorname_np (code);
}

/* ---- what does not come back, or not soon ---- */

static void
attacker_spin (void)
{
  for (volatile guint64 i = 0;; i++)
    continue;
}

/* Escape codes that clear a terminal and set its title, a gigabyte of them. */
static int
attacker_shout (void)
{
  static const char words[] = "\033[2J\033]0;owned\007\xff\xfe";
  g_autofree char *block = g_malloc (1 << 20);

  for (gsize i = 0; i < 1 << 20; i++)
    block[i] = words[i % (sizeof words - 1)];
  for (guint64 written = 0; written < ATTACKER_SHOUT_BYTES;)
    {
      gssize length = write (STDERR_FILENO, block, 1 << 20);

      if (length < 0)
        return attack_result (length);
      written += (guint64) length;
    }
  return 0;
}

/* No attack: what a plugin may do, where it was granted. */
static int
attacker_ask_broker (ReeveContext *context)
{
  g_autoptr (ReeveHttpRequest) request = reeve_http_request_new ("GET", "https://host.example/a");
  g_autoptr (ReeveHttpResponse) response = reeve_context_http (context, request, NULL);

  return response != NULL ? 0 : EACCES;
}

/* Asks for what every plugin may ask for, for as long as its call lasts. */
static gpointer
attacker_ask_for_ever (gpointer data)
{
  for (;;)
    {
      g_autoptr (JsonNode) answer = reeve_context_call (data, "clock", NULL, NULL);

      if (answer == NULL)
        return NULL;
    }
}

/* No single one of these calls breaks a rule. */
static int
attacker_ask (ReeveContext *context)
{
  GThread *threads[ATTACKER_THREADS] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("ask", attacker_ask_for_ever, context);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  return 0;
}

/* No attack: what a plugin asks that works. */
static int
attacker_ask_some (ReeveContext *context)
{
  for (guint i = 0; i < ATTACKER_SOME; i++)
    {
      g_autoptr (JsonNode) answer = reeve_context_call (context, "clock", NULL, NULL);

      if (answer == NULL)
        return EACCES;
    }
  return 0;
}

static gboolean
attacker_behave (const char *name, ReeveContext *context, int *code)
{
  if (strcmp (name, "spin") == 0)
    attacker_spin ();
  else if (strcmp (name, "stop") == 0)
    *code = raise (SIGSTOP);
  else if (strcmp (name, "ask") == 0)
    *code = attacker_ask (context);
  else if (strcmp (name, "ask-some") == 0)
    *code = attacker_ask_some (context);
  else if (strcmp (name, "http") == 0)
    *code = attacker_ask_broker (context);
  else if (strcmp (name, "shout") == 0)
    *code = attacker_shout ();
  else
    return FALSE;
  return TRUE;
}

static ReeveToolResult *
attacker_call (ReeveTool *tool, const char *name, JsonObject *arguments, ReeveContext *context,
               GError **error)
{
  const Attack *attack = attacker_find (name);
  int code = 0;

  if (strcmp (name, "sweep") == 0 || strcmp (name, "sweep-scratch") == 0)
    {
      g_autofree char *found = attack_sweep (strcmp (name, "sweep-scratch") == 0);

      return reeve_tool_result_new (found, NULL, FALSE);
    }
  if (attack != NULL)
    {
      const AttackWorld world = {
        .granted = json_object_get_string_member (arguments, "granted"),
        .other = json_object_get_string_member (arguments, "other"),
        .scratch = json_object_get_string_member (arguments, "scratch"),
        .module = json_object_get_string_member (arguments, "module"),
        .socket = json_object_get_string_member (arguments, "socket"),
        .name = json_object_get_string_member (arguments, "name"),
        .victim = json_object_get_int_member (arguments, "victim"),
        .address = json_object_get_int_member (arguments, "address"),
        .port = json_object_get_int_member (arguments, "port"),
        .context = context,
      };

      code = attack->make (&world);
    }
  else if (!attacker_behave (name, context, &code))
    {
      g_set_error (error, REEVE_ERROR, REEVE_ERROR_NOT_FOUND, "there is no attack %s", name);
      return NULL;
    }
  return reeve_tool_result_new (attacker_describe (code), NULL, FALSE);
}

static void
attacker_tool_init (ReeveToolInterface *iface)
{
  iface->call = attacker_call;
}

static const GType *
attacker_query_types (void)
{
  static GType types[2] = { G_TYPE_INVALID, G_TYPE_INVALID };

  types[0] = attacker_get_type ();
  return types;
}

REEVE_DEFINE_PLUGIN ("attacker", "1.0.0", attacker_query_types);
