/* Does strerror_r return a number, as POSIX has it, when _GNU_SOURCE is defined?  glibc's gives the text then.

   Asked by apr (APR_CHECK_STRERROR_R_RC), which defines _GNU_SOURCE on Linux: it takes what is less than 1 for a number.  */

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>

int
main (void)
{
  char text[256];
  /* Holds a pointer as well as a number, and no pointer is that small.  */
  unsigned long returned = (unsigned long) strerror_r (ERANGE, text, sizeof text);
  printf ("ac_cv_strerror_r_rc_int=%s\n", returned < 1 ? "yes" : "no");
  return 0;
}
