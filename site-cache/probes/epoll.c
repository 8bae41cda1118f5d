/* Is there epoll, and does epoll_wait wait as long as it is told to?

   Asked by apr and Squid, which take poll where there is none.  apr 1.7.5 asks after the time as well.  */

#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

int
main (void)
{
  struct epoll_event event;
  int sized = epoll_create (8);
  int plain = epoll_create1 (0);
  int waits = plain >= 0;
  for (int i = 0; waits && i < 3; i++)
    {
      struct timespec before, after;
      clock_gettime (CLOCK_MONOTONIC, &before);
      waits = epoll_wait (plain, &event, 1, 50) == 0;
      clock_gettime (CLOCK_MONOTONIC, &after);
      long long passed = (after.tv_sec - before.tv_sec) * 1000000000LL + (after.tv_nsec - before.tv_nsec);
      waits = waits && passed >= 50000000;
    }
  printf ("apr_cv_epoll=%s\n", sized >= 0 ? "yes" : "no");
  printf ("squid_cv_epoll_works=%s\n", sized >= 0 ? "yes" : "no");
  printf ("apr_cv_epoll_create1=%s\n", plain >= 0 ? "yes" : "no");
  printf ("apr_cv_epoll_wait_has_reliable_timeout=%s\n", waits ? "yes" : "no");
  return 0;
}
