/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Claims by name. */
#include "jwt-claim-set.h"

#include <string.h>

struct _JwtClaimSet
{
  char *text;
  const char *const *names;
  ReeveJsonSlice slices[];
};

/**
 * jwt_claim_set_new:
 * @text: (transfer full): a JSON text
 * @length: bytes of it
 * @names: those that will be asked for; outlive it
 *
 * Returns: (transfer full) (nullable): the claims; %NULL when @text is no object in strict JSON
 */
JwtClaimSet *
jwt_claim_set_new (char *text, gsize length, const char *const *names)
{
  gsize count = g_strv_length ((char **) names);
  g_autoptr (JwtClaimSet) self = g_malloc0 (sizeof (JwtClaimSet) + count * sizeof (ReeveJsonSlice));

  self->text = text;
  self->names = names;
  if (reeve_json_find_members (text, length, names, self->slices, NULL))
    return g_steal_pointer (&self);
  return NULL;
}

/**
 * jwt_claim_set_free:
 * @self: (transfer full): claims
 */
void
jwt_claim_set_free (JwtClaimSet *self)
{
  g_free (self->text);
  g_free (self);
}

/**
 * jwt_claim_set_get:
 * @self: claims
 * @name: one of the names that it was made with
 *
 * Returns: (nullable): the value
 */
const ReeveJsonSlice *
jwt_claim_set_get (const JwtClaimSet *self, const char *name)
{
  for (guint i = 0; self->names[i] != NULL; i++)
    if (strcmp (self->names[i], name) == 0)
      return self->slices[i].start != NULL ? &self->slices[i] : NULL;
  g_return_val_if_reached (NULL);
}
