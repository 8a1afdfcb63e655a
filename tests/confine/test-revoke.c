/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each capability of a plugin in a process of its own: it fails without a grant, works with one,
 * and ends with it at once: in the middle of a call of the plugin's, and what is open. By the real
 * runner, the real grants and the real providers, over real sockets. */
#include "revoke-world.h"

#include <string.h>
#include <unistd.h>

/* how long what follows a change may take on a busy machine */
#define WAIT_US (60 * G_USEC_PER_SEC)

/* the plugin waits here in the middle of its call, for a byte */
#define PAUSE                                                                                      \
  "{\"capability\":\"net.tcp\",\"params\":{\"host\":\"127.0.0.1\",\"port\":GATE,"                  \
  "\"do\":[\"read:1\"]}}"
#define PAUSE_GRANT "{\"hosts\":[\"127.0.0.1:GATE\"]}"

/* What is one call of the plugin's, and leaves nothing open behind it. */
static const struct
{
  const char *capability;
  const char *call;       /* what stands in it besides */
  const char *parameters; /* (nullable): of the grant */
  const char *answer;     /* a pattern */
} rows[] = {
  { "store.kv", "\"params\":{\"op\":\"put\",\"key\":\"a\",\"value\":\"1\"}", NULL,
    "*\"revision\":*" },
  { "store.blob", "\"params\":{\"op\":\"put\",\"key\":\"a\"},\"bytes\":\"data\"", NULL,
    "*\"revision\":*" },
  { "identity.read", "\"params\":{}", NULL, "*\"tenant_id\":\"default\"*" },
  { "fs.read", "\"params\":{\"op\":\"list\",\"path\":\"\"}", "{\"folder\":\"FOLDER\"}",
    "*\"kept.txt\"*" },
  { "fs.write", "\"params\":{\"op\":\"write\",\"path\":\"x\"},\"bytes\":\"data\"",
    "{\"folder\":\"FOLDER\"}", "*\"bytes\":*" },
  { "secret.read", "\"params\":{\"slot\":\"crm\"}", "{\"slots\":[\"crm\"]}", "*\"canary\"*" },
  { "model.call",
    "\"params\":{\"model\":\"quick/m\",\"messages\":[{\"role\":\"user\",\"content\":\"ask\"}]}",
    NULL, "*\"asked\"*" },
  { "tool.call", "\"params\":{\"tool\":\"tool-of-probe-two\",\"arguments\":{\"calls\":[]}}", NULL,
    "*\"text\":\"[]\"*" },
};

static void
assert_like (const char *text, const char *pattern)
{
  if (text == NULL || !g_pattern_match_simple (pattern, text))
    g_error ("\"%s\" is not \"%s\"", text != NULL ? text : "", pattern);
}

/* (transfer full): what the plugin was answered by a call of @row alone */
static char *
ask (RevokeWorld *world, guint row)
{
  g_autofree char *arguments = g_strdup_printf ("{\"calls\":[{\"capability\":\"%s\",%s}]}",
                                                rows[row].capability, rows[row].call);

  return revoke_world_call (world, "tool-of-" REVOKE_PROBE, arguments);
}

/* ---- a call that others wait for ---- */

typedef struct
{
  RevokeWorld *world;
  const char *tool;
  char *arguments;
  char *answer;
  gint over; /* atomic */
  GThread *thread;
} Under;

static gpointer
under_run (gpointer data)
{
  Under *self = data;

  self->answer = revoke_world_call (self->world, self->tool, self->arguments);
  g_atomic_int_set (&self->over, 1);
  return NULL;
}

static void
under_begin (Under *self, RevokeWorld *world, const char *tool, const char *arguments)
{
  *self = (Under){ .world = world, .tool = tool, .arguments = g_strdup (arguments) };
  self->thread = g_thread_new ("call", under_run, self);
}

/* (transfer full): what the tool said */
static char *
under_finish (Under *self)
{
  g_thread_join (self->thread);
  g_free (self->arguments);
  return self->answer;
}

static void
say (GSocket *far, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_socket_send (far, text, strlen (text), NULL, &error);
  g_assert_no_error (error);
}

static void
make_file (RevokeWorld *world)
{
  g_autofree char *path = g_build_filename (world->files, "kept.txt", NULL);

  g_assert_true (g_file_set_contents (path, "kept", -1, NULL));
}

/* What it had before the grant was taken back it has not behind it, though its own call goes on. */
static void
test_calls (RevokeWorld *world, gconstpointer data)
{
  g_autofree char *pause = revoke_world_grant (world, REVOKE_PROBE, "net.tcp", PAUSE_GRANT);

  make_file (world);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const char *name = rows[i].capability;
      g_autofree char *without = g_strdup_printf ("*\"error\":\"capability\"*%s*", name);
      g_autofree char *revoked = g_strdup_printf ("*\"error\":\"capability_revoked\"*%s*", name);
      g_autofree char *both = g_strdup_printf ("{\"calls\":[{\"capability\":\"%s\",%s}," PAUSE
                                               ",{\"capability\":\"%s\",%s}]}",
                                               name, rows[i].call, name, rows[i].call);
      g_autofree char *before = ask (world, i);
      g_autofree char *id = revoke_world_grant (world, REVOKE_PROBE, name, rows[i].parameters);
      g_autofree char *with = ask (world, i);
      g_autoptr (GSocket) far = NULL;
      g_autofree char *answer = NULL;
      g_autofree char *behind = NULL;
      g_autofree char *again = NULL;
      g_autofree char *anew = NULL;
      Under under = { 0 };

      assert_like (before, without);
      assert_like (with, "[{\"ok\":*");
      assert_like (with, rows[i].answer);
      under_begin (&under, world, "tool-of-" REVOKE_PROBE, both);
      far = revoke_world_accept (world);
      revoke_world_revoke (world, REVOKE_PROBE, id);
      say (far, "x");
      answer = under_finish (&under);
      assert_like (answer, "[{\"ok\":*");
      assert_like (answer, revoked);
      behind = ask (world, i);
      assert_like (behind, revoked);
      again = revoke_world_grant (world, REVOKE_PROBE, name, rows[i].parameters);
      anew = ask (world, i);
      assert_like (anew, rows[i].answer);
      revoke_world_revoke (world, REVOKE_PROBE, again);
    }
}

/* ---- what is open ---- */

#define OK_HEAD      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
#define OK_CHUNKED   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#define ORIGIN       "{\"origins\":[\"http://127.0.0.1:GATE\"]}"
#define FETCH        "{\"url\":\"http://127.0.0.1:GATE/x\""
#define CALLS(calls) "{\"calls\":[" calls "]}"
#define TALK_BY(by)                                                                                \
  "{\"capability\":\"net.tcp\",\"params\":{\"host\":\"127.0.0.1\",\"port\":GATE," by               \
  "\"do\":[\"send:hello\",\"read:1\",\"send:got\",\"read:1\"]}}"
#define TALK TALK_BY ("")
#define MODEL                                                                                      \
  "{\"capability\":\"model.call\",\"params\":{\"model\":\"slow/m\",\"messages\":[{\"role\":"       \
  "\"user\",\"content\":\"ask\"}]}}"
#define ANSWER                                                                                     \
  "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"asked\"},"         \
  "\"finish_reason\":\"stop\"}],\"usage\":{}}"

/* A server is in the middle of its answer. */
static const struct
{
  const char *name; /* (nullable): the capability's */
  const char *capability;
  const char *parameters; /* (nullable): of its grant */
  const char *plugin;
  const char *tool;
  const char *call;
  const char *also[3]; /* plugin, capability and parameters of another grant that it needs */
  const char *first;   /* that the server says */
  const char *rest;
  const char *dribble; /* (nullable): what it goes on to say for ever */
  const char *whole;   /* patterns: the answer where nothing is taken back */
  const char *without; /* where it never was granted */
  const char *cut;
  const char *cut_too; /* (nullable): another one, where two ends race */
} open_rows[] = {
  { .capability = "net.http",
    .parameters = ORIGIN,
    .plugin = REVOKE_ASKER,
    .tool = "fetch",
    .call = FETCH "}",
    .first = OK_CHUNKED "4\r\nhalf\r\n",
    .rest = "4\r\nrest\r\n0\r\n\r\n",
    .dribble = "1\r\nx\r\n",
    .whole = "200\n*halfrest",
    .without = "refused *plugin asker is not granted capability net.http*",
    .cut = "refused *: capability net.http of plugin asker was taken back while it was used*" },
  { .capability = "secret.use",
    .parameters = "{\"slots\":[\"crm\"]}",
    .plugin = REVOKE_ASKER,
    .tool = "fetch",
    .call = FETCH ",\"slots\":[\"crm\"]}",
    .also = { REVOKE_ASKER, "net.http", ORIGIN },
    .first = OK_CHUNKED "4\r\nhalf\r\n",
    .rest = "4\r\nrest\r\n0\r\n\r\n",
    .dribble = "1\r\nx\r\n",
    .whole = "200\n*halfrest",
    .without = "refused *plugin asker is not granted capability secret.use*",
    .cut = "refused *: capability secret.use of plugin asker was taken back while it was used*" },
  { .capability = "net.tcp",
    .parameters = PAUSE_GRANT,
    .plugin = REVOKE_PROBE,
    .tool = "tool-of-" REVOKE_PROBE,
    .call = CALLS (TALK),
    .first = "x",
    .rest = "y",
    .whole = "[{\"ok\":{\"text\":\"xy\",\"bytes\":2,*",
    .without = "[{\"error\":\"capability\"*net.tcp*",
    /* the connection was made; what came of it was an end */
    .cut = "[{\"ok\":{\"text\":\"x\",\"bytes\":1,\"errno\":\"\"}}]" },
  /* the same of a library that connects by itself */
  { .name = "net.tcp-by-a-library",
    .capability = "net.tcp",
    .parameters = PAUSE_GRANT,
    .plugin = REVOKE_PROBE,
    .tool = "tool-of-" REVOKE_PROBE,
    .call = CALLS (TALK_BY ("\"by\":\"library\",")),
    .first = "x",
    .rest = "y",
    .whole = "[{\"ok\":{\"text\":\"xy\",\"bytes\":2,*",
    .without = "[{\"error\":*connect ()*",
    .cut = "[{\"ok\":{\"text\":\"x\",\"bytes\":1,\"errno\":\"\"}}]" },
  { .capability = "net.stream",
    .plugin = REVOKE_PROBE,
    .tool = "tool-of-" REVOKE_PROBE,
    .call = CALLS ("{\"capability\":\"net.stream\",\"params\":{\"frames\":[\"line\"]}}"),
    .first = "",
    .rest = "",
    .dribble = "x",
    .whole = "[{\"ok\":*",
    .without = "[{\"error\":\"capability\"*net.stream*",
    .cut = "[{\"error\":\"capability_revoked\"*net.stream*" },
  { .capability = "model.call",
    .plugin = REVOKE_PROBE,
    .tool = "tool-of-" REVOKE_PROBE,
    .call = CALLS (MODEL),
    .first = OK_HEAD "108\r\n\r\n",
    .rest = ANSWER,
    .whole = "[{\"ok\":*\"asked\"*",
    .without = "[{\"error\":\"capability\"*model.call*",
    .cut = "[{\"error\":\"capability_revoked\"*model.call*" },
  { .capability = "tool.call",
    .plugin = REVOKE_PROBE,
    .tool = "tool-of-" REVOKE_PROBE,
    .call = CALLS ("{\"capability\":\"tool.call\",\"params\":{\"tool\":\"tool-of-" REVOKE_OTHER
                   "\",\"arguments\":" CALLS (TALK) "}}"),
    .also = { REVOKE_OTHER, "net.tcp", PAUSE_GRANT },
    .first = "x",
    .rest = "y",
    .whole = "[{\"ok\":{*xy*",
    .without = "[{\"error\":\"capability\"*tool.call*",
    .cut = "[{\"error\":\"capability_revoked\"*tool.call*",
    /* the end of its connection came before its own, and it said so */
    .cut_too = "[{\"ok\":{*\\\"text\\\":\\\"x\\\",\\\"bytes\\\":1,*" },
};

/* The server has read what was asked, and has said the first part. */
static GSocket *
hear_first (RevokeWorld *world, const char *first)
{
  GSocket *far = revoke_world_accept (world);
  char data[4096];
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_socket_receive (far, data, sizeof data, NULL, &error), >, 0);
  g_assert_no_error (error);
  if (*first != '\0')
    say (far, first);
  /* one that says so has read it */
  if (strlen (first) == 1)
    g_assert_cmpint (g_socket_receive (far, data, sizeof data, NULL, &error), >, 0);
  g_assert_no_error (error);
  return far;
}

/* Nobody is there any more; what was under way to the server is read. */
static void
assert_gone (GSocket *far)
{
  char data[4096];
  gssize n = 1;
  g_autoptr (GError) error = NULL;

  while (n > 0)
    n = g_socket_receive (far, data, sizeof data, NULL, &error);
  if (n < 0)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
}

static void
test_open (RevokeWorld *world, gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autofree char *also = open_rows[i].also[0] != NULL
                              ? revoke_world_grant (world, open_rows[i].also[0],
                                                    open_rows[i].also[1], open_rows[i].also[2])
                              : NULL;
  g_autofree char *before = revoke_world_call (world, open_rows[i].tool, open_rows[i].call);
  g_autofree char *id = revoke_world_grant (world, open_rows[i].plugin, open_rows[i].capability,
                                            open_rows[i].parameters);
  g_autoptr (GSocket) whole_far = NULL;
  g_autoptr (GSocket) cut_far = NULL;
  g_autofree char *whole = NULL;
  g_autofree char *cut = NULL;
  g_autofree char *behind = NULL;
  gint64 until = 0;
  Under under = { 0 };

  assert_like (before, open_rows[i].without);
  under_begin (&under, world, open_rows[i].tool, open_rows[i].call);
  whole_far = hear_first (world, open_rows[i].first);
  if (*open_rows[i].rest != '\0')
    say (whole_far, open_rows[i].rest);
  g_socket_shutdown (whole_far, FALSE, TRUE, NULL);
  whole = under_finish (&under);
  assert_like (whole, open_rows[i].whole);
  under_begin (&under, world, open_rows[i].tool, open_rows[i].call);
  cut_far = hear_first (world, open_rows[i].first);
  revoke_world_revoke (world, open_rows[i].plugin, id);
  until = g_get_monotonic_time () + WAIT_US;
  /* no end comes but that of the grant: whoever waits does so for longer than the call may last, or
   * hears a byte now and then */
  while (open_rows[i].dribble != NULL && g_atomic_int_get (&under.over) == 0)
    {
      g_socket_send (cut_far, open_rows[i].dribble, strlen (open_rows[i].dribble), NULL, NULL);
      g_usleep (G_USEC_PER_SEC / 10);
    }
  cut = under_finish (&under);
  g_assert_cmpint (g_get_monotonic_time (), <, until); /* the call may last twice as long */
  if (open_rows[i].cut_too == NULL || !g_pattern_match_simple (open_rows[i].cut_too, cut))
    assert_like (cut, open_rows[i].cut);
  assert_gone (cut_far);
  behind = revoke_world_call (world, open_rows[i].tool, open_rows[i].call);
  if (open_rows[i].name == NULL)
    g_assert_nonnull (strstr (behind, "no more has capability"));
  else
    assert_like (behind, open_rows[i].without); /* of a library's call there is but a number */
}

/* ---- what is the process's ---- */

/* What the tool says is in the end as @wanted: a process that has other limits now
 * ends behind its calls */
static void
wait_for (RevokeWorld *world, const char *tool, const char *call, const char *wanted)
{
  gint64 until = g_get_monotonic_time () + WAIT_US;
  g_autofree char *said = revoke_world_call (world, tool, call);

  while (!g_pattern_match_simple (wanted, said) && g_get_monotonic_time () < until)
    {
      g_usleep (20 * 1000);
      g_free (said);
      said = revoke_world_call (world, tool, call);
    }
  assert_like (said, wanted);
}

/* What the process may have besides: without a grant, with one, and behind it. */
static const struct
{
  const char *capability;
  const char *plugin;
  const char *call;
  const char *without; /* patterns */
  const char *with;
  gboolean root; /* RLIMIT_NPROC: of an ordinary user's it counts all that the user runs */
  gboolean memory;
} limits[] = {
  { "jit", REVOKE_EATER, "{\"what\":\"code\"}", "13", "0", FALSE, FALSE },
  { "threads", REVOKE_EATER, "{\"what\":\"threads\",\"amount\":80}", "11", "0", TRUE, FALSE },
  { "memory", REVOKE_EATER, "{\"what\":\"space\",\"amount\":5000}", "12", "0", FALSE, TRUE },
  { "scratch", REVOKE_HOARD, "{\"what\":\"work\"}", "{\"error\":\"*capability scratch*",
    "*\"code\":0}", FALSE, FALSE },
};

static gboolean
is_bounded (guint row)
{
#ifdef __SANITIZE_ADDRESS__
  if (limits[row].memory) /* it has all of the address space, whatever the limit says */
    return FALSE;
#endif
  return !limits[row].root || geteuid () == 0;
}

static void
test_limits (RevokeWorld *world, gconstpointer data)
{
  for (guint i = 0; i < G_N_ELEMENTS (limits); i++)
    {
      g_autofree char *tool = g_strconcat ("tool-of-", limits[i].plugin, NULL);
      const char *without = is_bounded (i) ? limits[i].without : limits[i].with;
      g_autofree char *before = revoke_world_call (world, tool, limits[i].call);
      g_autofree char *id = NULL;

      assert_like (before, without);
      id = revoke_world_grant (world, limits[i].plugin, limits[i].capability, NULL);
      wait_for (world, tool, limits[i].call, limits[i].with);
      revoke_world_revoke (world, limits[i].plugin, id);
      wait_for (world, tool, limits[i].call, without);
    }
}

/* The folder of a call that is under way stays its own; no other is given from the answer on. */
static void
test_scratch (RevokeWorld *world, gconstpointer data)
{
  const char *look = "{\"what\":\"look\"}";
  g_autofree char *id = revoke_world_grant (world, REVOKE_HOARD, "scratch", NULL);
  g_autofree char *behind = NULL;

  wait_for (world, "tool-of-" REVOKE_HOARD, look, "*\"code\":0}");
  revoke_world_revoke (world, REVOKE_HOARD, id);
  behind = revoke_world_call (world, "tool-of-" REVOKE_HOARD, look);
  assert_like (behind, "{\"error\":\"plugin hoarder-one no more has capability scratch*");
}

/* ---- what every plugin has ---- */

static void
test_always (RevokeWorld *world, gconstpointer data)
{
  static const char *const calls[] = {
    "\"log\",\"params\":{\"message\":\"here\",\"level\":\"debug\"}",
    "\"clock\",\"params\":{}",
    "\"random\",\"params\":{\"length\":8}",
    "\"metrics\",\"params\":{\"name\":\"seen\"}",
    "\"audit.emit\",\"params\":{\"event\":\"batch_done\"}",
  };

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      g_autofree char *call = g_strdup_printf (CALLS ("{\"capability\":%s}"), calls[i]);
      g_autofree char *answer = revoke_world_call (world, "tool-of-" REVOKE_PROBE, call);

      assert_like (answer, "[{\"ok\":*");
    }
}

#define ADD(name, data, func)                                                                      \
  g_test_add ("/revoke/" name, RevokeWorld, data, revoke_world_set_up, func, revoke_world_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("calls", NULL, test_calls);
  for (guint i = 0; i < G_N_ELEMENTS (open_rows); i++)
    {
      const char *name = open_rows[i].name != NULL ? open_rows[i].name : open_rows[i].capability;
      g_autofree char *path = g_strconcat ("/revoke/open/", name, NULL);

      g_test_add (path, RevokeWorld, GUINT_TO_POINTER (i), revoke_world_set_up, test_open,
                  revoke_world_tear_down);
    }
  ADD ("limits", NULL, test_limits);
  ADD ("scratch", NULL, test_scratch);
  ADD ("always", NULL, test_always);
  return g_test_run ();
}
