/* Which files are in /dev, and can /dev/zero be mapped?  AC_CHECK_FILE looks on the machine that configure runs on, and ends
   configure with an error when that is not the target.

   Asked by CPython and OpenSSH (/dev/ptmx, /dev/ptc), apr (/dev/zero), PostgreSQL and curl (/dev/urandom).  apr stores nothing when
   it could map /dev/zero, and turns the answer about the file into no when it cannot run: any answer to the second question
   keeps it from that.  QEMU cannot map a device where the target's pages are larger than the build machine's.  */

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *
is_there (const char *path)
{
  return access (path, R_OK) == 0 ? "yes" : "no";
}

int
main (void)
{
  printf ("ac_cv_file__dev_ptmx=%s\n", is_there ("/dev/ptmx"));
  printf ("ac_cv_file__dev_ptc=%s\n", is_there ("/dev/ptc"));
  printf ("ac_cv_file__dev_urandom=%s\n", is_there ("/dev/urandom"));
  printf ("ac_cv_file__dev_zero=%s\n", is_there ("/dev/zero"));
  int zero = open ("/dev/zero", O_RDWR);
  void *mapped = mmap (NULL, sysconf (_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
  printf ("ac_cv_mmap__dev_zero=%s\n", mapped == MAP_FAILED ? "no" : "yes");
  return 0;
}
