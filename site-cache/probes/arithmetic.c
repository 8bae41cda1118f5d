/* How the machine and its compiler do small sums: does a right shift keep the sign, is a negative char cast to an unsigned one no
   longer negative, what is the angle of two infinities, and does the compiler jump to computed labels?

   Asked by CPython, zsh and Ruby.  CPython's interpreter is faster by a fifth with computed labels, and goes without them when
   configure cannot run a program.  */

#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>

static int
jumps (int over)
{
  static void *const places[] = { &&there, &&elsewhere };
  goto *places[over];
there:
  return 1;
elsewhere:
  return 2;
}

int
main (void)
{
  volatile int below = -1, zero = 0;
  volatile char letter = (char) -1;
  volatile double infinite = INFINITY;
  printf ("ac_cv_rshift_extends_sign=%s\n", below >> 3 == -1 ? "yes" : "no");
  printf ("zsh_cv_c_broken_signed_to_unsigned_casting=%s\n", (int) (unsigned char) letter == 255 ? "no" : "yes");
  printf ("rb_cv_atan2_inf_c99=%s\n", fabs (atan2 (infinite, infinite) - M_PI_4) < 0.01 ? "yes" : "no");
  printf ("ac_cv_computed_gotos=%s\n", jumps (zero) == 1 && jumps (zero + 1) == 2 ? "yes" : "no");
  return 0;
}
