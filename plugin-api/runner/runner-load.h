/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plugin's module, in the runner. */
#pragma once

#include <reeve-plugin-1.h>

#include "runner-plan.h"

G_BEGIN_DECLS

/* Loads what @module_fd stands for and looks at its descriptor: id and version go into the report.
 * %NULL with a note named `module`. */
const ReevePluginDescriptor *runner_load_module (int module_fd, RunnerReport *report);

G_END_DECLS
