/* Does printf survive a number of five million digits with five megabytes of memory: does it write it, or fail with ENOMEM?

   Asked by gnulib's printf.m4; where the answer is no, the printf functions are replaced.  */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int
limit (int resource)
{
  struct rlimit limits;
  if (getrlimit (resource, &limits) != 0)
    return 0;
  if (limits.rlim_max == RLIM_INFINITY || limits.rlim_max > 5000000)
    limits.rlim_max = 5000000;
  limits.rlim_cur = limits.rlim_max;
  return setrlimit (resource, &limits) == 0;
}

static int
survives (void)
{
  if (dup2 (open ("/dev/null", O_WRONLY), 1) != 1 || !limit (RLIMIT_DATA) || !limit (RLIMIT_AS) || !limit (RLIMIT_STACK))
    return 0;
  int length = printf ("%.5000000f", 1.0);
  return length == 5000002 || (length < 0 && errno == ENOMEM);
}

int
main (void)
{
  int status;
  pid_t child = fork ();
  if (child == 0)
    _exit (survives () ? 0 : 1);
  int works = waitpid (child, &status, 0) == child && status == 0;
  printf ("gl_cv_func_printf_enomem=%s\n", works ? "yes" : "no");
  return 0;
}
