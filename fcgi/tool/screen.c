/*
 * screen -- the terminal, where standard output is one.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "fcgi/tool/screen.h"
#include "fcgi/tool/args.h"
#include "fcgi/tool/grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Of a line only so many bytes are measured: a terminal has no room for more. */
#define LINE_SIZE 4096

static bool entered, has_keys;
static struct termios before;

/* Read a number from the environment; 0: it is not set, or is no number. */
static int read_number(const char *name, int least)
{
    const char *text = getenv(name);
    int64_t number;

    return text != NULL && jr_args_number(text, least, 10000, &number) ? (int)number : 0;
}

static struct winsize ask_size(void)
{
    struct winsize size;

    memset(&size, 0, sizeof size);
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size;
}

int jr_screen_width(void)
{
    int width = read_number("COLUMNS", 20);

    if (!isatty(STDOUT_FILENO))
        return 0;
    if (width == 0)
        width = ask_size().ws_col;
    return width >= 20 ? width : 80;
}

int jr_screen_height(void)
{
    int height = read_number("LINES", 2);

    if (height == 0)
        height = ask_size().ws_row;
    return height >= 2 ? height : 24;
}

bool jr_screen_is_there(void)
{
    const char *term = getenv("TERM");

    return isatty(STDOUT_FILENO) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

/* Write to the terminal without a buffer; a signal handler may call this, too. */
static void put(const char *sequence)
{
    if (write(STDOUT_FILENO, sequence, strlen(sequence)) < 0)
        return;
}

void jr_screen_enter(void)
{
    struct termios raw;

    fflush(stdout);
    has_keys = tcgetattr(STDIN_FILENO, &before) == 0;
    if (has_keys) {
        raw = before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    entered = true;
    put("\x1b[?1049h\x1b[?25l");
}

void jr_screen_leave(void)
{
    if (!entered)
        return;
    entered = false;
    put("\x1b[?25h\x1b[?1049l");
    if (has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

/* How many rows of the terminal a line fills. */
static int rows_of(const char *line, size_t length, int width)
{
    char text[LINE_SIZE];
    size_t used = 0;
    int columns;

    for (size_t i = 0; i < length && used + 1 < sizeof text; i++) {
        if (line[i] == '\x1b')
            while (i < length && line[i] != 'm')
                i++;
        else
            text[used++] = line[i];
    }
    text[used] = '\0';
    columns = jr_grid_width(text);
    return columns <= width ? 1 : (columns + width - 1) / width;
}

void jr_screen_draw(const char *text, int width, int height)
{
    int left = height;

    fputs("\x1b[H", stdout);
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        int rows = rows_of(text, length, width);

        if (rows > left)
            break;
        left -= rows;
        printf("%.*s\x1b[K", (int)length, text);
        text += length + (text[length] == '\n');
        /* A newline behind the last row would scroll. */
        if (*text != '\0' && left > 0)
            fputs("\r\n", stdout);
    }
    fputs("\x1b[J", stdout);
    fflush(stdout);
}
