/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks a plugin up in a list of pins. */
#include "pins.h"

#include <string.h>

/**
 * reeve_pins_find:
 * @pins: (nullable): a list that ends with a %NULL id
 * @id: of a plugin
 *
 * Returns: (transfer none) (nullable): its pin
 */
const ReevePin *
reeve_pins_find (const ReevePin *pins, const char *id)
{
  for (const ReevePin *pin = pins; pin != NULL && pin->id != NULL; pin++)
    {
      if (strcmp (pin->id, id) == 0)
        return pin;
    }
  return NULL;
}
