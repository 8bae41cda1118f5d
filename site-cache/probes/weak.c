/* Is a function of the C library found when it is declared weak?

   Asked by gnulib's threadlib.m4, which uses threads when they are linked in; the answer is no for a program that is linked
   statically.  */

#include <stdio.h>

#pragma weak fputs

int
main (void)
{
  int (*volatile function) (const char *restrict, FILE *restrict) = fputs;
  printf ("gl_cv_have_weak=%s\n", function ? "yes" : "no");
  return 0;
}
