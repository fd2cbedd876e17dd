/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of rules.  Each counts the calls that its VM and METHOD match since
 * the rule was added, so that two rules never disturb each other's count.
 */

#include <config.h>

#include "tests/lab/rule.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/twist.h"

struct gc_rule {
    char vm[GC_PART_SIZE], method[GC_PART_SIZE];
    int64_t first, last; /* LAST 0: no end */
    int64_t calls, fired;
    const struct gc_action *action;
    char *args[GC_MAX_WORDS];
    size_t arg_count;
    struct gc_rule *next;
};

static struct gc_rule *rules;

/* "3", "2-5", "2-" or "*" */
static bool
read_calls(const char *word, int64_t *first, int64_t *last)
{
    size_t digits = strcspn(word, "-");
    char head[24];

    *first = 1;
    *last = 0;
    if (strcmp(word, "*") == 0)
        return true;
    if (digits >= sizeof(head))
        return false;
    memcpy(head, word, digits);
    head[digits] = '\0';
    if (!gc_text_int64(head, first) || *first < 1)
        return false;
    if (word[digits] == '\0') {
        *last = *first;
        return true;
    }
    if (word[digits + 1] == '\0')
        return true;
    return gc_text_int64(word + digits + 1, last) && *last >= *first;
}

static void
free_rule(struct gc_rule *rule)
{
    size_t i;

    for (i = 0; i < rule->arg_count; i++)
        gc_text_free(rule->args[i]);
    free(rule);
}

bool
gc_rule_add(char *const *words, size_t count, struct gc_text *why)
{
    struct gc_rule *rule, **at = &rules;
    const struct gc_action *action;
    int64_t first, last;
    size_t i;

    if (!read_calls(words[2], &first, &last)) {
        gc_text_printf(why, "bad call number: %s (N, N-M, N- or *)", words[2]);
        return false;
    }
    action = gc_twist_find(words[3], words + 4, count - 4, why);
    if (action == NULL)
        return false;
    rule = gc_text_grab(1, sizeof(*rule));
    rule->first = first;
    rule->last = last;
    rule->action = action;
    for (i = 4; i < count; i++)
        rule->args[rule->arg_count++] = gc_text_dup(words[i]);
    if (!gc_text_copy(rule->vm, sizeof(rule->vm), words[0])
        || !gc_text_copy(rule->method, sizeof(rule->method), words[1])) {
        free_rule(rule);
        gc_text_puts(why, "too long");
        return false;
    }
    while (*at != NULL)
        at = &(*at)->next;
    *at = rule;
    return true;
}

void
gc_rule_drop_all(void)
{
    while (rules != NULL) {
        struct gc_rule *rule = rules;

        rules = rule->next;
        free_rule(rule);
    }
}

/* "-" is a call about no VM; "Acquire" stands for the full name. */
static bool
matches(const struct gc_rule *rule, const struct gc_request *request)
{
    size_t len = strlen(rule->method);

    if (strcmp(rule->vm, "*") != 0 && strcmp(rule->vm, request->vm) != 0
        && !(strcmp(rule->vm, "-") == 0 && request->vm[0] == '\0'))
        return false;
    return strcmp(rule->method, "*") == 0
           || strcmp(rule->method, request->method) == 0
           || (strncmp(rule->method, request->method, len) == 0
               && strcmp(request->method + len, "CredentialsInGuest") == 0);
}

void
gc_rule_pick(const struct gc_request *request, struct gc_picked *ret_picked)
{
    struct gc_rule *rule;

    ret_picked->count = 0;
    for (rule = rules; rule != NULL; rule = rule->next) {
        if (!matches(rule, request))
            continue;
        rule->calls++;
        if (rule->calls < rule->first
            || (rule->last != 0 && rule->calls > rule->last)
            || ret_picked->count == GC_MAX_PICKED)
            continue;
        rule->fired++;
        ret_picked->rules[ret_picked->count++] = rule;
    }
}

void
gc_rule_list(struct gc_text *out)
{
    const struct gc_rule *rule;

    for (rule = rules; rule != NULL; rule = rule->next)
        gc_text_printf(out, "%s %s %s calls=%" PRId64 " fired=%" PRId64 "\n",
                       rule->vm, rule->method, gc_rule_name(rule), rule->calls,
                       rule->fired);
}

const char *
gc_rule_name(const struct gc_rule *rule)
{
    return gc_twist_name(rule->action);
}

const struct gc_action *
gc_rule_action(const struct gc_rule *rule)
{
    return rule->action;
}

size_t
gc_rule_args(const struct gc_rule *rule, char *const **ret_args)
{
    if (ret_args != NULL)
        *ret_args = rule->args;
    return rule->arg_count;
}
