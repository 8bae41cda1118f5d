/* Where are the sign and the lowest bit of the exponent in the words of a float, a double, a long double?

   Asked by gnulib's signbit.m4, exponentf.m4, exponentd.m4 and exponentl.m4.  Where it is not known, signbit, isnan and their kin
   are done by slower ways.  */

#include <stdio.h>
#include <string.h>

enum { WORDS = (sizeof (long double) + sizeof (unsigned) - 1) / sizeof (unsigned) };

/* Says the place of the lowest bit in WORDS words, of which one only may hold any.  */
static void
say_place (const char *variable, const unsigned *words)
{
  int found = -1;
  for (int i = 0; i < WORDS; i++)
    if (words[i] != 0)
      found = found == -1 ? i : -2;
  if (found < 0)
    printf ("%s=unknown\n", variable);
  else
    printf ("%s=word %d bit %d\n", variable, found, __builtin_ctz (words[found]));
}

/* The words of one number of one of the types; bytes of padding are 0.  */
static void
words_of (unsigned *words, char type, long double value)
{
  float f = value;
  double d = value;
  memset (words, 0, WORDS * sizeof *words);
  if (type == 'f')
    memcpy (words, &f, sizeof f);
  else if (type == 'd')
    memcpy (words, &d, sizeof d);
#if __LDBL_MANT_DIG__ == 64
  else if (sizeof (long double) == 16 || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
    memcpy (words, &value, 10);
#endif
  else
    memcpy (words, &value, sizeof value);
}

static void
say_sign (const char *variable, char type)
{
  unsigned plus[WORDS], minus[WORDS];
  words_of (plus, type, 1);
  words_of (minus, type, -1);
  for (int i = 0; i < WORDS; i++)
    plus[i] ^= minus[i];
  say_place (variable, plus);
}

/* The bits that change as powers of two do are those of the exponent.  */
static void
say_exponent (const char *variable, char type)
{
  unsigned any[WORDS] = { 0 }, all[WORDS], words[WORDS];
  memset (all, 0xff, sizeof all);
  for (long double power = 0.25L; power <= 4; power *= 2)
    {
      words_of (words, type, power);
      for (int i = 0; i < WORDS; i++)
        {
          any[i] |= words[i];
          all[i] &= words[i];
        }
    }
  for (int i = 0; i < WORDS; i++)
    any[i] &= ~all[i];
  say_place (variable, any);
}

int
main (void)
{
  say_sign ("gl_cv_cc_float_signbit", 'f');
  say_sign ("gl_cv_cc_double_signbit", 'd');
  say_sign ("gl_cv_cc_long_double_signbit", 'l');
  say_exponent ("gl_cv_cc_float_expbit0", 'f');
  say_exponent ("gl_cv_cc_double_expbit0", 'd');
  say_exponent ("gl_cv_cc_long_double_expbit0", 'l');
  return 0;
}
