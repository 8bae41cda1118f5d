/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Replaces a real tool in measurements of the time before that tool starts.
 */
int main(void)
{
	return 0;
}
