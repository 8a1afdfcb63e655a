/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One row for each name that a manifest may request (host/loader/manifest-read.c). */
#include "grant-catalogue.h"

#include <string.h>

static const ReeveGrantCatalogueRow reeve_grant_catalogue_rows[] = {
  { "net.http", REEVE_GRANT_ASKED,
    "send HTTP requests through the host, to public addresses or to those named only", NULL,
    " origins methods max_bytes max_per_second max_per_minute " },
  { "net.stream", REEVE_GRANT_ASKED,
    "send lines to the server that its settings name, over UDP, TCP or TLS", NULL, " hosts " },
  { "net.tcp", REEVE_GRANT_ASKED, "open TCP connections to the servers named",
    "what goes over such a connection the host does not see", " hosts max_connections " },
  { "secret.use", REEVE_GRANT_ASKED,
    "have the host use a secret for it, such as a password, without seeing it", NULL,
    " slots purpose " },
  { "secret.read", REEVE_GRANT_ASKED, "read the secrets named",
    "the plugin holds the secret itself and can pass it on wherever else it may write",
    " slots purpose " },
  { "store.kv", REEVE_GRANT_ASKED, "keep values of its own, apart for each tenant", NULL,
    " max_bytes " },
  { "store.blob", REEVE_GRANT_ASKED, "keep files of its own, apart for each tenant", NULL,
    " max_bytes " },
  { "fs.read", REEVE_GRANT_ASKED, "read files in the folder named", NULL,
    " folder glob max_bytes " },
  { "fs.write", REEVE_GRANT_ASKED, "write files in the folder named",
    "files on this machine are changed or destroyed, whoever else uses them",
    " folder glob max_bytes folder_bytes folder_files " },
  { "scratch", REEVE_GRANT_ASKED, "write files that go with the call, in a folder of its own", NULL,
    " amount " },
  { "model.call", REEVE_GRANT_ASKED, "ask models, at the expense of who calls it", NULL,
    " models tokens depth " },
  { "tool.call", REEVE_GRANT_ASKED, "call other tools in the name of who calls it",
    "what the tools do is done by this plugin", " tools tokens depth " },
  { "identity.read", REEVE_GRANT_ASKED, "learn who calls it", NULL, " claims " },
  { "threads", REEVE_GRANT_ASKED, "run more threads than usual", NULL, " amount " },
  { "memory", REEVE_GRANT_ASKED, "use more memory than usual", NULL, " amount " },
  { "cpu", REEVE_GRANT_ASKED, "use more of the processors than usual", NULL, " amount " },
  { "jit", REEVE_GRANT_ASKED, "make code while it runs and execute it",
    "its memory may be both written and executed: whatever bytes it receives or makes can run "
    "there "
    "as code that nobody looked at and no digest covers, and a fault of it is easier to exploit",
    "" },
  { "interpreter", REEVE_GRANT_ASKED, "run as a script, in an interpreter of this machine's",
    "what the plugin does then depends on the interpreter and its modules too, which the system "
    "installs and which no digest of the plugin's covers",
    "" },
  { "log", REEVE_GRANT_ALWAYS, "write lines into the host's log, which says which plugin it was",
    NULL, "" },
  { "clock", REEVE_GRANT_ALWAYS, "learn the time", NULL, "" },
  { "random", REEVE_GRANT_ALWAYS, "get random bytes", NULL, "" },
  { "metrics", REEVE_GRANT_ALWAYS, "count what it does, in the host's metrics", NULL, "" },
  { "audit.emit", REEVE_GRANT_ALWAYS, "write records of its own into the audit log", NULL, "" },
  { "knowledge.search", REEVE_GRANT_ASKED,
    "search the documents that the person it works for may see", NULL, "" },
  { "credentials.lookup", REEVE_GRANT_HOST, "read what is kept of an API key", NULL, "" },
  { "credentials.digest", REEVE_GRANT_HOST, "compare an API key with what is kept of it", NULL,
    "" },
  { "credentials.password", REEVE_GRANT_HOST, "ask whether a password is a user's", NULL, "" },
  { "host.profile", REEVE_GRANT_HOST, "learn the profile that the host runs in", NULL, "" },
  { NULL, REEVE_GRANT_ASKED, NULL, NULL, NULL },
};

/**
 * reeve_grant_catalogue_find:
 * @capability: a name
 *
 * Returns: (transfer none) (nullable): what there is to know of it
 */
const ReeveGrantCatalogueRow *
reeve_grant_catalogue_find (const char *capability)
{
  for (const ReeveGrantCatalogueRow *row = reeve_grant_catalogue_rows; row->name != NULL; row++)
    if (strcmp (row->name, capability) == 0)
      return row;
  return NULL;
}

const ReeveGrantCatalogueRow *
reeve_grant_catalogue_get_rows (void)
{
  return reeve_grant_catalogue_rows;
}

/**
 * reeve_grant_catalogue_takes:
 * @row: a capability
 * @parameter: a name
 *
 * Returns: whether a grant of it may say that
 */
gboolean
reeve_grant_catalogue_takes (const ReeveGrantCatalogueRow *row, const char *parameter)
{
  g_autofree char *word = g_strconcat (" ", parameter, " ", NULL);

  return strstr (row->parameters, word) != NULL;
}
