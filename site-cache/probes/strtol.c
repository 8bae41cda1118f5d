/* Do strtol and its kin stop after the 0 of a lone 0x, in any base?  And does strtoimax read what is wider than an int?

   Asked by gnulib's strtol.m4, strtoll.m4, strtoul.m4, strtoull.m4 and strtoimax.m4; where the answer is no, the function is
   replaced.  The macros of today ask for the binary numbers of C23, too, which the GNU C library reads since 2.38: there, so do
   we.  musl does not read them.  */

#define _GNU_SOURCE 1
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#if defined __GLIBC__ && !(__GLIBC__ == 2 && __GLIBC_MINOR__ < 38)
enum { C23 = 1 };
#else
enum { C23 = 0 };
#endif

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

/* Whether FUNCTION stops after N characters of TEXT.  */
#define STOPS(function, text, base, n) ((void) function (text, &end, base), end == text + n)
#define ALL(function) \
  (STOPS (function, hexadecimal, 0, 1) && STOPS (function, hexadecimal, 2, 1) && STOPS (function, hexadecimal, 10, 1) \
   && STOPS (function, hexadecimal, 16, 1) && STOPS (function, binary, 0, 1) && STOPS (function, binary, 2, 1) \
   && (!C23 || STOPS (function, one, 2, 3)))

int
main (void)
{
  static const char hexadecimal[] = "0x", binary[] = "0b", one[] = "0b1", wide[] = "4294967295";
  char *end;
  say ("gl_cv_func_strtol_works", ALL (strtol));
  say ("gl_cv_func_strtoll_works", ALL (strtoll));
  say ("gl_cv_func_strtoul_works", ALL (strtoul));
  say ("gl_cv_func_strtoull_works", ALL (strtoull));
  errno = 0;
  intmax_t value = strtoimax (wide, &end, 10);
  say ("gl_cv_func_strtoimax", value == INTMAX_C (4294967295) && errno == 0 && *end == '\0');
  return 0;
}
