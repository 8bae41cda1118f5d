/* Which conversions does printf know: hexadecimal floating point, long long, size_t, and arguments by their number?

   Asked by bash (BASH_FUNC_PRINTF_A_FORMAT), zsh, CPython up to 3.11 and krb5, which write such numbers in other ways, or refuse
   to be built, where the answer is no.  */

#include <stdio.h>
#include <string.h>
#include <sys/types.h>

int
main (void)
{
  char text[256];

  snprintf (text, sizeof text, "%A", 0.0);
  printf ("bash_cv_printf_a_format=%s\n", strchr (text, 'P') ? "yes" : "no");

  snprintf (text, sizeof text, "<%lld>", -8070450532247928833LL);
  printf ("zsh_cv_printf_has_lld=%s\n", strcmp (text, "<-8070450532247928833>") == 0 ? "yes" : "no");

  snprintf (text, sizeof text, "%zd %zd", (ssize_t) 321, (ssize_t) -321);
  printf ("ac_cv_have_size_t_format=%s\n", strcmp (text, "321 -321") == 0 ? "yes" : "no");

  snprintf (text, sizeof text, "%2$x,%1$d", 16, 255);
  printf ("ac_cv_printf_positional=%s\n", strcmp (text, "ff,16") == 0 ? "yes" : "no");
  return 0;
}
