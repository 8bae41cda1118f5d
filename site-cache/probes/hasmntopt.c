/* Does hasmntopt find a mount option as a whole only?

   Asked by gnulib's hasmntopt.m4; where the answer is no, the function is replaced.  */

#include <mntent.h>
#include <stdio.h>

int
main (void)
{
  char options[] = "rw,noatime";
  struct mntent entry = { .mnt_opts = options };
  printf ("gl_cv_func_hasmntopt_works=%s\n", hasmntopt (&entry, "atime") ? "no" : "yes");
  return 0;
}
