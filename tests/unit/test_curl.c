/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/vim/curl: libcurl comes when it is called for, and whoever cannot have it
 * is told so.  Each case in a process of its own, since loading happens once.
 */
#include <config.h>

#include "src/vim/curl.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/vim/http.h"

/* What the loader is asked for instead of libcurl, or NULL. */
static const char *instead;

void *
dlopen(const char *name, int flags)
{
    void *(*real)(const char *, int);

    *(void **)&real = dlsym(RTLD_NEXT, "dlopen");
    return real(instead != NULL ? instead : name, flags);
}

static bool
mapped(const char *library)
{
    char line[512];
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "re");

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps) != NULL)
        found = found || strstr(line, library) != NULL;
    (void)fclose(maps);
    return found;
}

/* In a child; its exit status says what became of it. */
static int
run(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(body());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int
can_load(void)
{
    struct gc_error err = {0};
    CURL *easy;

    if (mapped("/libcurl") || mapped("/libssl"))
        return 2;
    if (gc_curl_load(&err) != GC_OK || gc_curl_load(&err) != GC_OK)
        return 3;
    easy = gc_curl.easy_init();
    if (easy == NULL || !mapped("/libcurl"))
        return 4;
    gc_curl.easy_cleanup(easy);
    return 0;
}

static int
cannot_load(void)
{
    struct gc_error err = {0};

    const struct gc_http_options options = {.url = "https://vc.example.test"};
    struct gc_http *http = NULL;

    if (gc_curl_load(&err) != GC_E_INTERNAL)
        return 2;
    if (strstr(err.message, "libcurl cannot be loaded: ") == NULL)
        return 3;
    if (gc_http_new(&options, &http, &err) != GC_E_INTERNAL || http != NULL)
        return 4;
    /* It was a bad moment, and is over. */
    instead = NULL;
    if (gc_http_new(&options, &http, &err) != GC_OK)
        return 5;
    gc_http_free(http);
    return 0;
}

static void
it_comes_when_called_for(void **state)
{
    (void)state;
    instead = NULL;
    assert_int_equal(run(can_load), 0);
}

static void
no_library_is_an_error(void **state)
{
    (void)state;
    instead = "libnone-of-this-name.so.4";
    assert_int_equal(run(cannot_load), 0);
}

static void
another_library_is_an_error(void **state)
{
    (void)state;
    instead = "libz.so.1";
    assert_int_equal(run(cannot_load), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_when_called_for),
        cmocka_unit_test(no_library_is_an_error),
        cmocka_unit_test(another_library_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
