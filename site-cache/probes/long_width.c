/* How wide are long and the types that some configure scripts measure with a program that they run: is long 64 bits, is the type of
   resource limits wider than long, and what are the sizes of ssize_t and ptrdiff_t?

   Asked by zsh, which has only 32-bit arithmetic where it finds no 64-bit type, and by PHP up to 8.3, whose default is 8 everywhere.  */

#define _FILE_OFFSET_BITS 64
#include <stddef.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>

int
main (void)
{
  printf ("zsh_cv_long_is_64_bit=%s\n", sizeof (long) >= 8 ? "yes" : "no");
  printf ("zsh_cv_rlim_t_is_longer=%s\n", sizeof (rlim_t) > sizeof (long) ? "yes" : "no");
  printf ("php_cv_sizeof_ssize_t=%zu\n", sizeof (ssize_t));
  printf ("php_cv_sizeof_ptrdiff_t=%zu\n", sizeof (ptrdiff_t));
  return 0;
}
