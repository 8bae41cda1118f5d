/* What stdio does: can a directory be opened to be read, does a file in binary mode keep all bytes, does a file opened for both
   turn from reading to writing by itself, and does write to standard output work?

   Asked by Git, ncurses (CF_FOPEN_BIN_R) and PHP, each of which goes another way where the answer is not the usual one.  */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
keeps_all_bytes (void)
{
  int kept = 1;
  FILE *file = fopen ("bytes", "wb");
  for (int byte = 0; file && byte < 256; byte++)
    putc (byte, file);
  if (!file || fclose (file) != 0 || !(file = fopen ("bytes", "rb")))
    return 0;
  for (int byte = 0; byte < 256; byte++)
    kept = kept && getc (file) == byte;
  fclose (file);
  unlink ("bytes");
  return kept;
}

/* After a line was read, the next one is written over.  */
static int
turns_by_itself (void)
{
  char line[64] = "";
  int turned = 0;
  FILE *file = fopen ("lines", "wb");
  if (!file || fputs ("line 1\nline 2\n", file) < 0 || fclose (file) != 0 || !(file = fopen ("lines", "rb+")))
    return 0;
  if (fgets (line, sizeof line, file) && fputs ("line 3\n", file) >= 0)
    {
      rewind (file);
      turned = fgets (line, sizeof line, file) && strcmp (line, "line 1\n") == 0;
      turned = turned && fgets (line, sizeof line, file) && strcmp (line, "line 3\n") == 0;
    }
  fclose (file);
  unlink ("lines");
  return turned;
}

int
main (void)
{
  printf ("ac_cv_fread_reads_directories=%s\n", fopen (".", "r") ? "yes" : "no");
  printf ("cf_cv_fopen_bin_r=%s\n", keeps_all_bytes () ? "yes" : "no");
  printf ("ac_cv_flush_io=%s\n", turns_by_itself () ? "no" : "yes");
  fflush (stdout);
  static const char half[] = "ac_cv_write_stdout=";
  int written = write (STDOUT_FILENO, half, sizeof half - 1) == sizeof half - 1;
  puts (written ? "yes" : "no");
  return 0;
}
