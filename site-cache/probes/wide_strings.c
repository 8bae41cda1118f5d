/* Do wcsncmp and wmemcmp compare by the sign that wchar_t has, and texts of different length?

   Asked by gnulib's wcsncmp.m4 and wmemcmp.m4; where the answer is no, the function is replaced.  wcscmp is not asked: on ARM, the
   answer differs by the version of the GNU C library.  */

#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

/* Whether a difference is what it is to be between the smaller and a character of the upper half.  */
static int
is_below (int difference)
{
#if WCHAR_MIN < 0
  return difference > 0;
#else
  return difference < 0;
#endif
}

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  static wchar_t low[] = { (wchar_t) 0x76547654, 0 }, high[] = { (wchar_t) 0x9abc9abc, 0 };
  static wchar_t brief[] = { 'x', 0 }, longer[] = { 'x', (wchar_t) 0x9abc9abc, 0 };
  say ("gl_cv_func_wcsncmp_works", is_below (wcsncmp (low, high, 1)) && is_below (wcsncmp (brief, longer, 2)));
  say ("gl_cv_func_wmemcmp_works", is_below (wmemcmp (low, high, 1)));
  return 0;
}
