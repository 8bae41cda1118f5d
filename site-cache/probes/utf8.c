/* Does mbrtoc32 take a character byte by byte in a UTF-8 locale, and does wcwidth give a width there that terminals agree with?

   Asked by gnulib's mbrtoc32.m4 and wcwidth.m4 in the locale en_US.UTF-8, which say yes where it is not installed; here C.UTF-8 is
   asked, too.  Where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <locale.h>
#include <stdio.h>
#include <uchar.h>
#include <wchar.h>

int
main (void)
{
  int installed = setlocale (LC_ALL, "en_US.UTF-8") || setlocale (LC_ALL, "C.UTF-8");
  mbstate_t state = { 0 };
  char32_t c = 0;
  const size_t incomplete = (size_t) -2;
  int bytewise = mbrtoc32 (&c, "\360", 1, &state) == incomplete && mbrtoc32 (&c, "\237", 1, &state) == incomplete
    && mbrtoc32 (&c, "\220", 1, &state) == incomplete && mbrtoc32 (&c, "\203", 1, &state) == 1 && c == 0x1F403;
  printf ("gl_cv_func_mbrtoc32_utf8_locale_works=%s\n", !installed || bytewise ? "yes" : "no");
  int widths = wcwidth (0x0301) <= 0 && wcwidth (0x05B0) <= 0 && wcwidth (0x200B) <= 0 && wcwidth (0xFF1A) != 0 && wcwidth (0x2202) <= 1;
  printf ("gl_cv_func_wcwidth_works=%s\n", !installed || widths ? "yes" : "no");
  return 0;
}
