/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "src/base/descriptor.h"

gc_status
gc_secret_prompt(const char *prompt, size_t max, struct gc_limit limit,
                 struct gc_bytes *ret_password, struct gc_error *err)
{
    GC_AUTO(gc_bytes) line = {0};
    GC_AUTO_FD tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before, silent;
    gc_status st = GC_OK;

    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        st =
            gc_fail(err, GC_E_CONFIG, "no password, and no terminal to ask on");
        return gc_fail_hint(err, st, "give --password-file FILE");
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON | ISIG;
    if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
        return gc_fail(err, GC_E_CONFIG, "cannot silence the terminal: %s",
                       strerror(errno));
    (void)!write(tty, prompt, strlen(prompt));
    st = gc_bytes_reserve(&line, max + 1, err);
    if (st == GC_OK)
        st = gc_secret_read_some(tty, limit, "the terminal", line.data, max + 1,
                                 &line.len, err);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    (void)!write(tty, "\n", 1);
    if (st == GC_OK)
        st = gc_secret_tidy(&line, "the terminal", max, err);
    if (st == GC_OK)
        gc_bytes_move(ret_password, &line);
    return st;
}
