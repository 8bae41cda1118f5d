/* Do functions with the attributes constructor and destructor run before and after main?

   Asked by krb5, whose libraries set themselves up that way.  The destructor prints the answer.  */

#include <stdio.h>

static int constructed;

__attribute__ ((constructor)) static void
before (void)
{
  constructed = 1;
}

__attribute__ ((destructor)) static void
after (void)
{
  printf ("krb5_cv_attr_constructor_destructor=%s,yes\n", constructed ? "yes" : "no");
  fflush (stdout);
}

int
main (void)
{
  return 0;
}
