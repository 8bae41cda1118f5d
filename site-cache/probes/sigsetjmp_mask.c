/* Does siglongjmp bring back the signal mask that sigsetjmp saved?

   Asked by bash and readline (BASH_FUNC_POSIX_SETJMP), which leave signal masks to plain setjmp where it is missing.  */

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static sigjmp_buf place;

int
main (void)
{
  sigset_t interrupt, now;
  sigemptyset (&interrupt);
  sigaddset (&interrupt, SIGINT);
  sigprocmask (SIG_UNBLOCK, &interrupt, NULL);

  if (sigsetjmp (place, 1) == 0)
    {
      sigprocmask (SIG_BLOCK, &interrupt, NULL);
      siglongjmp (place, 1);
    }
  sigprocmask (SIG_BLOCK, NULL, &now);
  printf ("bash_cv_func_sigsetjmp=%s\n", sigismember (&now, SIGINT) ? "missing" : "present");
  return 0;
}
