/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions: one table.  Early ones run before the real work, the first answer
 * replaces it, document actions change what it said, text actions what is
 * written.  Where there is no document (204, HTML) document actions do nothing.
 */

#include <config.h>

#include "tests/lab/twist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/bend.h"
#include "tests/lab/content.h"
#include "tests/lab/login.h"
#include "tests/lab/script.h"

enum stage { EARLY, ANSWER, DOCUMENT, PRINTED };

/* What an action works on. */
struct bench {
    struct gc_request *request; /* NULL when only checking */
    struct gc_reply *reply;
    char *const *args;
    size_t count;
};

struct gc_action {
    const char *name;
    size_t min, max;
    enum stage stage;
    bool (*run)(const struct bench *b); /* false: the arguments are wrong */
};

static bool
read_status(const char *word, unsigned *ret)
{
    int64_t number;

    if (!gc_text_int64(word, &number) || number < 200 || number > 599)
        return false;
    *ret = (unsigned)number;
    return true;
}

/* Early: on the side, and what the wire will do. */

static bool
run_do(const struct bench *b)
{
    GC_TEXT out = {0};

    if (strcmp(b->args[0], "do") == 0 || strcmp(b->args[0], "on") == 0
        || strcmp(b->args[0], "off") == 0 || strcmp(b->args[0], "load") == 0
        || strcmp(b->args[0], "reset") == 0)
        return false; /* they would change the rules under our feet */
    if (b->request == NULL)
        return true;
    if (!gc_script_do(b->request->world, b->args, b->count, &out))
        fprintf(stderr, "guestcred-vcsim: do %s: %s\n", b->args[0],
                gc_text_string(&out));
    /* It may have ended the very session of this call. */
    if (b->request->visit != NULL && b->request->session_id != NULL)
        b->request->visit =
            gc_login_find(b->request->world, b->request->session_id);
    return true;
}

static bool
run_expire_session(const struct bench *b)
{
    if (b->request != NULL && b->request->visit != NULL) {
        gc_login_close(b->request->visit);
        b->request->visit = NULL;
    }
    return true;
}

static bool
set_cut(const struct bench *b, enum gc_ending ending)
{
    static const char *const where[] = {"", "before", "reply", "body", "after"};
    size_t i;

    for (i = 1; i < GC_COUNT(where); i++) {
        if (strcmp(where[i], b->args[0]) != 0)
            continue;
        if (ending == GC_ENDING_STALL && i == GC_CUT_AFTER)
            return false;
        if (b->reply != NULL) {
            b->reply->cut = (enum gc_cut)i;
            b->reply->ending = ending;
        }
        return true;
    }
    return false;
}

static bool
run_close(const struct bench *b)
{
    return set_cut(b, GC_ENDING_CLOSE);
}

static bool
run_reset(const struct bench *b)
{
    return set_cut(b, GC_ENDING_RESET);
}

static bool
run_stall(const struct bench *b)
{
    return set_cut(b, GC_ENDING_STALL);
}

static bool
run_delay(const struct bench *b)
{
    double seconds;

    if (!gc_text_seconds(b->args[0], &seconds))
        return false;
    if (b->reply != NULL)
        b->reply->delay += seconds;
    return true;
}

static bool
run_slow(const struct bench *b)
{
    double rate;

    if (!gc_text_seconds(b->args[0], &rate) || rate <= 0)
        return false;
    if (b->reply != NULL)
        b->reply->rate = rate;
    return true;
}

static bool
run_chunked(const struct bench *b)
{
    if (b->reply != NULL)
        b->reply->chunked = true;
    return true;
}

/* Answers in place of the real one. */

static bool
run_fault(const struct bench *b)
{
    size_t i;

    if (b->reply != NULL)
        gc_reply_fault(b->reply, b->args[0]);
    for (i = 1; i < b->count; i++) {
        if (!gc_bend_put(b->reply != NULL ? b->reply->doc : NULL, b->args[i]))
            return false;
    }
    return true;
}

static bool
run_reply(const struct bench *b)
{
    unsigned status;

    if (!read_status(b->args[0], &status) || strlen(b->args[1]) >= GC_PART_SIZE)
        return false;
    if (b->reply != NULL)
        gc_reply_text(b->reply, status, b->args[1],
                      b->count > 2 ? b->args[2] : "");
    return true;
}

static bool
run_redirect(const struct bench *b)
{
    unsigned status;

    if (!read_status(b->args[0], &status) || status < 300 || status > 399)
        return false;
    if (b->reply != NULL) {
        gc_reply_text(b->reply, status, "text/html", "<p>Moved.</p>\n");
        gc_reply_header(b->reply, "Location", b->args[1]);
    }
    return true;
}

static bool
run_html(const struct bench *b)
{
    unsigned status;

    if (!read_status(b->args[0], &status))
        return false;
    if (b->reply != NULL)
        gc_reply_text(b->reply, status, "text/html",
                      "<!DOCTYPE html><html><head><title>Error</title></head>"
                      "<body>no healthy upstream</body></html>\n");
    return true;
}

static bool
run_xml(const struct bench *b)
{
    if (b->reply != NULL)
        gc_content_esxi(b->request, b->reply);
    return true;
}

/* Documents. */

static bool
run_member(const struct bench *b)
{
    size_t i;

    for (i = 0; i < b->count; i++) {
        if (!gc_bend_put(b->reply != NULL ? b->reply->doc : NULL, b->args[i]))
            return false;
    }
    return true;
}

static bool
run_drop(const struct bench *b)
{
    GC_TEXT word = {0};

    gc_text_printf(&word, "%s=", b->args[0]);
    return gc_bend_put(b->reply != NULL ? b->reply->doc : NULL, word.data);
}

static bool
run_duplicate(const struct bench *b)
{
    return gc_bend_duplicate(b->reply != NULL ? b->reply->doc : NULL,
                             b->args[0]);
}

static bool
run_order(const struct bench *b)
{
    bool reversed = strcmp(b->args[0], "reversed") == 0;

    if (!reversed && strcmp(b->args[0], "typename-last") != 0)
        return false;
    if (b->reply != NULL && reversed)
        b->reply->style.reversed = true;
    if (b->reply != NULL && !reversed)
        gc_bend_type_name_last(b->reply->doc);
    return true;
}

static bool
run_bare_morefs(const struct bench *b)
{
    if (b->reply != NULL)
        gc_bend_bare_morefs(b->reply->doc);
    return true;
}

static bool
run_extra(const struct bench *b)
{
    if (b->reply != NULL)
        gc_bend_extra(b->reply->doc);
    return true;
}

static bool
read_size(const char *word, size_t limit, size_t *ret)
{
    int64_t number;

    if (!gc_text_int64(word, &number) || number < 0 || (uint64_t)number > limit)
        return false;
    *ret = (size_t)number;
    return true;
}

static bool
run_deep(const struct bench *b)
{
    size_t depth;

    if (!read_size(b->args[0], 1000000, &depth))
        return false;
    if (b->reply != NULL)
        gc_bend_deep(b->reply->doc, depth);
    return true;
}

static bool
run_pad(const struct bench *b)
{
    size_t size;

    if (!read_size(b->args[0], 64U << 20, &size))
        return false;
    if (b->reply != NULL)
        gc_bend_pad(b->reply->doc, size);
    return true;
}

static bool
run_nothing(const struct bench *b)
{
    static const char *const how[] = {"204", "null", "empty"};
    int i;

    for (i = 0; i < (int)GC_COUNT(how); i++) {
        if (strcmp(how[i], b->args[0]) != 0)
            continue;
        if (b->reply != NULL)
            gc_reply_nothing(b->reply, (enum gc_nothing)i);
        return true;
    }
    return false;
}

static bool
run_status(const struct bench *b)
{
    unsigned ignored;

    return read_status(b->args[0],
                       b->reply != NULL ? &b->reply->status : &ignored);
}

static bool
run_type(const struct bench *b)
{
    char ignored[GC_PART_SIZE];

    return gc_text_copy(b->reply != NULL ? b->reply->type : ignored,
                        GC_PART_SIZE, b->args[0]);
}

static bool
run_header(const struct bench *b)
{
    if (strlen(b->args[0]) >= GC_PART_SIZE)
        return false;
    if (b->reply != NULL)
        gc_reply_header(b->reply, b->args[0], b->args[1]);
    return true;
}

static bool
run_session_header(const struct bench *b)
{
    struct gc_visit *visit = b->request != NULL ? b->request->visit : NULL;
    const char *value = b->args[0];

    if (b->request == NULL)
        return true;
    if (strcmp(value, "new") == 0 && visit != NULL)
        gc_login_renew(visit);
    if (strcmp(value, "new") == 0 || strcmp(value, "same") == 0)
        value = visit != NULL ? visit->id : NULL;
    if (value != NULL)
        gc_reply_header(b->reply, "vmware-api-session-id", value);
    return true;
}

static bool
run_pretty(const struct bench *b)
{
    if (b->reply != NULL)
        b->reply->style.pretty = true;
    return true;
}

static bool
run_escapes(const struct bench *b)
{
    if (b->reply != NULL)
        b->reply->style.escapes = true;
    return true;
}

/* Text. */

static bool
run_truncate(const struct bench *b)
{
    size_t size;

    if (!read_size(b->args[0], SIZE_MAX >> 1, &size))
        return false;
    if (b->reply != NULL && b->reply->body.len > size) {
        b->reply->body.len = size;
        b->reply->body.data[size] = '\0';
    }
    return true;
}

static bool
run_suffix(const struct bench *b)
{
    if (b->reply != NULL)
        gc_text_puts(&b->reply->body, b->args[0]);
    return true;
}

static bool
run_prefix(const struct bench *b)
{
    struct gc_text longer = {0};

    if (b->reply == NULL)
        return true;
    gc_text_puts(&longer, b->args[0]);
    gc_text_add(&longer, gc_text_string(&b->reply->body), b->reply->body.len);
    gc_text_clear(&b->reply->body);
    b->reply->body = longer;
    return true;
}

static const struct gc_action actions[] = {
    {"do", 1, 30, EARLY, run_do},
    {"expire-session", 0, 0, EARLY, run_expire_session},
    {"close", 1, 1, EARLY, run_close},
    {"reset", 1, 1, EARLY, run_reset},
    {"stall", 1, 1, EARLY, run_stall},
    {"delay", 1, 1, EARLY, run_delay},
    {"slow", 1, 1, EARLY, run_slow},
    {"chunked", 0, 0, EARLY, run_chunked},
    {"fault", 1, 30, ANSWER, run_fault},
    {"reply", 2, 3, ANSWER, run_reply},
    {"redirect", 2, 2, ANSWER, run_redirect},
    {"html", 1, 1, ANSWER, run_html},
    {"xml", 0, 0, ANSWER, run_xml},
    {"member", 1, 30, DOCUMENT, run_member},
    {"drop", 1, 1, DOCUMENT, run_drop},
    {"duplicate", 1, 1, DOCUMENT, run_duplicate},
    {"order", 1, 1, DOCUMENT, run_order},
    {"bare-morefs", 0, 0, DOCUMENT, run_bare_morefs},
    {"extra", 0, 0, DOCUMENT, run_extra},
    {"deep", 1, 1, DOCUMENT, run_deep},
    {"pad", 1, 1, DOCUMENT, run_pad},
    {"nothing", 1, 1, DOCUMENT, run_nothing},
    {"status", 1, 1, DOCUMENT, run_status},
    {"type", 1, 1, DOCUMENT, run_type},
    {"header", 2, 2, DOCUMENT, run_header},
    {"session-header", 1, 1, DOCUMENT, run_session_header},
    {"pretty", 0, 0, DOCUMENT, run_pretty},
    {"escapes", 0, 0, DOCUMENT, run_escapes},
    {"truncate", 1, 1, PRINTED, run_truncate},
    {"prefix", 1, 1, PRINTED, run_prefix},
    {"suffix", 1, 1, PRINTED, run_suffix},
};

const struct gc_action *
gc_twist_find(const char *name, char *const *args, size_t count,
              struct gc_text *why)
{
    const struct bench dry = {.args = args, .count = count};
    size_t i;

    for (i = 0; i < GC_COUNT(actions); i++) {
        if (strcmp(actions[i].name, name) != 0)
            continue;
        if (count >= actions[i].min && count <= actions[i].max
            && actions[i].run(&dry))
            return &actions[i];
        gc_text_printf(why, "%s: bad arguments", name);
        return NULL;
    }
    gc_text_printf(why, "unknown action: %s", name);
    return NULL;
}

const char *
gc_twist_name(const struct gc_action *action)
{
    return action->name;
}

static size_t
run_stage(enum stage stage, struct gc_request *request, struct gc_reply *reply,
          const struct gc_picked *picked)
{
    size_t i, done = 0;

    for (i = 0; i < picked->count; i++) {
        const struct gc_action *action = gc_rule_action(picked->rules[i]);
        struct bench b = {.request = request, .reply = reply};

        if (action->stage != stage || (stage == ANSWER && done > 0))
            continue;
        b.count = gc_rule_args(picked->rules[i], &b.args);
        (void)action->run(&b);
        done++;
    }
    return done;
}

bool
gc_twist_before(struct gc_request *request, struct gc_reply *reply,
                const struct gc_picked *picked)
{
    run_stage(EARLY, request, reply, picked);
    if (reply->cut == GC_CUT_BEFORE)
        return true;
    return run_stage(ANSWER, request, reply, picked) > 0;
}

void
gc_twist_after(struct gc_request *request, struct gc_reply *reply,
               const struct gc_picked *picked)
{
    run_stage(DOCUMENT, request, reply, picked);
    gc_reply_print(reply);
    run_stage(PRINTED, request, reply, picked);
}
