/* Addresses: see config_address.h. */
#include "server/run/config_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

static const char *to_text(const struct sockaddr *s, struct arena *a)
{
    char text[INET6_ADDRSTRLEN];
    const void *address =
        s->sa_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)s)->sin_addr
            : &((const struct sockaddr_in6 *)(const void *)s)->sin6_addr;
    if (inet_ntop(s->sa_family, address, text, sizeof text) == NULL)
        return NULL;
    return arena_cstr(a, bytes_str(text));
}

/* Letters, digits, dots, dashes: anything else need not be asked for. */
static bool may_be_host(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
            return false;
    }
    return n > 0 && n < 254;
}

err_t address_resolve(const char *name, struct arena *a, const char **out)
{
    struct in6_addr number;
    *out = NULL;
    if (inet_pton(AF_INET, name, &number) == 1 || inet_pton(AF_INET6, name, &number) == 1) {
        *out = arena_cstr(a, bytes_str(name));
        return OK;
    }
    if (!may_be_host(name))
        return ERR_NOT_FOUND;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(name, NULL, &hints, &found) != 0)
        return ERR_NOT_FOUND;
    for (int family = AF_INET; *out == NULL; family = AF_INET6) {
        for (struct addrinfo *i = found; i && *out == NULL; i = i->ai_next)
            if (i->ai_family == family)
                *out = to_text(i->ai_addr, a);
        if (family == AF_INET6)
            break;
    }
    freeaddrinfo(found);
    return *out ? OK : ERR_NOT_FOUND;
}

err_t address_of_interface(const char *interface, bool prefer_ipv6, struct arena *a,
                           const char **out)
{
    struct ifaddrs *all;
    *out = NULL;
    if (getifaddrs(&all) != 0)
        return ERR_NOT_FOUND;
    for (int pass = 0; pass < 2 && *out == NULL; pass++) {
        int family = (pass == 0) == prefer_ipv6 ? AF_INET6 : AF_INET;
        for (struct ifaddrs *i = all; i && *out == NULL; i = i->ifa_next)
            if (i->ifa_addr && i->ifa_addr->sa_family == family && !strcmp(i->ifa_name, interface))
                *out = to_text(i->ifa_addr, a);
    }
    freeifaddrs(all);
    return *out ? OK : ERR_NOT_FOUND;
}

bool address_is_loopback(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

bool address_is_wildcard(const char *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, address, &v4) == 1)
        return v4.s_addr == INADDR_ANY;
    return inet_pton(AF_INET6, address, &v6) == 1 && IN6_IS_ADDR_UNSPECIFIED(&v6);
}
