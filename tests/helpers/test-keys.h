/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ReeveStorageKeys for tests: in memory, or in a folder that outlives the process. Keys are
 * computed from scope and number, so that nothing is secret. */
#pragma once

#include <reeve-plugin-1.h>

G_BEGIN_DECLS

#define TEST_TYPE_KEYS (test_keys_get_type ())
G_DECLARE_FINAL_TYPE (TestKeys, test_keys, TEST, KEYS, GObject)

/* called before and after each change */
typedef void (*TestKeysStep) (gpointer data);

TestKeys *test_keys_new (const char *folder);
/* from now on all keys are others than they were */
void test_keys_set_wrong (TestKeys *self, gboolean wrong);
/* changes fail from now on */
void test_keys_set_failing (TestKeys *self, gboolean failing);
void test_keys_set_step (TestKeys *self, TestKeysStep step, gpointer data);
/* destroys keys and mark of a scope */
void test_keys_destroy (TestKeys *self, const char *scope);
void test_keys_set_mark (TestKeys *self, const char *scope, const ReeveStorageMark *mark);
void test_keys_get_mark (TestKeys *self, const char *scope, ReeveStorageMark *mark);
guint test_keys_get_durable (TestKeys *self, const char *scope);

G_END_DECLS
