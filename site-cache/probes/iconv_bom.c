/* Does iconv leave out the byte order mark when it writes UTF-16?

   Asked by Git, which writes the mark itself where the answer is yes.  glibc has the conversion in a module of its own, which a cross
   toolchain often lacks: then there is no answer.  */

#include <iconv.h>
#include <stdio.h>

int
main (void)
{
  char from[] = "a", to[16];
  char *in = from, *out = to;
  size_t in_left = 1, out_left = sizeof to;
  iconv_t conversion = iconv_open ("UTF-16", "UTF-8");
  if (conversion == (iconv_t) -1)
    return 0;
  iconv (conversion, &in, &in_left, &out, &out_left);
  int marked = (unsigned char) to[0] + (unsigned char) to[1] == 0xfe + 0xff;
  printf ("ac_cv_iconv_omits_bom=%s\n", marked ? "no" : "yes");
  return 0;
}
