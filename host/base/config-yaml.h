/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* YAML as a tree that knows the line of everything. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  REEVE_CONFIG_SCALAR,
  REEVE_CONFIG_LIST,
  REEVE_CONFIG_MAP
} ReeveConfigKind;

typedef struct _ReeveConfigNode ReeveConfigNode;
struct _ReeveConfigNode
{
  grefcount refs;
  ReeveConfigKind kind;
  guint line;
  guint weight;        /* nodes in it, aliases counted each time */
  char *text;          /* of a scalar */
  gboolean plain;      /* a scalar without quotes */
  GPtrArray *names;    /* of a map, in order: char * */
  GPtrArray *children; /* of a map or list */
};

/* name: for errors. NULL without error: the text holds nothing. */
ReeveConfigNode *reeve_config_yaml_parse (const char *text, gsize length, const char *name,
                                          GError **error);
/* the same of a document that programs make too: larger */
ReeveConfigNode *reeve_config_yaml_parse_large (const char *text, gsize length, const char *name,
                                                GError **error);
/* values that no file says: text as it stands, an empty map and an empty list */
ReeveConfigNode *reeve_config_yaml_new_scalar (const char *text);
ReeveConfigNode *reeve_config_yaml_new_map (void);
ReeveConfigNode *reeve_config_yaml_new_list (void);
ReeveConfigNode *reeve_config_yaml_get (ReeveConfigNode *map, const char *name);
/* (transfer full) takes a member out by its name as it is */
ReeveConfigNode *reeve_config_yaml_steal (ReeveConfigNode *map, const char *name);
gboolean reeve_config_yaml_add_member (ReeveConfigNode *map, const char *name,
                                       ReeveConfigNode *node);
/* path: names joined by dots */
ReeveConfigNode *reeve_config_yaml_find (ReeveConfigNode *root, const char *path);
/* (transfer full) takes a member out, and with it each map that has no other */
ReeveConfigNode *reeve_config_yaml_take (ReeveConfigNode *root, const char *path);
/* FALSE when something is there */
gboolean reeve_config_yaml_put (ReeveConfigNode *root, const char *path, ReeveConfigNode *node);
/* Has faults of a value that stands in no file told there. */
void reeve_config_yaml_set_line (ReeveConfigNode *node, guint line);
void reeve_config_yaml_unref (ReeveConfigNode *node);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveConfigNode, reeve_config_yaml_unref)

G_END_DECLS
