/* Does mbstowcs count the characters when it has nowhere to put them, and is wchar_t wider than two bytes?

   Asked by CPython and Vim.  */

#include <stdio.h>
#include <stdlib.h>

int
main (void)
{
  const char *volatile text = "letter";
  printf ("ac_cv_broken_mbstowcs=%s\n", mbstowcs (NULL, text, 0) == 6 ? "no" : "yes");
  printf ("ac_cv_small_wchar_t=%s\n", sizeof (wchar_t) <= 2 ? "yes" : "no");
  return 0;
}
