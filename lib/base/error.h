/*
 * error -- the one set of error codes, and a text that says what went wrong.
 *
 * Functions that can fail return enum jr_err and, where the caller may want to
 * tell somebody, fill a caller-owned struct jr_error. The library never prints
 * and never exits; who called it logs the text, once.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ERROR_H
#define JR_ERROR_H

#define JR_CHECKED __attribute__((warn_unused_result))
#define JR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum jr_err {
    JR_OK = 0,
    JR_ENOENT,    /* there is no such thing; nothing is wrong */
    JR_EINVAL,    /* the input is not what it has to be */
    JR_ENOMEM,    /* out of memory */
    JR_EFULL,     /* disk or map is full: goes away when there is room */
    JR_EFORMAT,   /* the store is not ours, too new, or damaged */
    JR_EBUSY,     /* somebody else holds it */
    JR_ECONFLICT, /* others came in between: the same, begun anew, may go well */
    JR_EFATAL,    /* the store's environment is unusable: leave and be replaced */
    JR_EIO        /* any other failure of the system below */
};

struct jr_error {
    enum jr_err code;
    char text[512]; /* one line, no full stop; empty while code is JR_OK */
};

/*
 * Set the code and the text.
 *   error  may be NULL: then only the code is returned
 * Returns code, so that a failing function can `return jr_error_set(...)`.
 */
enum jr_err jr_error_set(struct jr_error *error, enum jr_err code,
                         const char *format, ...) JR_PRINTF(3, 4);

#endif
