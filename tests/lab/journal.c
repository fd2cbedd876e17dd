/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request log and the counters.
 */

#include <config.h>

#include "tests/lab/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/login.h"

struct counter {
    char method[GC_PART_SIZE], vm[GC_PART_SIZE];
    uint64_t count;
    struct counter *next;
};

static FILE *file;
static struct counter *counters;

bool
gc_journal_open(const char *path)
{
    file = fopen(path, "ae");
    return file != NULL;
}

void
gc_journal_close(void)
{
    if (file != NULL)
        fclose(file);
    file = NULL;
    gc_journal_reset();
}

void
gc_journal_count(const struct gc_request *request)
{
    struct counter **at = &counters;

    while (*at != NULL
           && (strcmp((*at)->method, request->method) != 0
               || strcmp((*at)->vm, request->vm) != 0))
        at = &(*at)->next;
    if (*at == NULL) {
        *at = gc_text_grab(1, sizeof(**at));
        gc_text_copy((*at)->method, sizeof((*at)->method), request->method);
        gc_text_copy((*at)->vm, sizeof((*at)->vm), request->vm);
    }
    (*at)->count++;
}

uint64_t
gc_journal_requests(const char *method, const char *vm)
{
    const struct counter *counter;
    uint64_t count = 0;

    for (counter = counters; counter != NULL; counter = counter->next) {
        if ((strcmp(method, "*") == 0 || strcmp(method, counter->method) == 0)
            && (strcmp(vm, "*") == 0 || strcmp(vm, counter->vm) == 0))
            count += counter->count;
    }
    return count;
}

void
gc_journal_list(struct gc_text *out)
{
    const struct counter *counter;

    for (counter = counters; counter != NULL; counter = counter->next)
        gc_text_printf(out, "%s %s %" PRIu64 "\n", counter->method,
                       counter->vm[0] != '\0' ? counter->vm : "-",
                       counter->count);
}

void
gc_journal_reset(void)
{
    while (counters != NULL) {
        struct counter *counter = counters;

        counters = counter->next;
        free(counter);
    }
}

static void
add_time(cJSON *line)
{
    char stamp[64], seconds[32];
    struct timespec now;
    struct tm utc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(stamp, sizeof(stamp), "%s.%06ldZ", seconds,
             now.tv_nsec / 1000 % 1000000);
    gc_doc_add_string(line, "time", stamp);
}

static void
add_peer(cJSON *line, const struct gc_reply *reply)
{
    if (reply->legs > 0)
        gc_doc_add_int(line, "legs", reply->legs);
    if (reply->peer.name[0] == '\0')
        return;
    gc_doc_add_string(line, "principal", reply->peer.name);
    gc_doc_add_string(line, "mechanism", reply->peer.mechanism);
}

static void
add_rules(cJSON *line, const struct gc_picked *picked)
{
    cJSON *names = cJSON_CreateArray();
    size_t i;

    for (i = 0; i < picked->count; i++)
        cJSON_AddItemToArray(
            names, cJSON_CreateString(gc_rule_name(picked->rules[i])));
    gc_doc_add(line, "rules", names);
}

void
gc_journal_write(const struct gc_request *request, const struct gc_reply *reply,
                 const struct gc_picked *picked, unsigned link)
{
    static const struct gc_doc_style plain = {0};
    GC_DOC line = gc_doc_object(NULL);
    GC_TEXT text = {0};

    if (file == NULL)
        return;
    add_time(line);
    gc_doc_add_int(line, "connection", link);
    gc_doc_add_string(line, "method", request->method);
    if (request->release[0] != '\0')
        gc_doc_add_string(line, "release", request->release);
    if (request->vm[0] != '\0')
        gc_doc_add_string(line, "vm", request->vm);
    if (request->visit != NULL)
        gc_doc_add_int(line, "session", request->visit->number);
    gc_doc_add_int(line, "status", reply->status);
    if (reply->fault[0] != '\0')
        gc_doc_add_string(line, "fault", reply->fault);
    add_peer(line, reply);
    if (request->bad_json != NULL)
        gc_doc_add_string(line, "bad", request->bad_json);
    if (picked->count > 0)
        add_rules(line, picked);
    gc_doc_print(line, &plain, &text);
    fprintf(file, "%s\n", text.data);
    fflush(file);
}
