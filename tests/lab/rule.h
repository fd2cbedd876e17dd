/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "on VM METHOD CALLS ACTION ...": which calls misbehave, and how.  A rule is
 * kept, counted and picked here; what an action does is twist.c's.
 */

#ifndef GC_LAB_RULE_H
#define GC_LAB_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/reply.h"
#include "tests/lab/words.h"

#define GC_MAX_PICKED 32

struct gc_action; /* twist.c */
struct gc_rule;

/* The rules that one call has to obey, oldest first; borrowed. */
struct gc_picked {
    const struct gc_rule *rules[GC_MAX_PICKED];
    size_t count;
};

/* WORDS: VM METHOD CALLS ACTION ARG...; false with a sentence in WHY. */
bool gc_rule_add(char *const *words, size_t count, struct gc_text *why);
void gc_rule_drop_all(void);
/* Count the call and find its rules. */
void gc_rule_pick(const struct gc_request *request,
                  struct gc_picked *ret_picked);
void gc_rule_list(struct gc_text *out);

const char *gc_rule_name(const struct gc_rule *rule);
const struct gc_action *gc_rule_action(const struct gc_rule *rule);
/* ARGS may be NULL if only the count is of interest. */
size_t gc_rule_args(const struct gc_rule *rule, char *const **ret_args);

#endif
