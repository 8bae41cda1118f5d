/* Does sem_open make a named semaphore, and can its value be read?  The C library keeps them in /dev/shm.

   Asked by CPython, whose multiprocessing has no locks where the answer is no, and by apr, which takes other locks then.  apr
   stores its answer under the name that AC_CHECK_FUNCS has for the function.  */

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
  int exclusive = opened && sem_open (name, O_CREAT | O_EXCL, 0600, 3) == SEM_FAILED;
  if (opened)
    {
      sem_close (semaphore);
      sem_unlink (name);
    }

  printf ("ac_cv_posix_semaphores_enabled=%s\n", opened ? "yes" : "no");
  printf ("ac_cv_broken_sem_getvalue=%s\n", read ? "no" : "yes");
  printf ("ac_cv_func_sem_open=%s\n", exclusive ? "yes" : "no");
  return 0;
}
