/* Does a stream know its place: ftell after a read to the end, ungetc of a byte other than the one read?

   Asked by gnulib's ftello.m4 and ungetc.m4; where the answer is no, the functions are replaced.  */

#include <stdio.h>
#include <string.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
tells_after_the_end (void)
{
  char content[10];
  FILE *f = fopen ("file", "w");
  int works = f && fputs ("foretold", f) >= 0 && fclose (f) == 0;
  f = works ? fopen ("file", "r+") : NULL;
  works = f && fseek (f, -1, SEEK_END) == 0 && getc (f) == 'd' && getc (f) == EOF && ftell (f) == 8 && ftell (f) == 8;
  /* Written after reading: at the end.  */
  works = works && putc ('!', f) == '!' && ftell (f) == 9 && fclose (f) == 0;
  f = works ? fopen ("file", "r") : NULL;
  works = f && fread (content, 1, 10, f) == 9 && memcmp (content, "foretold!", 9) == 0 && fclose (f) == 0;
  remove ("file");
  return works;
}

static int
takes_back_any_byte (void)
{
  FILE *f = fopen ("file", "w+");
  int works = f && fputs ("abc", f) >= 0;
  if (works)
    {
      rewind (f);
      works = fgetc (f) == 'a' && fgetc (f) == 'b' && ungetc ('x', f) == 'x' && ftell (f) == 1 && fgetc (f) == 'x'
        && ftell (f) == 2 && fseek (f, 0, SEEK_CUR) == 0 && ftell (f) == 2 && fgetc (f) == 'c';
      fclose (f);
    }
  remove ("file");
  return works;
}

int
main (void)
{
  say ("gl_cv_func_ftello_works", tells_after_the_end ());
  say ("gl_cv_func_ungetc_works", takes_back_any_byte ());
  return 0;
}
