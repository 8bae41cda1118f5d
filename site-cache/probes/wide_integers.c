/* Which type has 64 bits, how large is intmax_t, and is a pointer no shorter than long?

   Asked by zsh, PHP up to 8.3 and the Apache HTTP server, each with a program that it runs.  */

#include <stdint.h>
#include <stdio.h>

int
main (void)
{
  int wide = sizeof (long long) == 8;
  printf ("zsh_cv_64_bit_type=%s\n", wide ? "long long" : "no");
  printf ("zsh_cv_64_bit_utype=%s\n", wide && sizeof (unsigned long long) == 8 ? "unsigned long long" : "no");
  printf ("php_cv_sizeof_intmax_t=%zu\n", sizeof (intmax_t));
  printf ("ap_cv_void_ptr_lt_long=%s\n", sizeof (void *) < sizeof (long) ? "yes" : "no");
  return 0;
}
