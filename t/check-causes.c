/*
 * check-causes -- tries the examples of the program's own signatures, while it is built.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/signatures.h"

#include <stdio.h>

int main(void)
{
    struct jr_signatures signatures;
    struct jr_error error;

    if (jr_signatures_builtin(&signatures, &error) != JR_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    jr_signatures_release(&signatures);
    return 0;
}
