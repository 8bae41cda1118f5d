/* Are the limits in <stdint.h> right, and may the preprocessor use them?

   Asked by gnulib's stdint.m4, which brings its own header where the answer is no, and by autoconf 2.69's AC_HEADER_STDC (letters and
   their case in the C locale).  */

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

_Static_assert (PTRDIFF_MAX == (ptrdiff_t) (SIZE_MAX / 2) && (size_t) -1 == SIZE_MAX, "the sizes have the limits of their types");
_Static_assert ((uint8_t) -1 == UINT8_MAX && (uint16_t) -1 == UINT16_MAX && (uint32_t) -1 == UINT32_MAX && (uint64_t) -1 == UINT64_MAX,
                "so have the numbers of a given width");
_Static_assert ((uint_fast16_t) -1 == UINT_FAST16_MAX && (uintptr_t) -1 == UINTPTR_MAX && (uintmax_t) -1 == UINTMAX_MAX,
                "and the others");

#define TEXT1(macro) #macro
#define TEXT(macro) TEXT1 (macro)

/* A cast is nothing that the preprocessor understands.  */
static int
is_cast (const char *text)
{
  return strstr (text, "(unsigned") || strstr (text, "(int)") || strstr (text, "(signed");
}

int
main (void)
{
  const char *const limits[] =
    {
      TEXT (INT8_MAX), TEXT (INT16_MAX), TEXT (INT32_MAX), TEXT (INT64_MAX), TEXT (UINT8_MAX), TEXT (UINT16_MAX), TEXT (UINT32_MAX),
      TEXT (UINT64_MAX)
    };
  int casts = 0, letters = 1;
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    casts |= is_cast (limits[i]);
  printf ("gl_cv_header_working_stdint_h=%s\n", casts ? "no" : "yes");
  for (int c = 0; c < 256; c++)
    {
      int lower = c >= 'a' && c <= 'z';
      letters &= !islower (c) == !lower && toupper (c) == (lower ? c - 'a' + 'A' : c);
    }
  printf ("ac_cv_header_stdc=%s\n", letters ? "yes" : "no");
  return 0;
}
