/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts other programs: dtc, mkimage, QEMU. */
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GRACE_SECONDS 5 /* from asking a program to end to killing it */

static void redirect_output(const char *log)
{
	int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (file >= 0) {
		dup2(file, STDOUT_FILENO);
		dup2(file, STDERR_FILENO);
	}
}

/*
 * Forks and executes. A pipe that closes at a successful exec tells "could not be started" from
 * "started and failed".
 */
static pid_t start(const struct words *words, const char *log, const sigset_t *mask)
{
	int result[2], error = 0;
	pid_t parent = getpid();

	if (pipe(result) != 0 || fcntl(result[0], F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(result[1], F_SETFD, FD_CLOEXEC) != 0) {
		die(EXIT_TOOL, "%s: %s", words->word[0], strerror(errno));
	}

	pid_t child = fork();

	if (child < 0) {
		die(EXIT_TOOL, "%s: %s", words->word[0], strerror(errno));
	}
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) {
			_exit(EXIT_TOOL);
		}
		if (log) {
			redirect_output(log);
		}
		if (mask) {
			sigprocmask(SIG_SETMASK, mask, NULL);
		}
		execvp(words->word[0], words->word);
		error = errno;
		if (write(result[1], &error, sizeof(error)) < 0) {
			_exit(EXIT_TOOL);
		}
		_exit(EXIT_TOOL);
	}
	close(result[1]);
	if (read(result[0], &error, sizeof(error)) == (ssize_t)sizeof(error)) {
		waitpid(child, NULL, 0);
		die(EXIT_TOOL, "cannot start %s: %s; install it (see README.md) or put it in PATH",
		    words->word[0], strerror(error));
	}
	close(result[0]);
	return child;
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const struct words *words, const char *log)
{
	pid_t child = start(words, log, NULL);
	int status;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR) {
			die(EXIT_TOOL, "%s: %s", words->word[0], strerror(errno));
		}
	}
	return exit_status(status);
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

int program_run_foreground(const struct words *words, unsigned timeout, bool *timed_out)
{
	struct timespec second = {.tv_sec = 1};
	sigset_t wanted, before;
	int status;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGINT); /* the terminal sends it to the program too */
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	sigprocmask(SIG_BLOCK, &wanted, &before);

	pid_t child = start(words, NULL, &before);
	time_t end = now() + (time_t)timeout;

	*timed_out = false;
	while (waitpid(child, &status, WNOHANG) != child) {
		int signal = sigtimedwait(&wanted, NULL, &second);

		if (signal == SIGTERM || signal == SIGHUP) {
			kill(child, SIGTERM);
		}
		if (timeout && now() >= end) {
			kill(child, now() >= end + GRACE_SECONDS ? SIGKILL : SIGTERM);
			*timed_out = true;
		}
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return exit_status(status);
}
