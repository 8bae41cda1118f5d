/* Is wchar_t a signed type?  On ARM it is not, by the ABI of each of its C libraries.

   Asked by CPython, which up to 3.12 could take an unsigned wchar_t for its own characters.  */

#include <stdio.h>
#include <wchar.h>

int
main (void)
{
  volatile wchar_t below = (wchar_t) -1;
  volatile wchar_t zero = 0;
  printf ("ac_cv_wchar_t_signed=%s\n", below < zero ? "yes" : "no");
  return 0;
}
