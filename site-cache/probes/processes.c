/* Do fork, vfork and wait3 work as autoconf wants them, may a running program be unlinked, are pipes FIFOs, and is there /proc/uptime?

   Asked by autoconf's AC_FUNC_FORK and AC_FUNC_WAIT3, by gnulib's isapipe.m4, unlink-busy.m4 and uptime.m4, and by coreutils.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
say (const char *variable, int yes)
{
  printf ("%s=%s\n", variable, yes ? "yes" : "no");
}

static void
nothing (int number)
{
  (void) number;
}

static int
forks (void)
{
  pid_t child = fork ();
  if (child == 0)
    _exit (0);
  return child > 0 && waitpid (child, NULL, 0) == child;
}

/* The child of vfork changes a signal's handler and closes a descriptor: the parent is to see neither.  */
static int
vfork_works (void)
{
  pid_t parent = getpid ();
  int kept = dup (1), status;
  signal (SIGTERM, SIG_DFL);
  pid_t child = vfork ();
  if (child == 0)
    _exit (signal (SIGTERM, nothing) != SIG_DFL || close (kept) != 0);
  struct stat st;
  return child > 0 && waitpid (child, &status, 0) == child && status == 0 && getpid () == parent && signal (SIGTERM, SIG_DFL) == SIG_DFL
    && fstat (kept, &st) == 0;
}

static int
wait3_fills_usage (void)
{
  struct rusage usage = { 0 };
  int status;
  fflush (stdout);
  if (fork () == 0)
    {
      /* New pages are faults, and a sleep gives the processor away.  */
      volatile char *memory = malloc (1 << 20);
      for (int i = 0; memory && i < 1 << 20; i += 4096)
        memory[i] = 1;
      usleep (10000);
      _exit (0);
    }
  if (wait3 (&status, 0, &usage) <= 0)
    return 0;
  return usage.ru_nvcsw || usage.ru_majflt || usage.ru_minflt || usage.ru_stime.tv_sec || usage.ru_stime.tv_usec;
}

/* Runs a copy of this program, which unlinks itself.  */
static int
unlinks_itself (const char *self)
{
  static char bytes[65536];
  ssize_t length;
  int from = open (self, O_RDONLY), to = open ("copy", O_WRONLY | O_CREAT, 0700), status = 1;
  while ((length = read (from, bytes, sizeof bytes)) > 0)
    if (write (to, bytes, length) != length)
      return 0;
  close (from);
  close (to);
  /* It runs as we do: the kernel may not know how to run it, the emulator that runs us does.  */
  pid_t child = fork ();
  if (child == 0)
    {
      execl ("./copy", "./copy", "unlink", (char *) NULL);
      /* Nobody runs it: keep it mapped, at least.  */
      _exit (unlink ("copy") == 0 ? 0 : 1);
    }
  waitpid (child, &status, 0);
  unlink ("copy");
  return status == 0;
}

int
main (int argc, char **argv)
{
  if (argc > 1)
    return unlink (argv[0]) != 0;

  int pipes[2];
  struct stat st;
  char c;
  say ("ac_cv_func_fork_works", forks ());
  say ("ac_cv_func_vfork_works", vfork_works ());
  say ("ac_cv_func_wait3_rusage", wait3_fills_usage ());
  say ("gl_cv_func_unlink_busy_text", unlinks_itself ("/proc/self/exe"));
  if (pipe (pipes) == 0 && fstat (pipes[0], &st) == 0)
    printf ("gl_cv_pipes_are_fifos=%s (%lu)\n", S_ISFIFO (st.st_mode) ? "yes" : "no", (unsigned long) st.st_nlink);
  say ("gl_cv_func_lseek_pipe", lseek (pipes[0], 0, SEEK_CUR) < 0);
  int uptime = open ("/proc/uptime", O_RDONLY);
  say ("gl_cv_have_proc_uptime", uptime >= 0 && read (uptime, &c, 1) == 1);
  return 0;
}
