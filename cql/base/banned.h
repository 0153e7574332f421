// Makes the functions that overflow buffers or swallow errors a compile error.
//
// The build includes this file before every source file of the project; nothing includes it by
// hand. The system headers that declare these names come first, as a poisoned name may not even be
// declared. Instead: memcpy with a known length, snprintf, strtoll with its error checked.
#ifndef HELENUS_BASE_BANNED_H
#define HELENUS_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC poison strcpy strcat strncat stpcpy sprintf vsprintf gets atoi atol atoll atof strtok

#endif
