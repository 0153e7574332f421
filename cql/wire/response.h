/* Response bodies of the native protocol (section 4.2), appended to a buffer. */
#ifndef CQL_WIRE_RESPONSE_H
#define CQL_WIRE_RESPONSE_H

#include "cql/types/type.h"
#include "cql/wire/envelope.h"

enum result_kind {
    RESULT_VOID = 1,
    RESULT_ROWS = 2,
    RESULT_SET_KEYSPACE = 3,
    RESULT_PREPARED = 4,
    RESULT_SCHEMA_CHANGE = 5
};
enum {
    METADATA_GLOBAL_SPEC = 1,
    METADATA_HAS_MORE_PAGES = 2,
    METADATA_NO_METADATA = 4,
    METADATA_CHANGED = 8,
};

/* An [option] of section 4.2.5.2; types that version does not know go out as custom class names. */
void response_put_type(struct buf *out, const struct type *t, uint8_t version);

/* The ERROR body: code, message and the fields of its kind, down-converted for old versions. */
void response_put_error(struct buf *out, const struct fail *f, uint8_t version);

/* <change_type><target><options> of SCHEMA_CHANGE results and events. */
void response_put_schema_change(struct buf *out, const char *change, const char *target,
                                struct bytes keyspace, struct bytes name);

#endif
