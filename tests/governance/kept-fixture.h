/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Somebody of whom values are kept. */
#pragma once

#include "governance/kept-values.h"

#include "directory-fixture.h"

#define SCOPE "default"

typedef struct
{
  DirectoryFixture host;
  ReeveSubjectKeys *keys;
  ReeveKeptValues *values;
  ReeveCaller *admin;
  char *user; /* somebody */
} KeptFixture;

void kept_fixture_set_up (KeptFixture *fixture, gconstpointer data);
void kept_fixture_tear_down (KeptFixture *fixture, gconstpointer data);
char *kept_fixture_put (KeptFixture *fixture, const char *text);
/* text: (nullable) (out) (transfer full) */
ReeveKeptState kept_fixture_state_of (KeptFixture *fixture, const char *digest, char **text);
JsonObject *kept_fixture_erase_somebody (KeptFixture *fixture, const char *user, GError **error);
void kept_fixture_erase (KeptFixture *fixture);
/* The file of one half of the user's key. */
char *kept_fixture_half_of (KeptFixture *fixture, guint generation);
ReeveRecord *kept_fixture_record_of (KeptFixture *fixture, const char *collection, const char *id);
void kept_fixture_write_record (KeptFixture *fixture, const char *collection, const char *id,
                                JsonObject *fields);
