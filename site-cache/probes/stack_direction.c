/* Does the stack grow to higher addresses (1) or to lower ones (-1)?

   Asked by autoconf's AC_FUNC_ALLOCA where there is no alloca, and by gnulib's alloca.m4.  */

#include <stdio.h>

static int
deeper (volatile char *above, int depth)
{
  volatile char here = 0;
  volatile char *place = &here;
  return depth > 0 ? deeper (above, depth - 1) + *place : place > above ? 1 : -1;
}

int
main (void)
{
  volatile char here = 0;
  int (*volatile function) (volatile char *, int) = deeper;
  printf ("ac_cv_c_stack_direction=%d\n", function (&here, 20));
  return 0;
}
