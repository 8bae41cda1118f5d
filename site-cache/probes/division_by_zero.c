/* Does an integer division by zero raise SIGFPE?

   Asked by gettext (gt_INT_DIVBYZERO_SIGFPE).  Where it does, msgfmt's plural expressions are left to the signal; where it does not,
   each division looks at its divisor first.  The divisor is not known when this is compiled.  */

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static void
raised (int signal)
{
  static const char yes[] = "gt_cv_int_divbyzero_sigfpe=yes\n";
  (void) signal;
  _exit (write (STDOUT_FILENO, yes, sizeof yes - 1) != sizeof yes - 1);
}

int
main (int argc, char **argv)
{
  volatile int one = argc, zero = argv == NULL, quotient;
  signal (SIGFPE, raised);
  quotient = one / zero;
  (void) quotient;
  puts ("gt_cv_int_divbyzero_sigfpe=no");
  return 0;
}
