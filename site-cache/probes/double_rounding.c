/* Are results in double rounded twice, first to the 64 bits of the x87's (or 68881's) registers, then to the 53 of a double?

   Asked by CPython, which sets the precision of the x87 before it turns numbers to text where the answer is yes.  A compiler that
   is told to calculate with SSE (-mfpmath=sse) makes it no.  */

#include <stdio.h>

int
main (void)
{
  /* One quotient and one sum whose exact values lie so close to the middle of two doubles that the first rounding hits it.  */
  volatile double divisor = 0x1.fffffffffffffp-1;
  volatile double quotient = 1.0 / divisor;
  volatile double large = 1e16, small = 2.99999;
  volatile double sum = large + small;
  printf ("ac_cv_x87_double_rounding=%s\n", quotient == 1.0 && sum == 10000000000000004.0 ? "yes" : "no");
  return 0;
}
