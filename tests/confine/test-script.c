/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A script under both profiles: it speaks the wire as a module does, and what hostile scripts try
 * ends as it does for modules. What it is told to do is told in its own language. */
#include "wire-fixture.h"

#include <signal.h>
#include <string.h>

#include <glib/gstdio.h>

#include "loader/interpreter.h"

#include "test-broker.h"

#define MAIN "# ---- the plugin ----\n"

/* what the probe needs, and what hostile ones would like */
static const char *const imports[]
    = { "jeepney", "json", "queue", "socket", "ctypes", "threading", "signal", NULL };

static char *folder;

/* (transfer full): full path of a script: the wire half of the example, then @rest */
static char *
make_script (const char *name, const char *rest)
{
  g_autofree char *example = wire_fixture_get_path ("subtitles.py");
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_autofree char *all = NULL;
  g_autoptr (GError) error = NULL;
  char *end = NULL;

  g_file_get_contents (example, &text, NULL, &error);
  g_assert_no_error (error);
  end = strstr (text, MAIN);
  g_assert (end != NULL);
  *end = '\0';
  all = g_strconcat (text, rest, NULL);
  g_file_set_contents (path, all, -1, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&path);
}

static char *
make_probe (void)
{
  g_autofree char *rest = wire_fixture_get_path ("probe.py");
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (rest, &text, NULL, &error);
  g_assert_no_error (error);
  return make_script ("probe.py", text);
}

static WireFixture *
start (RunnerLayersProfile profile, const char *script, const char *const *names)
{
  WireFixture *self = wire_fixture_new (profile, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  self->interpreter = reeve_interpreter_find ("python3", &error);
  g_assert_no_error (error);
  self->imports = names;
  wire_fixture_start (self, profile, script, NULL, NULL);
  if (self->wire != NULL)
    wire_fixture_set_up (self, 0, "{}");
  return self;
}

/* (transfer full): what @code, in Python, left in `answer`, or its exception */
static char *
tell_with (WireFixture *self, const char *code, ReeveContext *context, GError **error)
{
  g_autoptr (JsonObject) arguments = json_object_new ();
  g_autoptr (ReeveToolResult) result = NULL;

  json_object_set_string_member (arguments, "code", code);
  result = reeve_tool_call (REEVE_TOOL (self->plugin), "probe", arguments, context, error);
  return result != NULL ? g_strdup (reeve_tool_result_get_text (result)) : NULL;
}

static char *
tell (WireFixture *self, const char *code, GError **error)
{
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, NULL, NULL);

  return tell_with (self, code, context, error);
}

/* ---- what is refused ---- */

#define C                                                                                          \
  "import ctypes, signal\nc = ctypes.CDLL(None, use_errno=True)\n"                                 \
  "def check(r):\n  if r == -1: raise OSError(ctypes.get_errno(), 'x')\n"

static const struct
{
  const char *code;
  const char *strict;
  const char *hardened; /* NULL: the same */
} refused[] = {
  { "open('/etc/passwd').read()", "PermissionError 13", "FileNotFoundError 2" },
  { "os.listdir('/proc')", "PermissionError 13", "FileNotFoundError 2" },
  { "os.listdir('/home')", "PermissionError 13", "FileNotFoundError 2" },
  { "open('/tmp/written', 'w')", "PermissionError 13", "FileNotFoundError 2" },
  { "open('/usr/lib/written', 'w')", "PermissionError 13", "OSError 30" },
  { "import socket; socket.socket()", "PermissionError 13", NULL },
  { "import socket; socket.socket(socket.AF_UNIX)", "PermissionError 13", NULL },
  { "import socket; socket.socketpair()", "PermissionError 13", NULL },
  { "import socket; socket.socket(fileno=os.dup(5)).connect('x')", "PermissionError 13", NULL },
  { "os.fork()", "PermissionError 1", NULL },
  { "os.execv('/bin/true', ['true'])", "PermissionError 13", NULL },
  { "os.posix_spawn('/bin/true', ['true'], {})", "PermissionError 1", NULL },
  { "raise OSError(os.system('true'), 'x')", "OSError 32512", NULL },
  { "os.kill(os.getppid(), 9)", "PermissionError 1", NULL },
  { "os.memfd_create('x')", "PermissionError 13", NULL },
  { "os.pidfd_open(os.getpid())", "PermissionError 1", NULL },
  { "os.setuid(0)", "PermissionError 1", NULL },
  { "os.mkfifo('/usr/lib/x')", "PermissionError 1", NULL },
  { "import resource", "ImportError *failed to map segment*", NULL },
  { C "check(c.ptrace(16, os.getppid(), 0, 0))", "PermissionError 13", NULL },
  { C "check(c.process_vm_readv(os.getppid(), 0, 0, 0, 0, 0))", "PermissionError 1", NULL },
  { C "c.mmap.restype = ctypes.c_long\ncheck(c.mmap(None, 4096, 7, 34, -1, 0))",
    "PermissionError 13", NULL },
  { C "c.mmap.restype = ctypes.c_long\n"
      "check(c.mmap(None, 4096, 5, 2, os.open('/usr/lib/os-release', 0), 0))",
    "PermissionError 13", NULL },
  { C "check(c.unshare(0x10000000))", "PermissionError 1", NULL },
  { C "check(c.syscall(425, 1, 0))", "OSError 38", NULL }, /* io_uring_setup */
  { C "check(c.prctl(4, 1, 0, 0, 0))", "PermissionError 1", NULL },
};

/* the twin: what scripts live from is there */
static const struct
{
  const char *code;
  const char *answer;
} allowed[] = {
  { "answer = open('/usr/lib/os-release').read()[:0] + 'read'", "read" },
  { "import hmac, datetime, base64, urllib.parse; answer = 'imported'", "imported" },
  { "answer = len(os.urandom(16))", "16" },
  { "l = []; t = threading.Thread(target=lambda: l.append(1)); t.start(); t.join(); answer = l",
    "[1]" },
  { "answer = dict(os.environ)", "{'LC_ALL': 'C.UTF-8'}" },
  { "import sys; answer = [p for p in sys.path if not p.startswith('/usr/lib')]", "[]" },
  { "answer = call.context['tenant']", "t1" },
};

static void
test_refused (gconstpointer data)
{
  RunnerLayersProfile profile = (RunnerLayersProfile) GPOINTER_TO_INT (data);
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (profile, script, imports);

  g_assert_no_error (fixture->error);
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      const char *expected = refused[i].strict;
      g_autofree char *seen = tell (fixture, refused[i].code, &fixture->error);

      if (profile == RUNNER_LAYERS_PROFILE_HARDENED && refused[i].hardened != NULL)
        expected = refused[i].hardened;
      g_assert_no_error (fixture->error);
      if (!g_pattern_match_simple (expected, seen))
        g_error ("%s: %s, not %s", refused[i].code, seen, expected);
    }
  for (guint i = 0; i < G_N_ELEMENTS (allowed); i++)
    {
      g_autofree char *seen = tell (fixture, allowed[i].code, &fixture->error);

      g_assert_no_error (fixture->error);
      g_assert_cmpstr (seen, ==, allowed[i].answer);
    }
}

/* ---- what goes over the wire ---- */

#define ASK(n) "call.broker('test.echo', {'a': 'x' * " #n "})\ndata = '='"

static void
test_broker (void)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;
  g_autofree char *refused_answer = NULL;

  g_assert_no_error (fixture->error);
  answer
      = tell_with (fixture, "answer = call.broker('test.echo', {'a': [1]})['a']", context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "[1]");
  /* the context has no capability */
  refused_answer = tell (fixture, "call.broker('test.echo', {})", &error);
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CAPABILITY);
  g_clear_error (&error);
  /* what was never told, or is too much to be kept, has no name to be handed on by */
  g_assert_null (tell_with (fixture, "data = '='", context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_clear_error (&error);
  g_free (tell_with (fixture, ASK (131063), context, &error));
  g_assert_no_error (error);
  g_assert_null (tell_with (fixture, ASK (131064), context, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
}

/* Values take a hundred times the bytes of their text. */
static void
test_values (void)
{
  static const struct
  {
    const char *asked;
    gboolean fits;
  } rows[] = { { "[0] * 32766", TRUE },
               { "[0] * 32767", FALSE },
               { "[{}] * 20000", FALSE },
               { "['\\\\\",[{' * 40000]", TRUE } };
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);
  g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);

  g_assert_no_error (fixture->error);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *code = g_strdup_printf (
          "asked = %s\nanswer = call.broker('test.echo', {'a': asked})['a'] == asked",
          rows[i].asked);
      g_autoptr (GError) error = NULL;
      g_autofree char *answer = tell_with (fixture, code, context, &error);

      if (rows[i].fits)
        g_assert_no_error (error);
      else
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TOO_LARGE);
      g_assert_cmpstr (answer, ==, rows[i].fits ? "True" : NULL);
    }
}

/* An answer that is no text fails its call, as often as that happens, and no thread is lost by it.
 */
static void
test_answers (void)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
  g_autofree char *answer = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_no_error (fixture->error);
  for (guint i = 0; i < 9; i++) /* one more than it has threads */
    {
      g_autofree char *seen = tell (fixture, "answer = chr(0xd800)", &error);

      g_assert_null (seen);
      g_assert_error (error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_assert (strstr (error->message, "UnicodeEncodeError") != NULL);
      g_clear_error (&error);
    }
  answer = tell (fixture, "answer = 6 * 7", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "42");
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (G_USEC_PER_SEC / 5);
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* Its pages would take minutes. */
static void
test_cancel (void)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (ReeveContext) given_up = wire_fixture_context (60000, NULL, cancellable);
  g_autoptr (ReeveContext) late = wire_fixture_context (200, NULL, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;
  GThread *thread = NULL;

  g_assert_no_error (fixture->error);
  thread = g_thread_new ("cancel", cancel_soon, cancellable);
  g_assert_null (reeve_extractor_extract (REEVE_EXTRACTOR (fixture->plugin), bytes, "text/plain",
                                          NULL, given_up, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (thread);
  g_assert_null (reeve_extractor_extract (REEVE_EXTRACTOR (fixture->plugin), bytes, "text/plain",
                                          NULL, late, &error));
  g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
  g_clear_error (&error);
  /* neither ended it */
  answer = tell (fixture, "answer = 6 * 7", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "42");
}

#define OVERDUE "was ended: a call of Call did not end behind its deadline"

/* What stops itself, or does not come back, is waited for until its call's deadline, has the grace
 * behind it, and is killed; what takes its own wire away ends of that at once. */
static void
test_deaf (void)
{
  static const struct
  {
    const char *code;
    const char *end;
    gint64 grace_us;
  } rows[] = {
    { "import signal; signal.raise_signal(signal.SIGSTOP)", OVERDUE, REEVE_WIRE_GRACE_US },
    { "while True: pass", OVERDUE, REEVE_WIRE_GRACE_US },
    { "time.sleep(3600)", OVERDUE, REEVE_WIRE_GRACE_US },
    { "os.dup2(os.open('/usr/lib/os-release', 0), 5); time.sleep(3600)",
      "ended by itself, with code 1", 0 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *script = make_probe ();
      g_autofree char *end = g_strconcat ("plugin tested: its runner ", rows[i].end, NULL);
      g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
      g_autoptr (ReeveContext) context = wire_fixture_context (300, NULL, NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (GError) ended = NULL;
      g_autofree char *answer = NULL;
      gint64 begun = g_get_monotonic_time ();
      GPid pid = 0;

      g_assert_no_error (fixture->error);
      pid = reeve_wire_get_runner_pid (fixture->wire);
      answer = tell_with (fixture, rows[i].code, context, &error);
      g_assert_null (answer);
      if (rows[i].grace_us == 0)
        g_assert (error != NULL);
      else
        g_assert_error (error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
      if (rows[i].grace_us != 0 || error->code == REEVE_ERROR_TIMEOUT)
        g_assert_cmpstr (error->message, ==, "plugin tested: Call did not end before its deadline");
      else
        g_assert_cmpstr (error->message, ==, end);
      while (!reeve_wire_has_ended (fixture->wire, &ended))
        g_usleep (1000);
      g_assert_cmpint (g_get_monotonic_time () - begun, >=, rows[i].grace_us);
      g_assert_error (ended, REEVE_ERROR, REEVE_ERROR_PLUGIN);
      g_assert_cmpstr (ended->message, ==, end);
      /* gone, and waited for */
      g_clear_object (&fixture->plugin);
      reeve_wire_close (fixture->wire);
      g_clear_pointer (&fixture->wire, reeve_wire_unref);
      g_assert_cmpint (kill (pid, 0), ==, -1);
    }
}

/* A call whose caller named no deadline has one. */
static void
test_default_deadline (void)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = start (RUNNER_LAYERS_PROFILE_STRICT, script, imports);
  g_autoptr (ReeveContext) context = wire_fixture_context (0, NULL, NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *answer = NULL;

  g_assert_no_error (fixture->error);
  g_assert_cmpint (reeve_context_get_deadline (context), ==, 0);
  answer = tell_with (fixture, "answer = 0 < call.context['remaining'] <= 60 * 1000 * 1000",
                      context, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (answer, ==, "True");
}

/* ---- what connects by itself ---- */

/* Python's own sockets, as a library uses them: the host is asked, and nothing else is let through.
 */
static const struct
{
  const char *code;
  const char *answer;
} connecting[] = {
  { "s = socket.create_connection(('db.example', 5432), 30)\ns.sendall(b'hello')\n"
    "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\ns.shutdown(1)\n"
    "answer = s.recv(100).decode() + str(s.getpeername()[1] == 5432 and s.gettimeout() == 30)",
    "*hello*True" },
  { "import concurrent.futures as f\ndef one(n):\n"
    "  s = socket.create_connection(('db.example', 5432))\n  s.sendall(b'%d' % n)\n"
    "  s.shutdown(1)\n  return s.recv(100).decode()[-1]\n"
    "answer = ''.join(f.ThreadPoolExecutor(4).map(one, range(4)))",
    "0123" },
  { "socket.create_connection(('db.example', 1))", "PermissionError 13" },
  { "socket.create_connection(('192.0.2.1', 5432))", "PermissionError 13" },
  { "socket.create_connection(('x' * 300, 5432))", "UnicodeError *" },
  /* however many names there were: an address whose name is forgotten leads nowhere */
  { "a = socket.getaddrinfo('db.example', 5432)[0][4]\n"
    "answer = len([socket.getaddrinfo('h%d' % i, 1) for i in range(3000)])",
    "3000" },
  { "a = socket.getaddrinfo('first', 5432)[0][4]\n"
    "[socket.getaddrinfo('g%d' % i, 1) for i in range(1023)]\n"
    "socket.getaddrinfo('db.example', 5432)\nsocket.create_connection(a)",
    "PermissionError 13" },
  { "socket.create_connection(('db.example', 5432)).close()\nanswer = 'again'", "again" },
  /* a name that ends the line it stands in asks nothing more */
  { "socket.create_connection(('x\\n%d 5 5432 db.example' % threading.get_native_id(), 1))",
    "gaierror *" },
  { "socket.create_connection(('x\\ry', 5432))", "gaierror *" },
  { "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "PermissionError 13" },
  { "socket.socket(socket.AF_UNIX)", "PermissionError 13" },
  { "s = socket.socket()\ns.bind(('127.0.0.1', 0))", "PermissionError 13" },
  { "socket.socket().listen()", "PermissionError 13" },
};

static void
check_connecting (RunnerLayersProfile profile)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture = wire_fixture_new (profile, NULL, NULL, NULL);
  g_autoptr (ReeveBroker) broker = g_object_new (TEST_TYPE_BROKER, NULL);

  fixture->interpreter = reeve_interpreter_find ("python3", NULL);
  fixture->imports = imports;
  fixture->tcp = TRUE;
  wire_fixture_start (fixture, profile, script, NULL, NULL);
  g_assert_no_error (fixture->error);
  wire_fixture_set_up (fixture, 0, "{}");
  for (guint i = 0; i < G_N_ELEMENTS (connecting); i++)
    {
      g_autoptr (ReeveContext) context = wire_fixture_context (60000, broker, NULL);
      g_autofree char *code = g_strconcat ("import socket\n", connecting[i].code, NULL);
      g_autoptr (GError) error = NULL;
      g_autofree char *answer = tell_with (fixture, code, context, &error);

      g_assert_no_error (error);
      if (!g_pattern_match_simple (connecting[i].answer, answer))
        g_error ("%s: %s", connecting[i].code, answer);
    }
}

static void
test_connecting (void)
{
  check_connecting (RUNNER_LAYERS_PROFILE_STRICT);
  if (wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    check_connecting (RUNNER_LAYERS_PROFILE_HARDENED);
}

/* ---- what is no script, or another one ---- */

static const char *const no_imports[] = { NULL };
static const char *const wrong_imports[] = { "json", "there_is_no_such_module", NULL };

static void
test_broken (void)
{
  static const struct
  {
    const char *rest;
    const char *const *imports;
    const char *error;
    gboolean fell; /* code of its own ended it, or had to be ended */
  } rows[] = {
    { "this is no Python", imports, "*its runner ended by itself, with code 1", TRUE },
    { "", imports, "*its runner ended by itself, with code 0", TRUE },
    { "raise SystemExit(3)", imports, "*its runner ended by itself, with code 3", TRUE },
    { /* a signal, or a sanitizer that says so and ends it */
      "import ctypes; ctypes.string_at(0)", imports, "*its runner *", TRUE },
    { "os.dup2(os.open('/usr/lib/os-release', 0), WIRE)", imports, "*its runner *", TRUE },
    { "PLUGIN = ('other', '1.0.0')\nWire(ReeveError).run()", imports, "*says hello as another one",
      TRUE },
    { "PLUGIN = ('tested', '2.0.0')\nWire(ReeveError).run()", imports, "*says hello as another one",
      TRUE },
    { "", wrong_imports, "*Imports: there_is_no_such_module cannot be imported*" },
    { "import ctypes", no_imports, "*its runner ended by itself, with code 1", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *script = make_script ("broken.py", rows[i].rest);
      g_autoptr (WireFixture) fixture
          = start (RUNNER_LAYERS_PROFILE_STRICT, script, rows[i].imports);

      g_assert_null (fixture->wire);
      g_assert (fixture->error != NULL);
      if (!g_pattern_match_simple (rows[i].error, fixture->error->message))
        g_error ("%s: %s", rows[i].rest, fixture->error->message);
      g_assert_cmpint (fixture->fell, ==, rows[i].fell);
    }
}

/* ---- what does not say hello ---- */

/* Whatever it does instead, it has as long as a plugin may take to get ready, and is gone then. */
static void
test_no_hello (void)
{
  static const char *const rests[] = {
    "while True: pass",
    "time.sleep(3600)",
    "signal.raise_signal(signal.SIGSTOP)",
    "socket.socket(fileno=os.dup(WIRE)).recv(1); time.sleep(3600)",
  };

  for (guint i = 0; i < G_N_ELEMENTS (rests); i++)
    {
      g_autofree char *code = g_strconcat ("import signal\n", rests[i], NULL);
      g_autofree char *script = make_script ("broken.py", code);
      g_autoptr (WireFixture) fixture
          = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);

      fixture->interpreter = reeve_interpreter_find ("python3", NULL);
      fixture->imports = imports;
      fixture->hello_us = 2 * G_USEC_PER_SEC;
      wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, script, NULL, NULL);
      g_assert_null (fixture->wire);
      g_assert_error (fixture->error, REEVE_ERROR, REEVE_ERROR_TIMEOUT);
      g_assert_cmpstr (fixture->error->message, ==,
                       "plugin tested: its runner did not say hello within 2 s "
                       "(plugins.setup_timeout), and was killed");
      g_assert_true (fixture->fell);
    }
}

/* What the host names is a library of the system; any other is none. */
static void
test_no_interpreter (void)
{
  g_autofree char *script = make_probe ();
  g_autoptr (WireFixture) fixture
      = wire_fixture_new (RUNNER_LAYERS_PROFILE_STRICT, NULL, NULL, NULL);

  fixture->interpreter = g_strdup ("libc.so.6");
  wire_fixture_start (fixture, RUNNER_LAYERS_PROFILE_STRICT, script, NULL, NULL);
  g_assert_null (fixture->wire);
  g_assert_error (fixture->error, REEVE_ERROR, REEVE_ERROR_PLUGIN);
  g_assert_nonnull (strstr (fixture->error->message, "its interpreter has no PyRun_SimpleString"));
  g_assert_true (reeve_interpreter_is_known ("python3"));
  g_assert_false (reeve_interpreter_is_known ("/tmp/python3"));
}

static void
remove_scripts (void)
{
  static const char *const names[] = { "probe.py", "broken.py" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (folder, names[i], NULL);
      g_remove (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result = 0;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("reeve-script-XXXXXX", &error);
  g_assert_no_error (error);
  g_test_add_data_func ("/script/refused/strict", GINT_TO_POINTER (RUNNER_LAYERS_PROFILE_STRICT),
                        test_refused);
  if (wire_fixture_offers (RUNNER_LAYERS_PROFILE_HARDENED))
    g_test_add_data_func ("/script/refused/hardened",
                          GINT_TO_POINTER (RUNNER_LAYERS_PROFILE_HARDENED), test_refused);
  g_test_add_func ("/script/connecting", test_connecting);
  g_test_add_func ("/script/broker", test_broker);
  g_test_add_func ("/script/values", test_values);
  g_test_add_func ("/script/answers", test_answers);
  g_test_add_func ("/script/cancel", test_cancel);
  g_test_add_func ("/script/deaf", test_deaf);
  g_test_add_func ("/script/default-deadline", test_default_deadline);
  g_test_add_func ("/script/broken", test_broken);
  g_test_add_func ("/script/no-hello", test_no_hello);
  g_test_add_func ("/script/no-interpreter", test_no_interpreter);
  result = g_test_run ();
  remove_scripts ();
  return result;
}
