/* Does timer_create make a timer of the monotonic clock that calls a function in a thread of its own?

   Asked by Vim, which limits the time of a search with it.  */

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <time.h>

static void
run_out (union sigval value)
{
  (void) value;
}

int
main (void)
{
  struct sigevent event = { .sigev_notify = SIGEV_THREAD };
  timer_t timer;
  event.sigev_notify_function = run_out;
  int made = timer_create (CLOCK_MONOTONIC, &event, &timer) == 0;
  printf ("vim_cv_timer_create=%s\n", made ? "yes" : "no");
  printf ("vim_cv_timer_create_works=%s\n", made ? "yes" : "no");
  return 0;
}
