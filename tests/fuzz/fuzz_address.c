/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody wrote for vCenter's URL, a proxy or a pin: whatever is accepted
 * comes out as something that is accepted again and is the same, and says no
 * more than where it is.  Whatever is refused is told without who logs in.
 */
#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "src/vim/address.h"

/* A word of the corpus's. */
#define SECRET "S3cr3tPw"

/* Is that word who logs in, and nothing else?  Schemes and hosts are told. */
static bool
names_login(const char *text)
{
    const char *scheme = strstr(text, "://"), *at = strrchr(text, '@');
    const char *secret = strstr(text, SECRET);

    return secret != NULL && at != NULL && secret < at
           && (scheme == NULL || secret > scheme) && strstr(at, SECRET) == NULL;
}

static void
check_refusal(const char *text, const struct gc_error *err)
{
    fuzz_check(err->message[0] != '\0', "a refusal speaks");
    fuzz_check(!names_login(text) || strstr(err->message, SECRET) == NULL,
               "a refusal tells no login");
}

/* In the words of the resolver: an address must be one in its usual form. */
static bool
is_host(const char *text)
{
    char host[512] = "";
    struct in_addr four, same;
    struct in6_addr six;

    (void)snprintf(host, sizeof(host), "%s", text + (text[0] == '['));
    host[strcspn(host, text[0] == '[' ? "]" : ":")] = '\0';
    if (text[0] == '[')
        return inet_pton(AF_INET6, host, &six) == 1;
    return inet_aton(host, &four) == 0 || inet_pton(AF_INET, host, &same) == 1;
}

static void
check_place(const char *place, const char *scheme_end)
{
    fuzz_check(scheme_end != NULL, "a scheme");
    fuzz_check(strpbrk(scheme_end + 3, "@/?#%") == NULL, "host and port alone");
    fuzz_check(is_host(scheme_end + 3), "a host that is read in one way");
    fuzz_check(strstr(place, SECRET "@") == NULL, "no login");
}

static void
try_url(const char *text)
{
    struct gc_error err = {.status = GC_OK};
    char *url = NULL, *again = NULL;

    if (gc_address_url(text, &url, &err) != GC_OK) {
        check_refusal(text, &err);
        return;
    }
    fuzz_check(strncmp(url, "https://", 8) == 0, "https");
    check_place(url, strstr(url, "://"));
    fuzz_check(gc_address_url(url, &again, NULL) == GC_OK,
               "what came out goes in");
    fuzz_check(strcmp(url, again) == 0, "reading is stable");
    free(url);
    free(again);
}

static void
try_proxy(const char *text)
{
    struct gc_error err = {.status = GC_OK};
    char *proxy = NULL, *again = NULL;
    bool tunnels = false, tunnels_again = false;

    if (gc_address_proxy(text, &proxy, &tunnels, &err) != GC_OK) {
        check_refusal(text, &err);
        return;
    }
    check_place(proxy, strstr(proxy, "://"));
    fuzz_check(gc_address_proxy(proxy, &again, &tunnels_again, NULL) == GC_OK,
               "what came out goes in");
    fuzz_check(strcmp(proxy, again) == 0 && tunnels == tunnels_again,
               "reading is stable");
    free(proxy);
    free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gc_error err = {.status = GC_OK};
    char *text = malloc(size + 1);

    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    try_url(text);
    try_proxy(text);
    if (gc_address_check_pin(text, &err) != GC_OK)
        check_refusal(text, &err);
    free(text);
    return 0;
}
