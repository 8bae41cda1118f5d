/* Does sem_open make a named semaphore, and can its value be read?  The C library keeps them in /dev/shm.

   Asked by CPython, whose multiprocessing has no locks where the answer is no.  */

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

int
main (void)
{
  char name[64];
  int value = 0;
  snprintf (name, sizeof name, "/probe-%ld", (long) getpid ());

  sem_t *semaphore = sem_open (name, O_CREAT, 0600, 3);
  int opened = semaphore != SEM_FAILED;
  int read = opened && sem_getvalue (semaphore, &value) == 0 && value == 3;
  if (opened)
    {
      sem_close (semaphore);
      sem_unlink (name);
    }

  printf ("ac_cv_posix_semaphores_enabled=%s\n", opened ? "yes" : "no");
  printf ("ac_cv_broken_sem_getvalue=%s\n", read ? "no" : "yes");
  return 0;
}
