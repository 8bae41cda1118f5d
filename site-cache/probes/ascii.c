/* Are characters coded in EBCDIC?

   Asked by apr (APR_EBCDIC) and PHP.  */

#include <stdio.h>

int
main (void)
{
  volatile unsigned char letter = 'A';
  printf ("ac_cv_ebcdic=%s\n", letter == 0xc1 ? "yes" : "no");
  return 0;
}
