/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A wire to a confined runner, for tests of all that goes over it. */
#pragma once

#include "loader/wire-instance.h"

G_BEGIN_DECLS

#define WIRE_FIXTURE_WAIT_US (60 * G_USEC_PER_SEC)

typedef struct
{
  ReeveRunnerLauncher *launcher;
  ReeveWireHub *hub;
  ReeveWire *wire;
  ReevePlugin *plugin; /* set up */
  GError *error;
  gboolean fell;              /* of the last one, where there is no wire */
  gint64 hello_us;            /* of the next runner; 0: long */
  guint processes;            /* of the next runner: threads; 0: the usual */
  guint64 memory;             /* the same: bytes of address space; 0: as many as it likes */
  guint64 scratch;            /* the same: bytes of a folder to write in; 0: none */
  const char *const *folders; /* the same (nullable): to be read */
  char *interpreter;          /* the same (nullable) (owned): its module is a script */
  const char *const *imports; /* the same (nullable): what that imports */
  guint64 kept;            /* the same: bytes that it may keep of what it is handed; 0: the usual */
  gboolean tcp;            /* the same: its libraries may connect by themselves */
  ReeveThrottle *throttle; /* the same (nullable): outlives it */
  guint32 cpu;             /* the same: percent of a processor */
} WireFixture;

/* @module: path of a .so; %NULL: @program is no runner that needs one. @program: of the tests' own,
 * with words behind it; %NULL: reeve-plugin-runner. Its first type is set up with @settings (%NULL:
 * not). Look at the error. */
WireFixture *wire_fixture_new (RunnerLayersProfile profile, const char *module,
                               const char *const *program, const char *settings);
/* Another runner, with the same hub. */
void wire_fixture_start (WireFixture *self, RunnerLayersProfile profile, const char *module,
                         const char *const *program, const ReeveWireLimits *limits);
gboolean wire_fixture_set_up (WireFixture *self, guint type, const char *settings);
void wire_fixture_free (WireFixture *self);
/* (transfer full): @name below the folder of this build's tests, or of a plugin */
char *wire_fixture_get_path (const char *name);
char *wire_fixture_get_plugin (const char *id);
/* (transfer full): @file of the build that @program, two folders down, is of */
char *wire_fixture_find (const char *program, const char *file);
/* (transfer full): ends in @ms; 0: the wire's own deadline */
ReeveContext *wire_fixture_context (guint ms, ReeveBroker *broker, GCancellable *cancellable);
/* Does this machine offer all of @profile? */
gboolean wire_fixture_offers (RunnerLayersProfile profile);
/* (transfer full) */
JsonNode *wire_fixture_json (const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WireFixture, wire_fixture_free)

G_END_DECLS
