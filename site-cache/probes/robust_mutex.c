/* Can a mutex between processes outlive its owner (a robust one), and lend its priority?

   Asked by apr (APR_CHECK_PTHREAD_ROBUST_SHARED_MUTEX), whose configure ends with an error when it cannot run, and which locks with
   files where the answer is no.  The kernel has had it since 2.6.18.  QEMU's emulation has no get_robust_list, which musl and
   glibc on some machines ask first: under QEMU the answer is no there.  */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>

int
main (void)
{
  pthread_mutex_t mutex;
  pthread_mutexattr_t attributes;
  int can_be = pthread_mutexattr_init (&attributes) == 0
               && pthread_mutexattr_setpshared (&attributes, PTHREAD_PROCESS_SHARED) == 0
               && pthread_mutexattr_setrobust (&attributes, PTHREAD_MUTEX_ROBUST) == 0
               && pthread_mutexattr_setprotocol (&attributes, PTHREAD_PRIO_INHERIT) == 0
               && pthread_mutex_init (&mutex, &attributes) == 0 && pthread_mutexattr_destroy (&attributes) == 0
               && pthread_mutex_destroy (&mutex) == 0;
  printf ("apr_cv_mutex_robust_shared=%s\n", can_be ? "yes" : "no");
  return 0;
}
