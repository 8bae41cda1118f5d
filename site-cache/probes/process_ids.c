/* How many digits has the largest user id, does unsetenv return a number, does setresuid work, and has each thread an id?

   Asked by sudo up to 1.9.14, Squid and the Apache HTTP server.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

int
main (void)
{
  printf ("sudo_cv_uid_t_len=%d\n", snprintf (NULL, 0, "%lu", (unsigned long) (uid_t) -1));
  printf ("sudo_cv_func_unsetenv_void=%s\n", unsetenv ("PROBE") == 0 ? "no" : "yes");
  printf ("squid_cv_resuid_works=%s\n", setresuid (-1, -1, -1) == 0 ? "yes" : "no");
  printf ("ap_cv_gettid=%s\n", syscall (SYS_gettid) != -1 ? "yes" : "no");
  return 0;
}
