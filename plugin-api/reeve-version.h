/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Version and availability macros: every exported symbol carries one of them, everything else is
 * hidden. */
#pragma once

#include <glib-object.h>

/**
 * REEVE_API_MAJOR:
 *
 * Major number of the plugin interface: a plugin loads only where it is equal.
 *
 * Since: 1.0
 */
#define REEVE_API_MAJOR 1

/**
 * REEVE_API_MINOR:
 *
 * Minor number of the plugin interface: a plugin loads where it is at most the host's.
 *
 * Since: 1.0
 */
#define REEVE_API_MINOR 0

/**
 * REEVE_ENCODE_VERSION:
 * @major: major number
 * @minor: minor number
 *
 * A version as a number that the preprocessor can compare.
 *
 * Since: 1.0
 */
#define REEVE_ENCODE_VERSION(major, minor) ((major) << 16 | (minor) << 8)

/**
 * REEVE_VERSION_1_0:
 *
 * Version 1.0 of the plugin interface.
 *
 * Since: 1.0
 */
#define REEVE_VERSION_1_0 REEVE_ENCODE_VERSION (1, 0)

/**
 * REEVE_VERSION_CUR:
 *
 * The version of the plugin interface that these headers describe.
 *
 * Since: 1.0
 */
#define REEVE_VERSION_CUR REEVE_ENCODE_VERSION (REEVE_API_MAJOR, REEVE_API_MINOR)

/**
 * REEVE_VERSION_MAX_ALLOWED:
 *
 * Newest version of the interface that is used. A plugin may define it before the include, to be
 * compiled against an older interface on purpose and load in older hosts; the compiler then warns
 * about every newer symbol.
 *
 * Since: 1.0
 */
#ifndef REEVE_VERSION_MAX_ALLOWED
#define REEVE_VERSION_MAX_ALLOWED REEVE_VERSION_CUR
#endif

/**
 * REEVE_BUILD_MINOR:
 *
 * Minor number that a plugin's descriptor states: that of %REEVE_VERSION_MAX_ALLOWED.
 *
 * Since: 1.0
 */
#define REEVE_BUILD_MINOR (REEVE_VERSION_MAX_ALLOWED >> 8 & 0xff)

#ifndef _REEVE_EXTERN
#define _REEVE_EXTERN __attribute__ ((visibility ("default"))) extern
#endif

#if REEVE_VERSION_MAX_ALLOWED < REEVE_VERSION_1_0
#define REEVE_AVAILABLE_IN_1_0 G_UNAVAILABLE (1, 0) _REEVE_EXTERN
#else
#define REEVE_AVAILABLE_IN_1_0 _REEVE_EXTERN
#endif
