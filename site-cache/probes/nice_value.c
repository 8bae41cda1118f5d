/* Does nice return the new priority, or only that it succeeded?

   Asked by CPython, whose os.nice asks for the priority again where it does not.  */

#include <stdio.h>
#include <unistd.h>

int
main (void)
{
  int first = nice (1);
  int second = nice (2);
  printf ("ac_cv_broken_nice=%s\n", first != -1 && first == second ? "yes" : "no");
  return 0;
}
