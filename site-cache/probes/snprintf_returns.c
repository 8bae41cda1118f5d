/* Do snprintf and vsnprintf return the length that the whole text has, also without a buffer, and end what they cut off?

   Asked by bash (BASH_FUNC_SNPRINTF, BASH_FUNC_VSNPRINTF), rsync, Git and sudo, which bring their own where the answer is no.
   C99 asks it of both; older systems returned -1.  */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int
format (char *text, size_t size, const char *form, ...)
{
  va_list arguments;
  va_start (arguments, form);
  int length = vsnprintf (text, size, form, arguments);
  va_end (arguments);
  return length;
}

int
main (void)
{
  char text[8];
  /* The compiler is not to count for itself.  */
  const char *volatile letters = "abcdefg";
  volatile size_t size = 3;
  volatile int number = 1234567;

  int counts = snprintf (NULL, 0, "%s", letters) == 7;
  int cuts = snprintf (text, size, "%s", letters) == 7 && strcmp (text, "ab") == 0;
  cuts = cuts && snprintf (text, size, "%d", number) == 7 && strcmp (text, "12") == 0;
  int vcounts = format (NULL, 0, "%s", letters) == 7;
  int vcuts = format (text, size, "%s", letters) == 7 && strcmp (text, "ab") == 0;
  vcuts = vcuts && format (text, size, "%d", number) == 7 && strcmp (text, "12") == 0;

  printf ("bash_cv_func_snprintf=%s\n", counts ? "yes" : "no");
  printf ("bash_cv_func_vsnprintf=%s\n", vcounts ? "yes" : "no");
  printf ("rsync_cv_HAVE_C99_VSNPRINTF=%s\n", vcounts && cuts ? "yes" : "no");
  printf ("ac_cv_snprintf_returns_bogus=%s\n", cuts && vcuts ? "no" : "yes");
  printf ("ac_cv_have_working_snprintf=%s\n", cuts ? "yes" : "no");
  printf ("ac_cv_have_working_vsnprintf=%s\n", vcuts ? "yes" : "no");
  return 0;
}
