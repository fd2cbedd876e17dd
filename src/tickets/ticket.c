/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/ticket.h"

#include <string.h>
#include <time.h>

void
gc_ticket_clear(struct gc_ticket *ticket)
{
    gc_bytes_clear(&ticket->ticket);
    *ticket = (struct gc_ticket){0};
}

void
gc_ticket_move(struct gc_ticket *dst, struct gc_ticket *src)
{
    gc_ticket_clear(dst);
    *dst = *src;
    *src = (struct gc_ticket){0};
}

void
gc_ticket_time_print(int64_t seconds, char dst[GC_TICKET_TIME_SIZE])
{
    time_t t = (time_t)seconds;
    struct tm tm;

    dst[0] = '\0';
    if (gmtime_r(&t, &tm) != NULL)
        (void)strftime(dst, GC_TICKET_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

bool
gc_ticket_time_parse(const char *text, int64_t *ret_seconds)
{
    struct tm tm = {0};
    char again[GC_TICKET_TIME_SIZE];
    const char *end;
    int64_t seconds;

    end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (end == NULL || *end != '\0')
        return false;
    seconds = (int64_t)timegm(&tm);
    /* strptime takes blanks, signs and February 31; what we print has none. */
    gc_ticket_time_print(seconds, again);
    if (strcmp(again, text) != 0)
        return false;
    *ret_seconds = seconds;
    return true;
}
