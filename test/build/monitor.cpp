/* SPDX-License-Identifier: MIT */
/*
 * A hypervisor in C++11 with Poise in it: what it takes from C are the core, the recorder and, for
 * its guest, the driver, all by their public headers. The guest publishes, the hypervisor polls,
 * ticks and moves memory; each decision becomes a line of text, and the lines replay.
 */
#include <cstdio>

#include "poise.h"
#include "publish.h"
#include "record.h"
#include "replay.h"

namespace
{

class Monitor
{
      public:
	Monitor(uint64_t pool_pages, FILE *recording) : recording_(recording)
	{
		poise_config config = poise_config();
		config.pool_pages = pool_pages;
		check(poise_init(&poise_, sizeof(poise_), &config, &ops, this));
	}

	void start(uint32_t vm, uint64_t boot_pages, uint64_t max_pages)
	{
		poise_vm_config config = poise_vm_config();
		config.min_pages = 1;
		config.boot_pages = boot_pages;
		config.max_pages = max_pages;
		size_[vm] = boot_pages;
		check(poise_vm_add(&poise_, vm, &config, boot_pages));
	}

	void poll(uint32_t vm, uint64_t now_ms, const poise_guest_page &page)
	{
		check(poise_poll(&poise_, vm, now_ms, &page));
	}

	void tick(uint64_t now_ms)
	{
		check(poise_tick(&poise_, now_ms));
		if (poise_check(&poise_) != 0) {
			failed = true;
		}
	}

	uint64_t size(uint32_t vm) const
	{
		return size_[vm];
	}

	bool failed = false;
	unsigned plans = 0;
	alignas(POISE_ABI_PAGE_BYTES) poise_host_page host_page[POISE_VM_MAX] = {};

      private:
	static const poise_port ops;

	static Monitor &self(void *ctx)
	{
		return *static_cast<Monitor *>(ctx);
	}

	static poise_err resize(void *ctx, uint32_t vm, uint64_t target, uint64_t)
	{
		self(ctx).size_[vm] = target;
		return POISE_OK;
	}

	static poise_err measure(void *ctx, uint32_t vm, uint64_t *pages)
	{
		*pages = self(ctx).size_[vm];
		return POISE_OK;
	}

	static void notify(void *ctx, uint32_t vm, const poise_notice *notice)
	{
		poise_host_page_write(&self(ctx).host_page[vm], &self(ctx).writer_[vm], notice);
	}

	static void event(void *ctx, const poise_event *event)
	{
		char line[RECORD_LINE_MAX];
		record_format(event, line, sizeof(line));
		std::fputs(line, self(ctx).recording_);
		self(ctx).plans += event->code == POISE_EVENT_PLAN;
	}

	void check(poise_err err)
	{
		if (err != POISE_OK) {
			std::printf("FAIL: %s\n", poise_strerror(err));
			failed = true;
		}
	}

	FILE *recording_;
	poise poise_;
	uint64_t size_[POISE_VM_MAX] = {};
	poise_host_writer writer_[POISE_VM_MAX] = {};
};

const poise_port Monitor::ops = {resize, measure, notify, event};

} // namespace

int main()
{
	FILE *recording = std::tmpfile();
	if (recording == nullptr) {
		return 1;
	}
	std::fprintf(recording, "%s\n", RECORD_HEADER);
	static Monitor monitor(2000, recording);
	alignas(POISE_ABI_PAGE_BYTES) static poise_guest_page pages[2];
	gd driver[2];
	gd_host told = gd_host();

	for (uint32_t i = 0; i < 2; i++) {
		monitor.start(i, 1000, 2000);
		if (gd_init(&driver[i], &pages[i], &monitor.host_page[i], 7, 2000,
			    POISE_GF_AVAILABLE) != 0) {
			return 1;
		}
	}
	for (uint64_t t = 1; t <= 5; t++) {
		for (uint32_t i = 0; i < 2; i++) {
			poise_abi_guest counters = poise_abi_guest();
			counters.balloon_pages = 2000 - monitor.size(i);
			counters.active_anon_pages = i == 0 ? 100 : 600 + 100 * t;
			counters.free_pages = monitor.size(i) > counters.active_anon_pages
						      ? monitor.size(i) - counters.active_anon_pages
						      : 0;
			gd_publish(&driver[i], &counters);
			monitor.poll(i, 1000 * t, pages[i]);
		}
		monitor.tick(1000 * t);
	}
	if (gd_host_read(&driver[1], &told) != 1 || told.target_pages != monitor.size(1)) {
		std::printf("FAIL: the guest is told nothing\n");
		monitor.failed = true;
	}

	/* What was recorded is a recording. */
	std::rewind(recording);
	replay_result result;
	const int replayed = replay_run(recording, nullptr, &result);
	std::fclose(recording);
	if (monitor.failed || monitor.plans == 0 || replayed != 0 || monitor.size(1) <= 1000) {
		return 1;
	}
	std::printf("moved and replayed\n");
	return 0;
}
