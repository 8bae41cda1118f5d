/* Does mkstemp make seventy files with no rights for others, which may grow beyond two gigabytes, and may mknod make a FIFO for whoever is
   not root?

   Asked by gnulib's mkstemp.m4 and mknod.m4; where the answer is no, the function is replaced.  Run as root, mknod.m4 ends the configure
   script.  */

#define _GNU_SOURCE 1
#define _FILE_OFFSET_BITS 64
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int
mkstemp_works (void)
{
  int works = 1;
  umask (0);
  for (int i = 0; i < 70; i++)
    {
      char name[] = "coXXXXXX";
      struct stat st;
      const off_t far = 4294967295;
      int fd = mkstemp (name);
      works &= fd >= 0 && lseek (fd, far, SEEK_SET) == far && fstat (fd, &st) == 0 && (st.st_mode & 0077) == 0 && close (fd) == 0;
      unlink (name);
    }
  return works;
}

/* Of root, a child becomes nobody in a folder where everybody may write.  */
static int
mknod_works (void)
{
  int status;
  mkdir ("open", 0777);
  pid_t child = fork ();
  if (child == 0)
    {
      if (geteuid () == 0 && setuid (65534) != 0)
        _exit (mknod ("open/fifo", S_IFIFO | 0600, 0) != 0);
      _exit (chdir ("open") != 0 || mknod ("fifo", S_IFIFO | 0600, 0) != 0);
    }
  int works = waitpid (child, &status, 0) == child && status == 0;
  unlink ("open/fifo");
  rmdir ("open");
  return works;
}

int
main (void)
{
  printf ("gl_cv_func_working_mkstemp=%s\n", mkstemp_works () ? "yes" : "no");
  chmod (".", 0755);
  printf ("gl_cv_func_mknod_works=%s\n", mknod_works () ? "yes" : "no");
  return 0;
}
