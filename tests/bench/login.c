/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host of PAM that does one login and nothing else, to see what the module
 * adds to it: in time, and in memory of this very process.
 *
 * usage: login DIR SERVICE USER PASSWORD auth|session
 * DIR has the file SERVICE; auth: authenticate, setcred, and DELETE; session:
 * the same without the first.  Prints "IN OUT TOOK KIB-PSS KIB-PRIVATE": the
 * CPU of this process and its children until the ticket is there, and from then
 * to the end; the time until it is there (these in microseconds); and what came
 * to the process by then.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <security/pam_appl.h>

struct memory {
    long pss, private;
};

static void
die(const char *what, int code)
{
    (void)fprintf(stderr, "login: %s: %d\n", what, code);
    exit(1);
}

/* In KiB; reading it costs memory itself, so read it once for nothing. */
static struct memory
memory_now(void)
{
    struct memory now = {0, 0};
    char line[128];
    long value;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");

    if (file == NULL)
        die("smaps_rollup", 0);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "Pss: %ld", &value) == 1)
            now.pss = value;
        else if (sscanf(line, "Private_%*[A-Za-z]: %ld", &value) == 1)
            now.private += value;
    }
    (void)fclose(file);
    return now;
}

static long
microseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

/* What this process and those that it has reaped have spent, in microseconds.
 */
static long
spent(void)
{
    long sum = 0;

    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;

        if (getrusage(who, &usage) != 0)
            die("getrusage", 0);
        sum += usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec
               + usage.ru_stime.tv_sec * 1000000L + usage.ru_stime.tv_usec;
    }
    return sum;
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **ret_answers, void *user)
{
    struct pam_response *answers = calloc((size_t)count, sizeof(*answers));

    if (answers == NULL)
        return PAM_CONV_ERR;
    for (int i = 0; i < count; i++)
        if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
            answers[i].resp = strdup(user);
    *ret_answers = answers;
    return PAM_SUCCESS;
}

int
main(int argc, char **argv)
{
    struct pam_conv conversation = {converse, NULL};
    struct memory before, after;
    pam_handle_t *pamh = NULL;
    long began, took, in, out;
    int code = PAM_SUCCESS;

    if (argc != 6)
        die("usage: login DIR SERVICE USER PASSWORD auth|session", argc);
    conversation.appdata_ptr = argv[4];
    (void)memory_now();
    before = memory_now();
    began = microseconds();
    in = spent();
    code = pam_start_confdir(argv[2], argv[3], &conversation, argv[1], &pamh);
    if (code != PAM_SUCCESS)
        die("pam_start", code);
    if (strcmp(argv[5], "auth") == 0)
        code = pam_authenticate(pamh, 0);
    if (code != PAM_SUCCESS)
        die("pam_authenticate", code);
    code = pam_setcred(pamh, PAM_ESTABLISH_CRED);
    if (code != PAM_SUCCESS)
        die("pam_setcred", code);
    took = microseconds() - began;
    in = spent() - in;
    after = memory_now();
    out = spent();
    code = pam_setcred(pamh, PAM_DELETE_CRED);
    if (code != PAM_SUCCESS)
        die("pam_setcred, DELETE", code);
    (void)pam_end(pamh, code);
    out = spent() - out;
    (void)printf("%ld %ld %ld %ld %ld\n", in, out, took, after.pss - before.pss,
                 after.private - before.private);
    return 0;
}
