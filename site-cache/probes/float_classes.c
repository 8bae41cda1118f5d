/* Are infinities, NaN of any form, negative zeros and the exponents of small and large numbers known as such, in all three types?

   Asked by gnulib's float_h.m4, frexp.m4, frexpl.m4, isfinite.m4, isinf.m4, isnanf.m4, isnanl.m4, ldexpl.m4 and signbit.m4; where
   the answer is no, the function or macro is replaced.  */

#define _GNU_SOURCE 1
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS = (sizeof (long double) + sizeof (unsigned) - 1) / sizeof (unsigned) };
union number { unsigned word[WORDS]; long double value; };

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
frexp_works (void)
{
  volatile double x = 1, zero = 0;
  double (*volatile split) (double, int *) = frexp;
  int exponent, works = 1;
  for (int i = 1; i >= DBL_MIN_EXP; i--)
    x *= 0.5;
  if (x > 0)
    works &= split (x, &exponent) == 0.5;
  works &= isinf (split (1 / zero, &exponent)) != 0;
  double y = split (-zero, &exponent);
  return works & (y == 0 && signbit (y));
}

static int
frexpl_works (void)
{
  volatile long double x = 1.01L, zero = 0;
  long double (*volatile split) (long double, int *) = frexpl;
  int exponent, works = split (16, &exponent) == 0.5L && exponent == 5;
  works &= split (x, &exponent) == 0.505L && exponent == 1;
  x = 1;
  for (int i = 1; x != x + x; i++, x *= 2)
    {
      split (x, &exponent);
      works &= exponent == i;
    }
  x = 1;
  for (int i = 1; i >= LDBL_MIN_EXP; i--)
    x *= 0.5L;
  if (x > 0)
    {
      split (x, &exponent);
      works &= exponent == LDBL_MIN_EXP - 1;
    }
  return works & (isinf (split (1 / zero, &exponent)) != 0);
}

/* A NaN whose sign and whose lowest bits in each word are changed.  */
static union number
odd_nan (void)
{
  union number n = { { 0 } };
  volatile long double zero = 0;
  n.value = zero / zero;
  n.word[WORDS / 2] ^= 1u << (sizeof (unsigned) * CHAR_BIT - 1);
  for (int i = 0; i < WORDS; i++)
    n.word[i] |= 1;
  return n;
}

#if __LDBL_MANT_DIG__ == 64 && (defined __i386__ || defined __x86_64__)
/* Two more NaN, one that does not signal and one that does.  */
static const union number quiet = { { 0, 0xC3333333, 0xFFFF } }, signalling = { { 0, 0x83333333, 0xFFFF } };
#define EACH_NAN(test) (test (odd_nan ().value) && test (quiet.value) && test (signalling.value))
#else
#define EACH_NAN(test) (test (odd_nan ().value))
#endif
#define IS_NAN(x) (__builtin_isnan ((long double) (x)))
#define IS_NOT_INFINITE(x) (!isinf (x))
#define IS_NOT_FINITE(x) (!isfinite (x))

static volatile float f = 255, f0 = 0;
static volatile double d = 255, d0 = 0;
static volatile long double l = 255, l0 = 0;

#define BUILTIN_SIGN(x) \
  (sizeof (x) == sizeof (float) ? __builtin_signbitf (x) : sizeof (x) == sizeof (double) ? __builtin_signbit (x) \
   : __builtin_signbitl (x))
#define SIGNS(sign, x, zero) \
  (!sign (x) && sign (-x) && !sign (zero) && sign (-zero) && !sign (1 / zero) && sign (-1 / zero))

int
main (void)
{
  say ("gl_cv_func_frexp_works", frexp_works ());
  say ("gl_cv_func_frexpl_works", frexpl_works ());
  long double (*volatile scale) (long double, int) = ldexpl;
  volatile long double root = 1.73205L;
  say ("gl_cv_func_ldexpl_works", scale (1, -1) == 0.5L && scale (root, 0) == root);
  say ("gl_cv_func_isnanf_works", !__builtin_isnan (1 / f0));
  say ("gl_cv_func_isnanl_works", IS_NAN (l0 / l0) && EACH_NAN (IS_NAN));
  volatile long double largest = LDBL_MAX;
  say ("gl_cv_func_isinfl_works", !isinf (largest) && EACH_NAN (IS_NOT_INFINITE));
  say ("gl_cv_func_isfinitel_works", EACH_NAN (IS_NOT_FINITE));
  say ("gl_cv_func_signbit", SIGNS (signbit, f, f0) && SIGNS (signbit, d, d0) && SIGNS (signbit, l, l0));
  int builtin = SIGNS (BUILTIN_SIGN, f, f0) && SIGNS (BUILTIN_SIGN, d, d0) && SIGNS (BUILTIN_SIGN, l, l0);
  say ("gl_cv_func_signbit_builtins", builtin);
  say ("gl_cv_func_signbit_gcc", builtin);
  volatile int minus = -1;
  volatile long double sum = 0;
  sum += minus * 1.0L;
  say ("gl_cv_func_itold_works", sum < 0);
  return 0;
}
