/* Does getgroups count the groups for a size of 0, refuse a negative size, and fill an array of gid_t?  Does setpgrp take no argument?

   Asked by autoconf's AC_FUNC_GETGROUPS, AC_TYPE_GETGROUPS and AC_FUNC_SETPGRP and by gnulib's getgroups.m4.  */

#define _GNU_SOURCE 1
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say (const char *variable, const char *value)
{
  printf ("%s=%s\n", variable, value);
}

/* In a child, which gets a process group of its own.  With arguments, the setpgrp of BSD would want the group of process 1 and fail.  */
static int
setpgrp_takes_nothing (void)
{
  int status;
  pid_t child = fork ();
  if (child == 0)
    {
      void *volatile function = (void *) setpgrp;
      _exit (((int (*) (int, int)) function) (1, 1) == -1);
    }
  return waitpid (child, &status, 0) == child && status == 0;
}

int
main (void)
{
  gid_t list[65537];
  volatile int negative = -1;
  int count = getgroups (0, list);
  say ("ac_cv_func_getgroups_works", count == -1 ? "no" : "yes");
  say ("gl_cv_func_getgroups_works", getgroups (negative, list) == -1 ? "yes" : "no");
  memset (list, 0xff, sizeof list);
  int filled = getgroups (65536, list);
  say ("ac_cv_type_getgroups", filled >= 0 && list[filled] == (gid_t) -1 ? "gid_t" : "int");
  say ("ac_cv_func_setpgrp_void", setpgrp_takes_nothing () ? "yes" : "no");
  return 0;
}
