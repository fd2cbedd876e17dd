/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/skips.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define REASON "# skipped: "

static pid_t filter;

/* "not ok N # SKIP NAME" becomes "ok N - NAME # SKIP REASON". */
static void
rewrite(FILE *in)
{
    static const char mark[] = " # SKIP ";
    char line[1024], reason[1024] = "no reason given";

    while (fgets(line, sizeof(line), in) != NULL) {
        const char *at = strstr(line, mark);

        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, REASON, strlen(REASON)) == 0)
            (void)snprintf(reason, sizeof(reason), "%s", line + strlen(REASON));
        else if (strncmp(line, "not ok ", 7) == 0 && at != NULL)
            (void)printf("ok %.*s - %s # SKIP %s\n", (int)(at - line - 7),
                         line + 7, at + strlen(mark), reason);
        else
            (void)printf("%s\n", line);
        (void)fflush(stdout);
    }
}

void
skips_begin(void)
{
    const char *output = getenv("CMOCKA_MESSAGE_OUTPUT");
    int ends[2];
    FILE *in;

    if (output == NULL || strcasecmp(output, "TAP") != 0 || pipe(ends) != 0)
        return;
    (void)fflush(NULL);
    filter = fork();
    if (filter == 0) {
        (void)close(ends[1]);
        in = fdopen(ends[0], "r");
        if (in != NULL)
            rewrite(in);
        _exit(in == NULL);
    }
    if (filter > 0)
        (void)dup2(ends[1], STDOUT_FILENO);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int
skips_end(int result)
{
    int status = 0;

    if (filter <= 0)
        return result;
    (void)fflush(NULL);
    (void)close(STDOUT_FILENO);
    if (waitpid(filter, &status, 0) != filter || status != 0)
        return 1;
    return result;
}

void
skip_because(const char *reason)
{
    (void)printf(REASON "%s\n", reason);
    skip();
}
