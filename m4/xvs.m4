dnl SPDX-License-Identifier: Apache-2.0

dnl XVS_REQUIRE_MODULE(VARIABLE, PKG-CONFIG-SPEC, DEBIAN-PACKAGE, FEDORA-PACKAGE)
AC_DEFUN([XVS_REQUIRE_MODULE],
  [PKG_CHECK_MODULES([$1], [$2], [],
     [AC_MSG_ERROR([$2 is missing: install Debian package $3 or Fedora package $4])])])

dnl XVS_REQUIRE_HEADER(HEADER, DEBIAN-PACKAGE, FEDORA-PACKAGE)
AC_DEFUN([XVS_REQUIRE_HEADER],
  [AC_CHECK_HEADER([$1], [],
     [AC_MSG_ERROR([header $1 is missing: install Debian package $2 or Fedora package $3])])])

dnl XVS_REQUIRE_PROG(VARIABLE, PROGRAM, DEBIAN-PACKAGE, FEDORA-PACKAGE)
AC_DEFUN([XVS_REQUIRE_PROG],
  [AC_PATH_PROG([$1], [$2], [], [$PATH:/usr/sbin:/sbin])
   AS_IF([test -z "$$1"],
     [AC_MSG_ERROR([program $2 is missing: install Debian package $3 or Fedora package $4])])])

dnl XVS_ADD_CFLAGS(FLAGS): adds those that the compiler takes to XVS_CFLAGS.
AC_DEFUN([XVS_ADD_CFLAGS],
  [for xvs_flag in $1; do
     xvs_saved_cflags=$CFLAGS
     CFLAGS="$CFLAGS -Werror $xvs_flag"
     AC_MSG_CHECKING([whether $CC takes $xvs_flag])
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
       [AC_MSG_RESULT([yes]); XVS_CFLAGS="$XVS_CFLAGS $xvs_flag"],
       [AC_MSG_RESULT([no])])
     CFLAGS=$xvs_saved_cflags
   done])
