/*
 * cgi -- the plain CGI door: one request from the environment and stdin.
 *
 * Source: RFC 3875.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_CGI_H
#define JR_CGI_H

#include "lib/config/settings.h"

/*
 * Do the variables of a CGI request stand in the environment? Then the arguments are to be
 * ignored: a web server may take them from the query (RFC 3875, 4.4).
 */
bool jr_cgi_is_request(void);

/*
 * Answer the one request and close stdout. Then, if no dispatcher holds the
 * lock, leave a child behind that works off what is due soon.
 * Returns the exit status.
 */
int jr_cgi_main(struct jr_settings *settings);

/* Answer 500: for a program that cannot start. */
void jr_cgi_refuse(void);

#endif
