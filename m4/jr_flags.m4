dnl jr_flags.m4 -- add a flag to a variable if compiler and linker accept it.
dnl
dnl SPDX-License-Identifier: BSD-2-Clause

dnl JR_CC_FLAG(VARIABLE, FLAGS)
dnl The program includes a header of the C library, for that is what
dnl _FORTIFY_SOURCE speaks up in.
AC_DEFUN([JR_CC_FLAG],
    [AC_MSG_CHECKING([whether $CC accepts $2])
    jr_save_CFLAGS=$CFLAGS
    CFLAGS="-Werror $CFLAGS $2"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[]])],
        [AC_MSG_RESULT([yes])
        $1="$$1 $2"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$jr_save_CFLAGS])

dnl JR_LD_FLAG(VARIABLE, FLAGS)
dnl For flags that the linker must know too.
AC_DEFUN([JR_LD_FLAG],
    [AC_MSG_CHECKING([whether $CC links with $2])
    jr_save_CFLAGS=$CFLAGS
    CFLAGS="-Werror $CFLAGS $HARDEN_CFLAGS $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[]])],
        [AC_MSG_RESULT([yes])
        $1="$$1 $2"],
        [AC_MSG_RESULT([no])])
    CFLAGS=$jr_save_CFLAGS])
