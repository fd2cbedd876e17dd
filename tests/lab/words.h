/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines cut into words.  Knows no statement.
 */

#ifndef GC_LAB_WORDS_H
#define GC_LAB_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/text.h"

/* A file is at most this long, whether script or word. */
#define GC_MAX_FILE  (16U << 20)
#define GC_MAX_WORDS 64

struct gc_words {
    char *word[GC_MAX_WORDS];
    size_t count;
};

#define GC_WORDS __attribute__((cleanup(gc_words_clear))) struct gc_words

void gc_words_clear(struct gc_words *words);

/*
 * Cut LINE into words as a shell would: blanks, '...', "..." with \" \\ \n \t
 * and \xHH, # to the end of the line.  A word @FILE is replaced by what the
 * file holds, found from DIRECTORY.  False with a sentence in WHY.
 */
bool gc_words_cut(const char *line, const char *directory,
                  struct gc_words *words, struct gc_text *why);
/* Append one word, or the file that it names. */
bool gc_words_add(struct gc_words *words, const char *word,
                  const char *directory, struct gc_text *why);

#endif
