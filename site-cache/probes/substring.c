/* Do strstr, strcasestr and memmem find nothing where there is nothing, and is an empty needle found at once?

   Asked by gnulib's strstr.m4, strcasestr.m4 and memmem.m4; where the answer is no, the function is replaced.  Old libraries
   failed on a needle of a repeated period.  */

#define _GNU_SOURCE 1
#include <stdio.h>
#include <string.h>

#define P "_EF_BF_BD"
#define TEXT "F_BD_CE_BD" P P P P "_C3_88_20" P P P "_C3_A7_20" P
#define NEEDLE P P P P P

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

int
main (void)
{
  char *(*volatile find) (const char *, const char *) = strstr;
  char *(*volatile find_any_case) (const char *, const char *) = strcasestr;
  void *(*volatile find_bytes) (const void *, size_t, const void *, size_t) = memmem;
  const char *empty = "AAA";
  say ("gl_cv_func_strstr_works_always", !find (TEXT, NEEDLE));
  say ("gl_cv_func_strcasestr_works_always", !find_any_case (TEXT, NEEDLE));
  say ("gl_cv_func_memmem_works_always",
       !find_bytes (TEXT, strlen (TEXT), NEEDLE, strlen (NEEDLE)) && find_bytes (empty, 3, empty + 1, 0) == empty);
  return 0;
}
