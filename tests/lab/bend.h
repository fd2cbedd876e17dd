/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to a document that is about to be sent.  Each takes NULL for "only
 * check the words"; what is no object is left alone.
 */

#ifndef GC_LAB_BEND_H
#define GC_LAB_BEND_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/doc.h"

/* WORD is A.B.C=JSON (a member or an index each); no JSON: take it out. */
bool gc_bend_put(cJSON *doc, const char *word);
/* NAME=JSON once more, whether it is there or not. */
bool gc_bend_duplicate(cJSON *doc, const char *word);
/* In every object: _typeName last; MoRefs without it; unknown members. */
void gc_bend_type_name_last(cJSON *doc);
void gc_bend_bare_morefs(cJSON *doc);
void gc_bend_extra(cJSON *doc);
/* A member "deep" of DEPTH arrays; a member "padding" of SIZE bytes. */
void gc_bend_deep(cJSON *doc, size_t depth);
void gc_bend_pad(cJSON *doc, size_t size);

#endif
