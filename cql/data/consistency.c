/* Names of consistency levels: see consistency.h. */
#include "cql/data/consistency.h"

static const char *const names[] = {
    [CL_ANY] = "ANY",
    [CL_ONE] = "ONE",
    [CL_TWO] = "TWO",
    [CL_THREE] = "THREE",
    [CL_QUORUM] = "QUORUM",
    [CL_ALL] = "ALL",
    [CL_LOCAL_QUORUM] = "LOCAL_QUORUM",
    [CL_EACH_QUORUM] = "EACH_QUORUM",
    [CL_SERIAL] = "SERIAL",
    [CL_LOCAL_SERIAL] = "LOCAL_SERIAL",
    [CL_LOCAL_ONE] = "LOCAL_ONE",
    [CL_NODE_LOCAL] = "NODE_LOCAL",
};

const char *consistency_name(enum consistency cl)
{
    if ((size_t)cl < sizeof names / sizeof *names)
        return names[cl];
    return cl == CL_UNSET ? "UNSET" : "UNKNOWN";
}

bool consistency_parse(struct bytes name, enum consistency *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (bytes_equal_nocase(name, bytes_str(names[i]))) {
            *out = (enum consistency)i;
            return true;
        }
    return false;
}
