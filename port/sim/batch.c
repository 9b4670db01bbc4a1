/* SPDX-License-Identifier: MIT */
/*
 * Worker processes that share a counter of runs to take and an array of results. Each says through
 * a pipe when a run is over; the pipe's end is the end of the last worker, so none is waited for
 * that has died.
 */
#include "batch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What became of a run. */
struct outcome {
	bool over, ok;
	char error[SIM_ERROR_MAX];
	struct sim_result result;
};

struct shared {
	atomic_uint next; /* the first run that nobody has taken yet */
	struct outcome outcome[];
};

static void carry_out(const struct sim_batch_run *run, struct outcome *o)
{
	const struct sim_run_options options = {.seed = run->seed};

	o->ok = sim_run(run->scenario, run->policy, &options, &o->result, o->error);
	o->over = true;
}

static void work(struct shared *s, const struct sim_batch_run *run, unsigned count, int out)
{
	unsigned i;

	while ((i = atomic_fetch_add(&s->next, 1u)) < count) {
		carry_out(&run[i], &s->outcome[i]);
		/* Only progress is lost if this fails. */
		(void)!write(out, "", 1);
	}
}

/* Starts the workers. Returns how many there are. */
static unsigned start(struct shared *s, const struct sim_batch_run *run, unsigned count,
		      unsigned jobs, const int ends[2])
{
	unsigned started = 0;

	for (; started < jobs && started < count; started++) {
		const pid_t pid = fork();

		if (pid == 0) {
			close(ends[0]);
			work(s, run, count, ends[1]);
			_exit(0);
		}
		if (pid < 0) {
			break;
		}
	}
	return started;
}

static void watch(int in, unsigned count, void (*progress)(void *ctx, uint64_t done, uint64_t all),
		  void *ctx)
{
	unsigned done = 0;
	char bytes[64];
	ssize_t got;

	while ((got = read(in, bytes, sizeof(bytes))) > 0) {
		done += (unsigned)got;
		if (progress != NULL) {
			progress(ctx, done, count);
		}
	}
}

static bool collect(const struct shared *s, const struct sim_batch_run *run, unsigned count,
		    struct sim_result *result, char error[SIM_ERROR_MAX])
{
	for (unsigned i = 0; i < count; i++) {
		const struct outcome *o = &s->outcome[i];

		if (!o->over || !o->ok) {
			snprintf(error, SIM_ERROR_MAX, "%s under %.48s: %.320s",
				 run[i].scenario->name, run[i].policy,
				 o->over ? o->error : "the process that simulated it has died");
			return false;
		}
		memcpy(&result[i], &o->result, sizeof(*result));
	}
	return true;
}

bool sim_batch(const struct sim_batch_run *run, unsigned count, unsigned jobs,
	       struct sim_result *result, void (*progress)(void *ctx, uint64_t done, uint64_t all),
	       void *ctx, char error[SIM_ERROR_MAX])
{
	const size_t bytes = sizeof(struct shared) + count * sizeof(struct outcome);
	struct shared *s =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned started;
	int ends[2];
	bool ok;

	if (s == MAP_FAILED || pipe(ends) != 0) {
		snprintf(error, SIM_ERROR_MAX, "no memory for %u runs", count);
		if (s != MAP_FAILED) {
			munmap(s, bytes);
		}
		return false;
	}
	fflush(NULL);
	started = start(s, run, count, jobs, ends);
	close(ends[1]);
	watch(ends[0], count, progress, ctx);
	close(ends[0]);
	for (unsigned i = 0; i < started; i++) {
		wait(NULL);
	}
	ok = started > 0 && collect(s, run, count, result, error);
	if (started == 0) {
		snprintf(error, SIM_ERROR_MAX, "no process can be started");
	}
	munmap(s, bytes);
	return ok;
}
