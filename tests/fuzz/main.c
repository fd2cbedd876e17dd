/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target without a fuzzer: runs it over every file given, and over the
 * files of every directory given, so that corpora are part of `make check`.
 * Prints TAP, one test for the whole target.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (4 * 1024 * 1024)

static int inputs;

static void
give_up(const char *path)
{
    (void)printf("Bail out! %s: %s\n", path, strerror(errno));
    exit(1);
}

/* In a block of exactly its size, so that a sanitizer sees a byte too far. */
static void
run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rbe");
    uint8_t *data = malloc(size);

    if (file == NULL || (data == NULL && size > 0)
        || fread(data, 1, size, file) != size)
        give_up(path);
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    inputs++;
}

static void
run(const char *path)
{
    struct dirent **names;
    struct stat info;
    int count;

    if (stat(path, &info) != 0)
        give_up(path);
    if (!S_ISDIR(info.st_mode)) {
        if (info.st_size > INPUT_MAX) {
            errno = EFBIG;
            give_up(path);
        }
        run_file(path, (size_t)info.st_size);
        return;
    }
    count = scandir(path, &names, NULL, alphasort);
    if (count < 0)
        give_up(path);
    for (int i = 0; i < count; i++) {
        char *inside = NULL;

        if (names[i]->d_name[0] != '.') {
            if (asprintf(&inside, "%s/%s", path, names[i]->d_name) < 0)
                give_up(path);
            run(inside);
        }
        free(inside);
        free(names[i]);
    }
    free(names);
}

int
main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/');

    name = name == NULL ? argv[0] : name + 1;
    (void)printf("1..1\n");
    (void)fflush(stdout);
    for (int i = 1; i < argc; i++)
        run(argv[i]);
    (void)printf("%s 1 - %s: %d inputs\n", inputs > 0 ? "ok" : "not ok", name,
                 inputs);
    return inputs > 0 ? 0 : 1;
}
