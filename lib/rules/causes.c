/*
 * causes -- the program's own signatures, embedded.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/rules/signatures.h"

const char jr_causes_yml[] =
#include "lib/rules/causes.yml.inc"
    ;

const size_t jr_causes_yml_length = sizeof jr_causes_yml - 1;
