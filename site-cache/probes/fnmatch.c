/* Does fnmatch know ranges up to a backslash, an open bracket, classes of characters, and its flags; and the extensions of GNU: letter
   case, extended patterns, leading directories?

   Asked by autoconf's AC_FUNC_FNMATCH and AC_FUNC_FNMATCH_GNU and by gnulib's fnmatch.m4; where the answer is no, it is replaced.  */

#define _GNU_SOURCE 1
#include <fnmatch.h>
#include <locale.h>
#include <stdio.h>

static int
matches (const char *pattern, const char *text, int flags)
{
  return fnmatch (pattern, text, flags) == 0;
}

static int
fails (const char *pattern, const char *text, int flags)
{
  return fnmatch (pattern, text, flags) == FNM_NOMATCH;
}

static int
is_posix_enough_for_autoconf (void)
{
  return matches ("a*", "abc", 0) && fails ("d*/*1", "d/s/1", FNM_PATHNAME) && matches ("a\\bc", "abc", 0)
    && fails ("a\\bc", "abc", FNM_NOESCAPE) && matches ("*x", ".x", 0) && fails ("*x", ".x", FNM_PERIOD);
}

/* [A-\\] holds what lies between A and the backslash; [\\-a] what lies between the backslash and a.  */
static int
has_ranges (void)
{
  return matches ("[A-\\\\]", "\\", 0) && matches ("[A-\\\\]", "A", 0) && matches ("[\\\\-a]", "\\", 0) && matches ("[\\\\-a]", "a", 0)
    && fails ("[A-\\\\]", "@", 0) && matches ("[\\\\-a]", "`", 0) && matches ("[A-\\\\]", "B", 0) && fails ("[\\\\-a]", "b", 0)
    && matches ("[A-\\\\]", "[", 0) && fails ("[\\\\-a]", "[", 0) && fails ("[A-\\\\]", "]", 0) && matches ("[\\\\-a]", "]", 0);
}

static int
is_posix (void)
{
  return is_posix_enough_for_autoconf () && fails ("a*", "", 0) && has_ranges () && matches ("[/b", "[/b", 0)
    && matches ("[[:alnum:]]", "a", 0);
}

static int
is_gnu (void)
{
#ifdef FNM_EXTMATCH
  return matches ("xxXX", "xXxX", FNM_CASEFOLD) && matches ("a++(x|yy)b", "a+xyyyyxb", FNM_EXTMATCH)
    && fails ("d*/*1", "d/s/1", FNM_FILE_NAME) && matches ("*", "x", FNM_FILE_NAME | FNM_LEADING_DIR)
    && matches ("x*", "x/y/z", FNM_FILE_NAME | FNM_LEADING_DIR) && matches ("*c*", "c/x", FNM_FILE_NAME | FNM_LEADING_DIR);
#else
  return 0;
#endif
}

static int
works_in_utf8 (void)
{
  int works = 1;
  if (setlocale (LC_ALL, "en_US.UTF-8"))
    works &= fails ("[!a-z]", "", 0);
  if (setlocale (LC_ALL, "C.UTF-8"))
    works &= matches ("x?y", "x\303\274y", 0);
  return works;
}

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  int old = is_posix_enough_for_autoconf (), posix = is_posix (), gnu = is_gnu (), utf8 = works_in_utf8 ();
  say ("ac_cv_func_fnmatch_works", old);
  say ("ac_cv_func_fnmatch_gnu", old && gnu);
  say ("gl_cv_func_fnmatch_posix", posix && utf8);
  say ("gl_cv_func_fnmatch_gnu", posix && gnu && utf8);
  return 0;
}
