/* Does the file position of a descriptor follow its input stream, when the stream is closed (fclose) or flushed (fflush)?

   Asked by gnulib's fclose.m4 and fflush.m4, which replace both functions where the answer is no.  The GNU C library does so
   since 2.42.  */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void
say (const char *variable, int works)
{
  printf ("%s=%s\n", variable, works ? "yes" : "no");
}

static int
close_puts_back (void)
{
  int fd = open ("file", O_RDONLY);
  int works = fd >= 0 && lseek (fd, 1, SEEK_SET) == 1;
  int shared = works ? dup (fd) : -1;
  FILE *f = shared >= 0 ? fdopen (shared, "r") : NULL;
  return f && fgetc (f) == 'b' && fclose (f) == 0 && lseek (shared, 0, SEEK_CUR) == -1 && lseek (fd, 0, SEEK_CUR) == 2;
}

static int
flush_puts_back (void)
{
  char begin[5];
  FILE *f = fopen ("file", "r");
  if (!f || fread (begin, 1, 5, f) != 5)
    return 0;
  int works = lseek (fileno (f), 0, SEEK_CUR) != 5 && fflush (f) == 0 && fseek (f, 0, SEEK_CUR) == 0
    && lseek (fileno (f), 0, SEEK_CUR) == 5;
  /* The byte pushed back is forgotten, be it the one that was read or another.  */
  int c = fgetc (f);
  ungetc (c, f);
  fflush (f);
  works &= fgetc (f) == c;
  c = fgetc (f);
  ungetc ('@', f);
  fflush (f);
  works &= fgetc (f) == c;
  fclose (f);
  return works;
}

int
main (void)
{
  FILE *f = fopen ("file", "w");
  if (!f || fputs ("abcdefghijkl\n", f) < 0 || fclose (f) != 0)
    return 1;
  say ("gl_cv_func_fclose_stdin", close_puts_back ());
  say ("gl_cv_func_fflush_stdin", flush_puts_back ());
  remove ("file");
  return 0;
}
