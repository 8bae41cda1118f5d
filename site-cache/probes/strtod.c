/* Do strtof, strtod and strtold read what C99 says: signs, hexadecimal numbers, infinities, NaN with and without a remark; and do
   they set errno for what is too small?

   Asked by autoconf's AC_FUNC_STRTOD and by gnulib's strtod.m4, strtof.m4 and strtold.m4.  Where the answer is no, the function is
   replaced; the macros tell two kinds of underflow from other faults.  */

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The three functions, seen through the widest type.  */
typedef long double reader (const char *, char **);

static long double
read_float (const char *text, char **end)
{
  return strtof (text, end);
}

static long double
read_double (const char *text, char **end)
{
  return strtod (text, end);
}

static long double
read_long_double (const char *text, char **end)
{
  return strtold (text, end);
}

/* Whether TEXT is read up to LENGTH, and the value put into VALUE.  */
static int
reads (reader *read, const char *text, int length, long double *value)
{
  char *end;
  errno = 0;
  *value = read (text, &end);
  return end == text + length;
}

static const char *
judge (reader *read, const char *subnormal, long double smallest, const char *huge)
{
  long double x;
  int right = reads (read, " +69", 4, &x) && x == 69;
  right &= reads (read, "NaN", 3, &x);
  right &= reads (read, "-0x", 2, &x) && x == 0 && signbit (x);
  right &= reads (read, "0XaP+1", 6, &x) && x == 20;
  right &= reads (read, "inf", 3, &x) && isinf (x) && x > 0 && errno == 0;
  if (huge)
    right &= reads (read, huge, strlen (huge), &x) && isinf (x) && errno == ERANGE;
  right &= reads (read, "nan()", 5, &x) && isnan (x);
  right &= reads (read, "nan(", 3, &x) && isnan (x);
  int gradual = reads (read, subnormal, strlen (subnormal), &x) && !(x > 0 && x <= smallest && errno != ERANGE);
  int to_zero = reads (read, "1E-100000", 9, &x) && !(x == 0 && errno != ERANGE);
  return !to_zero ? "no (underflow problem)" : !gradual ? "no (gradual underflow problem)" : right ? "yes" : "no";
}

static const char *
signs_nan (reader *read)
{
  long double x;
  return reads (read, "-nan", 4, &x) && signbit (x) ? "yes" : "no";
}

int
main (void)
{
  long double x;
  int old = reads (read_double, " +69", 4, &x) && x == 69 && reads (read_double, "NaN", 3, &x);
  printf ("ac_cv_func_strtod=%s\n", old ? "yes" : "no");
  printf ("gl_cv_func_strtod_works=%s\n", judge (read_double, "1e-320", DBL_MIN, NULL));
  printf ("gl_cv_func_strtof_works=%s\n", judge (read_float, "1e-40", FLT_MIN, "1e50"));
  printf ("gl_cv_func_strtold_works=%s\n", judge (read_long_double, LDBL_MAX_EXP > 10000 ? "1e-4950" : "1e-320", LDBL_MIN, NULL));
  printf ("gl_cv_func_strtod_nan_works=%s\n", signs_nan (read_double));
  /* Before it is made a wider one, in which not every machine keeps the sign.  */
  printf ("gl_cv_func_strtof_nan_works=%s\n", signbit (strtof ("-nan", NULL)) ? "yes" : "no");
  printf ("gl_cv_func_strtold_nan_works=%s\n", signs_nan (read_long_double));
  return 0;
}
