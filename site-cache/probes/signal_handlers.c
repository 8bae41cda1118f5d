/* Do signal handlers stay when they have run, does sigsuspend wake up, and are the real-time signals within reach?

   Asked by bash and readline (BASH_SYS_REINSTALL_SIGHANDLERS, BASH_CHECK_RTSIGS), Ruby and zsh.  Shells install a handler again in
   the handler where it does not stay; bash knows no real-time signals where their numbers exceed twice NSIG.  */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static void
count (int number)
{
  (void) number;
  caught++;
}

int
main (void)
{
  struct sigaction action = { .sa_handler = count };
  sigemptyset (&action.sa_mask);
  sigaction (SIGUSR1, &action, NULL);
  kill (getpid (), SIGUSR1);
  kill (getpid (), SIGUSR1);
  printf ("bash_cv_must_reinstall_sighandlers=%s\n", caught == 2 ? "no" : "yes");
  printf ("bash_cv_unusable_rtsigs=%s\n", SIGRTMIN >= 2 * NSIG ? "yes" : "no");
  fflush (stdout);

  /* A handler that does not stay would let the second signal end the process.  */
  int status = -1;
  pid_t child = fork ();
  if (child == 0)
    {
      signal (SIGUSR1, count);
      kill (getpid (), SIGUSR1);
      kill (getpid (), SIGUSR1);
      _exit (0);
    }
  waitpid (child, &status, 0);
  printf ("rb_cv_bsd_signal=%s\n", status == 0 ? "yes" : "no");
  fflush (stdout);

  sigset_t all, none;
  sigfillset (&all);
  sigemptyset (&none);
  sigaction (SIGCHLD, &action, NULL);
  sigprocmask (SIG_SETMASK, &all, NULL);
  caught = 0;
  child = fork ();
  if (child == 0)
    _exit (0);
  sigsuspend (&none);
  printf ("zsh_cv_sys_sigsuspend=%s\n", caught > 0 ? "yes" : "no");
  return 0;
}
