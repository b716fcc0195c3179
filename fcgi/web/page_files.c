/*
 * page_files -- the files that stand in each page, embedded by the build (embed.awk).
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/web/page_parts.h"

const char jr_page_style[] =
#include "fcgi/web/page.css.inc"
    ;

const char jr_page_script[] =
#include "fcgi/web/page.js.inc"
    ;

const char jr_page_head[] =
#include "fcgi/web/page_head.html.inc"
    ;

const char jr_page_mark[] =
#include "fcgi/web/page_mark.svg.inc"
    ;
