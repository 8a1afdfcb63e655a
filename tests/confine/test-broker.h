/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* TestBroker: capabilities for tests of the wire. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

/* bytes that `scratch` says it has */
#define TEST_BROKER_SCRATCH (2 << 20)

#define TEST_TYPE_BROKER (test_broker_get_type ())
G_DECLARE_FINAL_TYPE (TestBroker, test_broker, TEST, BROKER, GObject)

/* Until `test.started` was asked for @count times. */
void test_broker_wait (TestBroker *self, guint count);
/* No `test.echo` ends before @count of them have begun. Before any call. */
void test_broker_hold (TestBroker *self, guint count);
/* Until so many `test.echo` have begun. */
void test_broker_wait_echoes (TestBroker *self, guint count);
guint test_broker_get_echoes (TestBroker *self);
/* Was the last one answered on this thread? */
gboolean test_broker_was_here (TestBroker *self);
/* (transfer none) (nullable): what was answered last; as long as nobody asks again */
JsonNode *test_broker_get_last (TestBroker *self);
/* They end now. */
void test_broker_release (TestBroker *self);
/* `scratch` is granted from now on, below @path (static). Before any call. */
void test_broker_give_scratch (TestBroker *self, const char *path);
gboolean test_broker_has (TestBroker *self, guint count);

G_END_DECLS
