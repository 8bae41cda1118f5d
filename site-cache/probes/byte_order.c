/* Does the first byte of a number hold its highest digits?

   Asked by PHP up to 8.3 with a program that it runs: it takes the little end when it cannot.  (Autoconf's own AC_C_BIGENDIAN reads the
   answer out of an object file.)  */

#include <stdio.h>
#include <string.h>

int
main (void)
{
  short one = 1;
  char bytes[sizeof one];
  memcpy (bytes, &one, sizeof one);
  printf ("ac_cv_c_bigendian_php=%s\n", bytes[0] == 0 ? "yes" : "no");
  return 0;
}
