/* Does logb know the exponent of the smallest numbers, of either sign, in all three types?

   Asked by gnulib's logb.m4, logbf.m4 and logbl.m4; where the answer is no, the function is replaced.  */

#include <float.h>
#include <math.h>
#include <stdio.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
logb_works (double sign)
{
  volatile double x = sign;
  for (int i = 1; i >= DBL_MIN_EXP; i--)
    x *= 0.5;
  return x == 0 || logb (x) == DBL_MIN_EXP - 2;
}

static int
logbf_works (void)
{
  volatile float x = 1;
  for (int i = 1; i >= FLT_MIN_EXP; i--)
    x *= 0.5f;
  return x == 0 || logbf (x) == FLT_MIN_EXP - 2;
}

static int
logbl_works (long double sign)
{
  volatile long double x = sign;
  int works = 1;
  for (int i = 1; i >= LDBL_MIN_EXP - 54; i--, x *= 0.5L)
    if ((i == LDBL_MIN_EXP - 1 || i == LDBL_MIN_EXP - 54) && x != 0)
      works &= logbl (x) == i - 1;
  return works;
}

int
main (void)
{
  say ("gl_cv_func_logb_works", logb_works (1) && logb_works (-1));
  say ("gl_cv_func_logbf_works", logbf_works ());
  say ("gl_cv_func_logbl_works", logbl_works (1) && logbl_works (-1));
  return 0;
}
