/*
 * screen -- the terminal, where standard output is one: its size, and drawing on all of it.
 *
 * The sequences are those of xterm, which all terminals in use understand. What they change
 * is undone by jr_screen_leave(), which whoever has entered has to call, whatever happens.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_SCREEN_H
#define JR_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

/* The width of the terminal; COLUMNS overrides it. 0: standard output is no terminal. */
int jr_screen_width(void);

/* The number of its rows, at least 2; LINES overrides it. */
int jr_screen_height(void);

/* Can it be drawn on: standard output is a terminal, and TERM names one that is not dumb? */
bool jr_screen_is_there(void);

/*
 * Take the whole screen: the terminal keeps aside what was on it, and hides the cursor. If
 * standard input is a terminal, each key comes at once and is not shown.
 */
void jr_screen_enter(void);

/* Give the screen back as it was, if it was taken. A signal handler may call this. */
void jr_screen_leave(void);

/*
 * Draw a text in the place of all that is on the screen, as many of its lines as fit.
 *   text  lines of clean text and of tint.h's sequences; one that is wider takes several
 */
void jr_screen_draw(const char *text, int width, int height);

#endif
