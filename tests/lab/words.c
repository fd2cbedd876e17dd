/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines cut into words.
 */

#include <config.h>

#include "tests/lab/words.h"

#include <errno.h>
#include <string.h>

void
gc_words_clear(struct gc_words *words)
{
    while (words->count > 0)
        gc_text_free(words->word[--words->count]);
}

static int
hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Behind a backslash within "..."; returns what comes after. */
static const char *
cut_escape(const char *at, struct gc_text *word)
{
    char byte = *at;

    if (byte == 'n')
        byte = '\n';
    else if (byte == 't')
        byte = '\t';
    else if (byte == 'x' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
        byte = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
        at += 2;
    } else if (byte != '"' && byte != '\\') {
        gc_text_add(word, "\\", 1);
    }
    gc_text_add(word, &byte, byte != '\0');
    return *at == '\0' ? at : at + 1;
}

/* One quoted or plain piece of a word; NULL if a quote is missing. */
static const char *
cut_piece(const char *at, struct gc_text *word)
{
    size_t len;

    if (*at == '\'') {
        len = strcspn(at + 1, "'");
        gc_text_add(word, at + 1, len);
        return at[len + 1] == '\'' ? at + len + 2 : NULL;
    }
    if (*at != '"') {
        len = strcspn(at, " \t\r\n'\"");
        gc_text_add(word, at, len);
        return at + len;
    }
    at++;
    while (*at != '\0' && *at != '"') {
        if (*at == '\\')
            at = cut_escape(at + 1, word);
        else
            gc_text_add(word, at++, 1);
    }
    return *at == '"' ? at + 1 : NULL;
}

bool
gc_words_add(struct gc_words *words, const char *word, const char *directory,
             struct gc_text *why)
{
    GC_TEXT content = {0};
    GC_TEXT path = {0};

    if (words->count == GC_MAX_WORDS) {
        gc_text_puts(why, "too many words");
        return false;
    }
    if (word[0] == '@') {
        if (word[1] != '/')
            gc_text_printf(&path, "%s/", directory);
        gc_text_puts(&path, word + 1);
        if (!gc_text_read_file(path.data, GC_MAX_FILE, &content)) {
            gc_text_printf(why, "%s: %s", path.data, strerror(errno));
            return false;
        }
        word = gc_text_string(&content);
    }
    words->word[words->count++] = gc_text_dup(word);
    return true;
}

bool
gc_words_cut(const char *line, const char *directory, struct gc_words *words,
             struct gc_text *why)
{
    const char *at = line + strspn(line, " \t\r\n");

    while (*at != '\0' && *at != '#') {
        GC_TEXT word = {0};

        while (*at != '\0' && strchr(" \t\r\n", *at) == NULL) {
            at = cut_piece(at, &word);
            if (at == NULL) {
                gc_text_puts(why, "a quote is missing");
                return false;
            }
        }
        if (!gc_words_add(words, gc_text_string(&word), directory, why))
            return false;
        at += strspn(at, " \t\r\n");
    }
    return true;
}
