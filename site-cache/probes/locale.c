/* Is there a working C locale, are locales told apart, does uselocale work before setlocale, and is there an expression for yes?

   Asked by gnulib's setlocale.m4, intl-thread-locale.m4, langinfo_h.m4 and localeconv.m4; where the answer is wrong, the functions
   are replaced or not used.  */

#define _GNU_SOURCE 1
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>

static void
say (const char *variable, int yes)
{
  printf ("%s=%s\n", variable, yes ? "yes" : "no");
}

int
main (void)
{
  uselocale (NULL);
  say ("gl_cv_func_setlocale_works", setlocale (LC_ALL, "C") != NULL);
  say ("gl_cv_func_nl_langinfo_yesexpr_works", *nl_langinfo (YESEXPR) != '\0');
  const struct lconv *conventions = localeconv ();
  int digits = conventions->frac_digits;
  say ("gl_cv_func_localeconv_works", digits == CHAR_MAX || digits >= 0);
  setlocale (LC_ALL, "en_US.UTF-8");
  say ("gt_cv_func_uselocale_works", 1);

  int fake = 0;
  if (setlocale (LC_ALL, "de_DE.UTF-8") && setlocale (LC_ALL, "fr_FR.UTF-8"))
    fake = newlocale (LC_ALL_MASK, "de_DE.UTF-8", NULL) == newlocale (LC_ALL_MASK, "fr_FR.UTF-8", NULL);
  say ("gt_cv_locale_fake", fake);
  return 0;
}
