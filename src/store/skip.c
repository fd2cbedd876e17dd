/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/skip.h"

#include <stdio.h>
#include <string.h>

void
gc_skip_say(const struct gc_skip *skip, const char *name, const char *why)
{
    char raw[GC_ERROR_MESSAGE_SIZE + 256], line[sizeof(raw)];

    if (skip == NULL || skip->fn == NULL)
        return;
    (void)snprintf(raw, sizeof(raw), "%s: %s", name, why);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    skip->fn(skip->user, line);
}
