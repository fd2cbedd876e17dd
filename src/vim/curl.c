/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/vim/curl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

/* The ABI of the headers above, in its OpenSSL flavour. */
#define SONAME "libcurl.so.4"

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define NAMED(name) {"curl_" #name, offsetof(struct gc_curl, name)},
    GC_CURL_FUNCTIONS(NAMED)
#undef NAMED
};

struct gc_curl gc_curl;

static bool loaded;

static gc_status
load(struct gc_error *err)
{
    /* Lazily, as the loader itself does: half of the symbols are never used. */
    void *library = dlopen(SONAME, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    void *function = NULL;

    for (size_t i = 0; i < GC_COUNT_OF(functions); i++) {
        if (library != NULL)
            function = dlsym(library, functions[i].name);
        if (function == NULL) {
            const char *why = dlerror();

            return gc_fail(err, GC_E_INTERNAL, "libcurl cannot be loaded: %s",
                           why != NULL ? why : functions[i].name);
        }
        memcpy((char *)&gc_curl + functions[i].offset, &function,
               sizeof(function));
    }
    if (gc_curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return gc_fail(err, GC_E_INTERNAL, "libcurl cannot be initialised");
    loaded = true;
    return GC_OK;
}

gc_status
gc_curl_load(struct gc_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    gc_status st = GC_OK;

    /* A failure may be the moment's: the next call tries again. */
    (void)pthread_mutex_lock(&lock);
    if (!loaded)
        st = load(err);
    (void)pthread_mutex_unlock(&lock);
    return st;
}
