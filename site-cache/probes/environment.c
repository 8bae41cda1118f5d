/* Do setenv and unsetenv refuse a name that is none, does unsetenv remove every entry of a name, and does putenv without an
   equals sign remove one?

   Asked by gnulib's setenv.m4 and putenv.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
removes_all_entries (void)
{
  static char one[] = "a=1", two[] = "b=2";
  static char *pair[] = { one, two, NULL };
  if (putenv (one) != 0 || putenv (two) != 0)
    return 0;
  /* Now there are two entries of the same name.  */
  two[0] = 'a';
  unsetenv ("a");
  if (getenv ("a"))
    return 0;
  errno = 0;
  if (unsetenv ("") == 0 || errno != EINVAL)
    return 0;
  /* The same in an environment that the library did not make.  */
  two[0] = 'b';
  environ = pair;
  if (!getenv ("a"))
    return 0;
  two[0] = 'a';
  unsetenv ("a");
  return !getenv ("a");
}

int
main (void)
{
  errno = 0;
  int checks = setenv ("", "", 0) == -1 && errno == EINVAL;
  checks = checks && setenv ("name", "=", 1) == 0 && strcmp (getenv ("name"), "=") == 0;
  say ("gl_cv_func_setenv_works", checks);
  static char set[] = "PROBE=val", gone[] = "PROBE";
  say ("gl_cv_func_svid_putenv", putenv (set) == 0 && putenv (gone) == 0 && !getenv ("PROBE"));
  say ("gl_cv_func_unsetenv_works", removes_all_entries ());
  return 0;
}
