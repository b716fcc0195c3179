/*
 * error -- the one set of error codes, and a text that says what went wrong.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum jr_err jr_error_set(struct jr_error *error, enum jr_err code,
                         const char *format, ...)
{
    va_list args;

    if (error == NULL)
        return code;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}
