/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The floor: the least time that a program needs to exec another one. It execs its first argument with the remaining arguments.
 */
#include <unistd.h>

int main(int count, char **words)
{
	if (count < 2)
		return 125;
	execv(words[1], words + 1);
	return 127;
}
