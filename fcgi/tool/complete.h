/*
 * complete -- what a word of a command line may become: the answer to the Tab key, for the
 * scripts of conf/completion/.
 *
 * All of it is read from the tables of the program when somebody asks: commands, options,
 * closed sets; what is in the store, from the store.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_COMPLETE_H
#define JR_COMPLETE_H

#include "fcgi/tool/command.h"

#include <stddef.h>

/* The store is looked at for so long, and so many of its newest runs. */
#define JR_COMPLETE_MOST_S 5
#define JR_COMPLETE_LOOKS 500

/*
 * Write to standard output what the last of some words may become: a line each, the whole word,
 * a tabulator and what it means. One that ends in `=' or `,' goes on. The line `:files' or
 * `:folders' stands for their names. When nothing is known, nothing is written, and nobody is
 * told why, nor is anybody asked to wait: the store is looked at if the caller may read it.
 *   rows   all commands
 *   words  of the command line behind the program's name, the last one as far as it is
 *          written; ending with NULL
 */
void jr_complete(struct jr_command *command, const struct jr_command_row *rows, size_t count,
                 char **words);

#endif
