/* Are expl, expm1l, the logarithms and remainderl as exact as a long double, or only as a double?

   Asked by gnulib's expl.m4, expm1l.m4, log10.m4, log10l.m4, log1pl.m4, log2l.m4, logl.m4 and remainderl.m4; where the answer is no, the
   function is replaced.  Each is called twice, so that the results cancel but for the error.  */

#define _GNU_SOURCE 1
#include <float.h>
#include <math.h>
#include <stdio.h>

typedef long double function (long double);

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

/* Whether an error is at most this many units in the last place of 1.  */
static int
is_small (long double error, long double units)
{
  long double scaled = ldexpl (error, LDBL_MANT_DIG);
  return scaled >= -units && scaled <= units;
}

static int
expl_works (function *volatile e)
{
  volatile long double x = 11.358L;
  return e (-1) != 0 && !isnan (e (-1)) && !isnan (e (-0.8L)) && !isnan (e (-0.4L)) && is_small (e (x) * e (-x) - 1, 100);
}

static int
expm1l_works (function *volatile e)
{
  volatile long double x = 11.358L;
  long double y = e (x), z = e (-x);
  volatile long double product = (1 + y) * z;
  volatile long double tiny = 0.5L;
  for (int i = -1; i > LDBL_MIN_EXP; i--)
    tiny *= 0.5L;
  return is_small (y + product, 100) && e (tiny) >= tiny;
}

static int
log10l_works (function *volatile logarithm)
{
  volatile long double a = 7.90097792256024576L, b = 13.53398352203022253L, zero = 0;
  long double y = logarithm (-zero);
  return y + y == y && is_small (logarithm (a) + logarithm (1 / a), 100) && is_small (logarithm (b) + logarithm (1 / b), 100);
}

static int
log1pl_works (function *volatile logarithm)
{
  volatile long double x = 11.358L;
  return is_small (logarithm (x) + logarithm (-x / (1 + x)), 900);
}

static int
log2l_works (function *volatile logarithm)
{
  volatile long double x = 11.358L;
  int works = is_small (logarithm (x) + logarithm (1 / x), 10000);
  if (DBL_MAX_EXP < LDBL_MAX_EXP)
    works &= !isinf (logarithm (ldexpl (1, DBL_MAX_EXP)));
  return works;
}

static int
logl_works (function *volatile logarithm)
{
  volatile long double x = 16.981137113807045L;
  return is_small (logarithm (x) + logarithm (1 / x), 100);
}

static int
remainderl_works (long double (*volatile divide) (long double, long double))
{
  volatile long double x = 11.357996098166760874793827872740874983168L, y = 0.486497838502717923110029188864352615388L;
  return divide (9.245907126L, 3.141592654L) < 0 && is_small (divide (x, y) - (x - 23 * y), 32);
}

int
main (void)
{
  volatile double zero = 0;
  volatile long double long_zero = 0;
  double y = log10 (-zero);
  long double z = log1pl (-long_zero);
  say ("gl_cv_func_expl_works", expl_works (expl));
  say ("gl_cv_func_expm1l_works", expm1l_works (expm1l));
  say ("gl_cv_func_log10_works", y + y == y);
  say ("gl_cv_func_log10l_works", log10l_works (log10l));
  say ("gl_cv_func_log1pl_ieee", z == 0 && signbit (z));
  say ("gl_cv_func_log1pl_works", log1pl_works (log1pl));
  say ("gl_cv_func_log2l_works", log2l_works (log2l));
  say ("gl_cv_func_logl_works", logl_works (logl));
  say ("gl_cv_func_remainderl_works", remainderl_works (remainderl));
  return 0;
}
