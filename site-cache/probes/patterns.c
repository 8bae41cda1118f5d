/* Do regular expressions and fnmatch find what they should?

   Asked by krb5, OpenLDAP and sudo.  krb5 takes another regular expression library, and sudo its own fnmatch, where the answer is no.  */

#define _GNU_SOURCE
#include <fnmatch.h>
#include <regex.h>
#include <stdio.h>

static int
matches (const char *pattern, const char *text)
{
  regex_t compiled;
  regmatch_t place;
  if (regcomp (&compiled, pattern, 0) != 0)
    return 0;
  int found = regexec (&compiled, text, 1, &place, 0) == 0;
  regfree (&compiled);
  return found;
}

int
main (void)
{
  printf ("ac_cv_func_regcomp=%s\n", matches ("lett.*", "letters") ? "yes" : "no");
  printf ("ol_cv_c_posix_regex=%s\n", matches ("^L", "LETTERS") && !matches ("^L", "A LETTER") ? "yes" : "no");
  int folds = fnmatch ("/*/bin/ECHO *", "/usr/bin/echo some letters", FNM_CASEFOLD) == 0;
  printf ("sudo_cv_func_fnmatch=%s\n", folds ? "yes" : "no");
  return 0;
}
