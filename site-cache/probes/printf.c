/* Does printf write what C99 and POSIX say: sizes, long double, infinities, %a, %F, %lc, %ls, positions, flags and large precisions?

   Asked by gnulib's printf.m4, a variable for each property, and by gettext's printf-posix.m4 (positions); where one is missing,
   the printf functions are replaced.  %n is not asked here: with _FORTIFY_SOURCE the answer is the compiler's flags.  */

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static char text[10000];

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

/* Writes by FORMAT and an argument list that has more than FORMAT asks for.  */
static int
write_text (const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  text[0] = '\0';
  int length = vsprintf (text, format, arguments);
  va_end (arguments);
  return length;
}

static int
writes (const char *expected, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  text[0] = '\0';
  int length = vsprintf (text, format, arguments);
  va_end (arguments);
  return length >= 0 && strcmp (text, expected) == 0;
}

/* Whether the text is one of the four ways to write a hexadecimal number.  */
static int
is_one_of (const char *a, const char *b, const char *c, const char *d)
{
  return strcmp (text, a) == 0 || strcmp (text, b) == 0 || strcmp (text, c) == 0 || strcmp (text, d) == 0;
}

static int
is_nan (void)
{
  const char *rest = text + (*text == '-');
  return strncmp (rest, "nan", 3) == 0 && (rest[3] == '\0' || (rest[3] == '(' && rest[strlen (rest) - 1] == ')'));
}

static int
is_infinity (const char *sign)
{
  size_t length = strlen (sign);
  return strncmp (text, sign, length) == 0 && (strcmp (text + length, "inf") == 0 || strcmp (text + length, "infinity") == 0);
}

static int
infinite_works (void)
{
  volatile double zero = 0;
  int works = writes ("-0", "%g", -zero);
  for (const char *const *format = (const char *const[]) { "%f", "%e", "%g", NULL }; *format; format++)
    {
      works &= write_text (*format, 1 / zero) >= 0 && is_infinity ("");
      works &= write_text (*format, -1 / zero) >= 0 && is_infinity ("-");
      works &= write_text (*format, zero / zero) >= 0 && is_nan ();
    }
  return works;
}

static int
infinite_long_double_works (void)
{
  volatile long double zero = 0;
  int works = 1;
  for (const char *const *format = (const char *const[]) { "%Lf", "%Le", "%Lg", NULL }; *format; format++)
    {
      works &= write_text (*format, 1 / zero) >= 0 && is_infinity ("");
      works &= write_text (*format, -1 / zero) >= 0 && is_infinity ("-");
      works &= write_text (*format, zero / zero) >= 0 && is_nan ();
    }
  return works;
}

static int
hexadecimal_works (void)
{
  volatile double zero = 0;
  int works = write_text ("%a %d", 3.1416015625, 33, 44) >= 0;
  works &= is_one_of ("0x1.922p+1 33", "0x3.244p+0 33", "0x6.488p-1 33", "0xc.91p-2 33");
  works &= write_text ("%A %d", -3.1416015625, 33, 44) >= 0;
  works &= is_one_of ("-0X1.922P+1 33", "-0X3.244P+0 33", "-0X6.488P-1 33", "-0XC.91P-2 33");
  works &= write_text ("%.2a %d", 1.51, 33, 44) >= 0;
  works &= is_one_of ("0x1.83p+0 33", "0x3.05p-1 33", "0x6.0ap-2 33", "0xc.14p-3 33");
  works &= write_text ("%.0a %d", 1.51, 33, 44) >= 0;
  works &= is_one_of ("0x2p+0 33", "0x3p-1 33", "0x6p-2 33", "0xcp-3 33");
  works &= write_text ("%010a %d", 1 / zero, 33) >= 0 && text[0] != '0';
  works &= write_text ("%.1a", 1.999) >= 0;
  works &= is_one_of ("0x1.0p+1", "0x2.0p+0", "0x4.0p-1", "0x8.0p-2");
  works &= write_text ("%.1La", 1.999L) >= 0;
  return works & is_one_of ("0x1.0p+1", "0x2.0p+0", "0x4.0p-1", "0x8.0p-2");
}

static int
big_f_works (void)
{
  volatile double zero = 0;
  int works = writes ("1234567.000000 33", "%F %d", 1234567.0, 33, 44) & writes ("1234", "%.F", 1234.0);
  return works & (writes ("INF", "%F", 1 / zero) || strcmp (text, "INFINITY") == 0);
}

static int
ls_works (void)
{
  static const wchar_t three[] = { 'a', 'b', 'c', 0 }, one[] = { 'a', 0 }, bad[] = { 'a', 'b', (wchar_t) 0xfdfdfdfd, 0 };
  return writes ("abc", "%ls", three) & writes ("a", "%ls", one) & writes ("ab", "%.2ls", bad);
}

static int
large_precision_works (void)
{
  int works = write_text ("%.4000d %d", 1, 33, 44) >= 4003;
  works &= write_text ("%.4000f %d", 1.0, 33, 44) >= 4005;
  works &= write_text ("%.511f %d", 1.0, 33, 44) >= 516 && text[0] == '1';
  works &= write_text ("%.999f %d", 1.0, 33, 44) >= 1004 && text[0] == '1';
  return works & (write_text ("%.5119Lf", 1.0L) == 5121 && strncmp (text, "1.", 2) == 0 && strcmp (text + 5117, "0000") == 0);
}

static int
size_works (void)
{
  return writes ("12345671 33", "%ju %d", (uintmax_t) 12345671, 33, 44) & writes ("12345672 33", "%zu %d", (size_t) 12345672, 33, 44)
    & writes ("12345673 33", "%tu %d", (ptrdiff_t) 12345673, 33, 44) & writes ("1.5 33", "%Lg %d", 1.5L, 33, 44);
}

int
main (void)
{
  volatile double zero = 0;
  int positions = writes ("55 33", "%2$d %1$d", 33, 55);
  say ("gl_cv_func_printf_sizes_c99", size_works ());
  say ("gl_cv_func_printf_long_double",
       writes ("1.750000 33", "%Lf %d", 1.75L, 33, 44) & writes ("1.750000e+00 33", "%Le %d", 1.75L, 33, 44)
       & writes ("1.75 33", "%Lg %d", 1.75L, 33, 44));
  say ("gl_cv_func_printf_infinite", infinite_works ());
  say ("gl_cv_func_printf_infinite_long_double", infinite_long_double_works ());
  say ("gl_cv_func_printf_directive_a", hexadecimal_works ());
  say ("gl_cv_func_printf_directive_b", writes ("11000000111001 33", "%b %d", 12345, 33, 44));
  say ("gl_cv_func_printf_directive_uppercase_b", writes ("0B11000000111001 33", "%#B %d", 12345, 33, 44));
  say ("gl_cv_func_printf_directive_f", big_f_works ());
  say ("gl_cv_func_printf_directive_ls", ls_works ());
  say ("gl_cv_func_printf_directive_lc",
       write_text ("%lc%lc%lc", (wint_t) 'a', (wint_t) 0, (wint_t) 'z') == 3 && memcmp (text, "a\0z", 4) == 0);
  say ("gl_cv_func_printf_positions", positions);
  say ("gt_cv_func_printf_posix", positions);
  say ("gl_cv_func_printf_flag_grouping", write_text ("%'d %d", 1234567, 99) >= 0 && text[strlen (text) - 1] == '9');
  say ("gl_cv_func_printf_flag_leftadjust", writes ("ab  c", "a%-*sc", -3, "b"));
  say ("gl_cv_func_printf_flag_zero", writes ("       inf", "%010f", 1 / zero) || strcmp (text, "  infinity") == 0);
  say ("gl_cv_func_printf_flag_alt_precision_zero", write_text ("%#.0x %d", 0, 33, 44) <= 3);
  say ("gl_cv_func_printf_precision", large_precision_works ());
  return 0;
}
