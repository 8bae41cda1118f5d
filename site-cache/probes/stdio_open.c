/* Do fopen, fdopen, freopen, tmpfile and popen keep to POSIX where old libraries do not?

   Asked by gnulib's fdopen.m4, fopen.m4, freopen.m4, popen.m4 and tmpfile.m4, where a no replaces the function, and by sed's
   configure.ac (may the mode of fopen hold a t, and does fflush fail for an input stream without a reason, as it does without
   Tru64's libcP?).  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
reopens_closed (void)
{
  close (0);
  return freopen ("/dev/null", "r", stdin) && getchar () == EOF && !ferror (stdin) && feof (stdin);
}

/* Runs in a child, since it closes the standard streams.  */
static int
pipes_without_stdin (void)
{
  fclose (stdin);
  fclose (stdout);
  FILE *child = popen ("echo a", "r");
  return child && fgetc (child) == 'a' && pclose (child) == 0;
}

int
main (void)
{
  FILE *stream = fopen ("file", "w");
  if (!stream || fclose (stream) != 0)
    return 1;

  volatile int bad = -1;
  errno = 0;
  say ("gl_cv_func_fdopen_works", fdopen (bad, "r") || errno != 0);

  stream = fopen ("file", "re");
  say ("gl_cv_func_fopen_mode_e", stream && (fcntl (fileno (stream), F_GETFD) & FD_CLOEXEC));
  errno = 0;
  say ("gl_cv_func_fopen_mode_x", !fopen ("file", "wx") && errno == EEXIST);
  say ("gl_cv_func_tmpfile_works", tmpfile () != NULL);
  say ("sed_cv_fopen_rt", fopen ("file", "rt") != NULL);
  stream = fopen ("file", "r");
  errno = 0;
  say ("sed_cv_libcp_needed", stream && fflush (stream) == EOF && errno == 0);
  unlink ("file");

  say ("gl_cv_func_freopen_works_on_closed", reopens_closed ());
  fflush (stdout);
  pid_t child = fork ();
  if (child == 0)
    _exit (pipes_without_stdin () ? 0 : 1);
  int status;
  say ("gl_cv_func_popen_works", waitpid (child, &status, 0) == child && status == 0);
  return 0;
}
