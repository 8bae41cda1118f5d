/* Do the compiler's atomic operations on 32 bits work, in their old and in their new form, with libgcc alone?

   Asked by apr, which takes a mutex for each atomic operation where the answer is no.  */

#include <stdint.h>
#include <stdio.h>

#if defined __aarch64__ && defined __GNUC__ && !defined __clang__
/* The functions for them in a libgcc that was built for glibc need glibc: so that it serves musl too.  */
#pragma GCC target ("no-outline-atomics")
#endif

static int
old_form (void)
{
  uint32_t number = 7, other = 0, *place = &number;
  return __sync_fetch_and_add (&number, 3) == 7 && __sync_fetch_and_sub (place, 4) == 10 && __sync_sub_and_fetch (&number, 6) == 0
         && __sync_val_compare_and_swap (&number, 0, 9) == 0 && (__sync_synchronize (), __sync_lock_test_and_set (&number, 5)) == 9
         && __sync_val_compare_and_swap (&place, &number, &other) == &number && place == &other && number == 5;
}

static int
new_form (void)
{
  uint32_t number = 7, other = 0, *place = &number, *expected = &number, old = 0;
  return __atomic_fetch_add (&number, 3, __ATOMIC_SEQ_CST) == 7 && __atomic_fetch_sub (place, 4, __ATOMIC_SEQ_CST) == 10
         && __atomic_sub_fetch (&number, 6, __ATOMIC_SEQ_CST) == 0
         && __atomic_compare_exchange_n (&number, &old, 9, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
         && __atomic_exchange_n (&number, 5, __ATOMIC_SEQ_CST) == 9
         && __atomic_compare_exchange_n (&place, &expected, &other, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && place == &other
         && number == 5;
}

int
main (void)
{
  printf ("ap_cv_atomic_builtins=%s\n", old_form () ? "yes" : "no");
  printf ("ap_cv__atomic_builtins=%s\n", new_form () ? "yes" : "no");
  return 0;
}
