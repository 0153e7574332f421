/* Consistency levels as the protocol numbers them, and their names. Shared by statements (USING CONSISTENCY) and the coordinator. */
#ifndef CQL_DATA_CONSISTENCY_H
#define CQL_DATA_CONSISTENCY_H

#include "cql/base/bytes.h"

/* Protocol numbers (native_protocol_v5.spec section 3, [consistency]). */
enum consistency {
    CL_ANY = 0,
    CL_ONE = 1,
    CL_TWO = 2,
    CL_THREE = 3,
    CL_QUORUM = 4,
    CL_ALL = 5,
    CL_LOCAL_QUORUM = 6,
    CL_EACH_QUORUM = 7,
    CL_SERIAL = 8,
    CL_LOCAL_SERIAL = 9,
    CL_LOCAL_ONE = 10,
    CL_NODE_LOCAL = 11,
    CL_UNSET = 0xFFFF,
};
/* "LOCAL_QUORUM"; parse is case-insensitive. */
const char *consistency_name(enum consistency cl);
bool consistency_parse(struct bytes name, enum consistency *out);

#endif
