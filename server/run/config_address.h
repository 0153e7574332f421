/* Addresses as a configuration gives them: numbers, host names, network interfaces. */
#ifndef SERVER_RUN_CONFIG_ADDRESS_H
#define SERVER_RUN_CONFIG_ADDRESS_H

#include "cql/base/arena.h"
#include "cql/base/err.h"

/* The number that name is or (by the system's resolver: this may wait) stands for, IPv4 before IPv6, as text in a.
 * ERR_NOT_FOUND: neither an address nor a known host. */
err_t address_resolve(const char *name, struct arena *a, const char **out) MUST_USE;
/* The first address of a network interface of this machine, of the family preferred if it has one. ERR_NOT_FOUND. */
err_t address_of_interface(const char *interface, bool prefer_ipv6, struct arena *a,
                           const char **out) MUST_USE;
/* Of addresses as text; false for anything else. */
bool address_is_loopback(const char *address);
bool address_is_wildcard(const char *address);

#endif
