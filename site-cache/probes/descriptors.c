/* Do dup, dup2, fcntl's F_DUPFD and getdtablesize keep to POSIX at the edges: the same descriptor twice, a closed one, one out
   of range, a directory? Does F_DUPFD_CLOEXEC give a descriptor that exec closes?

   Asked by gnulib's dup.m4, dup2.m4, fcntl.m4 and getdtablesize.m4; where the answer is no, the function is replaced. For
   F_DUPFD_CLOEXEC that is also done on every Linux, as kernels before 2.6.24 do not know it: "needs runtime check".  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
out_of_range (void)
{
  struct rlimit limit;
  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur <= INT_MAX)
    return limit.rlim_cur;
  return INT_MAX;
}

static int
dup2_works (int directory, int bad)
{
  int flags = fcntl (1, F_GETFD);
  int works = fcntl (1, F_SETFD, FD_CLOEXEC) == 0 && dup2 (1, 1) == 1 && fcntl (1, F_GETFD) == FD_CLOEXEC;
  fcntl (1, F_SETFD, flags);

  int closed = dup (2);
  close (closed);
  works &= dup2 (closed, closed) == -1;
  errno = EBADF;
  works &= dup2 (2, bad) != -1 || errno == EBADF;
  errno = 0;
  works &= dup2 (2, -1) == -1 && errno == EBADF;
  dup2 (2, 255);
  dup2 (2, 256);
  return works && dup2 (directory, directory + 1) != -1;
}

static int
dupfd_works (int directory, int bad)
{
  errno = 0;
  int works = fcntl (0, F_DUPFD, -1) == -1 && errno == EINVAL;
  errno = 0;
  works &= fcntl (0, F_DUPFD, bad) == -1 && errno == EINVAL;
  return works && fcntl (directory, F_DUPFD, 3) != -1;
}

/* The least number that is free from 10 on: where the caller left 10 open, another one.  */
static int
dupfd_cloexec_works (void)
{
  int copy = fcntl (1, F_DUPFD_CLOEXEC, 10);
  return copy >= 10 && (fcntl (copy, F_GETFD) & FD_CLOEXEC);
}

int
main (void)
{
  /* Whatever the caller gave us: have something at 0.  */
  if (fcntl (0, F_GETFD) == -1)
    open ("/dev/null", O_RDONLY);
  int directory = open (".", O_RDONLY);
  int bad = out_of_range ();
  say ("gl_cv_func_dup2_works", dup2_works (directory, bad));
  say ("gl_cv_func_dup_works", dup (directory) >= 0);
  printf ("gl_cv_func_fcntl_f_dupfd_cloexec=%s\n", dupfd_cloexec_works () ? "needs runtime check" : "no");
  say ("gl_cv_func_fcntl_f_dupfd_works", dupfd_works (directory, bad));
  int size = getdtablesize ();
  say ("gl_cv_func_getdtablesize_works", dup2 (0, size) == -1 && getdtablesize () == size);
  return 0;
}
