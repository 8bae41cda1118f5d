/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Stands in for a real tool where the question is what happens before it starts.
 */
int main(void)
{
	return 0;
}
