/* May sleep be asked for more than a month, and usleep for a whole second?

   Asked by gnulib's sleep.m4 and usleep.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

static void
wake (int number)
{
  (void) number;
}

int
main (void)
{
  struct itimerval soon = { { 0, 0 }, { 0, 100000 } };
  const unsigned fifty_days = 50 * 24 * 60 * 60;
  /* Without SA_RESTART: the sleep is to end.  */
  struct sigaction action = { .sa_handler = wake };
  sigaction (SIGALRM, &action, NULL);
  setitimer (ITIMER_REAL, &soon, NULL);
  unsigned rest = sleep (fifty_days);
  printf ("gl_cv_func_sleep_works=%s\n", rest <= fifty_days && rest > fifty_days - 10 ? "yes" : "no");
  printf ("gl_cv_func_usleep_works=%s\n", usleep (1000000) == 0 ? "yes" : "no");
  return 0;
}
