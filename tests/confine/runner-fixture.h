/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RunnerFixture: a runner with the real kernel, and what it prints. As root it has a user of its
 * own. */
#pragma once

#include "loader/runner.h"

G_BEGIN_DECLS

/* each test has users of its own, also beside others: the kernel counts what they run */
#define RUNNER_FIXTURE_UID     (1879048200u + ((guint) getpid () & 0xff))
#define RUNNER_FIXTURE_WAIT_US (60 * G_USEC_PER_SEC)

typedef struct
{
  ReeveRunnerLauncher *launcher;
  GPtrArray *command;
  ReeveRunnerSetup setup;
  int module;
  GError *error;
} RunnerFixture;

RunnerFixture *runner_fixture_new (RunnerLayersProfile profile, const char *module);
void runner_fixture_free (RunnerFixture *self);
/* @before: words of `without`, with a space between; NULL: nothing is taken away */
ReeveRunner *runner_fixture_start (RunnerFixture *self, const char *before);
/* Does this machine offer all of @profile? Where it does not, a plugin must be refused, and say
 * why: that is what is tested there. */
gboolean runner_fixture_offers (RunnerLayersProfile profile);
void runner_fixture_assert_refused (ReeveRunner *runner, const GError *error);
/* (transfer full): of this build's tests */
char *runner_fixture_build_path (const char *name);
/* What runners print, line by line; `too much` where some of it was left out. */
gboolean runner_fixture_has_printed (const char *line);
/* Waits for it. */
void runner_fixture_assert_printed (const char *line);
void runner_fixture_forget_printed (void);
/* g_test_run() while it is listened to what runners print */
int runner_fixture_run (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RunnerFixture, runner_fixture_free)

G_END_DECLS
