/* How do multibyte and wide characters behave in the C locale: are bytes above 127 characters, is nothing an incomplete
   character, is a null wide character one byte?

   Asked by gnulib's btowc.m4, c32rtomb.m4, iswpunct.m4, mbrlen.m4, mbrtoc16.m4, mbrtoc32.m4, mbrtowc.m4, vasnprintf.m4, wcrtomb.m4,
   wctrans.m4, wctype.m4 and wctype_h.m4; where the answer is no, the function is replaced.  */

#define _GNU_SOURCE 1
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <uchar.h>
#include <wchar.h>
#include <wctype.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
converts_every_byte (int to)
{
  for (int i = CHAR_MIN; i <= CHAR_MAX; i++)
    {
      char c = i;
      wchar_t wide;
      char16_t c16;
      char32_t c32;
      mbstate_t state = { 0 };
      size_t length = to == 16 ? mbrtoc16 (&c16, &c, 1, &state) : to == 32 ? mbrtoc32 (&c32, &c, 1, &state)
        : mbrtowc (&wide, &c, 1, &state);
      if (length > 1)
        return 0;
    }
  return 1;
}

static int
btowc_is_mbrtowc (void)
{
  char high = (char) 0x80;
  wchar_t wide;
  mbstate_t state = { 0 };
  return mbrtowc (&wide, &high, 1, &state) == 1 && btowc (0x80) == (wint_t) wide;
}

int
main (void)
{
  static mbstate_t state;
  static wchar_t wide, buffer[12];
  static char16_t c16;
  static char32_t c32;
  char bytes[64];
  const size_t incomplete = (size_t) -2;

  say ("gl_cv_func_btowc_nul", btowc ('\0') == 0);
  say ("gl_cv_func_btowc_consistent", btowc_is_mbrtowc ());
  say ("gl_cv_func_mbrlen_empty_input", mbrlen ("", 0, &state) == incomplete);
  say ("gl_cv_func_mbrtowc_empty_input", mbrtowc (&wide, "", 0, &state) == incomplete);
  say ("gl_cv_func_mbrtoc16_empty_input", mbrtoc16 (&c16, "", 0, &state) == incomplete);
  say ("gl_cv_func_mbrtoc32_empty_input", mbrtoc32 (&c32, "", 0, &state) == incomplete);
  say ("gl_cv_func_mbrtowc_C_locale_sans_EILSEQ", converts_every_byte (0));
  say ("gl_cv_func_mbrtoc16_C_locale_sans_EILSEQ", converts_every_byte (16));
  say ("gl_cv_func_mbrtoc32_C_locale_sans_EILSEQ", converts_every_byte (32));
  say ("gl_cv_func_c32rtomb_retval", c32rtomb (NULL, 0, NULL) == 1);

  mbstate_t fresh = { 0 };
  say ("gl_cv_func_wcrtomb_works", wcrtomb (bytes, L'a', &fresh) == 1 && bytes[0] == 'a');
  say ("gl_cv_func_swprintf_C_locale_sans_EILSEQ", swprintf (buffer, 12, L"%c", '\377') >= 0);
  say ("gl_cv_func_iswcntrl_works", iswprint ('x') != 0);
  int quote = !iswpunct ('`') == !ispunct ('`');
  say ("gl_cv_func_iswpunct_works", quote);
  say ("gl_cv_func_wctrans_works", wctrans ("tolower") != 0);
  wctype_t blank = wctype ("blank");
  say ("gl_cv_func_wctype_works",
       blank != 0 && !iswctype ('\t', blank) == !iswblank ('\t') && !iswctype ('`', wctype ("punct")) == !ispunct ('`'));
  return 0;
}
