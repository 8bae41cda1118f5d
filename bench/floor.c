/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The floor: the least that a program can cost that becomes another one. It execs its first argument with the rest of them.
 */
#include <unistd.h>

int main(int count, char **words)
{
	if (count < 2)
		return 125;
	execv(words[1], words + 1);
	return 127;
}
