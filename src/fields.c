/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/fields.h"

#include <string.h>

bool
gc_field_text(const struct gc_json *object, const char *key, char *dst,
              size_t size)
{
    const char *text = gc_json_string(object, key);

    if (text == NULL || strlen(text) >= size)
        return false;
    memcpy(dst, text, strlen(text) + 1);
    return true;
}

bool
gc_field_number(const struct gc_json *object, const char *key, int64_t max,
                int64_t *ret_value)
{
    char digits[GC_JSON_INT64_SIZE];
    int64_t value = 0;

    if (!gc_json_int64(object, key, digits) || digits[0] == '-')
        return false;
    /* Within int64 for sure: gc_json_int64 looked. */
    for (const char *c = digits; *c != '\0'; c++)
        value = value * 10 + (*c - '0');
    if (value > max)
        return false;
    *ret_value = value;
    return true;
}

bool
gc_field_process(const struct gc_json *object, const char *key,
                 struct gc_process *ret_process)
{
    const char *text = gc_json_string(object, key);

    return text != NULL && gc_process_parse(text, strlen(text), ret_process);
}
