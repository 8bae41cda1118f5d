/* Do snprintf and vsnprintf cut the text at the size, write nothing at size 0 or 1, and say how long it would have been?

   Asked by gnulib's printf.m4; where the answer is no, the functions are replaced.  */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
write_text (char *to, size_t size, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  int length = vsnprintf (to, size, format, arguments);
  va_end (arguments);
  return length;
}

int
main (void)
{
  int (*volatile print) (char *, size_t, const char *, ...) = snprintf;
  char text[20] = "ABCDEF";
  print (text, 3, "%d %d", 4567, 89);
  say ("gl_cv_func_snprintf_truncation_c99", memcmp (text, "45\0DEF", 6) == 0);
  say ("gl_cv_func_snprintf_retval_c99",
       print (text, 3, "%d %d", 4567, 89) == 7 && print (text, 0, "%d %d", 4567, 89) == 7 && print (NULL, 0, "%d %d", 4567, 89) == 7);
  strcpy (text, "ABCDEF");
  print (text, 1, "%d", 12345);
  say ("gl_cv_func_snprintf_size1", text[1] == 'B');
  strcpy (text, "ABCDEF");
  write_text (text, 0, "%d", 12345);
  say ("gl_cv_func_vsnprintf_zerosize_c99", text[0] == 'A');
  return 0;
}
