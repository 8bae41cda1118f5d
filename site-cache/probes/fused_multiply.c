/* Do fmaf and fmal round once only, after the sum, at ties, near the largest and the smallest numbers?

   Asked by gnulib's fmaf.m4 and fmal.m4; where the answer is no, the function is replaced.  fma is not asked: the GNU C library 2.43
   rounds it wrongly where the processor has no such instruction.  */

#include <float.h>
#include <math.h>
#include <stdio.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

/* 2 to the N.  */
static float
twof (int n)
{
  return ldexpf (1, n);
}

static long double
twol (int n)
{
  return ldexpl (1, n);
}

static int
fmaf_is (float x, float y, float z, float expected)
{
  float (*volatile multiply) (float, float, float) = fmaf;
  volatile float result = multiply (x, y, z);
  return result == expected;
}

static int
fmaf_works (void)
{
  const int digits = FLT_MANT_DIG;
  volatile float one = 1, zero = 0;
  float unit = one + twof (1 - digits), half = one + twof (-digits / 2);
  int works = fmaf_is (1.5f, 1.5f, twof (digits + 1), twof (digits + 1) + 4);
  works &= fmaf_is (1.25f, -1.25f, twof (digits + 1), (twof (digits) - 1) * 2);
  works &= fmaf_is (unit, unit, 4, 5 + twof (3 - digits));
  works &= fmaf_is (unit, -unit, 8, 7 - twof (3 - digits));
  works &= fmaf_is (1.25f, -0.75f, twof (digits), twof (digits) - 1);
  works &= fmaf_is (half, half, twof (FLT_MIN_EXP - digits), one + twof (1 - digits / 2) + twof (1 - digits));
  works &= fmaf_is (half, half, -twof (FLT_MIN_EXP - digits), one + twof (1 - digits / 2));
  return works & fmaf_is (twof (FLT_MAX_EXP - 1), twof (FLT_MAX_EXP - 1), -one / zero, -one / zero);
}

static int
fmal_is (long double x, long double y, long double z, long double expected)
{
  long double (*volatile multiply) (long double, long double, long double) = fmal;
  volatile long double result = multiply (x, y, z);
  return result == expected;
}

/* What is so for an odd number of digits (a double, a quadruple) ...  */
static int
fmal_works_odd (int digits)
{
  volatile long double one = 1;
  long double above = one + twol (-(digits + 1) / 2), below = one - twol (-(digits + 1) / 2);
  int works = fmal_is (above, below, -twol (LDBL_MIN_EXP - digits), one - twol (-digits));
  return works & fmal_is (above, above, twol (-digits), one + twol (-(digits - 1) / 2) + twol (1 - digits));
}

/* ... and for an even one (the extended numbers of x86 and m68k, the pairs of doubles of PowerPC).  */
static int
fmal_works_even (int digits)
{
  volatile long double one = 1;
  long double above = one + twol (-digits / 2), twice = twol (1 - digits / 2), last = twol (1 - digits);
  int works = fmal_is (above, above, twol (LDBL_MIN_EXP - digits), one + twice + last);
  works &= fmal_is (above, above, twol (-digits), one + twice + last);
  works &= fmal_is (above, above, last, one + twol (-31) + twol (-62));
  works &= fmal_is (above, above, twol (digits / 2 + 1), twol (digits / 2 + 1) + one + twol (2 - digits / 2));
  works &= fmal_is (above, above, -last, one + twice);
  works &= fmal_is (above, above, -one, twice + twol (-digits));
  works &= fmal_is (above, -above, 2, one - twice - twol (-digits));
  works &= fmal_is (above, -above, twol (digits / 2 + 2), twol (digits / 2 + 2) - one - twol (2 - digits / 2));
  above = one + twol (-digits / 2 - 1);
  long double below = one - twol (-digits / 2 - 1);
  works &= fmal_is (above, below, -twol (-digits - 1), one - twol (-digits));
  return works & fmal_is (above, below, -one, -twol (-digits - 2));
}

static int
fmal_works (void)
{
  const int digits = LDBL_MANT_DIG;
  volatile long double one = 1, zero = 0;
  long double unit = one + twol (1 - digits);
  int works = fmal_is (1.5L, 1.5L, twol (digits + 1), twol (digits + 1) + 4);
  works &= fmal_is (1.25L, -1.25L, twol (digits + 1), (twol (digits) - 1) * 2);
  works &= fmal_is (unit, unit, 4, 5 + twol (3 - digits));
  works &= fmal_is (unit, -unit, 8, 7 - twol (3 - digits));
  works &= fmal_is (1.25L, -0.75L, twol (digits), twol (digits) - 1);
  works &= digits % 2 ? fmal_works_odd (digits) : fmal_works_even (digits);
  works &= fmal_is (twol (LDBL_MAX_EXP - 1), twol (LDBL_MAX_EXP - 1), -one / zero, -one / zero);
  long double almost = twol (LDBL_MAX_EXP - 1) - twol (LDBL_MAX_EXP - digits - 1);
  works &= fmal_is (twol (LDBL_MAX_EXP - 1), 2, -ldexpl (almost, 1), twol (LDBL_MAX_EXP - digits));
  return works & fmal_is (1, 1, -twol (-1 - digits), 1);
}

int
main (void)
{
  say ("gl_cv_func_fmaf_works", fmaf_works ());
  say ("gl_cv_func_fmal_works", fmal_works ());
  return 0;
}
