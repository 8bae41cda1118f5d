/* Does nanosleep sleep?

   Asked by ncurses (CF_FUNC_NANOSLEEP), which waits with select otherwise.  */

#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>

int
main (void)
{
  struct timespec pause = { .tv_nsec = 50000000 }, left = { 0 };
  printf ("cf_cv_func_nanosleep=%s\n", nanosleep (&pause, &left) == 0 ? "yes" : "no");
  return 0;
}
