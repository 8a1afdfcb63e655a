/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storage: scopes, atomic batches, bounded queries, streams, queues, blobs, full text. */
/* layers: allow file-size: the storage contract is one page, and half of it is its documentation */

#pragma once

#include "reeve-plugin.h"
#include "reeve-storage-keys.h"

G_BEGIN_DECLS

#define REEVE_TYPE_BATCH        (reeve_batch_get_type ())
#define REEVE_TYPE_BATCH_RESULT (reeve_batch_result_get_type ())
#define REEVE_TYPE_QUERY        (reeve_query_get_type ())
#define REEVE_TYPE_QUERY_RESULT (reeve_query_result_get_type ())
#define REEVE_TYPE_RECORD       (reeve_record_get_type ())
#define REEVE_TYPE_STORAGE      (reeve_storage_get_type ())

/**
 * REEVE_SCOPE_PLATFORM:
 *
 * The scope of the platform itself; every other scope is a tenant id.
 *
 * Since: 1.0
 */
#define REEVE_SCOPE_PLATFORM "@platform"

/**
 * REEVE_REVISION_ANY:
 *
 * As an expected revision or sequence number: no precondition.
 *
 * Since: 1.0
 */
#define REEVE_REVISION_ANY ((gint64) -1)
/**
 * REEVE_REVISION_ABSENT:
 *
 * As an expected revision: the record must not exist yet.
 *
 * Since: 1.0
 */
#define REEVE_REVISION_ABSENT ((gint64) 0)

/* ---- declared collections and migrations ---- */

/**
 * ReeveFieldType:
 * @REEVE_FIELD_TEXT: a string
 * @REEVE_FIELD_INT: a 64-bit integer
 * @REEVE_FIELD_REAL: a double
 * @REEVE_FIELD_BOOLEAN: true or false
 *
 * Type of a declared field.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_FIELD_TEXT,
  REEVE_FIELD_INT,
  REEVE_FIELD_REAL,
  REEVE_FIELD_BOOLEAN
} ReeveFieldType;

/**
 * ReeveField:
 * @name: top-level member of the record that is mirrored into the index
 * @type: its type; a record with another type there is refused; absent or null members are not
 * found by filters
 *
 * A declared field: it can be filtered, ordered, grouped and aggregated by.
 *
 * Since: 1.0
 */
typedef struct
{
  const char *name;
  ReeveFieldType type;
} ReeveField;

/**
 * ReeveStepKind:
 * @REEVE_STEP_COLLECTION: adds collection @name with @fields
 * @REEVE_STEP_FIELD: adds @fields to collection @name, filled from the records there are
 * @REEVE_STEP_INDEX: adds an index over up to four @fields of collection @name
 * @REEVE_STEP_TEXT: adds full-text index @name
 *
 * Steps of a migration. Each can be undone (down), so a migration loses only what it made.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_STEP_COLLECTION,
  REEVE_STEP_FIELD,
  REEVE_STEP_INDEX,
  REEVE_STEP_TEXT
} ReeveStepKind;

/**
 * ReeveStep:
 * @kind: what to add
 * @name: of the collection or text index
 * @fields: ended by a %NULL name; %NULL for a text index
 *
 * One step.
 *
 * Since: 1.0
 */
typedef struct
{
  ReeveStepKind kind;
  const char *name;
  const ReeveField *fields;
} ReeveStep;

/**
 * ReeveMigration:
 * @number: 1, 2, 3 … without a gap
 * @summary: what it is for, for the history
 * @steps: ended by a %NULL name
 *
 * A numbered change of a scope's schema; it and its number are one transaction.
 *
 * Since: 1.0
 */
typedef struct
{
  guint number;
  const char *summary;
  const ReeveStep *steps;
} ReeveMigration;

/* ---- batches ---- */

/**
 * ReeveBatch:
 *
 * Operations on one scope that happen together or not at all. Functions that add an operation
 * return its position, by which its result is read. Not thread-safe while it is built; immutable
 * once submitted.
 *
 * Since: 1.0
 */
typedef struct _ReeveBatch ReeveBatch;
typedef struct _ReeveBatchResult ReeveBatchResult;

REEVE_AVAILABLE_IN_1_0
GType reeve_batch_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveBatch *reeve_batch_new (const char *scope);
REEVE_AVAILABLE_IN_1_0
ReeveBatch *reeve_batch_ref (ReeveBatch *self);
REEVE_AVAILABLE_IN_1_0
void reeve_batch_unref (ReeveBatch *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_batch_get_scope (ReeveBatch *self);
/* Creates or replaces a record. Result value: its new revision (1, 2, …). REEVE_ERROR_CONFLICT, or
 * REEVE_ERROR_ALREADY_EXISTS for REEVE_REVISION_ABSENT, or REEVE_ERROR_NOT_FOUND when a revision
 * was expected of nothing. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_put (ReeveBatch *self, const char *collection, const char *id, JsonObject *fields,
                       gint64 expected_revision);
/* Deletes a record; REEVE_ERROR_NOT_FOUND when absent, unless REEVE_REVISION_ANY. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_delete (ReeveBatch *self, const char *collection, const char *id,
                          gint64 expected_revision);
/* Only the precondition. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_check (ReeveBatch *self, const char *collection, const char *id,
                         gint64 expected_revision);
/* Adds delta to a counter (0 when absent) if the result stays within [min, max]; else
 * REEVE_ERROR_OUT_OF_RANGE and nothing of the batch happens. Result value: the new value. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_count (ReeveBatch *self, const char *counter, gint64 delta, gint64 min,
                         gint64 max);
/* Appends to a stream; expected_seq is the sequence number it must get (1, 2, …), or
 * REEVE_REVISION_ANY; else REEVE_ERROR_CONFLICT. Result value: its number. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_append (ReeveBatch *self, const char *stream, GBytes *payload,
                          gint64 expected_seq);
/* Removes a whole stream. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_truncate (ReeveBatch *self, const char *stream);
/* Puts an item in a queue, not to be leased before not_before (µs since the epoch).
 * REEVE_ERROR_ALREADY_EXISTS for a known id. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_push (ReeveBatch *self, const char *queue, const char *id, GBytes *payload,
                        gint64 not_before);
/* Leases up to max items for lease_us from now (µs since the epoch). Result items: see
 * reeve_batch_result_get_leases(). */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_lease (ReeveBatch *self, const char *queue, guint max, gint64 now,
                         gint64 lease_us);
/* Removes a leased item; REEVE_ERROR_CONFLICT when the lease is not the current one. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_acknowledge (ReeveBatch *self, const char *queue, const char *id, gint64 lease);
/* Gives a leased item back, not to be leased again before not_before. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_release (ReeveBatch *self, const char *queue, const char *id, gint64 lease,
                           gint64 not_before);
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_blob_put (ReeveBatch *self, const char *id, GBytes *bytes);
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_blob_delete (ReeveBatch *self, const char *id);
/* Adds a text to a full-text index under key; group names what is replaced and deleted together (a
 * document). data is handed back with hits. title weighs more than text. */
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_text_put (ReeveBatch *self, const char *index, const char *group, const char *key,
                            const char *title, const char *text, JsonObject *data);
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_text_delete (ReeveBatch *self, const char *index, const char *group);
REEVE_AVAILABLE_IN_1_0
guint reeve_batch_get_length (ReeveBatch *self);

/* ---- batches, as a storage plugin reads them ---- */

/**
 * ReeveOpKind:
 * @REEVE_OP_PUT: reeve_batch_put()
 * @REEVE_OP_DELETE: reeve_batch_delete()
 * @REEVE_OP_CHECK: reeve_batch_check()
 * @REEVE_OP_COUNT: reeve_batch_count()
 * @REEVE_OP_APPEND: reeve_batch_append()
 * @REEVE_OP_TRUNCATE: reeve_batch_truncate()
 * @REEVE_OP_PUSH: reeve_batch_push()
 * @REEVE_OP_LEASE: reeve_batch_lease()
 * @REEVE_OP_ACKNOWLEDGE: reeve_batch_acknowledge()
 * @REEVE_OP_RELEASE: reeve_batch_release()
 * @REEVE_OP_BLOB_PUT: reeve_batch_blob_put()
 * @REEVE_OP_BLOB_DELETE: reeve_batch_blob_delete()
 * @REEVE_OP_TEXT_PUT: reeve_batch_text_put()
 * @REEVE_OP_TEXT_DELETE: reeve_batch_text_delete()
 *
 * Kinds of operations in a batch, by the functions that add them.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_OP_PUT,
  REEVE_OP_DELETE,
  REEVE_OP_CHECK,
  REEVE_OP_COUNT,
  REEVE_OP_APPEND,
  REEVE_OP_TRUNCATE,
  REEVE_OP_PUSH,
  REEVE_OP_LEASE,
  REEVE_OP_ACKNOWLEDGE,
  REEVE_OP_RELEASE,
  REEVE_OP_BLOB_PUT,
  REEVE_OP_BLOB_DELETE,
  REEVE_OP_TEXT_PUT,
  REEVE_OP_TEXT_DELETE
} ReeveOpKind;

/**
 * ReeveOp:
 * @struct_size: sizeof (ReeveOp)
 * @kind: which function made it
 * @name: collection, counter, stream, queue or text index
 * @id: (nullable): record, item, blob or text key
 * @group: (nullable): group of a text
 * @title: (nullable): title of a text
 * @text: (nullable): text
 * @object: (nullable): record or data of a text
 * @bytes: (nullable): payload
 * @expected: expected revision or sequence number; lease
 * @delta: of a counter; lease time in µs
 * @min: of a counter
 * @max: of a counter; most items of a lease
 * @time: not before, or now
 *
 * One operation.
 *
 * Since: 1.0
 */
typedef struct
{
  guint32 struct_size;
  ReeveOpKind kind;
  const char *name;
  const char *id;
  const char *group;
  const char *title;
  const char *text;
  JsonObject *object;
  GBytes *bytes;
  gint64 expected;
  gint64 delta;
  gint64 min;
  gint64 max;
  gint64 time;
} ReeveOp;

/* Checks the bounds of all operations (names up to 512 bytes, payloads and texts
 * 64 MiB, blobs 512 MiB, sensible numbers), not whether collections are declared. Storage plugins
 * call it first. */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_batch_validate (ReeveBatch *self, GError **error);
/* What an expected revision of a put, delete or check means, told in the same words by every
 * storage. */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_batch_check_revision (const ReeveOp *op, gint64 revision, GError **error);
REEVE_AVAILABLE_IN_1_0
const ReeveOp *reeve_batch_get_op (ReeveBatch *self, guint position);

/**
 * ReeveLease:
 * @id: of the item
 * @payload: what was pushed
 * @lease: number of this lease, for acknowledge and release
 * @attempts: how often it was leased, this one included
 *
 * A leased queue item.
 *
 * Since: 1.0
 */
typedef struct
{
  char *id;
  GBytes *payload;
  gint64 lease;
  guint attempts;
} ReeveLease;

REEVE_AVAILABLE_IN_1_0
GType reeve_batch_result_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveBatchResult *reeve_batch_result_new (guint n_ops);
REEVE_AVAILABLE_IN_1_0
ReeveBatchResult *reeve_batch_result_ref (ReeveBatchResult *self);
REEVE_AVAILABLE_IN_1_0
void reeve_batch_result_unref (ReeveBatchResult *self);
REEVE_AVAILABLE_IN_1_0
void reeve_batch_result_set_value (ReeveBatchResult *self, guint position, gint64 value);
REEVE_AVAILABLE_IN_1_0
gint64 reeve_batch_result_get_value (ReeveBatchResult *self, guint position);
REEVE_AVAILABLE_IN_1_0
void reeve_batch_result_add_lease (ReeveBatchResult *self, guint position, const char *id,
                                   GBytes *payload, gint64 lease, guint attempts);
/* (element-type ReeveLease) (transfer none) (nullable) */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_batch_result_get_leases (ReeveBatchResult *self, guint position);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBatch, reeve_batch_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveBatchResult, reeve_batch_result_unref)

/* ---- records and queries ---- */

typedef struct _ReeveRecord ReeveRecord;
typedef struct _ReeveQuery ReeveQuery;
typedef struct _ReeveQueryResult ReeveQueryResult;

REEVE_AVAILABLE_IN_1_0
GType reeve_record_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveRecord *reeve_record_new (const char *id, gint64 revision, JsonObject *fields);
REEVE_AVAILABLE_IN_1_0
ReeveRecord *reeve_record_ref (ReeveRecord *self);
REEVE_AVAILABLE_IN_1_0
void reeve_record_unref (ReeveRecord *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_record_get_id (ReeveRecord *self);
REEVE_AVAILABLE_IN_1_0
gint64 reeve_record_get_revision (ReeveRecord *self);
/* immutable */
REEVE_AVAILABLE_IN_1_0
JsonObject *reeve_record_get_fields (ReeveRecord *self);

/**
 * ReeveFilterOp:
 * @REEVE_FILTER_EQ: equal
 * @REEVE_FILTER_LT: less
 * @REEVE_FILTER_LE: less or equal
 * @REEVE_FILTER_GT: greater
 * @REEVE_FILTER_GE: greater or equal
 * @REEVE_FILTER_PREFIX: text that begins with
 * @REEVE_FILTER_IN: one of (an array of at most 500)
 *
 * Comparisons of a filter.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_FILTER_EQ,
  REEVE_FILTER_LT,
  REEVE_FILTER_LE,
  REEVE_FILTER_GT,
  REEVE_FILTER_GE,
  REEVE_FILTER_PREFIX,
  REEVE_FILTER_IN
} ReeveFilterOp;

/**
 * ReeveAggregateKind:
 * @REEVE_AGGREGATE_COUNT: number of records
 * @REEVE_AGGREGATE_SUM: sum of a field
 * @REEVE_AGGREGATE_MIN: its least value
 * @REEVE_AGGREGATE_MAX: its greatest value
 *
 * Aggregates.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_AGGREGATE_COUNT,
  REEVE_AGGREGATE_SUM,
  REEVE_AGGREGATE_MIN,
  REEVE_AGGREGATE_MAX
} ReeveAggregateKind;

/**
 * REEVE_QUERY_MAX_FIELDS:
 *
 * Distinct fields that one query may filter by.
 *
 * Since: 1.0
 */
#define REEVE_QUERY_MAX_FIELDS 4
/**
 * REEVE_QUERY_MAX_GROUPS:
 *
 * Fields that one query may group by.
 *
 * Since: 1.0
 */
#define REEVE_QUERY_MAX_GROUPS 3
/**
 * REEVE_QUERY_MAX_LIMIT:
 *
 * Most records of one result.
 *
 * Since: 1.0
 */
#define REEVE_QUERY_MAX_LIMIT 500
/**
 * REEVE_QUERY_MAX_IN:
 *
 * Most values of one %REEVE_FILTER_IN.
 *
 * Since: 1.0
 */
#define REEVE_QUERY_MAX_IN 500

/**
 * ReeveQuery:
 *
 * A question to one collection of one scope, in a bounded language: filters joined by "and" over at
 * most four declared fields, an order, a limit and a cursor; or aggregates by at most three fields
 * and a time bucket. The record's id is the field `@id`.
 *
 * Since: 1.0
 */
REEVE_AVAILABLE_IN_1_0
GType reeve_query_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveQuery *reeve_query_new (const char *scope, const char *collection);
REEVE_AVAILABLE_IN_1_0
ReeveQuery *reeve_query_ref (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
void reeve_query_unref (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
void reeve_query_filter (ReeveQuery *self, const char *field, ReeveFilterOp op, JsonNode *value);
REEVE_AVAILABLE_IN_1_0
void reeve_query_filter_string (ReeveQuery *self, const char *field, ReeveFilterOp op,
                                const char *value);
REEVE_AVAILABLE_IN_1_0
void reeve_query_filter_int (ReeveQuery *self, const char *field, ReeveFilterOp op, gint64 value);
/* Ties are broken by the id, in the same direction. */
REEVE_AVAILABLE_IN_1_0
void reeve_query_order (ReeveQuery *self, const char *field, gboolean descending);
REEVE_AVAILABLE_IN_1_0
void reeve_query_limit (ReeveQuery *self, guint limit);
/* opaque, from an earlier result of the same query; (nullable) */
REEVE_AVAILABLE_IN_1_0
void reeve_query_cursor (ReeveQuery *self, const char *cursor);
/* name: member of the result objects; field is NULL for count */
REEVE_AVAILABLE_IN_1_0
void reeve_query_aggregate (ReeveQuery *self, ReeveAggregateKind kind, const char *field,
                            const char *name);
REEVE_AVAILABLE_IN_1_0
void reeve_query_group_by (ReeveQuery *self, const char *field);
/* groups by floor (field / width) * width as well, under the field's name */
REEVE_AVAILABLE_IN_1_0
void reeve_query_bucket (ReeveQuery *self, const char *field, gint64 width);

/**
 * ReeveQueryFilter:
 * @field: which
 * @op: how
 * @value: with what
 *
 * A filter, as a storage plugin reads it.
 *
 * Since: 1.0
 */
typedef struct
{
  char *field;
  ReeveFilterOp op;
  JsonNode *value;
} ReeveQueryFilter;

/**
 * ReeveQueryAggregate:
 * @kind: which
 * @field: (nullable): of what
 * @name: member of the result
 *
 * An aggregate, as a storage plugin reads it.
 *
 * Since: 1.0
 */
typedef struct
{
  ReeveAggregateKind kind;
  char *field;
  char *name;
} ReeveQueryAggregate;

REEVE_AVAILABLE_IN_1_0
const char *reeve_query_get_scope (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_query_get_collection (ReeveQuery *self);
/* (element-type ReeveQueryFilter) (transfer none) */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_query_get_filters (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_query_get_order (ReeveQuery *self, gboolean *descending);
REEVE_AVAILABLE_IN_1_0
guint reeve_query_get_limit (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_query_get_cursor (ReeveQuery *self);
/* (element-type ReeveQueryAggregate) (transfer none) */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_query_get_aggregates (ReeveQuery *self);
/* (element-type utf8) (transfer none) */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_query_get_groups (ReeveQuery *self);
REEVE_AVAILABLE_IN_1_0
const char *reeve_query_get_bucket (ReeveQuery *self, gint64 *width);
/* Checks the bounds of the language, not whether fields are declared. Storage plugins call it
 * first. */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_query_validate (ReeveQuery *self, GError **error);

REEVE_AVAILABLE_IN_1_0
GType reeve_query_result_get_type (void) G_GNUC_CONST;
REEVE_AVAILABLE_IN_1_0
ReeveQueryResult *reeve_query_result_new (void);
REEVE_AVAILABLE_IN_1_0
ReeveQueryResult *reeve_query_result_ref (ReeveQueryResult *self);
REEVE_AVAILABLE_IN_1_0
void reeve_query_result_unref (ReeveQueryResult *self);
REEVE_AVAILABLE_IN_1_0
void reeve_query_result_add (ReeveQueryResult *self, ReeveRecord *record);
REEVE_AVAILABLE_IN_1_0
void reeve_query_result_add_group (ReeveQueryResult *self, JsonObject *group);
REEVE_AVAILABLE_IN_1_0
void reeve_query_result_set_cursor (ReeveQueryResult *self, const char *cursor);
/* (element-type ReeveRecord) (transfer none) */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_query_result_get_records (ReeveQueryResult *self);
/* (element-type JsonObject) (transfer none): group fields, bucket and aggregates by name */
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_query_result_get_groups (ReeveQueryResult *self);
/* (nullable): NULL at the end */
REEVE_AVAILABLE_IN_1_0
const char *reeve_query_result_get_cursor (ReeveQueryResult *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveRecord, reeve_record_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveQuery, reeve_query_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReeveQueryResult, reeve_query_result_unref)

/**
 * ReeveStreamEntry:
 * @seq: number, from 1
 * @payload: what was appended
 *
 * An entry of a stream.
 *
 * Since: 1.0
 */
typedef struct
{
  gint64 seq;
  GBytes *payload;
} ReeveStreamEntry;

/**
 * ReeveTextHit:
 * @group: group of the text
 * @key: its key
 * @text: it
 * @data: what was stored with it
 * @score: BM25, greater is better
 *
 * A hit of a full-text search, best first.
 *
 * Since: 1.0
 */
typedef struct
{
  char *group;
  char *key;
  char *text;
  JsonObject *data;
  double score;
} ReeveTextHit;

/* ---- encryption ---- */

/**
 * ReeveRotation:
 * @REEVE_ROTATION_REWRITE: in place: new pages are sealed by a new key, then all others are
 * rewritten; writers wait meanwhile
 * @REEVE_ROTATION_COPY: into a new file that takes the place of the old one; writers go on
 * meanwhile
 *
 * How a scope gets a new data key. After either nothing is sealed by an older one.
 *
 * Since: 1.0
 */
typedef enum
{
  REEVE_ROTATION_REWRITE,
  REEVE_ROTATION_COPY
} ReeveRotation;

/**
 * ReeveStorageProtection:
 * @encrypted: whether the scope's store is encrypted
 * @key_id: number of the key that seals new pages
 * @seals: how often that key has sealed, rounded up
 * @sequence: number of the last commit
 *
 * How a scope's store is protected.
 *
 * Since: 1.0
 */
typedef struct
{
  gboolean encrypted;
  guint32 key_id;
  guint64 seals;
  guint64 sequence;
} ReeveStorageProtection;

/* ---- the interface ---- */

REEVE_AVAILABLE_IN_1_0
G_DECLARE_INTERFACE (ReeveStorage, reeve_storage, REEVE, STORAGE, GObject)

/**
 * ReeveBatchFunc:
 * @result: (nullable) (transfer none): results; %NULL on error
 * @error: (nullable) (transfer none): why nothing of the batch happened
 * @user_data: closure
 *
 * Called exactly once, on a thread of the storage plugin, when a batch is durable or refused. Must
 * not block.
 *
 * Since: 1.0
 */
typedef void (*ReeveBatchFunc) (ReeveBatchResult *result, const GError *error, gpointer user_data);

/**
 * ReeveStorageCache:
 * @open: stores that are open now
 * @hits: uses of a store that was open already, since the start
 * @misses: uses for which it had to be opened
 *
 * How a cache of open stores does: many misses while tenants are at work mean that it is too small.
 *
 * Since: 1.0
 */
typedef struct
{
  guint64 open;
  guint64 hits;
  guint64 misses;
} ReeveStorageCache;

/**
 * ReeveStorageInterface:
 * @parent_iface: the parent
 * @open: opens the storage in folder @path with the schemas of both kinds of scope; brings the
 * platform's up to date and each tenant's when it is first used. Migrations are ended by number 0
 * @close: finishes what was submitted, then lets go of everything
 * @create_scope: makes a tenant's store; %REEVE_ERROR_ALREADY_EXISTS
 * @has_scope: is there one
 * @drop_scope: removes it and all it holds
 * @list_scopes: ids of all tenant scopes
 * @submit: hands over a batch; never blocks for I/O. %REEVE_ERROR_NOT_FOUND for an unknown scope
 * comes through @func too
 * @get: one record; %NULL with %REEVE_ERROR_NOT_FOUND
 * @query: see #ReeveQuery
 * @read_stream: entries after @after (0: from the start), at most @limit
 * @get_counter: value of a counter, 0 when absent
 * @get_blob: a blob; %NULL with %REEVE_ERROR_NOT_FOUND
 * @search_text: hits for the words of @query (plain words, never a query syntax), best first;
 * groups, if not %NULL, restrict it
 * @schema_number: number of the last migration applied to a scope
 * @schema_history: objects with number, summary, applied_at (µs) and direction, `up` or `down`
 * @migrate: brings a scope up or down to @number, one transaction per migration; no other user of
 * that scope meanwhile
 * @set_keys: (nullable): before @open: seal everything by these keys. %NULL in a storage that
 * cannot
 * @rotate: (nullable): gives a scope a new data key, online. %NULL in a storage that cannot
 * @get_protection: (nullable): how a scope's store is protected. %NULL where nothing is
 * @get_cache: (nullable): how its cache of open stores does; never blocks for the disk. %NULL in a
 * storage without one
 *
 * Runs in the host. All but @submit block and run on worker threads; all are thread-safe. A reader
 * sees every batch whose #ReeveBatchFunc was called before it began.
 *
 * Since: 1.0
 */
struct _ReeveStorageInterface
{
  GTypeInterface parent_iface;

  gboolean (*open) (ReeveStorage *self, const char *path, const ReeveMigration *platform,
                    const ReeveMigration *tenant, GError **error);
  void (*close) (ReeveStorage *self);
  gboolean (*create_scope) (ReeveStorage *self, const char *scope, GError **error);
  gboolean (*has_scope) (ReeveStorage *self, const char *scope);
  gboolean (*drop_scope) (ReeveStorage *self, const char *scope, GError **error);
  char **(*list_scopes) (ReeveStorage *self, GError **error);
  void (*submit) (ReeveStorage *self, ReeveBatch *batch, ReeveBatchFunc func, gpointer user_data);
  ReeveRecord *(*get) (ReeveStorage *self, const char *scope, const char *collection,
                       const char *id, GError **error);
  ReeveQueryResult *(*query) (ReeveStorage *self, ReeveQuery *query, GCancellable *cancellable,
                              GError **error);
  GPtrArray *(*read_stream) (ReeveStorage *self, const char *scope, const char *stream,
                             gint64 after, guint limit, GError **error);
  gboolean (*get_counter) (ReeveStorage *self, const char *scope, const char *counter,
                           gint64 *value, GError **error);
  GBytes *(*get_blob) (ReeveStorage *self, const char *scope, const char *id, GError **error);
  GPtrArray *(*search_text) (ReeveStorage *self, const char *scope, const char *index,
                             const char *query, const char *const *groups, guint limit,
                             GCancellable *cancellable, GError **error);
  gboolean (*schema_number) (ReeveStorage *self, const char *scope, guint *number, GError **error);
  GPtrArray *(*schema_history) (ReeveStorage *self, const char *scope, GError **error);
  gboolean (*migrate) (ReeveStorage *self, const char *scope, guint number, GError **error);
  void (*set_keys) (ReeveStorage *self, ReeveStorageKeys *keys);
  gboolean (*rotate) (ReeveStorage *self, const char *scope, ReeveRotation how,
                      GCancellable *cancellable, GError **error);
  gboolean (*get_protection) (ReeveStorage *self, const char *scope,
                              ReeveStorageProtection *protection, GError **error);
  void (*get_cache) (ReeveStorage *self, ReeveStorageCache *cache);
  /*< private >*/
  gpointer reserved[8];
};

/* REEVE_SCOPE_PLATFORM, or 1 to 128 letters, digits, dots, dashes and underscores that do not begin
 * with a dot */
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_scope_is_valid (const char *scope);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_open (ReeveStorage *self, const char *path, const ReeveMigration *platform,
                             const ReeveMigration *tenant, GError **error);
REEVE_AVAILABLE_IN_1_0
void reeve_storage_close (ReeveStorage *self);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_create_scope (ReeveStorage *self, const char *scope, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_has_scope (ReeveStorage *self, const char *scope);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_drop_scope (ReeveStorage *self, const char *scope, GError **error);
REEVE_AVAILABLE_IN_1_0
char **reeve_storage_list_scopes (ReeveStorage *self, GError **error);
REEVE_AVAILABLE_IN_1_0
void reeve_storage_submit (ReeveStorage *self, ReeveBatch *batch, ReeveBatchFunc func,
                           gpointer user_data);
/* Submits and waits; for worker threads. */
REEVE_AVAILABLE_IN_1_0
ReeveBatchResult *reeve_storage_commit (ReeveStorage *self, ReeveBatch *batch, GError **error);
REEVE_AVAILABLE_IN_1_0
ReeveRecord *reeve_storage_get (ReeveStorage *self, const char *scope, const char *collection,
                                const char *id, GError **error);
REEVE_AVAILABLE_IN_1_0
ReeveQueryResult *reeve_storage_query (ReeveStorage *self, ReeveQuery *query,
                                       GCancellable *cancellable, GError **error);
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_storage_read_stream (ReeveStorage *self, const char *scope, const char *stream,
                                      gint64 after, guint limit, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_get_counter (ReeveStorage *self, const char *scope, const char *counter,
                                    gint64 *value, GError **error);
REEVE_AVAILABLE_IN_1_0
GBytes *reeve_storage_get_blob (ReeveStorage *self, const char *scope, const char *id,
                                GError **error);
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_storage_search_text (ReeveStorage *self, const char *scope, const char *index,
                                      const char *query, const char *const *groups, guint limit,
                                      GCancellable *cancellable, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_schema_number (ReeveStorage *self, const char *scope, guint *number,
                                      GError **error);
REEVE_AVAILABLE_IN_1_0
GPtrArray *reeve_storage_schema_history (ReeveStorage *self, const char *scope, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_migrate (ReeveStorage *self, const char *scope, guint number,
                                GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_set_keys (ReeveStorage *self, ReeveStorageKeys *keys, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_rotate (ReeveStorage *self, const char *scope, ReeveRotation how,
                               GCancellable *cancellable, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_get_protection (ReeveStorage *self, const char *scope,
                                       ReeveStorageProtection *protection, GError **error);
REEVE_AVAILABLE_IN_1_0
gboolean reeve_storage_get_cache (ReeveStorage *self, ReeveStorageCache *cache);

/* What read_stream and search_text return frees its elements by these. */
REEVE_AVAILABLE_IN_1_0
ReeveStreamEntry *reeve_stream_entry_new (gint64 seq, GBytes *payload);
REEVE_AVAILABLE_IN_1_0
void reeve_stream_entry_free (ReeveStreamEntry *self);
REEVE_AVAILABLE_IN_1_0
ReeveTextHit *reeve_text_hit_new (const char *group, const char *key, const char *text,
                                  JsonObject *data, double score);
REEVE_AVAILABLE_IN_1_0
void reeve_text_hit_free (ReeveTextHit *self);

G_END_DECLS
