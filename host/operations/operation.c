/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lookup in the generated table, which is ordered by name. */
#include "operation.h"

#include <stdlib.h>
#include <string.h>

static int
reeve_operation_compare (const void *name, const void *row)
{
  return strcmp (name, ((const ReeveOperation *) row)->name);
}

/**
 * reeve_operation_find:
 * @name: such as agents.get
 *
 * Returns: (transfer none) (nullable): the row of that name
 */
const ReeveOperation *
reeve_operation_find (const char *name)
{
  return bsearch (name, reeve_operations, reeve_operations_length, sizeof (ReeveOperation),
                  reeve_operation_compare);
}
