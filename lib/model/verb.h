/*
 * verb -- what a comment on a pull request, or a button, can ask for; and how it is found among
 * all that people write.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_VERB_H
#define JR_VERB_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are stored. */
enum jr_verb {
    JR_VERB_NONE = 0,
    JR_VERB_RERUN = 1, /* "/rerun": what failed is rerun */
    JR_VERB_ALL = 2,   /* "/rerun all": all jobs of the runs that failed */
    JR_VERB_STOP = 3,  /* "/rerun stop": nothing more of this commit is rerun by itself */
    JR_VERB_WHY = 4    /* "/rerun why": say what is known */
};

#define JR_VERBS (JR_VERB_WHY + 1)

/* "rerun", "all", "stop", "why"; "none" for NONE. */
const char *jr_verb_name(enum jr_verb verb);

/* What a button of a check run is known by: GitHub takes up to 20 characters. */
#define JR_BUTTON_SIZE 21

/* "rerun-2": a verb, and the attempt that the check run shows beside the button. */
void jr_verb_print_button(char button[JR_BUTTON_SIZE], enum jr_verb verb, uint32_t attempt);

/*
 * Read such a text back.
 *   attempt  out: at least 1; 0 for NONE
 * Returns NONE for any other text.
 */
enum jr_verb jr_verb_of_button(const char *button, uint32_t *attempt);

/*
 * Find the command in a comment: the first line that is one, but for blanks around it. What
 * stands in a fence of code, in an HTML comment, in a quotation, or indented as code does not
 * count. Words are not translated, and no case is changed.
 *   text  Markdown, of length bytes; any bytes
 */
enum jr_verb jr_verb_find(const char *text, size_t length);

#endif
