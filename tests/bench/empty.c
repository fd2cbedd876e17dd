/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nothing, linked statically: what fork, exec and wait cost alone.
 */
#include <config.h>

int
main(void)
{
    return 0;
}
