/* How files are read, written and locked: do pread and pwrite refuse an offset below zero, does a lock hold only the bytes that it
   names, does an entry of a directory begin where the structure says, and is there copy_file_range?

   Asked by PHP, rsync and Ruby.  */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int
lock_byte (int fd, off_t byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
  return fcntl (fd, F_SETLK, &lock) == 0;
}

int
main (void)
{
  char name[] = "fileXXXXXX", bytes[4];
  int file = mkstemp (name);
  if (file < 0)
    return 1;
  unlink (name);

  errno = 0;
  int writes = pwrite (file, "text", 4, 0) == 4 && pwrite (file, "text", 4, -1) == -1 && errno == EINVAL;
  errno = 0;
  int reads = pread (file, bytes, 2, 0) == 2 && pread (file, bytes, 2, -1) == -1 && errno == EINVAL;
  printf ("ac_cv_pwrite=%s\n", writes ? "yes" : "no");
  printf ("ac_cv_pread=%s\n", reads ? "yes" : "no");
  fflush (stdout);

  int status = -1;
  lock_byte (file, 0);
  pid_t child = fork ();
  if (child == 0)
    _exit (lock_byte (file, 1) ? 0 : 1);
  waitpid (child, &status, 0);
  printf ("rsync_cv_HAVE_BROKEN_LARGEFILE=%s\n", status == 0 ? "no" : "yes");

  DIR *directory = opendir (".");
  struct dirent *entry = directory ? readdir (directory) : NULL;
  printf ("rsync_cv_HAVE_BROKEN_READDIR=%s\n", entry && entry->d_name[0] == '.' ? "no" : "yes");

  int copies = 0;
#ifdef __NR_copy_file_range
  char other_name[] = "fileXXXXXX";
  int other = mkstemp (other_name);
  unlink (other_name);
  copies = syscall (__NR_copy_file_range, file, NULL, other, NULL, 0, 0) != -1;
#endif
  printf ("rb_cv_use_copy_file_range=%s\n", copies ? "yes" : "no");
  return 0;
}
