/* Is a letter behind a digit for strverscmp?

   Asked by gnulib's strverscmp.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <stdio.h>
#include <string.h>

int
main (void)
{
  int (*volatile compare) (const char *, const char *) = strverscmp;
  printf ("gl_cv_func_strverscmp_works=%s\n", compare ("UNKNOWN", "2.2.0") > 0 ? "yes" : "no");
  return 0;
}
