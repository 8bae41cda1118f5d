/* Do the compiler's atomic operations on 64 bits work, in their old and in their new form, with libgcc alone?  On some 32-bit
   machines they need libatomic: there this program cannot be linked, and there is nothing to answer.

   Asked by apr, which takes a mutex for each atomic operation where the answer is no.  */

#include <stdint.h>
#include <stdio.h>

#if defined __aarch64__ && defined __GNUC__ && !defined __clang__
/* The functions for them in a libgcc that was built for glibc need glibc: so that it serves musl too.  */
#pragma GCC target ("no-outline-atomics")
#endif

#if defined __LP64__

static int
old_form (void)
{
  uint64_t number = 7, *place = &number;
  return __sync_fetch_and_add (&number, 3) == 7 && __sync_fetch_and_sub (place, 4) == 10 && __sync_sub_and_fetch (&number, 6) == 0
         && __sync_val_compare_and_swap (&number, 0, 9) == 0 && (__sync_synchronize (), __sync_lock_test_and_set (&number, 5)) == 9;
}

static int
new_form (void)
{
  uint64_t number = 7, *place = &number, old = 0;
  return __atomic_fetch_add (&number, 3, __ATOMIC_SEQ_CST) == 7 && __atomic_fetch_sub (place, 4, __ATOMIC_SEQ_CST) == 10
         && __atomic_sub_fetch (&number, 6, __ATOMIC_SEQ_CST) == 0
         && __atomic_compare_exchange_n (&number, &old, 9, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
         && __atomic_exchange_n (&number, 5, __ATOMIC_SEQ_CST) == 9;
}

int
main (void)
{
  printf ("ap_cv_atomic_builtins64=%s\n", old_form () ? "yes" : "no");
  printf ("ap_cv__atomic_builtins64=%s\n", new_form () ? "yes" : "no");
  return 0;
}

#else

int
main (void)
{
  return 0;
}

#endif
