/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveWire: the connection to one runner, and the calls under way on it. Any thread but a main
 * context's. */
#pragma once

#include <gio/gio.h>

#include "wire/wire-letter.h"

#include "runner.h"
#include "wire-buffer.h"
#include "wire-hub.h"
#include "wire-loans.h"
#include "wire-read.h"

G_BEGIN_DECLS

typedef struct _ReeveWire ReeveWire;

/* What a type of the plugin's offers. */
typedef enum
{
  REEVE_WIRE_TOOL = 1 << 0,
  REEVE_WIRE_SINK = 1 << 1,
  REEVE_WIRE_EXTRACTOR = 1 << 2,
  REEVE_WIRE_LLM_ENGINE = 1 << 3,
  REEVE_WIRE_LLM_CODEC = 1 << 4
} ReeveWireKinds;

#define REEVE_WIRE_MAX_ARGUMENTS 4
/* a call whose context names no deadline has this one */
#define REEVE_WIRE_DEADLINE_US (60 * G_USEC_PER_SEC)
/* an instance's end: whoever waits for it may be the host, which ends */
#define REEVE_WIRE_SHUTDOWN_US (5 * G_USEC_PER_SEC)
/* behind its deadline a call may end by itself for so long; then its runner is ended */
#define REEVE_WIRE_GRACE_US (2 * G_USEC_PER_SEC)
/* and as long at most behind that, while its share of the processors is used up again and again */
#define REEVE_WIRE_HELD_US (30 * G_USEC_PER_SEC)

/* How a wire begins. */
typedef struct
{
  const ReeveWireLimits *limits; /* (nullable) */
  gint64 hello_us;               /* how long its hello may take */
  guint64 kept;              /* bytes that its runner may keep of what it is handed; 0: the usual */
  GCancellable *cancellable; /* (nullable): nobody waits for its hello any more */
  gboolean *fell; /* (out) (nullable): it ended before its hello, or had to be ended: code of the
                     plugin's */
} ReeveWireOpening;

/* One call of a method of the runner's. */
typedef struct
{
  const char *path;      /* of the instance */
  const char *interface; /* static */
  const char *member;    /* static */
  ReeveContext *context;
  GVariant *arguments[REEVE_WIRE_MAX_ARGUMENTS]; /* (transfer floating) behind number and context;
                                                    ended by %NULL */
  GBytes *blob;                  /* (nullable): what handle 0 stands for; the runner gets a copy */
  const ReeveWireStream *stream; /* (nullable): its handle is the last one */
  JsonNode **told; /* (nullable) (out) (transfer full) (nullable): what the host answered last to a
                      question within it; immutable */
} ReeveWireCall;

/* Takes over @runner, which holds its plugin, and says hello. Blocks.
 * %REEVE_ERROR_PLUGIN, %REEVE_ERROR_TIMEOUT */
ReeveWire *reeve_wire_new (ReeveWireHub *hub, ReeveRunner *runner, const ReeveWireOpening *opening,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Ends the runner; calls under way fail. Whoever made it does so, once. Blocks. */
void reeve_wire_close (ReeveWire *self);
ReeveWire *reeve_wire_ref (ReeveWire *self);
void reeve_wire_unref (ReeveWire *self);
/* Ends what is under way, and the runner. */
void reeve_wire_cut (ReeveWire *self);
/* Is the runner gone? @error: why: its signal, or the rule that it broke. */
gboolean reeve_wire_has_ended (ReeveWire *self, GError **error);
GPid reeve_wire_get_runner_pid (ReeveWire *self); /* until it is closed */
/* reeve_runner_refill_cpu(); before it is closed */
void reeve_wire_refill_cpu (ReeveWire *self);
/* (transfer none): what the host uses for its runner */
ReeveHostTime *reeve_wire_get_host_time (ReeveWire *self);
/* Its plugin may reach beyond its process: what it was asked, it is not asked again. Before the
 * first call. */
void reeve_wire_set_effects (ReeveWire *self, gboolean effects);
gboolean reeve_wire_get_effects (ReeveWire *self);
guint reeve_wire_get_n_types (ReeveWire *self);
const char *reeve_wire_get_type_name (ReeveWire *self, guint index);
ReeveWireKinds reeve_wire_get_type_kinds (ReeveWire *self, guint index);
/* (transfer full) (nullable): a tuple, of the method's type. Blocks until the reply, the deadline
 * (%REEVE_ERROR_TIMEOUT), the context's cancellation (%REEVE_ERROR_CANCELLED) or the runner's end
 * (%REEVE_ERROR_PLUGIN); %REEVE_ERROR_BUSY with too many under way, %REEVE_ERROR_TOO_LARGE. */
GVariant *reeve_wire_call (ReeveWire *self, const ReeveWireCall *call,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same: (transfer full) (nullable): a reply of the method's type, whose body the rules let
 * through and nobody has read: wire_letter_get_reader() does where it stands. */
WireLetter *reeve_wire_ask (ReeveWire *self, const ReeveWireCall *call,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What has no reply. @body: (transfer floating): all of it. Does not block; nobody hears it where
 * the runner is gone. Any thread. */
void reeve_wire_tell (ReeveWire *self, const char *path, const char *interface, const char *member,
                      GVariant *body);
/* Sends @message, with @fds, which stay the caller's; a serial is given to one that has none. Does
 * not block; nobody hears it where the runner is gone. Any thread. %REEVE_ERROR_FAILED */
gboolean reeve_wire_send (ReeveWire *self, WireLetter *message, const int *fds, guint n_fds,
                          GError **error);
/* What was answered to a question within @call, which may hand it on by its name. @node:
 * (nullable): immutable */
void reeve_wire_keep_told (ReeveWire *self, guint64 call, JsonNode *node);
/* Of a call that is not made after all. */
void reeve_wire_drop_arguments (const ReeveWireCall *call);
/* (transfer full) (nullable): of a call that is under way and that somebody waits for: for the
 * broker */
ReeveContext *reeve_wire_find_context (ReeveWire *self, guint64 call);
/* Memory for a call, let go with it: a descriptor for the runner, the caller's. -1 with
 * %REEVE_ERROR_BUSY: there is one, no such call, or no room; %REEVE_ERROR_TOO_LARGE */
int reeve_wire_open_buffer (ReeveWire *self, guint64 call, guint64 size, GError **error);
/* (transfer full) (nullable): there is none */
ReeveWireBuffer *reeve_wire_take_buffer (ReeveWire *self, guint64 call);
/* (transfer none): what it keeps */
ReeveWireLoans *reeve_wire_get_loans (ReeveWire *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveWire, reeve_wire_unref)

G_END_DECLS
