/* Do select and pselect wait on nothing, and do they refuse a closed descriptor?  Does pthread_sigmask return the number of an error, and
   does isatty set it?

   Asked by gnulib's select.m4, pselect.m4, pthread_sigmask.m4 and ptsname_r.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  fd_set set;
  struct timeval moment = { 0, 5 };
  struct timespec short_moment = { 0, 5000 };
  sigset_t none;
  sigemptyset (&none);
  close (16);

  say ("gl_cv_func_select_supports0", select (0, NULL, NULL, NULL, &moment) == 0);
  FD_ZERO (&set);
  FD_SET (16, &set);
  errno = 0;
  say ("gl_cv_func_select_detects_ebadf", select (17, &set, NULL, NULL, &moment) == -1 && errno == EBADF);
  FD_ZERO (&set);
  FD_SET (16, &set);
  errno = 0;
  say ("gl_cv_func_pselect_detects_ebadf", pselect (17, &set, NULL, NULL, &short_moment, NULL) == -1 && errno == EBADF);

  int error = pthread_sigmask (1729, &none, NULL);
  say ("gl_cv_func_pthread_sigmask_in_libc_works", error != 0);
  say ("gl_cv_func_pthread_sigmask_return_works", error != -1);
  errno = 0;
  isatty (-1);
  say ("gl_cv_func_isatty_sets_errno", errno != 0);
  return 0;
}
